/**
 * A light of the box on the LED or the line that is it. The kernel's timer blinks an LED; a line blinks by a timer here.
 * One that is not there, or that the kernel refuses, is tried again from time to time.
 */
import type { LightPlace, LinePlace } from "@futago/hal/contract/board.ts";
import { HalError } from "@futago/hal/contract/error.ts";
import type { Board, Led } from "@futago/hal/contract/machine.ts";
import { type Light, OFF, sameLight } from "../../panel/light.ts";

const RETRY_MILLIS = 10_000;

interface Output {
  show(light: Light): void;
  close(): void;
}

export class LightOutput {
  readonly #open: () => Output;
  readonly #now: () => number;
  #output: Output | undefined;
  /** What is on it, as far as we know. */
  #shown: Light | undefined;
  #trouble: string | undefined;
  #triedAt = -RETRY_MILLIS;

  /** `now` gives milliseconds. */
  constructor(board: Board, place: LightPlace, now = () => performance.now()) {
    this.#open = () => (place.kind === "led" ? ledOutput(board, place.name) : new LineOutput(board, place));
    this.#now = now;
  }

  /** Why it shows nothing; undefined where it does. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Costs nothing when it is shown already. */
  show(light: Light): void {
    const isShown = this.#shown !== undefined && sameLight(this.#shown, light);
    if (isShown) return;
    if (this.#trouble !== undefined && this.#now() - this.#triedAt < RETRY_MILLIS) return;
    this.#triedAt = this.#now();
    try {
      this.#output ??= this.#open();
      this.#output.show(light);
      this.#shown = light;
      this.#trouble = undefined;
    } catch (error) {
      if (!(error instanceof HalError)) throw error;
      this.#forget();
      this.#trouble = error.message;
    }
  }

  /** Somebody else may have written over it. */
  doubt(): void {
    this.#shown = undefined;
  }

  /** Dark, unless it cannot be. */
  close(): void {
    this.show(OFF);
    this.#forget();
  }

  /** Lets go of it as it is. */
  release(): void {
    this.#forget();
  }

  #forget(): void {
    this.#shown = undefined;
    this.#output?.close();
    this.#output = undefined;
  }
}

function ledOutput(board: Board, pattern: string): Output {
  const led = findLed(board, pattern);
  return {
    show: (light) =>
      light.kind === "blink" ? led.blink(light.onMillis, light.offMillis) : led.set(light.kind === "on"),
    close: () => undefined,
  };
}

/** The first LED of that name, in which * stands for anything. Throws HalError ENODEV. */
export function findLed(board: Board, pattern: string): Led {
  const found = board.leds().find(({ name }) => fits(pattern, name));
  if (found === undefined) throw new HalError("ENODEV", "led", `there is no LED ${pattern}`);
  return found;
}

function fits(pattern: string, name: string): boolean {
  const [head = "", ...rest] = pattern.split("*");
  if (rest.length === 0) return name === pattern;
  const tail = rest.at(-1) ?? "";
  return name.length >= head.length + tail.length && name.startsWith(head) && name.endsWith(tail);
}

class LineOutput implements Output {
  readonly #line: ReturnType<Board["gpioOutput"]>;
  readonly #activeLow: boolean;
  #timer: NodeJS.Timeout | undefined;

  constructor(board: Board, { chip, line, activeLow }: LinePlace) {
    this.#line = board.gpioOutput(chip, line, activeLow);
    this.#activeLow = activeLow;
  }

  show(light: Light): void {
    clearTimeout(this.#timer);
    this.#set(light.kind !== "off");
    if (light.kind === "blink") this.#blink(light, true);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#line.close();
  }

  #blink(light: Extract<Light, { kind: "blink" }>, lit: boolean): void {
    this.#timer = setTimeout(
      () => {
        this.#set(!lit);
        this.#blink(light, !lit);
      },
      lit ? light.onMillis : light.offMillis,
    );
    this.#timer.unref();
  }

  #set(lit: boolean): void {
    this.#line.set(lit !== this.#activeLow);
  }
}
