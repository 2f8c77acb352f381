/** This box as a thing with ports: what the kernel, the configuration and the sentinel say of it, put together. Pure. */
import type { AddressEntry, Link, LinkStatistics } from "@futago/hal/contract/network.ts";
import { formatInterfaceAddress, type Ifindex, type IpAddress } from "@futago/hal/units/address.ts";
import type { Resolved, ResolvedInterface } from "../../../config/resolved.ts";
import type { BoxFacts } from "../../../pair/survival/types.ts";
import type { BoxShown, PortShown } from "../../control-ports.ts";
import type { Alarm, GroupStatus, PathStatus, SentinelStatus } from "../../messages.ts";
import { ADDRESSES_MAX, ALARM_WORDS_MAX, DOWN_MAX, PORTS_MAX, URLS_MAX, VIRTUAL_ADDRESSES_MAX } from "./box-message.ts";

export interface OwnBoxFacts {
  /** "a", "b" or "alone". */
  readonly box: string;
  readonly config: Resolved | undefined;
  readonly revision: string;
  readonly version: string;
  /** Undefined while the sentinel is away. */
  readonly sentinel: SentinelStatus | undefined;
  /** Of core; the sentinel's are in its status. */
  readonly alarms: readonly Alarm[];
  readonly told: boolean;
  readonly links: readonly Link[];
  readonly addresses: readonly AddressEntry[];
  readonly virtualAddresses: ReadonlySet<IpAddress>;
  readonly statistics: readonly LinkStatistics[];
  readonly speeds: ReadonlyMap<Ifindex, number>;
  readonly uptimeSeconds: number;
  readonly at: string;
  readonly urls: readonly string[];
}

export function ownBox(facts: OwnBoxFacts): BoxShown {
  const { box, config, revision, version, sentinel, uptimeSeconds, at } = facts;
  return {
    box,
    own: true,
    hostname: config?.system.hostname ?? "",
    version,
    role: sentinel?.role ?? "unknown",
    revision,
    uptimeSeconds,
    at,
    urls: facts.urls.slice(0, URLS_MAX),
    ports: portsOf(facts).slice(0, PORTS_MAX),
  };
}

/** What it knows of itself, for the judgement whether the pair would survive. */
export function ownFacts(
  facts: Pick<OwnBoxFacts, "config" | "revision" | "sentinel" | "alarms" | "told" | "links">,
): BoxFacts {
  const { config, sentinel, alarms, links } = facts;
  const carried = new Set(links.filter((link) => link.up && link.carrier).map(({ ifname }) => ifname));
  const down = (config?.interfaces ?? []).filter(({ device }) => !carried.has(device)).map(({ name }) => name);
  const words = [...(sentinel?.alarms ?? []), ...alarms].map(({ kind }) => kind);
  return {
    role: sentinel?.role ?? "unknown",
    revision: facts.revision,
    groups: (sentinel?.groups ?? []).map(({ name, state }) => {
      const routers = config?.groups.find((group) => group.name === name)?.virtualRouters ?? [];
      const needed = new Set(routers.map((router) => router.interface));
      return { name, state, down: down.filter((one) => needed.has(one)).slice(0, DOWN_MAX) };
    }),
    alarms: [...new Set(words)].slice(0, ALARM_WORDS_MAX),
    told: facts.told,
  };
}

/** Those of the configuration in its order, then the others by name. */
function portsOf(facts: OwnBoxFacts): readonly PortShown[] {
  const { config, links } = facts;
  const interfaces = config?.interfaces ?? [];
  const named = new Set<string>(interfaces.map(({ device }) => device));
  const others = links.filter((link) => !named.has(link.ifname) && isPort(link));
  return [
    ...interfaces.map((one) =>
      portOf(
        facts,
        one,
        links.find(({ ifname }) => ifname === one.device),
        one.device,
      ),
    ),
    ...others
      .toSorted((one, other) => one.ifname.localeCompare(other.ifname))
      .map((link) => portOf(facts, undefined, link, link.ifname)),
  ];
}

/** Something that a cable may be plugged into, not what the kernel or Futago put on top of that. */
function isPort({ ifname, kind, mac }: Link): boolean {
  return ifname !== "lo" && mac !== undefined && (kind === undefined || kind === "veth");
}

function portOf(
  facts: OwnBoxFacts,
  named: ResolvedInterface | undefined,
  link: Link | undefined,
  device: string,
): PortShown {
  const { ifindex } = link ?? {};
  const own = facts.addresses.filter(
    (entry) => entry.ifindex === ifindex && entry.scope !== "link" && !facts.virtualAddresses.has(entry.address),
  );
  const carried = facts.statistics.find((one) => one.ifindex === ifindex);
  return {
    device,
    interface: named?.name ?? null,
    mac: link?.mac ?? null,
    up: link?.up ?? false,
    carrier: link?.carrier ?? false,
    speedMbps: (ifindex !== undefined && link?.carrier === true ? facts.speeds.get(ifindex) : undefined) ?? null,
    mtu: link?.mtu ?? 0,
    addresses: own.map(formatInterfaceAddress).slice(0, ADDRESSES_MAX),
    virtualAddresses: answeredOn(facts, named).slice(0, VIRTUAL_ADDRESSES_MAX),
    receivedBytes: carried?.receivedBytes ?? 0,
    sentBytes: carried?.sentBytes ?? 0,
    receivedPackets: carried?.receivedPackets ?? 0,
    sentPackets: carried?.sentPackets ?? 0,
    troubles: carried?.troubles ?? 0,
    heartbeat: heartbeatOf(facts.sentinel?.peer?.paths ?? [], named),
  };
}

function answeredOn({ config, sentinel }: OwnBoxFacts, named: ResolvedInterface | undefined): readonly string[] {
  const answers = (group: GroupStatus) => group.state === "active" && group.answering;
  const held = new Set((sentinel?.groups ?? []).filter(answers).map(({ name }) => name));
  return (config?.groups ?? [])
    .filter(({ name }) => held.has(name))
    .flatMap((group) => group.virtualRouters)
    .filter((router) => router.interface === named?.name)
    .flatMap((router) => router.addresses.map(formatInterfaceAddress));
}

function heartbeatOf(paths: readonly PathStatus[], named: ResolvedInterface | undefined): PortShown["heartbeat"] {
  const path = paths.find((one) => one.interface === named?.name);
  return path === undefined ? null : { alive: path.alive, rttMicros: path.rttMicros };
}
