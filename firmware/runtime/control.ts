/**
 * The control socket, `DIR/control.sock`: everything people and programs may ask of a running box. One JSON object
 * per line; a request {id, method, params} is answered by {id, result}, by {id, error}, or, for a streaming method,
 * by {id, event} again and again until the asker closes the connection.
 */
import type { SystemShown } from "./machine-system.ts";
import type { Family } from "@futago/hal/units/address.ts";
import type { Persistence, ServiceMode, ServiceProtocol } from "@futago/hal/units/balancer.ts";
import type { TraceShown } from "../balancer/trace.ts";
import type { Activation } from "../pair/spare/types.ts";
import type { AccessMethods, AccessStreams } from "./control-access.ts";
import type { BackupMethods } from "./control-backup.ts";
import type { CandidateAuthor, ConfigurationMethods } from "./control-configuration.ts";
import type { DrillMethods, LastDrill } from "./control-drill.ts";
import type { PairingMethods, PairingShown } from "./control-pairing.ts";
import type { PanelMethods, PanelShown } from "./control-panel.ts";
import type { DiagnosticStreams, PortsMethods, Survival } from "./control-ports.ts";
import type { SpareMethods } from "./control-spare.ts";
import type { UpdateMethods } from "./control-update.ts";
import type { Refusal } from "./exit-code.ts";
import type { Alarm, GroupStatus, HeartbeatStatus, PeerStatus, SentinelEvent } from "./messages.ts";

/** A configuration of the largest size with every letter escaped. */
export const CONTROL_LINE_BYTES_MAX = 56 << 20;

/** What the balancer carried since the box's balancer was loaded, of a service or of a backend. */
export interface TrafficShown {
  /** From clients. */
  readonly packetsIn: number;
  readonly bytesIn: number;
  /** To clients; in `direct` the backends answer by themselves, so that there is none. */
  readonly packetsOut: number;
  readonly bytesOut: number;
  /** Connections that began. */
  readonly flows: number;
}

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
  /** Connections in the balancer's table that a packet of the last minute had, just ended ones included. */
  readonly flows: number;
  /** Keeps its connections and takes no new ones: `futago drain`. */
  readonly draining: boolean;
  /** Connections of one service at a time; null is no limit. */
  readonly limit: number | null;
  readonly traffic: TrafficShown;
}

/** Of how many connections how many would survive a fail-over now. */
export interface ConnectionsShown {
  /** In this box's table; as of some seconds ago. */
  readonly established: number;
  /** Of these in the peer's table, too. Null where this box does not serve, has no peer, or serves by nftables. */
  readonly replicated: number | null;
}

/** What serves a service, and how. */
export interface ServiceAttachment {
  /**
   * How the balancer sits on the devices of the service: "native"; "generic" on at least one of them; "nftables" where
   * no program can be and rules of nftables serve instead; "none" while nothing does.
   */
  readonly attach: "native" | "generic" | "nftables" | "none";
  /** Why it is not native; null where it is. */
  readonly attachReason: string | null;
}

export interface ServiceStatus extends ServiceAttachment {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: string;
  readonly pool: string;
  readonly mode: ServiceMode;
  readonly family: Family;
  /** By what a client keeps its backend: "source" is by its address alone. */
  readonly persistence: Persistence;
  readonly traffic: TrafficShown;
  /** TCP only. */
  readonly connections: ConnectionsShown;
  /** Subnets that hold backends of a `nat` service: clients there are served as in `one-arm`. */
  readonly oneArmClients: readonly string[];
  readonly backends: readonly BackendStatus[];
}

export interface ReplicationShown {
  /** The connection to the peer stands. */
  readonly linked: boolean;
  /** The peer has this box's whole table, but for what is on its way. */
  readonly whole: boolean;
  /** Of the newest message told, and of the newest that the peer has carried out. */
  readonly position: number;
  readonly acknowledged: number;
  /** Of the newest message of the peer that was carried out here. */
  readonly received: number;
}

