/** A backend that was ordered to drain, or to drain no more, as the two boxes tell each other. */

export interface Drain {
  readonly pool: string;
  readonly backend: string;
  readonly on: boolean;
  /** Higher than that of every order that was known when this one was given. */
  readonly version: number;
}

/** In one message, and at all. */
export const DRAINS_MAX = 1_024;
