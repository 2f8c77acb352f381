/** What the control socket knows of the pair's boxes as things with ports and cables. */
import type { Survival } from "../pair/survival/types.ts";

export type { Survival, SurvivalReason } from "../pair/survival/types.ts";

export interface PortShown {
  /** The Linux device. */
  readonly device: string;
  /** The configuration's name; null: not configured. */
  readonly interface: string | null;
  readonly mac: string | null;
  readonly up: boolean;
  readonly carrier: boolean;
  /** Megabits a second as the driver tells; null where it does not. */
  readonly speedMbps: number | null;
  readonly mtu: number;
  /** The box's own, with prefix lengths. */
  readonly addresses: readonly string[];
  /** Virtual addresses that are answered here now. */
  readonly virtualAddresses: readonly string[];
  /** Of the kernel's counters, since the link was made. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly receivedPackets: number;
  readonly sentPackets: number;
  /** Dropped or broken, either way. */
  readonly troubles: number;
  /** Heartbeats go over it; null where none do. */
  readonly heartbeat: { readonly alive: boolean; readonly rttMicros: number | null } | null;
}

export interface BoxShown {
  readonly box: string;
  /** The one that answers. */
  readonly own: boolean;
  readonly hostname: string;
  readonly version: string;
  readonly role: string;
  readonly revision: string;
  /** Since the kernel started; null: not known. */
  readonly uptimeSeconds: number | null;
  /** The clock of the box when this was true, RFC 3339 with milliseconds. */
  readonly at: string;
  /** Where the box's own web UI is, by addresses of its own; nothing while there is none. */
  readonly urls: readonly string[];
  readonly ports: readonly PortShown[];
}

export interface BoxesShown {
  /** This box first. The other is left out while its core does not answer. */
  readonly boxes: readonly BoxShown[];
  readonly survival: Survival;
}

export interface PingQuery {
  /** An address, or a name that is looked up once. */
  readonly to: string;
  /** 1 to 100; the default is 4. */
  readonly count?: number;
}

export type PingEvent =
  | { readonly kind: "began"; readonly address: string }
  | { readonly kind: "answer"; readonly sequence: number; readonly rttMicros: number }
  | { readonly kind: "silence"; readonly sequence: number }
  /** Somebody on the way said why not; `from` is null where this box itself has no way. The reasons are in docs/reasons.md. */
  | { readonly kind: "unreachable"; readonly sequence: number; readonly from: string | null; readonly reason: string }
  | { readonly kind: "ended"; readonly sent: number; readonly received: number };

export interface TracerouteQuery {
  readonly to: string;
}

export type TracerouteEvent =
  | { readonly kind: "began"; readonly address: string }
  /** `from` is null where nobody answered. */
  | {
      readonly kind: "hop";
      readonly hop: number;
      readonly from: string | null;
      readonly rttMicros: number | null;
      /** Why nothing goes on from there, as of {@link PingEvent}; null where it does. */
      readonly reason: string | null;
    }
  | { readonly kind: "ended"; readonly reached: boolean };

export interface PortsMethods {
  /** Both boxes. */
  boxes: { params: Record<string, never>; result: BoxesShown };
}

export interface DiagnosticStreams {
  /** End by themselves with an event "ended", or when the asker goes away. */
  ping: { params: PingQuery; event: PingEvent };
  traceroute: { params: TracerouteQuery; event: TracerouteEvent };
}
