/** When pulse was heard last: it says something at least once a second while it runs. */
import type { Clock } from "@futago/hal/contract/machine.ts";
import type { PulseLauncher } from "@futago/hal/contract/pulse.ts";
import { between, type Instant, type Micros } from "@futago/hal/units/time.ts";

export class PulseWatch {
  readonly #clock: Clock;
  /** Undefined while there is to be none, or none was heard yet. */
  #heardAt: Instant | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Undefined while there is to be no pulse, and where none was ever heard: then a reset would find the same. */
  silence(now: Instant): Micros | undefined {
    return this.#heardAt === undefined ? undefined : between(this.#heardAt, now);
  }

  listenTo(launcher: PulseLauncher): PulseLauncher {
    return {
      start: (options) => {
        const onReport: typeof options.onReport = (report) => {
          this.#heardAt = this.#clock.now();
          options.onReport(report);
        };
        const link = launcher.start({ ...options, onReport });
        return {
          send: (command) => {
            link.send(command);
            if (command.kind === "quit") this.#heardAt = undefined;
          },
          close: () => link.close(),
        };
      },
    };
  }
}
