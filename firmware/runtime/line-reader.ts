/**
 * Cuts a byte stream into lines of UTF-8 text, bounded: whoever sends a longer line than `bytesMax` is told so by
 * `overflow` and must be dropped, so that no peer can fill this process's memory.
 */
export class LineReader {
  readonly #bytesMax: number;
  #parts: Buffer[] = [];
  #held = 0;
  #overflow = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** A line was longer than allowed. Nothing is returned any more. */
  get overflow(): boolean {
    return this.#overflow;
  }

  /** Bytes of a line that is not complete yet. */
  get held(): number {
    return this.#held;
  }

  /** The lines that this chunk completes, without their newline; empty lines are left out. */
  push(chunk: Buffer): readonly string[] {
    const lines: string[] = [];
    let start = 0;
    while (!this.#overflow) {
      const end = chunk.indexOf(10, start);
      const stop = end < 0 ? chunk.length : end;
      if (this.#held + stop - start > this.#bytesMax) {
        this.#overflow = true;
        this.#parts = [];
        this.#held = 0;
        return lines;
      }
      if (stop > start) this.#parts.push(chunk.subarray(start, stop));
      this.#held += stop - start;
      if (end < 0) return lines;
      if (this.#held > 0) lines.push(Buffer.concat(this.#parts).toString("utf8"));
      this.#parts = [];
      this.#held = 0;
      start = end + 1;
    }
    return lines;
  }
}

/** The JSON object that a line holds, or undefined when it holds anything else. */
export function parseObject(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    // Not JSON: the caller counts the line as unreadable.
    return undefined;
  }
}