export interface UnconfirmedShown {
  readonly revision: string;
  readonly author: string;
  /** RFC 3339 with milliseconds. */
  readonly rollsBackAt: string;
}

export interface BoxStatus {
  readonly box: string;
  readonly role: string;
  readonly hostname: string;
  /** What it was started from. */
  readonly system: SystemShown;
  readonly revision: string;
  /** Whoever edits the configuration on this box and has not committed it; nobody where there is no candidate. */
  readonly editors: readonly CandidateAuthor[];
  /** The revision in force, when it is rolled back unless somebody confirms it; null where it needs none. */
  readonly unconfirmed: UnconfirmedShown | null;
  readonly groups: readonly GroupStatus[];
  /** Whose peer it is. `linked`: the connection to the peer's core stands. */
  readonly pairing: { readonly kind: PairingShown["kind"]; readonly linked: boolean };
  /** Null on a box that is alone. */
  readonly peer: PeerStatus | null;
  readonly heartbeat: HeartbeatStatus | null;
  /** Who serves in a cold pair, as people decided it; null on a hot one and on a box alone. */
  readonly activation: Activation | null;
  readonly services: readonly ServiceStatus[];
  /** Of all services. */
  readonly connections: ConnectionsShown;
  /** How far connections are told to the peer and by it; null on a box alone. */
  readonly replication: ReplicationShown | null;
  /** Null before the first one. */
  readonly lastDrill: LastDrill | null;
  /** Whether the pair would survive the death of either box now. */
  readonly survival: Survival;
  /** Lights, button and watchdog; null where the machine is not the box's own. */
  readonly panel: PanelShown | null;
  readonly alarms: readonly Alarm[];
  /** Named counts of what was refused or went wrong. */
  readonly counters: Readonly<Record<string, number>>;
}

