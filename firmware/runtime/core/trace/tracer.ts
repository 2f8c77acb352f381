/** Gathers what a trace needs to know, from the balancer's tables, the sentinel, the checks and the kernel's network. */
import { addressBits, family, inSubnet, type IpAddress } from "@futago/hal/units/address.ts";
import type { Network } from "@futago/hal/contract/network.ts";
import type { AccessEntry, ServiceEntry } from "@futago/hal/units/balancer.ts";
import type { BalancerInspection } from "@futago/hal/xdp/inspect.ts";
import { type BackendFacts, type FlowFacts, type GroupFacts, trace, type TraceShown } from "../../../balancer/trace.ts";
import { backendsOf, ringOf, type StandingService } from "../../../balancer/standing.ts";
import { lookup } from "../../../config/lookup.ts";
import type { Resolved, ResolvedPool, ResolvedService } from "../../../config/resolved.ts";
import type { GroupStatus } from "../../messages.ts";
import { deviceOfService } from "../balancer/balanced-services.ts";
import type { BackendHealth } from "../checks/backend-health.ts";
import { backendName } from "../control/named.ts";
import type { BalancerView } from "./balancer-view.ts";
import { type NetworkFacts, nextHop } from "./next-hop.ts";

export interface TraceSources {
  readonly config: Resolved;
  readonly groups: readonly GroupStatus[];
  /** How the pool's backends stand, in their order. */
  readonly healthOf: (pool: ResolvedPool) => readonly BackendHealth[];
  readonly balancer: Pick<BalancerView, "serviceAt" | "modeOf">;
  readonly inspection: BalancerInspection;
  readonly network: Network;
  /** CLOCK_BOOTTIME. */
  readonly nowNanos: bigint;
}

export interface TraceAsked {
  readonly client: IpAddress;
  readonly clientPort: number | undefined;
  readonly service: ResolvedService;
}

export async function traceFlow(sources: TraceSources, asked: TraceAsked): Promise<TraceShown> {
  const { network } = sources;
  const [links, addresses, routes, neighbours] = await Promise.all([
    network.links(),
    network.addresses(),
    network.routes(),
    network.neighbours(),
  ]);
  return traceIn(sources, asked, { links, addresses, routes, neighbours });
}

/** Of a service that nftables serves: its choice is the kernel's alone. */
export function traceByRules(reason: string): TraceShown {
  const sentence = `XDP cannot look at the packet (${reason}): rules of nftables choose the backend, as \`nft list table inet futago_balancer\` shows them.`;
  return { outcome: "kernel", backends: [], counter: null, steps: [{ step: "port", sentence, ends: true }] };
}

function traceIn(sources: TraceSources, { client, clientPort, service }: TraceAsked, net: NetworkFacts): TraceShown {
  const { config, balancer, inspection, nowNanos } = sources;
  const vip = service.addresses.find((one) => family(one) === family(client)) ?? service.addresses[0];
  const standing = vip === undefined ? undefined : balancer.serviceAt(vip, service.port, service.protocol);
  const entry = standing?.entry;
  const device = deviceOfService(config, service);
  return trace({
    client,
    clientPort,
    serviceName: service.name,
    service: entry,
    group: groupFacts(sources, service, vip),
    port: { device, attach: balancer.modeOf(device) },
    access: standing === undefined ? undefined : accessEntry(standing, client),
    open: entry === undefined ? { all: 0, client: 0 } : inspection.openAt(entry.index, client),
    tokens: entry === undefined ? undefined : inspection.tokens(client, entry.index, entry.newFlowsPerSecond, nowNanos),
    flow: flowFacts(sources, entry, client, clientPort),
    ring: (standing === undefined ? undefined : ringOf(standing))?.ordinals ?? new Uint16Array(0),
    backends: standing === undefined ? new Map() : backendFacts(sources, service, standing, net),
  });
}

function groupFacts(sources: TraceSources, service: ResolvedService, vip: IpAddress | undefined): GroupFacts {
  const group = sources.groups.find((one) => one.name === service.group);
  const state = group?.state ?? "unknown";
  const lease = vip === undefined ? undefined : sources.inspection.lease(vip, sources.nowNanos);
  return { name: service.group, state, reason: group?.reason ?? "the sentinel does not answer", lease };
}

/** The longest prefix of the service's lists that holds the client. */
function accessEntry({ entries }: StandingService, client: IpAddress): AccessEntry | undefined {
  return entries
    .filter((one) => one.kind === "access")
    .filter((one) => one.prefix.prefixLength <= addressBits(client) && inSubnet(client, one.prefix))
    .sort((a, b) => b.prefix.prefixLength - a.prefix.prefixLength)[0];
}

function flowFacts(
  { inspection, nowNanos }: TraceSources,
  service: ServiceEntry | undefined,
  client: IpAddress,
  clientPort: number | undefined,
): FlowFacts | undefined {
  if (service === undefined || clientPort === undefined) return undefined;
  const { address: vip, port: vipPort, protocol } = service;
  const found = inspection.flow({ client, clientPort, vip, vipPort, protocol });
  if (found === undefined) return undefined;
  const { backend, address, port, vipSourcePort, seenNanos } = found.flow;
  const idleSeconds = Math.max(0, Number((nowNanos - seenNanos) / 1_000_000n) / 1_000);
  return { table: found.table, backend, address, port, vipSourcePort, idleSeconds };
}

function backendFacts(
  { config, healthOf, inspection }: TraceSources,
  service: ResolvedService,
  standing: StandingService,
  net: NetworkFacts,
): ReadonlyMap<number, BackendFacts> {
  const { pools } = lookup(config);
  const used = [service.pool, service.sorryPool ?? ""].flatMap((name) => pools.get(name) ?? []);
  const named = new Map(
    used.flatMap((pool) => {
      const health = healthOf(pool);
      return pool.backends.map((backend, i) => {
        const name = backendName({ pool: pool.name, backend });
        const reason = health[i]?.reason ?? "not checked yet";
        return [`${backend.address} ${backend.port}`, { name, reason }] as const;
      });
    }),
  );
  return new Map(
    backendsOf(standing).map((one): [number, BackendFacts] => {
      const { number, address, port, state, subnetBits, flowsMax } = one;
      const known = named.get(`${address} ${port}`);
      const facts = {
        id: known?.name ?? `${address}:${port}`,
        address,
        port,
        state,
        subnetBits,
        reason: known?.reason ?? "the configuration does not name it any more",
        open: inspection.openFlows(number),
        openMax: flowsMax,
        hop: nextHop(net, address),
      };
      return [number, facts];
    }),
  );
}
