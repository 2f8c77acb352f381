/**
 * Long work in slices, between which core does its other work: a check is asked in time, an answer does not wait, and a
 * dead backend leaves its ring although a thousand services are being changed.
 */
const SLICE_MILLIS = 8;

export class Slices {
  #until = performance.now() + SLICE_MILLIS;

  /** Whether it is time to rest. */
  get spent(): boolean {
    return performance.now() >= this.#until;
  }

  /** Resolves when the others had their turn. */
  async rest(): Promise<void> {
    await new Promise(setImmediate);
    this.#until = performance.now() + SLICE_MILLIS;
  }
}

/** Carries out steps to their end; each of them takes a millisecond or so. */
export async function inSlices<T>(steps: Iterator<unknown, T>, slices: Slices = new Slices()): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (slices.spent) await slices.rest();
  }
}
