/** Puts together what `futago status` says, from what the parts of core know. Pure. */
import type { Resolved, ResolvedService } from "../../config/resolved.ts";
import type { BackendStatus, BoxStatus, ServiceStatus } from "../control.ts";
import type { Alarm, PeerStatus, SentinelStatus } from "../messages.ts";
import { type BackendHealth, key } from "./checks/backend-health.ts";

export interface StatusSources {
  readonly box: string | undefined;
  readonly config: Resolved | undefined;
  readonly revision: string;
  /** Undefined while the sentinel is away. */
  readonly sentinel: SentinelStatus | undefined;
  readonly health: ReadonlyMap<string, BackendHealth>;
  readonly attachOf: (service: ResolvedService) => ServiceStatus["attach"];
  /** Established connections by address and port of the backend, "10.2.0.11:80". */
  readonly flows: ReadonlyMap<string, number>;
  readonly alarms: readonly Alarm[];
  readonly counters: Readonly<Record<string, number>>;
}

export function assembleStatus(sources: StatusSources): BoxStatus {
  const { config, sentinel } = sources;
  return {
    box: sources.box ?? "alone",
    role: sentinel?.role ?? "unknown",
    hostname: config?.system.hostname ?? "",
    revision: sources.revision,
    groups: sentinel?.groups ?? [],
    peer: sentinel?.peer === undefined ? null : withWholeRevision(sentinel.peer, sources.revision),
    heartbeat: sentinel?.heartbeat ?? null,
    services: (config?.services ?? []).map((service) => serviceStatus(service, sources)),
    alarms: [...(sentinel?.alarms ?? []), ...sources.alarms],
    counters: sources.counters,
  };
}

/** Heartbeats carry the beginning of the revision only; where it is ours, scripts may compare the whole. */
function withWholeRevision(peer: PeerStatus, own: string): PeerStatus {
  return peer.revision !== "" && own.startsWith(peer.revision) ? { ...peer, revision: own } : peer;
}

function serviceStatus(service: ResolvedService, sources: StatusSources): ServiceStatus {
  const pool = sources.config?.pools.find((one) => one.name === service.pool);
  const backends = (pool?.backends ?? []).map((backend): BackendStatus => {
    const { name, address, port, weight, backup } = backend;
    const health = sources.health.get(key(service.pool, name));
    return {
      name,
      address,
      port,
      weight,
      backup,
      healthy: health?.healthy ?? false,
      reason: health?.reason ?? "not checked yet",
      flows: sources.flows.get(`${address}:${port}`) ?? 0,
    };
  });
  const { name, port, protocol, pool: poolName } = service;
  return {
    name,
    address: service.addresses.join(" "),
    port,
    protocol,
    pool: poolName,
    attach: sources.attachOf(service),
    backends,
  };
}
