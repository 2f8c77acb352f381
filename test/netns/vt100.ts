/** A vt100 of 24 lines and 80 columns with somebody in front of it, and a program behind a real pseudo-terminal. */
import type { ChildProcess } from "node:child_process";
import type { Namespace } from "./namespaces.ts";

const LINES = 24;
const COLUMNS = 80;
const WAIT_MILLIS = 30_000;
const POLL_MILLIS = 20;

/** Copies between our pipes and the terminal's other end, and ends as the program does. */
const BRIDGE = `
import os, pty, sys
status = pty.spawn(sys.argv[1:])
sys.exit(os.waitstatus_to_exitcode(status))`;

export class Vt100 {
  readonly ended: Promise<number>;
  readonly #child: ChildProcess;
  #screen: string[][] = blank();
  #row = 0;
  #column = 0;
  #unread = "";
  /** What a vt100 does not know. */
  readonly strange: string[] = [];

  constructor(namespace: Namespace, argv: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    const words = Object.entries({ TERM: "vt100", ...environment }).map(([name, value]) => `${name}=${value}`);
    this.#child = namespace.spawn(["env", ...words, "python3", "-c", BRIDGE, ...argv], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#child.stdout?.setEncoding("latin1").on("data", (text: string) => this.#read(text));
    this.ended = new Promise((resolve) => this.#child.once("exit", (code) => resolve(code ?? -1)));
  }

  get lines(): readonly string[] {
    return this.#screen.map((line) => line.join("").trimEnd());
  }

  type(keys: string): void {
    this.#child.stdin?.write(keys, "latin1");
  }

  /** Waits until the screen shows it. */
  async until(what: RegExp): Promise<readonly string[]> {
    const deadline = performance.now() + WAIT_MILLIS;
    while (!what.test(this.lines.join("\n"))) {
      if (performance.now() > deadline) throw new Error(`never seen: ${what}; last seen:\n${this.lines.join("\n")}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MILLIS));
    }
    return this.lines;
  }

  /** The keys, and what they lead to. */
  async press(keys: string, what: RegExp): Promise<readonly string[]> {
    this.type(keys);
    return this.until(what);
  }

  /** What a disturbed line does. */
  disturb(): void {
    for (const line of this.#screen) line.fill("?");
  }

  close(): void {
    this.#child.kill("SIGKILL");
  }

  #read(text: string): void {
    let rest = this.#unread + text;
    for (;;) {
      // oxlint-disable-next-line no-control-regex -- they are what a terminal obeys.
      const sequence = /^\u001b(?:\[([0-9;]*)([A-Za-z])|\(B)/.exec(rest);
      if (sequence !== null) this.#obey(sequence[1] ?? "", sequence[2] ?? "");
      else if (rest === "" || (rest.startsWith("\u001b") && rest.length < 8)) break;
      else this.#put(rest[0] ?? "");
      rest = rest.slice(sequence?.[0].length ?? 1);
    }
    this.#unread = rest;
  }

  #obey(parameters: string, final: string): void {
    const [first = 1, second = 1] = parameters.split(";").map((word) => Number(word === "" ? 1 : word));
    switch (final) {
      case "":
      case "m":
        return;
      case "H":
        this.#row = first - 1;
        this.#column = second - 1;
        return;
      case "K":
        this.#screen[this.#row]?.fill(" ", this.#column);
        return;
      case "J":
        this.#screen = blank();
        return;
    }
    this.strange.push(`${parameters}${final}`);
  }

  #put(letter: string): void {
    if (letter === "\r") this.#column = 0;
    else if (letter === "\n") this.#newline();
    else if (letter >= " " && letter <= "~") {
      const line = this.#screen[this.#row];
      if (line !== undefined && this.#column < COLUMNS) line[this.#column++] = letter;
    } else if (letter !== "\u000f" && letter !== "\u0007") this.strange.push(JSON.stringify(letter));
  }

  #newline(): void {
    if (this.#row < LINES - 1) this.#row++;
    else this.#screen = [...this.#screen.slice(1), blank()[0] ?? []];
  }
}

function blank(): string[][] {
  return Array.from({ length: LINES }, () => Array.from({ length: COLUMNS }, () => " "));
}
