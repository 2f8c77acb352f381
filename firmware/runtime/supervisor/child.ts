/** One child of the supervisor: started, started again when it dies, stopped in bounded time. */
import { type ChildProcess, spawn } from "node:child_process";
import { setPriority } from "node:os";
import { instant } from "@futago/hal/units/time.ts";
import type { ChildReport } from "../control.ts";
import type { Ping, Pong } from "./ping.ts";
import { processorWaitMillis } from "./processor-wait.ts";
import { afterEnd, type RestartState } from "./restart-delay.ts";

/**
 * What a large document or a password took for a moment goes back to the machine: no thread has an arena of its own, and
 * the thresholds do not grow with what was freed once. @see mallopt(3)
 */
const MALLOC = { MALLOC_ARENA_MAX: "1", MALLOC_MMAP_THRESHOLD_: "262144", MALLOC_TRIM_THRESHOLD_: "262144" };

/** On a slow machine, until it has read its modules. */
const START_MILLIS_MAX = 60_000;
/** So much of its silence a starved child is let off; beyond it something else is wrong with the machine. */
const STARVED_MILLIS_MAX = 240_000;

export interface ChildOptions {
  readonly name: ChildReport["name"];
  /** Arguments of the node program: V8's switches, the script, the script's arguments. */
  readonly argv: () => readonly string[];
  /** nice(2), for one that lets others go first; 0 when it is left out. */
  readonly niceness?: number;
  readonly onMessage: (message: unknown) => void;
  /** How long a process has waited for a processor; for tests. */
  readonly waitedMillis?: (pid: number) => number;
  /** Called at each end; false forbids the restart. */
  readonly onEnd: (end: ChildEnd) => boolean;
}

export interface ChildEnd {
  readonly name: ChildReport["name"];
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Child {
  readonly #options: ChildOptions;
  #process: ChildProcess | undefined;
  #restart: RestartState | undefined;
  #restarts = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopping = false;
  #expected = false;
  #lastEnd: string | null = null;
  /** When it answered, or is to have answered first; undefined while it does not run. */
  #heardAt: number | undefined;
  /** What it had waited for a processor by then. */
  #waitedBefore = 0;
  #ended: Promise<void> = Promise.resolve();

  constructor(options: ChildOptions) {
    this.#options = options;
  }

  get report(): ChildReport {
    return {
      name: this.#options.name,
      pid: this.#process?.pid ?? null,
      restarts: this.#restarts,
      lastEnd: this.#lastEnd,
    };
  }

  /** Without the time that it was runnable and others had the processors: who starves does not hang, and a new one starves, too. */
  get silentMillis(): number {
    if (this.#heardAt === undefined) return 0;
    const starved = Math.min(this.#waited() - this.#waitedBefore, STARVED_MILLIS_MAX);
    return Math.max(0, performance.now() - this.#heardAt - starved);
  }

  /** Whether its event loop turns; {@link silentMillis} tells what came of it. */
  ask(): void {
    this.send({ kind: "ping" } satisfies Ping);
  }

  start(): void {
    this.#stopping = false;
    const startedAt = monotonicMicros();
    // A process group of its own, so that Ctrl-C reaches the supervisor alone and the order of the stop is kept. The
    // pipe on standard input and the IPC channel end with the supervisor, however it ends.
    const child = spawn(process.execPath, [...this.#options.argv()], {
      detached: true,
      stdio: ["pipe", 2, 2, "ipc"],
      env: { ...process.env, ...MALLOC },
    });
    this.#process = child;
    this.#yield(child.pid);
    this.#heardAt = performance.now() + START_MILLIS_MAX;
    this.#waitedBefore = 0;
    child.on("message", (message) => {
      if ((message as Pong).kind === "pong") this.#hear();
      else this.#options.onMessage(message);
    });
    child.on("error", () => {
      // "exit" or "close" follows when it had started; a failed spawn ends here with no pid.
      if (child.pid === undefined) this.#onExit(startedAt, null, null);
    });
    child.stdin?.on("error", () => child.stdin?.destroy());
    this.#ended = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        resolve();
        this.#onExit(startedAt, code, signal);
      });
    });
  }

  #hear(): void {
    this.#heardAt = performance.now();
    this.#waitedBefore = this.#waited();
  }

  #waited(): number {
    const pid = this.#process?.pid;
    return pid === undefined ? 0 : (this.#options.waitedMillis ?? processorWaitMillis)(pid);
  }

  #yield(pid: number | undefined): void {
    const { niceness } = this.#options;
    if (pid === undefined || niceness === undefined) return;
    try {
      setPriority(pid, niceness);
    } catch {
      // It has ended, and its end tells why; or it shares the processor as any other, which is no reason not to start it.
    }
  }

  /** Asks by SIGTERM and insists by SIGKILL after `graceMillis`. Resolves when it is gone. */
  async stop(graceMillis: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    if (this.#process === undefined) return;
    this.#process.kill("SIGTERM");
    const insist = setTimeout(() => this.kill(), graceMillis);
    await this.#ended;
    clearTimeout(insist);
  }

  /** It said that it ends in order to be started again: at once, and that is no accident. */
  expectEnd(): void {
    this.#expected = true;
  }

  /** Lost when it does not run. */
  send(message: object): void {
    if (this.#process?.connected === true) this.#process.send(message, () => undefined);
  }

  /** What the child also meets when the supervisor dies. */
  closeInput(): void {
    this.#process?.stdin?.end();
  }

  kill(): void {
    this.#stopping = true;
    clearTimeout(this.#timer);
    this.#process?.kill("SIGKILL");
  }

  /** It hangs: what is started again may not. */
  abort(): void {
    this.#process?.kill("SIGKILL");
  }

  #onExit(startedAt: number, code: number | null, signal: NodeJS.Signals | null): void {
    this.#process = undefined;
    this.#heardAt = undefined;
    const expected = this.#expected && signal === null;
    this.#expected = false;
    if (expected && !this.#stopping) return this.start();
    this.#lastEnd = signal === null ? `exit code ${code ?? "unknown"}` : `killed by ${signal}`;
    const mayRestart = this.#options.onEnd({ name: this.#options.name, code, signal });
    if (this.#stopping || !mayRestart) return;
    const now = instant(monotonicMicros());
    this.#restart = afterEnd(this.#restart, instant(startedAt), now);
    this.#timer = setTimeout(
      () => {
        this.#restarts += 1;
        this.start();
      },
      (this.#restart.startAt - now) / 1_000,
    );
  }
}

function monotonicMicros(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}
