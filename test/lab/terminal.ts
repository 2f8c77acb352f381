/** A full-screen terminal: draws lines without flicker, gives keys one by one, and is left as it was found. */
import type { Ink, Line } from "./view.ts";

const CODES: Readonly<Record<Ink, string>> = { plain: "", bold: "1", dim: "2", good: "32", bad: "31;1", warn: "33" };

/** Whether the terminal can show a live view: it is one, it can move its cursor, and nobody asked for none of that. */
export function canDraw(): boolean {
  return process.stdout.isTTY && process.stdin.isTTY && process.env["TERM"] !== "dumb";
}

export class Terminal {
  readonly #colour = (process.env["NO_COLOR"] ?? "") === "";

  constructor(onKey: (key: string) => void) {
    process.stdin.setRawMode(true);
    process.stdin.setEncoding("utf8");
    process.stdin.on("data", (text: string) => {
      for (const key of text) onKey(key);
    });
    // The alternate screen, without a cursor.
    process.stdout.write("\x1b[?1049h\x1b[?25l");
  }

  get width(): number {
    return process.stdout.columns;
  }

  get height(): number {
    return process.stdout.rows;
  }

  draw(lines: readonly Line[]): void {
    const rows = lines.map((line) => `${line.map(([text, ink]) => this.#paint(text, ink)).join("")}\x1b[K`);
    process.stdout.write(`\x1b[H${rows.join("\r\n")}\x1b[J`);
  }

  close(): void {
    process.stdin.setRawMode(false);
    process.stdin.pause();
    process.stdout.write("\x1b[?25h\x1b[?1049l");
  }

  #paint(text: string, ink: Ink): string {
    const code = CODES[ink];
    return code === "" || !this.#colour ? text : `\x1b[${code}m${text}\x1b[0m`;
  }
}
