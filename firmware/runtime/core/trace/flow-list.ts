/** Lists the flows of the balancer's tables for people: what is asked for, newest first, and how many there are in all. */
import type { IpAddress } from "@futago/hal/units/address.ts";
import type { BalancerEntry, ServiceEntry } from "@futago/hal/units/balancer.ts";
import type { BalancerInspection, FlowTable } from "@futago/hal/xdp/inspect.ts";
import { FLOW_BACKEND_FIN, FLOW_CLIENT_FIN, FLOW_REOPENED, FLOW_RESET, FLOW_TOLD } from "@futago/hal/xdp/layout.ts";
import type { Flow } from "@futago/hal/xdp/layout-flows.ts";
import type { Resolved, ResolvedService } from "../../../config/resolved.ts";
import type { FlowRemark, FlowShown, FlowsShown } from "../../control.ts";
import { backendName, type NamedBackend } from "../control/named.ts";

export interface FlowListing {
  readonly config: Resolved;
  readonly standing: readonly BalancerEntry[];
  /** CLOCK_BOOTTIME. */
  readonly nowNanos: bigint;
  readonly service: ResolvedService | undefined;
  readonly client: IpAddress | undefined;
  readonly backend: NamedBackend | undefined;
  readonly limit: number;
}

interface Found {
  readonly table: FlowTable;
  readonly flow: Flow;
}

/** Reads all tables, in slices, so that nothing else waits for long. */
export async function listFlows(
  inspection: Pick<BalancerInspection, "flows">,
  listing: FlowListing,
): Promise<FlowsShown> {
  const index = indexOf(listing);
  const newest: Found[] = [];
  let total = 0;
  let open = 0;
  for (const [table, flows] of inspection.flows()) {
    for (const flow of flows) {
      if (!isAskedFor(listing, flow)) continue;
      total++;
      if (isOpen({ table, flow }, index, listing.nowNanos)) open++;
      newest.push({ table, flow });
    }
    if (newest.length > 4 * listing.limit + flows.length) keepNewest(newest, listing.limit);
    await new Promise(setImmediate);
  }
  keepNewest(newest, listing.limit);
  return { total, open, flows: newest.map((found) => shown(found, index, listing.nowNanos)) };
}

function keepNewest(flows: Found[], limit: number): void {
  flows.sort((a, b) => (a.flow.seenNanos < b.flow.seenNanos ? 1 : a.flow.seenNanos > b.flow.seenNanos ? -1 : 0));
  flows.length = Math.min(flows.length, limit);
}

function isAskedFor({ service, client, backend }: FlowListing, flow: Flow): boolean {
  if (client !== undefined && flow.client !== client) return false;
  if (backend !== undefined && (flow.address !== backend.backend.address || flow.port !== backend.backend.port)) {
    return false;
  }
  if (service === undefined) return true;
  const { addresses, port, protocol } = service;
  return flow.vipPort === port && flow.protocol === protocol && addresses.includes(flow.vip);
}

/** What the configuration and the tables say of the ends of flows. */
interface Index {
  readonly services: ReadonlyMap<string, ResolvedService>;
  readonly entries: ReadonlyMap<string, ServiceEntry>;
  /** By pool, then address and port. */
  readonly backends: ReadonlyMap<string, string>;
  /** Address and port of those that get no packet. */
  readonly dead: ReadonlySet<string>;
}

function indexOf({ config, standing }: FlowListing): Index {
  const services = config.services.flatMap((service) =>
    service.addresses.map((address) => [end(address, service.port, service.protocol), service] as const),
  );
  const backends = config.pools.flatMap((pool) =>
    pool.backends.map((backend) => {
      const at = `${pool.name} ${backend.address} ${backend.port}`;
      return [at, backendName({ pool: pool.name, backend })] as const;
    }),
  );
  const entries = standing.flatMap((one) =>
    one.kind === "service" ? [[end(one.address, one.port, one.protocol), one] as const] : [],
  );
  const dead = standing.flatMap((one) =>
    one.kind === "backend" && one.state === "dead" ? [`${one.address} ${one.port}`] : [],
  );
  return {
    services: new Map(services),
    entries: new Map(entries),
    backends: new Map(backends),
    dead: new Set(dead),
  };
}

function shown({ table, flow }: Found, index: Index, nowNanos: bigint): FlowShown {
  const at = end(flow.vip, flow.vipPort, flow.protocol);
  const service = index.services.get(at);
  const pools = service === undefined ? [] : [service.pool, service.sorryPool ?? ""];
  const names = pools.map((pool) => index.backends.get(`${pool} ${flow.address} ${flow.port}`));
  return {
    state: table,
    client: flow.client,
    clientPort: flow.clientPort,
    vip: flow.vip,
    vipPort: flow.vipPort,
    protocol: flow.protocol,
    service: service?.name ?? null,
    mode: flow.vipSourcePort === 0 ? (index.entries.get(at)?.mode ?? service?.mode ?? null) : "one-arm",
    backend: names.find((name) => name !== undefined) ?? null,
    backendAddress: flow.address,
    backendPort: flow.port,
    sourcePort: flow.vipSourcePort === 0 ? null : flow.vipSourcePort,
    idleMillis: idleMillis(flow, nowNanos),
    remarks: remarks(flow, index),
  };
}

const REMARKS: readonly (readonly [bit: number, remark: FlowRemark])[] = [
  [FLOW_CLIENT_FIN, "client closed"],
  [FLOW_BACKEND_FIN, "backend closed"],
  [FLOW_RESET, "reset"],
  [FLOW_REOPENED, "began anew"],
  [FLOW_TOLD, "told by the peer"],
];

function remarks(flow: Flow, { dead }: Index): readonly FlowRemark[] {
  const marks = REMARKS.filter(([bit]) => (flow.flags & bit) !== 0).map(([, remark]) => remark);
  return dead.has(`${flow.address} ${flow.port}`) ? [...marks, "backend dead"] : marks;
}

/** Whether the flow still carries something, as far as the tables can tell. */
function isOpen({ table, flow }: Found, index: Index, nowNanos: bigint): boolean {
  if (table === "half-open") return false;
  const at = end(flow.vip, flow.vipPort, flow.protocol);
  const idleMax = (index.services.get(at)?.idleTimeoutSeconds ?? 0) * 1_000;
  if (idleMax !== 0 && idleMillis(flow, nowNanos) > idleMax) return false;
  const clientDone = (flow.flags & FLOW_CLIENT_FIN) !== 0;
  // In `direct` the backend's end is not seen.
  const backendDone = (flow.flags & FLOW_BACKEND_FIN) !== 0 || index.entries.get(at)?.mode === "direct";
  return (flow.flags & FLOW_RESET) === 0 && !(clientDone && backendDone);
}

function idleMillis(flow: Flow, nowNanos: bigint): number {
  return Math.max(0, Number((nowNanos - flow.seenNanos) / 1_000_000n));
}

function end(address: IpAddress, port: number, protocol: string): string {
  return `${protocol} ${address} ${port}`;
}
