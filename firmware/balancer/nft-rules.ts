/**
 * Services as rules of nftables, for ports where no XDP program can be: the same backends by the same weights, health
 * and drains as `compile.ts` gives the balancer, as one document that replaces the table whole. Which services need it
 * is decided elsewhere; `direct` is none of them.
 *
 * A new connection gets a mark, by a hash over a Maglev ring, and the mark names its backend; connection tracking keeps
 * it there. A TCP packet in the middle of a connection that is not tracked, as after a take-over, is taken for a new
 * one: by the same ring, or by the reverse map when the backend speaks first.
 */
import { family, type Family, formatInterfaceAddress } from "@futago/hal/units/address.ts";
import type { ServiceProtocol } from "@futago/hal/units/balancer.ts";
import { ok, refuse, type Result } from "@futago/hal/units/result.ts";
import { withoutHostBits } from "./access.ts";
import { hashText } from "./hash.ts";
import { apportion, buildRing, type RingCandidate } from "./maglev.ts";
import { deniedRanges, rangeText } from "./nft-access.ts";
import { markBackends, type MarkedBackend, NFT_MARK, NFT_MARK_MASK } from "./nft-marks.ts";
import {
  allBackends,
  type BalancedService,
  type Bounds,
  candidates,
  findServiceConflict,
  type ServiceConflict,
  SLOW_START_STEPS,
} from "./service.ts";

export const NFT_TABLE = "futago_balancer";
/** Takes the table away, whether it is there or not. */
export const NFT_REMOVAL = `add table inet ${NFT_TABLE}\ndelete table inet ${NFT_TABLE}\n`;

export interface NftInput extends Bounds {
  /** As of the balancer's rings. */
  readonly seed: string;
  readonly services: readonly BalancedService[];
  /** Marks of backends that have, or whose service has, as many connections as they may: they take no new ones. */
  readonly full: ReadonlySet<number>;
}

export interface NftRules {
  readonly document: string;
  readonly backends: readonly MarkedBackend[];
  /** Their names. */
  readonly services: ReadonlySet<string>;
}

/** Slots of a ring, primes, and the lightest backend gets several of them. */
const RING_SIZES = [61, 127, 251, 509, 1_021, 2_039, 4_093, 8_191] as const;
const RING_SIZE_MAX = 8_191;
const SLOTS_EACH_MIN = 8;
/** Of all rings: nft takes a second for so many, and a hundred megabytes. Beyond, each backend has one stretch of slots. */
const SLOTS_MAX = 100_000;
/** Clients whose rate is watched at a time, of one service. */
const SOURCES_MAX = 65_536;
/** A burst is as long as a second, so a client that was silent for two starts afresh. */
const SOURCE_SECONDS = 2;
/** Source ports of `one-arm`, as of the balancer: those of programs of the box itself begin above. */
const PORTS = "1024-31999";
const OURS = `ct mark & ${hex(NFT_MARK_MASK)} == ${hex(NFT_MARK)}`;
const NOT_OURS = `ct mark & ${hex(NFT_MARK_MASK)} != ${hex(NFT_MARK)}`;

export function compileNft(input: NftInput): Result<NftRules, ServiceConflict> {
  const conflict = findServiceConflict(input.services, input);
  if (conflict !== undefined) return refuse(conflict);
  const backends = markBackends(input.services);
  const sizes = input.services.map(ringSize);
  const isScattered = sizes.reduce((sum, size) => sum + size, 0) <= SLOTS_MAX;
  const rings: Rings = { sizes, build: isScattered ? buildRing : oneStretchEach };
  const parts = [
    ...timeouts(input.services),
    ...input.services.flatMap(clientSets),
    ...access(input.services),
    ...beginnings(input, backends, rings),
    toBackends(backends),
    toClients(input.services, backends),
    ...leaks(backends),
  ];
  const lines = parts.flatMap((part) => part.map((line) => `\t${line}`));
  return ok({
    document: `${NFT_REMOVAL}table inet ${NFT_TABLE} {\n${lines.join("\n")}\n}\n`,
    backends,
    services: new Set(input.services.map(({ name }) => name)),
  });
}

type Part = readonly string[];

