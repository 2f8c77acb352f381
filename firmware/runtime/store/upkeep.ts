/** Work that can wait until nobody else does, in slices: some time after the last change, but not for ever. */

const QUIET_MS = 300;
const LATEST_MS = 3_000;
/** Between two slices, in which calls are answered. */
const PAUSE_MS = 10;

export class Upkeep {
  readonly #slice: () => boolean;
  #timer: NodeJS.Timeout | undefined;
  #since = 0;

  /** `slice` does a part of the work, and says whether there is more. */
  constructor(slice: () => boolean) {
    this.#slice = slice;
  }

  /** Something changed. */
  soon(): void {
    if (this.#timer === undefined) {
      this.#since = performance.now();
      this.#timer = setTimeout(() => this.#work(), QUIET_MS);
    } else if (performance.now() - this.#since < LATEST_MS - QUIET_MS) this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #work(): void {
    this.#timer = this.#slice() ? setTimeout(() => this.#work(), PAUSE_MS) : undefined;
  }
}
