/** Keeps pulse running: starts it, pets it, starts it again when it ends, and lets it end when the sentinel does. */
import type { PulseLauncher, PulseLink } from "@futago/hal/contract/pulse.ts";
import type { PulseCommand, PulseReport } from "@futago/hal/units/pulse.ts";

/** Above the sentinel's own priority: the heartbeat goes first. */
const PRIORITY = 60;
const PET_MILLIS = 50;
/** The first restart is immediate: the sooner the peer hears that this box holds nothing, the sooner it takes over. */
const RESTART_MILLIS_MAX = 1_000;
const RESTART_STEP_MILLIS = 100;
const STEADY_MILLIS = 10_000;
const QUIT_MILLIS_MAX = 1_000;

export interface PulseProcessListener {
  /** It runs and knows nothing. */
  onStart(): void;
  onReport(report: PulseReport): void;
  /** It ended without being told to, and will be started again. */
  onEnd(reason: string): void;
}

export class PulseProcess {
  readonly #launcher: PulseLauncher;
  readonly #gatePin: string;
  readonly #listener: PulseProcessListener;
  #link: PulseLink | undefined;
  #petting: NodeJS.Timeout | undefined;
  #restart: NodeJS.Timeout | undefined;
  #startedAt = 0;
  #restartMillis = 0;
  #ends = 0;
  #quitting = false;
  #onGone: () => void = () => undefined;

  constructor(launcher: PulseLauncher, gatePin: string, listener: PulseProcessListener) {
    this.#launcher = launcher;
    this.#gatePin = gatePin;
    this.#listener = listener;
  }

  /** How often it has ended without being told to. */
  get ends(): number {
    return this.#ends;
  }

  start(): void {
    this.#startedAt = performance.now();
    const link: PulseLink = this.#launcher.start({
      gatePin: this.#gatePin,
      priority: PRIORITY,
      // What one that is gone has said may be read only after its end.
      onReport: (report) => this.#link === link && this.#listener.onReport(report),
      onExit: (reason) => this.#onExit(reason),
    });
    this.#link = link;
    this.#petting ??= setInterval(() => this.send({ kind: "pet" }), PET_MILLIS);
    this.#listener.onStart();
  }

  /** Lost while there is none: the next one is told everything. */
  send(command: PulseCommand): void {
    this.#link?.send(command);
  }

  /** Resolves when it has let go of everything and ended, or a second later. */
  async quit(): Promise<void> {
    this.#quitting = true;
    clearInterval(this.#petting);
    clearTimeout(this.#restart);
    if (this.#link === undefined) return;
    let late: NodeJS.Timeout | undefined;
    const gone = new Promise<void>((resolve) => {
      this.#onGone = resolve;
      late = setTimeout(resolve, QUIT_MILLIS_MAX);
    });
    this.#link.send({ kind: "quit" });
    await gone;
    clearTimeout(late);
    // One that did not hear the order sees the end of file.
    this.#link?.close();
  }

  #onExit(reason: string): void {
    this.#link = undefined;
    this.#onGone();
    if (this.#quitting) return;
    this.#ends += 1;
    const steady = performance.now() - this.#startedAt > STEADY_MILLIS;
    this.#restartMillis = steady ? 0 : Math.min(this.#restartMillis + RESTART_STEP_MILLIS, RESTART_MILLIS_MAX);
    this.#restart = setTimeout(() => this.start(), this.#restartMillis);
    this.#listener.onEnd(reason);
  }
}
