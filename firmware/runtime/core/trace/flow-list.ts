/** Lists the flows of the balancer's tables for people: what is asked for, newest first, and how many there are in all. */
import type { IpAddress } from "@futago/hal/units/address.ts";
import type { BalancerInspection, FlowTable } from "@futago/hal/xdp/inspect.ts";
import { FLOW_BACKEND_FIN, FLOW_CLIENT_FIN, FLOW_REOPENED, FLOW_RESET, FLOW_TOLD } from "@futago/hal/xdp/layout.ts";
import type { Flow } from "@futago/hal/xdp/layout-flows.ts";
import { backendsOf, type StandingService } from "../../../balancer/standing.ts";
import { lookup } from "../../../config/lookup.ts";
import type { Resolved, ResolvedService } from "../../../config/resolved.ts";
import type { FlowRemark, FlowShown, FlowsShown } from "../../control.ts";
import { backendName, type NamedBackend } from "../control/named.ts";
import type { BalancerView } from "./balancer-view.ts";

export interface FlowListing {
  readonly config: Resolved;
  readonly serviceAt: BalancerView["serviceAt"];
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
  readonly config: Resolved;
  readonly services: ReadonlyMap<string, ResolvedService>;
  readonly serviceAt: BalancerView["serviceAt"];
}

function indexOf({ config, serviceAt }: FlowListing): Index {
  const services = config.services.flatMap((service) =>
    service.addresses.map((address) => [end(address, service.port, service.protocol), service] as const),
  );
  return { config, services: new Map(services), serviceAt };
}

/** "web/s1", when the service's pools name it. */
function nameOf({ config }: Index, service: ResolvedService | undefined, flow: Flow): string | null {
  const { pools } = lookup(config);
  for (const name of [service?.pool, service?.sorryPool]) {
    const pool = pools.get(name ?? "");
    const backend = pool?.backends.find(({ address, port }) => address === flow.address && port === flow.port);
    if (pool !== undefined && backend !== undefined) return backendName({ pool: pool.name, backend });
  }
  return null;
}

function shown({ table, flow }: Found, index: Index, nowNanos: bigint): FlowShown {
  const at = end(flow.vip, flow.vipPort, flow.protocol);
  const service = index.services.get(at);
  const standing = index.serviceAt(flow.vip, flow.vipPort, flow.protocol);
  return {
    state: table,
    client: flow.client,
    clientPort: flow.clientPort,
    vip: flow.vip,
    vipPort: flow.vipPort,
    protocol: flow.protocol,
    service: service?.name ?? null,
    mode: flow.vipSourcePort === 0 ? (standing?.entry.mode ?? service?.mode ?? null) : "one-arm",
    backend: nameOf(index, service, flow),
    backendAddress: flow.address,
    backendPort: flow.port,
    sourcePort: flow.vipSourcePort === 0 ? null : flow.vipSourcePort,
    idleMillis: idleMillis(flow, nowNanos),
    remarks: remarks(flow, standing),
  };
}

const REMARKS: readonly (readonly [bit: number, remark: FlowRemark])[] = [
  [FLOW_CLIENT_FIN, "client closed"],
  [FLOW_BACKEND_FIN, "backend closed"],
  [FLOW_RESET, "reset"],
  [FLOW_REOPENED, "began anew"],
  [FLOW_TOLD, "told by the peer"],
];

function remarks(flow: Flow, standing: StandingService | undefined): readonly FlowRemark[] {
  const marks = REMARKS.filter(([bit]) => (flow.flags & bit) !== 0).map(([, remark]) => remark);
  const backends = standing === undefined ? [] : backendsOf(standing);
  const backend = backends.find(({ address, port }) => address === flow.address && port === flow.port);
  return backend?.state === "dead" ? [...marks, "backend dead"] : marks;
}

/** Whether the flow still carries something, as far as the tables can tell. */
function isOpen({ table, flow }: Found, index: Index, nowNanos: bigint): boolean {
  if (table === "half-open") return false;
  const at = end(flow.vip, flow.vipPort, flow.protocol);
  const idleMax = (index.services.get(at)?.idleTimeoutSeconds ?? 0) * 1_000;
  if (idleMax !== 0 && idleMillis(flow, nowNanos) > idleMax) return false;
  const clientDone = (flow.flags & FLOW_CLIENT_FIN) !== 0;
  // In `direct` the backend's end is not seen.
  const backendDone =
    (flow.flags & FLOW_BACKEND_FIN) !== 0 ||
    index.serviceAt(flow.vip, flow.vipPort, flow.protocol)?.entry.mode === "direct";
  return (flow.flags & FLOW_RESET) === 0 && !(clientDone && backendDone);
}

function idleMillis(flow: Flow, nowNanos: bigint): number {
  return Math.max(0, Number((nowNanos - flow.seenNanos) / 1_000_000n));
}

function end(address: IpAddress, port: number, protocol: string): string {
  return `${protocol} ${address} ${port}`;
}