function block(head: string, lines: readonly string[]): Part {
  return [`${head} {`, ...lines.map((line) => `\t${line}`), "}"];
}

function hooked(name: string, type: "filter" | "nat", hook: string, priority: number, rules: readonly string[]): Part {
  return block(`chain ${name}`, [`type ${type} hook ${hook} priority ${priority}; policy accept;`, ...rules]);
}

/** "idle_tcp_ip_7440": connection tracking has timeouts of its own. */
function timeoutName({ protocol, address, idleTimeoutSeconds }: BalancedService): string {
  return `idle_${protocol}_${l3(address)}_${idleTimeoutSeconds}`;
}

function timeouts(services: readonly BalancedService[]): readonly Part[] {
  const byName = new Map(services.map((service) => [timeoutName(service), service]));
  return [...byName].map(([name, { protocol, address, idleTimeoutSeconds }]) => {
    const silent = protocol === "tcp" ? ["established"] : ["unreplied", "replied"];
    const policy = silent.map((state) => `${state} : ${idleTimeoutSeconds}`).join(", ");
    return block(`ct timeout ${name}`, [`protocol ${protocol}`, `l3proto ${l3(address)}`, `policy = { ${policy} }`]);
  });
}

/** What is known of each client of a service that limits them: its rate, and its open connections. */
function clientSets({ address, newFlowsPerSecond, clientFlowsMax }: BalancedService, i: number): readonly Part[] {
  const kind = [`type ${family(address) === "ipv4" ? "ipv4_addr" : "ipv6_addr"}`, `size ${SOURCES_MAX}`];
  const rate = [...kind, "flags dynamic,timeout", `timeout ${SOURCE_SECONDS}s`];
  return [
    ...(newFlowsPerSecond === 0 ? [] : [block(`set rate_${i}`, rate)]),
    ...(clientFlowsMax === 0 ? [] : [block(`set open_${i}`, [...kind, "flags dynamic"])]),
  ];
}

/** Before connection tracking: denied clients make no entries. */
function access(services: readonly BalancedService[]): readonly Part[] {
  const denied = services.flatMap((service, i) => {
    const ranges = deniedRanges(service).map(rangeText);
    return ranges.length === 0 ? [] : [{ service, i, ranges }];
  });
  if (denied.length === 0) return [];
  const chains = denied.map(({ service, i, ranges }) =>
    block(`chain access_${i}`, [`${l3(service.address)} saddr { ${ranges.join(", ")} } drop`]),
  );
  const chosen = denied.map(({ service, i }) => ({ service, verdict: `goto access_${i}` }));
  return [...chains, hooked("access", "filter", "prerouting", -300, dispatch("", chosen))];
}

function beginnings(input: NftInput, backends: readonly MarkedBackend[], rings: Rings): readonly Part[] {
  const byService = Map.groupBy(backends, ({ service }) => service);
  const chains = input.services.map((service, i) => {
    const own = byService.get(service) ?? [];
    const ring: Ring = { size: rings.sizes[i] ?? RING_SIZE_MAX, build: rings.build };
    return block(`chain begin_${i}`, [...limit(service, i), ...choice(input, service, own, ring)]);
  });
  const chosen = input.services.map((service, i) => ({ service, verdict: `goto begin_${i}` }));
  // Of what both ends have not answered yet every packet counts as new: the first one has set the mark.
  const rules = dispatch(`ct state new ${NOT_OURS} `, chosen);
  return [...chains, hooked("begin", "filter", "prerouting", -150, rules)];
}

/** The kernel counts anew what is open of a client when the rules change. */
function limit({ newFlowsPerSecond, clientFlowsMax, address }: BalancedService, i: number): readonly string[] {
  const client = `${l3(address)} saddr`;
  const rate = `limit rate over ${newFlowsPerSecond}/second burst ${newFlowsPerSecond} packets`;
  return [
    ...(newFlowsPerSecond === 0 ? [] : [`update @rate_${i} { ${client} ${rate} } drop`]),
    ...(clientFlowsMax === 0 ? [] : [`add @open_${i} { ${client} ct count over ${clientFlowsMax} } drop`]),
  ];
}

