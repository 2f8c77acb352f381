/** Starts pulse and speaks with it; what is said stands in `hal/units/pulse.ts`. */
import type { PulseCommand, PulseReport } from "../units/pulse.ts";

export interface PulseLink {
  send(command: PulseCommand): void;
  close(): void;
}

export interface PulseLauncher {
  /** Starts pulse on the pinned gate map. `onExit` comes once, whatever the cause. */
  start(options: {
    readonly gatePin: string;
    readonly priority: number;
    readonly onReport: (report: PulseReport) => void;
    readonly onExit: (reason: string) => void;
  }): PulseLink;
}
