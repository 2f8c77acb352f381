/** The machine in memory: a clock that stands until it is moved, switches in a map, lights and lines that remember. */
import { HalError } from "../contract/error.ts";
import type {
  Board,
  BoardIdentity,
  Clock,
  GpioLine,
  InputListener,
  Led,
  Scheduling,
  Sysctl,
  WallClock,
  WatchedInput,
  Watchdog,
} from "../contract/machine.ts";
import type { Ifname } from "../units/address.ts";
import { after, instant, type Instant, type Micros } from "../units/time.ts";

export class FakeClock implements Clock {
  #now: Instant;

  constructor(start: Instant = instant(0)) {
    this.#now = start;
  }

  now(): Instant {
    return this.#now;
  }

  advance(wait: Micros): void {
    this.#now = after(this.#now, wait);
  }
}

/** Stands until it is set. */
export class FakeWallClock implements WallClock {
  millis: number;
  kept = false;
  /** What the kernel answers to who would set it. */
  refusal: "EPERM" | "EINVAL" | undefined;

  constructor(millis: number) {
    this.millis = millis;
  }

  now(): number {
    return this.millis;
  }

  isKept(): boolean {
    return this.kept;
  }

  step(millis: number): void {
    if (this.refusal !== undefined) throw new HalError(this.refusal, "clock_adjtime", "the clock cannot be set");
    this.millis += millis;
  }
}

export class FakeScheduling implements Scheduling {
  /** Undefined while the thread has normal priority. */
  priority: number | undefined;
  parentDeathSignal: "SIGTERM" | "SIGKILL" | undefined;

  setRealTime(priority: number): void {
    if (priority < 1 || priority > 99) throw new HalError("EINVAL", "sched_setscheduler", `priority ${priority}`);
    this.priority = priority;
  }

  dieWithParent(signal: "SIGTERM" | "SIGKILL"): void {
    this.parentDeathSignal = signal;
  }
}

export class FakeSysctl implements Sysctl {
  readonly values: Map<string, string>;

  constructor(values: Readonly<Record<string, string>> = {}) {
    this.values = new Map(Object.entries(values));
  }

  read(name: string): string {
    const value = this.values.get(name);
    if (value === undefined) throw new HalError("ENOENT", "sysctl", `no kernel switch ${name}`);
    return value;
  }

  write(name: string, value: string): void {
    this.read(name);
    this.values.set(name, value);
  }
}

export type LedState =
  | { readonly kind: "off" }
  | { readonly kind: "on" }
  | { readonly kind: "blink"; readonly onMillis: number; readonly offMillis: number }
  | { readonly kind: "followLink"; readonly ifname: string };

export class FakeLed implements Led {
  readonly name: string;
  state: LedState = { kind: "off" };

  constructor(name: string) {
    this.name = name;
  }

  set(on: boolean): void {
    this.state = { kind: on ? "on" : "off" };
  }

  blink(onMillis: number, offMillis: number): void {
    this.state = { kind: "blink", onMillis, offMillis };
  }

  followLink(ifname: string): void {
    this.state = { kind: "followLink", ifname };
  }
}

export class FakeWatchdog implements Watchdog {
  readonly identity = "fake watchdog";
  neverStops = false;
  feedings = 0;
  timeoutSeconds = 60;
  timeoutSecondsMax = 300;
  /** How it was let go of; undefined while it is held. */
  end: "disarmed" | "armed" | undefined;

  feed(): void {
    this.feedings++;
  }

  setTimeoutSeconds(seconds: number): number {
    this.timeoutSeconds = Math.min(seconds, this.timeoutSecondsMax);
    return this.timeoutSeconds;
  }

  close(): void {
    this.end = this.neverStops ? "armed" : "disarmed";
  }

  leaveArmed(): void {
    this.end = "armed";
  }
}

/** A board with the named LEDs. A test sets the level of a line by its key "chip:offset" in `levels`. */
export class FakeBoard implements Board {
  readonly lights: readonly FakeLed[];
  readonly levels = new Map<string, boolean>();
  watchdog: FakeWatchdog | undefined;
  /** What opening the watchdog comes to. */
  watchdogRefusal: string | undefined;
  is: BoardIdentity = { dmi: {}, compatible: [] };
  /** By where they are. */
  readonly ports = new Map<string, Ifname>();
  /** Codes of the keys that there are. */
  readonly keys = new Set<number>();
  readonly #listeners = new Map<string, InputListener>();
  readonly #taken = new Set<string>();

  constructor(ledNames: readonly string[] = [], watchdog?: FakeWatchdog) {
    this.lights = ledNames.map((name) => new FakeLed(name));
    this.watchdog = watchdog;
  }

  leds(): readonly Led[] {
    return this.lights;
  }

  gpioInput(chip: string, offset: number): GpioLine {
    return this.#take(`${chip}:${offset}`, false);
  }

  gpioOutput(chip: string, offset: number, initial: boolean): GpioLine {
    const key = `${chip}:${offset}`;
    const line = this.#take(key, true);
    this.levels.set(key, initial);
    return line;
  }

  openWatchdog(): Watchdog | undefined {
    if (this.watchdogRefusal !== undefined) throw new HalError(this.watchdogRefusal, "open", "cannot open watchdog0");
    return this.watchdog;
  }

  portAt(bus: string): Ifname | undefined {
    return this.ports.get(bus);
  }

  identity(): BoardIdentity {
    return this.is;
  }

  watchLine(chip: string, offset: number, listener: InputListener): WatchedInput {
    return this.#listen(`${chip}:${offset}`, listener);
  }

  watchKey(name: string, code: number, listener: InputListener): WatchedInput | undefined {
    return this.keys.has(code) ? this.#listen(`${name}:${code}`, listener) : undefined;
  }

  /** What a finger does, or a plug that is pulled. */
  input(key: string, level: boolean | undefined): void {
    this.levels.set(key, level === true);
    this.#listeners.get(key)?.(level);
  }

  #listen(key: string, listener: InputListener): WatchedInput {
    this.#listeners.set(key, listener);
    return { level: this.levels.get(key) ?? false, close: () => void this.#listeners.delete(key) };
  }

  /** A line belongs to one user at a time, as in the kernel. */
  #take(key: string, output: boolean): GpioLine {
    if (this.#taken.has(key)) throw new HalError("EBUSY", "gpio", `line ${key} is taken`);
    this.#taken.add(key);
    return {
      get: () => this.levels.get(key) ?? false,
      set: (value) => {
        if (!output) throw new HalError("EPERM", "gpio", `line ${key} is an input`);
        this.levels.set(key, value);
      },
      close: () => void this.#taken.delete(key),
    };
  }
}