/** With nobody to go to, a beginning is dropped; the middle of a connection is left to the kernel, which resets it. */
function choice(
  { seed, full }: NftInput,
  service: BalancedService,
  backends: readonly MarkedBackend[],
  { size, build }: Ring,
): readonly string[] {
  const chosen = candidates(service);
  const members = backends.filter(({ backend, mark }) => chosen.includes(backend) && !full.has(mark));
  if (members.length === 0) return [service.protocol === "tcp" ? "tcp flags & (syn | ack) == syn drop" : "drop"];
  const slow = chosen.some((backend) => backend.step < SLOW_START_STEPS);
  const ring = build(
    seed,
    members.map(({ backend: { id, weight, step } }, ordinal) => ({
      id,
      weight: slow ? weight * step : weight,
      ordinal,
    })),
    size,
  );
  const marks = stretches(ring).map(({ slots, ordinal }) => `${slots} : ${hex(members[ordinal]?.mark ?? 0)}`);
  const port = service.persistence === "source" ? "" : " . th sport";
  const hash = `jhash ${l3(service.address)} saddr${port} mod ${size} seed ${hex(hashText(`${seed}/nftables`))}`;
  return [`ct timeout set "${timeoutName(service)}"`, `ct mark set ${hash} map { ${marks.join(", ")} }`];
}

type BuildRing = typeof buildRing;

interface Ring {
  readonly size: number;
  readonly build: BuildRing;
}

interface Rings {
  /** By the service's place. */
  readonly sizes: readonly number[];
  readonly build: BuildRing;
}

/** By all backends that there are, so that it stays the same when one of them dies. */
function ringSize(service: BalancedService): number {
  const weights = allBackends(service).reduce((sum, { weight }) => sum + weight, 0);
  return RING_SIZES.find((size) => size >= weights * SLOTS_EACH_MIN) ?? RING_SIZE_MAX;
}

/** When one of them goes, many slots change their owners: it is the short way to say the same shares. */
function oneStretchEach(_seed: string, members: readonly RingCandidate[], size: number): Uint16Array {
  const ring = new Uint16Array(size);
  let at = 0;
  const quotas = apportion(
    members.map(({ weight }) => weight),
    size,
  );
  for (const [i, { ordinal }] of members.entries()) {
    const next = at + (quotas[i] ?? 0);
    ring.fill(ordinal, at, next);
    at = next;
  }
  return ring;
}

/** Slots one after the other that one member owns: "4" or "4-6". */
function stretches(ring: Uint16Array): readonly { readonly slots: string; readonly ordinal: number }[] {
  const found: { readonly slots: string; readonly ordinal: number }[] = [];
  for (let from = 0; from < ring.length; ) {
    let next = from + 1;
    while (next < ring.length && ring[next] === ring[from]) next++;
    found.push({ slots: next - from === 1 ? `${from}` : `${from}-${next - 1}`, ordinal: ring[from] ?? 0 });
    from = next;
  }
  return found;
}

function toBackends(backends: readonly MarkedBackend[]): Part {
  const rules = kinds(backends).map(({ l3proto, protocol, own }) => {
    const places = own.map(({ mark, backend }) => `${hex(mark)} : ${backend.address} . ${backend.port}`);
    return `${match(l3proto, protocol)} dnat ${l3proto} to ct mark map { ${places.join(", ")} }`;
  });
  return hooked("to_backend", "nat", "prerouting", -100, rules);
}

/**
 * `one-arm` speaks in the virtual address' name, and so does `nat` where a client sits beside its backend. In `nat` a
 * backend that speaks first is known by its address and port.
 */
