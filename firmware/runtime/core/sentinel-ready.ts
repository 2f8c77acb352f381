/** The moment when the sentinel knows every group that it was ordered to keep. */
import type { SentinelStatus } from "../messages.ts";
import type { Log } from "./log.ts";

/** A sentinel that is not there by then is worth a line in the log; the box goes on waiting for it. */
const LATE_MILLIS = 5_000;

export interface Awaited {
  readonly log: Log;
  /** Undefined on a box without a configuration, which has nothing to wait for. */
  readonly groups: () => readonly { readonly name: string }[] | undefined;
  readonly status: () => SentinelStatus | undefined;
}

export class SentinelReady {
  #look: () => void = () => undefined;

  wait({ log, groups, status }: Awaited): Promise<void> {
    const late = setTimeout(() => log.warn("sentinel-late", { waitedMillis: LATE_MILLIS }), LATE_MILLIS);
    return new Promise((resolve) => {
      this.#look = () => {
        const [wanted, now] = [groups(), status()];
        const known = new Set(now?.groups.map((group) => group.name));
        if (wanted !== undefined && (now === undefined || !wanted.every(({ name }) => known.has(name)))) return;
        clearTimeout(late);
        this.#look = () => undefined;
        resolve();
      };
      this.#look();
    });
  }

  /** The status is another one. */
  look(): void {
    this.#look();
  }
}
