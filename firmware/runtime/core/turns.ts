/** Changes of the box, one after the other, whoever orders them. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Begins when what was ordered before is over, however that ended. */
  take<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#last.then(change);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Resolves when all that was ordered is over. */
  async over(): Promise<void> {
    await this.#last;
  }
}
