/**
 * Settings that follow the state of the protocol. Of each the newest value waits for the disk, and no other: the peer can
 * have them change faster than any disk writes.
 */
export class LatestSettings {
  readonly #put: (key: string, value: string | undefined) => Promise<void>;
  readonly #onRefused: (key: string, error: unknown) => void;
  readonly #writing = new Set<string>();
  readonly #next = new Map<string, string | undefined>();

  constructor(
    put: (key: string, value: string | undefined) => Promise<void>,
    onRefused: (key: string, error: unknown) => void,
  ) {
    this.#put = put;
    this.#onRefused = onRefused;
  }

  keep(key: string, value: string | undefined): void {
    this.#next.set(key, value);
    if (!this.#writing.has(key)) void this.#write(key);
  }

  /** What waits goes to the disk behind what is being written, before that is closed. */
  close(): void {
    for (const key of this.#next.keys()) void this.#writeNext(key);
  }

  async #write(key: string): Promise<void> {
    this.#writing.add(key);
    while (this.#next.has(key)) await this.#writeNext(key);
    this.#writing.delete(key);
  }

  async #writeNext(key: string): Promise<void> {
    const value = this.#next.get(key);
    this.#next.delete(key);
    try {
      await this.#put(key, value);
    } catch (error) {
      this.#onRefused(key, error);
    }
  }
}