/** What happened, on which box, by this box's clock. */
export interface TimelineEvent extends SentinelEvent {
  readonly box: string;
  /** Of what the peer told: how its clock stands to this one, and how exactly that is known. Null for this box's own. */
  readonly clock: { readonly offsetMillis: number; readonly exactMillis: number } | null;
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

export interface NeighbourShown {
  readonly device: string;
  readonly address: string;
  readonly mac: string | null;
  readonly state: string;
  readonly managed: boolean;
}

export interface FlowsQuery {
  /** The name of a service. */
  readonly service?: string;
  /** A client's address. */
  readonly client?: string;
  /** "pool/backend", or a backend's name where it is the only one. */
  readonly backend?: string;
  /** How many to show; the default is 50. */
  readonly limit?: number;
}

export interface FlowShown {
  /** "established" began with a whole handshake; "half-open" waits for one; "udp" has none. */
  readonly state: "established" | "half-open" | "udp";
  readonly client: string;
  readonly clientPort: number;
  readonly vip: string;
  readonly vipPort: number;
  readonly protocol: ServiceProtocol;
  /** Null when no service of the configuration is there any more. */
  readonly service: string | null;
  readonly mode: ServiceMode | null;
  /** "web/s1"; null when the configuration does not name it any more. */
  readonly backend: string | null;
  readonly backendAddress: string;
  readonly backendPort: number;
  /** `one-arm`: the VIP's port that the backend sees; else null. */
  readonly sourcePort: number | null;
  /** Since the newest packet, a second coarse. */
  readonly idleMillis: number;
  /** Such as "ended" or "told by the peer". */
  readonly remarks: readonly FlowRemark[];
}

export type FlowRemark =
  | "client closed"
  | "backend closed"
  | "reset"
  | "began anew"
  | "told by the peer"
  | "backend dead";

export interface FlowsShown {
  /** All that the query names; `flows` are the newest of them. */
  readonly total: number;
  /** Of those the ones that still carry something: neither ended, nor half-open, nor idle for longer than the service lets them. */
  readonly open: number;
  readonly flows: readonly FlowShown[];
}

export interface TraceQuery {
  readonly client: string;
  /** Without one the answer is shares, where the port decides. */
  readonly clientPort?: number;
  readonly service: string;
}

export type { TraceShown, TraceStep } from "../balancer/trace.ts";

export interface DrainShown {
  readonly pool: string;
  readonly backend: string;
  readonly draining: boolean;
  readonly message: string;
}

export interface CaptureQuery {
  readonly service?: string;
  readonly client?: string;
  /** Packets, each as it came in and as it went out; the default is 1,000. */
  readonly count?: number;
  /** The default is 60. */
  readonly seconds?: number;
  /** Bytes of each frame, 256 at most. */
  readonly snap?: number;
}

export interface CapturedFrame {
  /** Nanoseconds since 1970. */
  readonly atNanos: string;
  /** Null: by a port that the box does not have any more. */
  readonly device: string | null;
  readonly direction: "in" | "out";
  /** Whether the packet is shown as it came in, or as the balancer left it. */
  readonly stage: "came" | "went";
  /** Of the whole frame. */
  readonly length: number;
  /** Base64, cut at the snapshot length. */
  readonly bytes: string;
  /** What became of the packet, in words. */
  readonly comment: string;
}

export type CaptureEvent =
  | { readonly kind: "began"; readonly devices: readonly string[]; readonly snap: number; readonly hostname: string }
  | { readonly kind: "frames"; readonly frames: readonly CapturedFrame[] }
  | {
      readonly kind: "ended";
      readonly packets: number;
      /** Packets that came faster than they were read. */
      readonly lost: number;
    };

/** How a box is ended, with its machine where it is an appliance. */
export type PowerEnd = "reboot" | "poweroff";

export interface StatusQuery {
  /** The names of the services that are to be shown; left out, all. */
  readonly services?: readonly string[];
}

export interface HealthQuery {
  /** The name of a service: only the checks of its backends, those of its sorry pool among them. */
  readonly service?: string;
}

/** What can be asked, with its parameters and its answer. */
export interface ControlMethods
  extends AccessMethods,
    BackupMethods,
    ConfigurationMethods,
    DrillMethods,
    PairingMethods,
    PanelMethods,
    PortsMethods,
    SpareMethods,
    UpdateMethods {
  status: { params: StatusQuery; result: BoxStatus };
  health: { params: HealthQuery; result: readonly CheckStatus[] };
  /** Of this box alone. */
  why: { params: Record<string, never>; result: readonly SentinelEvent[] };
  /** Of both boxes. */
  timeline: { params: Record<string, never>; result: readonly TimelineEvent[] };
  log: { params: Record<string, never>; result: readonly LogLine[] };
  neighbours: { params: Record<string, never>; result: readonly NeighbourShown[] };
  switchover: { params: { readonly group?: string }; result: { readonly message: string } };
  /** `force`: although nobody can take over what this box holds. */
  power: { params: { readonly end: PowerEnd; readonly force?: boolean }; result: { readonly message: string } };
  /** Forgets everything, after the answer. `force`: although nobody can take over what this box holds. */
  factoryReset: { params: { readonly author: string; readonly force?: boolean }; result: { readonly message: string } };
  maintenance: { params: { readonly on: boolean }; result: { readonly message: string } };
  flows: { params: FlowsQuery; result: FlowsShown };
  trace: { params: TraceQuery; result: TraceShown };
  /** `backend` is "pool/backend", or a backend's name where it is the only one. */
  drain: { params: { readonly backend: string; readonly on: boolean }; result: DrainShown };
}
export type ControlMethod = keyof ControlMethods;

/** Methods that answer with a stream of events. */
export interface ControlStreams extends AccessStreams, DiagnosticStreams {
  watchStatus: { params: StatusQuery; event: BoxStatus };
  watchEvents: { params: Record<string, never>; event: SentinelEvent };
  /** Ends by itself with an event "ended", or when the asker goes away. */
  capture: { params: CaptureQuery; event: CaptureEvent };
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
  readonly name: "sentinel" | "core" | "web";
  readonly pid: number | null;
  readonly restarts: number;
  /** How it ended last: "killed by SIGKILL", "exit code 1"; null while it never did. */
  readonly lastEnd: string | null;
}
