/** Puts together what `futago status` says, from what the parts of core know. */
import { lookup } from "../../config/lookup.ts";
import type { Resolved, ResolvedService } from "../../config/resolved.ts";
import type { Activation } from "../../pair/spare/types.ts";
import type { CandidateAuthor } from "../control-configuration.ts";
import type { BackendStatus, BoxStatus, ConnectionsShown, ReplicationShown, ServiceStatus } from "../control.ts";
import type { PanelShown } from "../control-panel.ts";
import type { SystemShown } from "../machine-system.ts";
import type { Survival } from "../control-ports.ts";
import type { LastDrill } from "../control-drill.ts";
import type { Alarm, PeerStatus, SentinelStatus } from "../messages.ts";
import type { Standing } from "./pairing/standing.ts";
import type { Serving } from "./serving.ts";
import { NO_TRAFFIC, readTraffic } from "./trace/traffic.ts";

export interface StatusSources {
  readonly standing: Pick<Standing, "kind" | "box">;
  /** To the peer's core. */
  readonly linked: boolean;
  readonly config: Resolved | undefined;
  readonly revision: string;
  readonly system: SystemShown;
  readonly editors: readonly CandidateAuthor[];
  readonly unconfirmed: BoxStatus["unconfirmed"];
  /** Undefined while the sentinel is away. */
  readonly sentinel: SentinelStatus | undefined;
  readonly serving: Pick<Serving, "healthOf" | "fallback" | "oneArmOf" | "flows" | "balancer">;
  /** By "pool/backend". */
  readonly drains: ReadonlySet<string>;
  readonly replication: {
    connections(service: ResolvedService): ConnectionsShown;
    /** Undefined on a box alone. */
    readonly status: ReplicationShown | undefined;
  };
  /** Null where the election decides. */
  readonly activation: Activation | null;
  readonly lastDrill: LastDrill | null;
  readonly survival: Survival;
  readonly panel: PanelShown | null;
  readonly alarms: readonly Alarm[];
  readonly counters: Readonly<Record<string, number>>;
}

/**
 * A {@link BoxStatus} as JSON; a piece is a service. `only` names the services that are shown; undefined: all of them.
 */
export function* statusText(sources: StatusSources, only: ReadonlySet<string> | undefined): Generator<string> {
  yield `${JSON.stringify(statusOfBox(sources)).slice(0, -1)},"services":[`;
  const connections: ConnectionsShown[] = [];
  let before = "";
  for (const service of sources.config?.services ?? []) {
    const shown = connectionsOf(service, sources);
    connections.push(shown);
    if (only !== undefined && !only.has(service.name)) continue;
    yield before + JSON.stringify(serviceStatus(service, shown, sources));
    before = ",";
  }
  yield `],"connections":${JSON.stringify(together(connections))}}`;
}

function statusOfBox(sources: StatusSources): Omit<BoxStatus, "services" | "connections"> {
  const { config, sentinel, standing, linked } = sources;
  // A paired box has its letter before it has a configuration.
  const box = config === undefined ? standing.box : config.box;
  return {
    box: box ?? "alone",
    role: sentinel?.role ?? "unknown",
    hostname: config?.system.hostname ?? "",
    system: sources.system,
    revision: sources.revision,
    editors: sources.editors,
    unconfirmed: sources.unconfirmed,
    groups: sentinel?.groups ?? [],
    pairing: { kind: standing.kind, linked },
    peer: sentinel?.peer === undefined ? null : withWholeRevision(sentinel.peer, sources.revision),
    heartbeat: sentinel?.heartbeat ?? null,
    activation: sources.activation,
    replication: shownReplication(sources.replication.status),
    lastDrill: sources.lastDrill,
    survival: sources.survival,
    panel: sources.panel,
    alarms: [...sentinelAlarms(sources), ...sources.alarms],
    counters: sources.counters,
  };
}

/** A box that gave its peer up misses none. */
function sentinelAlarms({ sentinel, standing }: StatusSources): readonly Alarm[] {
  const all = sentinel?.alarms ?? [];
  return standing.kind === "left" ? all.filter(({ kind }) => kind !== "peer-lost") : all;
}

/** Heartbeats carry the beginning of the revision only; where it is ours, scripts may compare the whole. */
function withWholeRevision(peer: PeerStatus, own: string): PeerStatus {
  return peer.revision !== "" && own.startsWith(peer.revision) ? { ...peer, revision: own } : peer;
}

/** Null where no service has a number. */
function together(all: readonly ConnectionsShown[]): ConnectionsShown {
  const known = all.flatMap(({ replicated }) => replicated ?? []);
  return {
    established: all.reduce((sum, one) => sum + one.established, 0),
    replicated: known.length === 0 ? null : known.reduce((sum, one) => sum + one, 0),
  };
}

function shownReplication(status: ReplicationShown | undefined): ReplicationShown | null {
  if (status === undefined) return null;
  const { linked, whole, position, acknowledged, received } = status;
  return { linked, whole, position, acknowledged, received };
}

function serviceStatus(service: ResolvedService, connections: ConnectionsShown, sources: StatusSources): ServiceStatus {
  const pool = sources.config === undefined ? undefined : lookup(sources.config).pools.get(service.pool);
  const traffic = readTraffic(sources.serving.balancer, service);
  const judged = pool === undefined ? [] : sources.serving.healthOf(pool);
  const backends = (pool?.backends ?? []).map((backend, i): BackendStatus => {
    const { name, address, port, weight, backup, maxConnections } = backend;
    const health = judged[i];
    return {
      name,
      address,
      port,
      weight,
      backup,
      healthy: health?.healthy ?? false,
      reason: health?.reason ?? "not checked yet",
      flows: sources.serving.flows.get(`${address}:${port}`) ?? 0,
      draining: sources.drains.has(`${service.pool}/${name}`),
      limit: maxConnections ?? null,
      traffic: traffic.backends.get(`${address}:${port}`) ?? NO_TRAFFIC,
    };
  });
  const { name, port, protocol, mode, family, persistence, pool: poolName } = service;
  return {
    name,
    address: service.addresses.join(" "),
    port,
    protocol,
    pool: poolName,
    mode,
    family,
    persistence,
    traffic: traffic.service,
    connections,
    ...sources.serving.fallback.attachmentOf(service),
    oneArmClients: sources.serving.oneArmOf(service),
    backends,
  };
}

function connectionsOf(
  service: ResolvedService,
  { serving: { fallback }, replication }: StatusSources,
): ConnectionsShown {
  const established = fallback.establishedOf(service);
  return established === undefined ? replication.connections(service) : { established, replicated: null };
}