function toClients(services: readonly BalancedService[], backends: readonly MarkedBackend[]): Part {
  const byService = Map.groupBy(backends, ({ service }) => service);
  const vip = services.flatMap((service) => inNameOfVip(service, byService.get(service) ?? []));
  const reverse = kinds(backends.filter(({ service }) => service.mode === "nat")).flatMap(
    ({ l3proto, protocol, own }) => {
      const source = `${l3proto} saddr . th sport`;
      const from = ({ backend }: MarkedBackend) => `${backend.address} . ${backend.port}`;
      const marks = own.map((one) => `${from(one)} : ${hex(one.mark)}`).join(", ");
      const vips = own.map((one) => `${from(one)} : ${one.service.address} . ${one.service.port}`).join(", ");
      const middle = protocol === "tcp" ? " tcp flags & (syn | rst) == 0x0" : "";
      const begins = `${match(l3proto, protocol)} ct state new`;
      return [
        `${begins} ${NOT_OURS}${middle} ct mark set ${source} map { ${marks} }`,
        `${begins} ${OURS}${middle} snat ${l3proto} to ${source} map { ${vips} }`,
      ];
    },
  );
  return hooked("to_client", "nat", "postrouting", 100, [...vip, ...reverse]);
}

function inNameOfVip(service: BalancedService, backends: readonly MarkedBackend[]): readonly string[] {
  const ip = l3(service.address);
  const to = ip === "ip6" ? `[${service.address}]:${PORTS}` : `${service.address}:${PORTS}`;
  const rule = (some: readonly MarkedBackend[], condition: string) => {
    const marks = some.map(({ mark }) => hex(mark)).join(", ");
    return `${match(ip, service.protocol)} ct mark { ${marks} }${condition} snat ${ip} to ${to}`;
  };
  if (service.mode === "one-arm") return backends.length === 0 ? [] : [rule(backends, "")];
  const subnets = Map.groupBy(backends, ({ backend: { address, subnetBits } }) =>
    subnetBits === 0 ? "" : formatInterfaceAddress(withoutHostBits({ address, prefixLength: subnetBits })),
  );
  return [...subnets].flatMap(([subnet, some]) => (subnet === "" ? [] : [rule(some, ` ${ip} saddr ${subnet}`)]));
}

/** What a backend says outside of every connection must not reach a client untranslated. */
function leaks(backends: readonly MarkedBackend[]): readonly Part[] {
  const nat = kinds(backends.filter(({ service }) => service.mode === "nat"));
  if (nat.length === 0) return [];
  const rules = nat.map(({ l3proto, protocol, own }) => {
    const places = own.map(({ backend }) => `${backend.address} . ${backend.port}`);
    return `${match(l3proto, protocol)} ct state invalid ${l3proto} saddr . th sport { ${places.join(", ")} } drop`;
  });
  return [hooked("leak", "filter", "forward", 0, rules)];
}

interface Kind {
  readonly l3proto: "ip" | "ip6";
  readonly protocol: ServiceProtocol;
  readonly own: readonly MarkedBackend[];
}

function kinds(backends: readonly MarkedBackend[]): readonly Kind[] {
  const families: readonly Family[] = ["ipv4", "ipv6"];
  return families.flatMap((of) =>
    (["tcp", "udp"] as const).flatMap((protocol): readonly Kind[] => {
      const own = backends.filter(({ service }) => service.protocol === protocol && family(service.address) === of);
      return own.length === 0 ? [] : [{ l3proto: of === "ipv4" ? "ip" : "ip6", protocol, own }];
    }),
  );
}

interface Dispatched {
  readonly service: BalancedService;
  readonly verdict: string;
}

/** One look-up for all services of a family. */
function dispatch(condition: string, chosen: readonly Dispatched[]): readonly string[] {
  return (["ip", "ip6"] as const).flatMap((ip) => {
    const own = chosen.filter(({ service }) => l3(service.address) === ip);
    const verdicts = own.map(
      ({ service: { address, protocol, port }, verdict }) => `${address} . ${protocol} . ${port} : ${verdict}`,
    );
    const key = `${ip} daddr . meta l4proto . th dport`;
    return own.length === 0 ? [] : [`${condition}${key} vmap { ${verdicts.join(", ")} }`];
  });
}

function match(ip: "ip" | "ip6", protocol: ServiceProtocol): string {
  return `meta nfproto ${ip === "ip" ? "ipv4" : "ipv6"} meta l4proto ${protocol}`;
}

function l3(address: BalancedService["address"]): "ip" | "ip6" {
  return family(address) === "ipv4" ? "ip" : "ip6";
}

function hex(number: number): string {
  return `0x${number.toString(16).padStart(8, "0")}`;
}
