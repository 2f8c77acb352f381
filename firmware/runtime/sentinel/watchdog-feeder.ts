/**
 * The box's watchdog: opened, and thereby armed, as soon as there is one, and fed only by who shows at that moment that the
 * box is alive. Whoever stops feeding it is reset by it.
 */
import type { WatchdogPlace } from "@futago/hal/contract/board.ts";
import { HalError } from "@futago/hal/contract/error.ts";
import type { Board, Clock, Watchdog } from "@futago/hal/contract/machine.ts";
import { between, type Instant, seconds } from "@futago/hal/units/time.ts";
import type { HowBoxEnds } from "../hardware/end.ts";
import type { WatchdogShown } from "../messages.ts";

/** A driver may come after us, and who held the device may go. */
const RETRY = seconds(5);
/** For what follows a box that ends, until the next one or systemd's own opens the device. */
export const LAST_SECONDS = 120;
/** A device that cannot wait so long would reset a machine that shuts down in order. */
export const LAST_SECONDS_MIN = 60;

export class WatchdogFeeder {
  readonly #board: Board;
  readonly #clock: Clock;
  readonly #place: WatchdogPlace;
  readonly #onChange: () => void;
  #watchdog: Watchdog | undefined;
  #triedAt: Instant | undefined;
  #shown: WatchdogShown;

  constructor(board: Board, clock: Clock, place: WatchdogPlace, onChange: () => void) {
    this.#board = board;
    this.#clock = clock;
    this.#place = place;
    this.#onChange = onChange;
    this.#shown = { ...NONE, device: place.device };
  }

  get shown(): WatchdogShown {
    return this.#shown;
  }

  /** Once a second, with why the box is not to go on; undefined: it is alive. */
  feed(wrong: string | undefined): void {
    if (this.#watchdog === undefined) return this.#open();
    if (wrong !== undefined) return this.#show({ ...this.#shown, state: "starving", reason: wrong });
    try {
      this.#watchdog.feed();
      if (this.#shown.state !== "armed") this.#show({ ...this.#shown, state: "armed", reason: null });
    } catch (error) {
      if (!(error instanceof HalError)) throw error;
      this.#show({ ...this.#shown, state: "refused", reason: error.message });
    }
  }

  /**
   * The sentinel ends. `undefined`: nobody told it to, so whatever comes must show that it lives. Before a reboot or a
   * restart it stays armed, for longer, because a shutdown that hangs is one more way to be dead.
   */
  end(how: HowBoxEnds | undefined): void {
    const watchdog = this.#watchdog;
    this.#watchdog = undefined;
    if (watchdog === undefined) return;
    try {
      if (how === undefined) return watchdog.leaveArmed();
      const goesOn = how === "reboot" || how === "restart" || watchdog.neverStops;
      if (goesOn && watchdog.setTimeoutSeconds(LAST_SECONDS) >= LAST_SECONDS_MIN) {
        watchdog.feed();
        return watchdog.leaveArmed();
      }
      watchdog.close();
    } catch (error) {
      // The box ends all the same; a watchdog that could not be told otherwise goes on counting.
      if (!(error instanceof HalError)) throw error;
    }
  }

  #open(): void {
    const now = this.#clock.now();
    if (this.#triedAt !== undefined && between(this.#triedAt, now) < RETRY) return;
    this.#triedAt = now;
    try {
      const watchdog = this.#board.openWatchdog(this.#place.device);
      if (watchdog === undefined) return this.#show({ ...NONE, device: this.#place.device });
      this.#watchdog = watchdog;
      const inForce = watchdog.setTimeoutSeconds(this.#place.seconds);
      watchdog.feed();
      const { identity, neverStops } = watchdog;
      this.#show({ ...this.#shown, state: "armed", identity, neverStops, seconds: inForce, reason: null });
    } catch (error) {
      if (!(error instanceof HalError)) throw error;
      this.#show({ ...this.#shown, state: "refused", reason: error.message });
    }
  }

  #show(shown: WatchdogShown): void {
    const before = JSON.stringify(this.#shown);
    this.#shown = shown;
    if (JSON.stringify(shown) !== before) this.#onChange();
  }
}

const NONE = { state: "none", identity: null, neverStops: false, seconds: null, reason: null } as const;
