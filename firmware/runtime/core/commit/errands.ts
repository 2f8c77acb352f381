/** What the other box asked for, one after the other, and so many at most: of what it asks beyond that nothing comes. */
export class Errands {
  readonly #max: number;
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(max: number) {
    this.#max = max;
  }

  /** Resolves when it is done; to false, at once, when it is left out. */
  async add(errand: () => Promise<void>): Promise<boolean> {
    if (this.#waiting >= this.#max) return false;
    this.#waiting += 1;
    this.#last = this.#last.then(errand).finally(() => (this.#waiting -= 1));
    await this.#last;
    return true;
  }
}
