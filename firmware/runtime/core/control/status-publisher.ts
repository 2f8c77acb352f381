/** Publishes the status at each change; of a large box, whose status takes long to make, less often. */

/** A status that takes longer is no small one. */
const QUICK_MILLIS = 20;
/** Making it takes a tenth of the time, or less. */
const REST_SHARE = 10;
const REST_MILLIS_MAX = 10_000;

export class StatusPublisher {
  readonly #publish: () => Promise<void>;
  #isPublishing = false;
  #again = false;

  /** `publish` resolves when the status was made and sent. */
  constructor(publish: () => Promise<void>) {
    this.#publish = publish;
  }

  /** Something changed. */
  changed(): void {
    this.#again = true;
    if (!this.#isPublishing) void this.#publishAll();
  }

  async #publishAll(): Promise<void> {
    this.#isPublishing = true;
    while (this.#again) {
      this.#again = false;
      const from = performance.now();
      await this.#publish();
      const cost = performance.now() - from;
      if (cost > QUICK_MILLIS) await rest(Math.min(REST_MILLIS_MAX, REST_SHARE * cost));
    }
    this.#isPublishing = false;
  }
}

function rest(millis: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, millis).unref());
}
