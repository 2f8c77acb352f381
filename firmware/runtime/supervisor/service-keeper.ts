/** Tells systemd how the box does, and asks the children before it says that all is well. */
import { HalError } from "@futago/hal/contract/error.ts";
import type { Child } from "./child.ts";
import { judgeSilence } from "./signs-of-life.ts";

/** hal/board's ServiceNotice. */
export interface Notice {
  tell(...lines: readonly string[]): void;
  readonly watchdogMicros: number | undefined;
}

/** So many questions in the time in which a sign of life is expected: one that is lost in a busy moment is no death. */
const QUESTIONS = 10;

export class ServiceKeeper {
  readonly #notice: Notice | undefined;
  readonly #children: readonly Child[];
  readonly #log: (event: string, fields: object) => void;
  #timer: NodeJS.Timeout | undefined;
  #missed: string | undefined;
  #refused = false;

  constructor(notice: Notice | undefined, children: readonly Child[], log: (event: string, fields: object) => void) {
    this.#notice = notice;
    this.#children = children;
    this.#log = log;
  }

  /** The children were started. */
  begin(): void {
    const micros = this.#notice?.watchdogMicros;
    if (micros === undefined) return;
    this.#timer ??= setInterval(() => this.#look(micros / 1_000), micros / 1_000 / QUESTIONS);
  }

  ready(): void {
    this.#tell("READY=1", "STATUS=The box is up.");
  }

  /** Ends, or only starts anew. */
  ending(status: string, ...more: readonly string[]): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    // What takes its time to end in order has this much of it.
    this.#tell(...more, "WATCHDOG=1", `STATUS=${status}`);
  }

  #look(expectedMillis: number): void {
    const { kill, missed } = judgeSilence(
      this.#children.map((child) => ({ name: child.report.name, millis: child.silentMillis })),
      expectedMillis,
    );
    for (const child of this.#children) {
      const { name, pid } = child.report;
      if (!kill.includes(name)) child.ask();
      else {
        this.#log("child-hangs", { child: name, pid });
        child.abort();
      }
    }
    if (missed !== this.#missed) {
      this.#missed = missed;
      this.#tell(`STATUS=${missed === undefined ? "The box is up." : `The ${missed} does not answer.`}`);
    }
    if (missed === undefined) this.#tell("WATCHDOG=1");
  }

  #tell(...lines: readonly string[]): void {
    try {
      this.#notice?.tell(...lines);
      this.#refused = false;
    } catch (error) {
      // Whoever expects a sign of life and gets none acts by itself.
      if (!(error instanceof HalError)) throw error;
      if (!this.#refused) this.#log("notice-refused", { error: error.message });
      this.#refused = true;
    }
  }
}
