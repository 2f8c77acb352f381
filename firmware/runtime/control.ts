/**
 * The control socket, `DIR/control.sock`: everything people and programs may ask of a running box. One JSON object
 * per line; a request {id, method, params} is answered by {id, result}, by {id, error}, or, for a streaming method,
 * by {id, event} again and again until the asker closes the connection.
 */
import type { Refusal } from "./exit-code.ts";
import type { Alarm, GroupStatus, HeartbeatStatus, PeerStatus, SentinelEvent } from "./messages.ts";

/** A configuration of the largest size with every letter escaped. */
export const CONTROL_LINE_BYTES_MAX = 24 << 20;

export interface BackendStatus {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  /** Serves only when no other backend of the pool lives. */
  readonly backup: boolean;
  readonly healthy: boolean;
  /** The answer to the newest check, or why it failed. */
  readonly reason: string;
  /** Connections in the balancer's established table. */
  readonly flows: number;
}

export interface ServiceStatus {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: string;
  readonly pool: string;
  /** How the balancer sits on the devices of the service: "native", "generic", or "none" while it does not. */
  readonly attach: "native" | "generic" | "none";
  readonly backends: readonly BackendStatus[];
}

export interface BoxStatus {
  readonly box: string;
  readonly role: string;
  readonly hostname: string;
  readonly revision: string;
  readonly groups: readonly GroupStatus[];
  /** Null on a box that is alone. */
  readonly peer: PeerStatus | null;
  readonly heartbeat: HeartbeatStatus | null;
  readonly services: readonly ServiceStatus[];
  readonly alarms: readonly Alarm[];
  /** Named counts of what was refused or went wrong. */
  readonly counters: Readonly<Record<string, number>>;
}

export interface CheckStatus {
  /** A path of the configuration: "pools.web.backends.s1", "routes.default", "failoverGroups.edge.track.0". */
  readonly subject: string;
  readonly check: string;
  readonly target: string;
  readonly healthy: boolean;
  readonly reason: string;
  readonly since: string;
  /** The newest answer's time on the way; null while there was none. */
  readonly rttMicros: number | null;
  /** Whether the state shown comes from this box's own checks or from the active box. */
  readonly source: "own" | "active";
}

export interface LogLine {
  readonly at: string;
  readonly level: string;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface ConfigShown {
  readonly revision: string;
  readonly document: unknown;
}

export interface ConfigApplied {
  readonly revision: string;
  /** False when the document is the one in force already. */
  readonly changed: boolean;
  readonly warnings: readonly string[];
}

export interface NeighbourShown {
  readonly device: string;
  readonly address: string;
  readonly mac: string | null;
  readonly state: string;
  readonly managed: boolean;
}

/** What can be asked, with its parameters and its answer. */
export interface ControlMethods {
  status: { params: Record<string, never>; result: BoxStatus };
  config: { params: Record<string, never>; result: ConfigShown };
  health: { params: Record<string, never>; result: readonly CheckStatus[] };
  why: { params: Record<string, never>; result: readonly SentinelEvent[] };
  log: { params: Record<string, never>; result: readonly LogLine[] };
  neighbours: { params: Record<string, never>; result: readonly NeighbourShown[] };
  apply: { params: { readonly document: unknown; readonly author: string }; result: ConfigApplied };
  switchover: { params: { readonly group?: string }; result: { readonly message: string } };
  maintenance: { params: { readonly on: boolean }; result: { readonly message: string } };
}
export type ControlMethod = keyof ControlMethods;

/** Methods that answer with a stream of events. */
export interface ControlStreams {
  watchStatus: { params: Record<string, never>; event: BoxStatus };
  watchEvents: { params: Record<string, never>; event: SentinelEvent };
}
export type ControlStream = keyof ControlStreams;

export interface ControlRequest {
  readonly id: number;
  readonly method: ControlMethod | ControlStream;
  readonly params: unknown;
}

export type ControlReply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly event: unknown }
  | { readonly id: number; readonly error: Refusal };

/** What the supervisor says on `DIR/supervisor.sock` to whoever connects: one line, then it closes. */
export interface SupervisorReport {
  readonly pid: number;
  readonly children: readonly ChildReport[];
}

export interface ChildReport {
  readonly name: "sentinel" | "core";
  readonly pid: number | null;
  readonly restarts: number;
  /** How it ended last: "killed by SIGKILL", "exit code 1"; null while it never did. */
  readonly lastEnd: string | null;
}
