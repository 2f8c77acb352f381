/**
 * Whether the two boxes run different configurations. For the moments between the one's commit and the other's, or until
 * a box that returned has caught up, that is nothing to be told of.
 */
const TOLERATED_MILLIS = 3_000;

export class RevisionWatch {
  readonly #onChange: (differing: Differing | undefined) => void;
  #timer: NodeJS.Timeout | undefined;
  #differing: Differing | undefined;
  #told = false;

  /** Told only what has lasted. */
  constructor(onChange: (differing: Differing | undefined) => void) {
    this.#onChange = onChange;
  }

  /** `theirs` may be the beginning of an id; nothing is known of the other where one is empty or undefined. */
  compare(mine: string | undefined, theirs: string | undefined): void {
    const known = mine !== undefined && theirs !== undefined && theirs !== "";
    const told = this.#told;
    this.#differing = known && !mine.startsWith(theirs.slice(0, 16)) ? { mine, theirs } : undefined;
    if (this.#differing === undefined) {
      this.close();
      this.#onChange(undefined);
    } else if (told) this.#onChange(this.#differing);
    else this.#timer ??= setTimeout(() => this.#tell(), TOLERATED_MILLIS);
  }

  #tell(): void {
    this.#told = true;
    this.#onChange(this.#differing);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#told = false;
  }
}

export interface Differing {
  readonly mine: string;
  readonly theirs: string;
}
