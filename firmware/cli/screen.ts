/** Lines on a vt100: only those that changed are sent, because a serial line carries ten thousand letters a second. */
import type { Line } from "../console/draw.ts";

/** US-ASCII in both character sets, no attributes, an empty screen. */
const CLEAN = "\u001b(B\u000f\u001b[m\u001b[2J";
const LOOKS: Readonly<Record<Line["look"], string>> = { plain: "", bold: "\u001b[1m", reverse: "\u001b[7m" };

export class Screen {
  readonly #output: { write(text: string): unknown };
  #shown: readonly string[] | undefined;

  constructor(output: { write(text: string): unknown }) {
    this.#output = output;
  }

  show(lines: readonly Line[]): void {
    const written = lines.map(({ text, look }) => (look === "plain" ? text : `${LOOKS[look]}${text}\u001b[m`));
    const changed = written.flatMap((text, i) =>
      text === this.#shown?.[i] ? [] : [`\u001b[${i + 1};1H${text}\u001b[K`],
    );
    const start = this.#shown === undefined ? CLEAN : "";
    this.#shown = written;
    if (changed.length > 0) this.#output.write(`${start}${changed.join("")}\u001b[${lines.length};1H`);
  }

  /** What stands there is unknown: the next time all is sent. */
  forget(): void {
    this.#shown = undefined;
  }

  leave(): void {
    this.#output.write(CLEAN + "\u001b[H");
    this.forget();
  }
}
