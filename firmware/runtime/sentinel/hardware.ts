/** The machine's part of the sentinel: it feeds the watchdog while the box is alive, and shows the role. */
import type { BoardDescription } from "@futago/hal/contract/board.ts";
import type { Board, Clock } from "@futago/hal/contract/machine.ts";
import { between, type Instant, type Micros, seconds } from "@futago/hal/units/time.ts";
import { type Light, roleLight } from "../../panel/light.ts";
import type { HowBoxEnds } from "../hardware/end.ts";
import { LightOutput } from "../hardware/light-output.ts";
import type { HardwareReport } from "../messages.ts";
import { WatchdogFeeder } from "./watchdog-feeder.ts";

/** Pulse speaks once a second. */
const PULSE_SILENT = seconds(3);
/** Nothing that follows orders takes so long. */
const FOLLOWING = seconds(30);
/** A look that comes so late was not there to be seen: who watched the light may have changed it. */
const LATE = seconds(3);

export interface SignsOfLife {
  /** Since pulse was heard; undefined where there is none. */
  readonly pulseSilence: Micros | undefined;
  /** Since when the orders in hand are being followed; undefined while nothing is to be done. */
  readonly followingSince: Instant | undefined;
}

export class SentinelHardware {
  readonly #clock: Clock;
  readonly #light: LightOutput | undefined;
  readonly #feeder: WatchdogFeeder | undefined;
  readonly #onReport: () => void;
  #role: string | undefined;
  #override: Light | undefined;
  #lookedAt: Instant | undefined;
  #trouble: string | undefined;
  #hasEnded = false;

  constructor(board: Board, clock: Clock, { lights, watchdog }: BoardDescription, onReport: () => void) {
    this.#clock = clock;
    this.#onReport = onReport;
    this.#light = lights.role && new LightOutput(board, lights.role);
    this.#feeder = watchdog && new WatchdogFeeder(board, clock, watchdog, onReport);
    this.#show();
    // Whoever came before may have left it armed: it is taken over before anything else is waited for.
    this.#feeder?.feed(undefined);
  }

  get report(): HardwareReport {
    return { watchdog: this.#feeder?.shown ?? null, roleLight: this.#light?.trouble ?? null };
  }

  /** Once a second, at the end of what is done every second. */
  look(signs: SignsOfLife): void {
    const now = this.#clock.now();
    if (this.#lookedAt !== undefined && between(this.#lookedAt, now) > LATE) this.#light?.doubt();
    this.#lookedAt = now;
    this.#show();
    if (this.#light?.trouble !== this.#trouble) {
      this.#trouble = this.#light?.trouble;
      this.#onReport();
    }
    if (!this.#hasEnded) this.#feeder?.feed(wrongIn(signs, now));
  }

  setRole(role: string | undefined): void {
    this.#role = role;
    this.#show();
  }

  /** Core shows something else for a while; undefined: the role again. */
  override(light: Light | undefined): void {
    // Core writes on it itself while it hears nothing of us.
    if (light === undefined && this.#override === undefined) this.#light?.doubt();
    this.#override = light;
    this.#show();
  }

  /** What comes after it, such as that core has gone, lights nothing and feeds nobody. */
  end(how: HowBoxEnds | undefined): void {
    this.#hasEnded = true;
    this.#light?.close();
    this.#feeder?.end(how);
  }

  #show(): void {
    if (!this.#hasEnded) this.#light?.show(this.#override ?? roleLight(this.#role));
  }
}

function wrongIn({ pulseSilence, followingSince }: SignsOfLife, now: Instant): string | undefined {
  if (pulseSilence !== undefined && pulseSilence > PULSE_SILENT)
    return `pulse has said nothing for ${Math.floor(pulseSilence / 1e6)} s`;
  if (followingSince !== undefined && between(followingSince, now) > FOLLOWING)
    return "the sentinel does not come to an end with its orders";
  return undefined;
}
