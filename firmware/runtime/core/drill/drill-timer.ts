/** Begins the drills that the configuration orders. Box a leads them; the other one says when there is no a. */
import { formatDrillTimes } from "../../../config/drill-times.ts";
import type { Resolved } from "../../../config/resolved.ts";
import { isDue } from "../../../pair/drill/schedule.ts";
import { RefusalError } from "../../exit-code.ts";
import type { Box } from "../../messages.ts";

const LOOK_MILLIS = 15_000;
const ZONE_DEFAULT = "UTC";

export interface DrillTimerOptions {
  readonly box: Box | undefined;
  readonly config: () => Resolved | undefined;
  readonly linked: () => boolean;
  /** Throws RefusalError. */
  readonly begin: () => Promise<void>;
  readonly skipped: (sentence: string) => void;
}

export class DrillTimer {
  readonly #options: DrillTimerOptions;
  readonly #timer: NodeJS.Timeout;
  #last: number | undefined;

  constructor(options: DrillTimerOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.look(Date.now()), LOOK_MILLIS).unref();
  }

  /** "Sun 04:00 (Asia/Tokyo)"; null where none is ordered. */
  get schedule(): string | null {
    const config = this.#options.config();
    const times = config?.pair?.drill;
    return times === undefined ? null : `${formatDrillTimes(times)} (${config?.system.timezone ?? ZONE_DEFAULT})`;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** `now`: milliseconds since 1970. */
  async look(now: number): Promise<void> {
    const { box, config, linked, begin, skipped } = this.#options;
    const resolved = config();
    const times = resolved?.pair?.drill;
    if (times === undefined || !isDue(times, resolved?.system.timezone ?? ZONE_DEFAULT, now, this.#last)) return;
    this.#last = now;
    if (box !== "a" && linked()) return;
    try {
      await begin();
    } catch (error) {
      if (!(error instanceof RefusalError)) throw error;
      const { what } = error.refusal;
      skipped(`the drill of ${this.schedule} was not made: ${what}; \`futago drill\` makes it up`);
    }
  }
}
