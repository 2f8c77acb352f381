/** What a trace says of each step, one plain sentence each. Pure. */
import { family, type IpAddress } from "@futago/hal/units/address.ts";
import {
  type AccessEntry,
  type AccessRule,
  type Persistence,
  RING_SIZE,
  type ServiceEntry,
  type ServiceMode,
} from "@futago/hal/units/balancer.ts";
import type { BackendFacts, FlowFacts, GroupFacts, TraceFacts } from "./trace.ts";

export function serviceAway(name: string): string {
  return `The balancer's tables do not hold the service ${name}: the packet is left to the kernel, as any other to this box.`;
}

export function vipOpen(service: ServiceEntry, group: GroupFacts): string {
  const fresh = group.lease?.answer === true ? "" : "; new connections are withheld while the group is handed over";
  return `${service.address} belongs to the failover group ${group.name}, which this box holds, and its lease holds${fresh}.`;
}

export function vipClosed(service: ServiceEntry, group: GroupFacts): string {
  const whose = `${service.address} belongs to the failover group ${group.name}`;
  if (group.state !== "active") {
    return `${whose}, which is ${group.state} here (${group.reason}): the gate drops what comes for it, the box that holds it answers.`;
  }
  return `${whose}, whose lease has lapsed: the gate drops the packet until the lease holds again.`;
}

export function newFlowClosed(group: GroupFacts): string {
  return `The group ${group.name} takes no new connections at this moment, since it is being handed over: the gate drops a SYN.`;
}

export function notAttached(device: string | undefined): string {
  return `The balancer does not sit on ${device ?? "the port that carries the address"}: the packet is left to the kernel. \`futago status\` tells why.`;
}

export function attached(device: string | undefined, attach: "native" | "generic"): string {
  const slow = attach === "generic" ? ", in generic mode since its driver has no native XDP" : "";
  return `The balancer looks at the packet on ${device ?? "the port"}${slow}.`;
}

export function serviceFound(name: string, service: ServiceEntry): string {
  return `It is for the service ${name}: ${service.protocol} ${place(service.address, service.port)} in mode ${service.mode}.`;
}

export function otherFamily(client: IpAddress, service: ServiceEntry): string {
  const [theirs, ours] = [family(client), family(service.address)].map((one) => (one === "ipv4" ? "IPv4" : "IPv6"));
  return `${client} is an ${theirs} address and the service has an ${ours} one: such a packet cannot be.`;
}

export function accessOf(client: IpAddress, rule: AccessRule, entry: AccessEntry | undefined): string {
  if (entry !== undefined) {
    const prefix = `${entry.prefix.address}/${entry.prefix.prefixLength}`;
    return entry.allowed
      ? `${client} may use it, by the entry ${prefix} of \`allow\`.`
      : `${client} is denied by the entry ${prefix} of \`deny\`: the packet is dropped.`;
  }
  if (rule === "open") return "The service has no access lists: everybody may use it.";
  if (rule === "listed") return `No entry of \`deny\` names ${client}: it may use the service.`;
  return `No entry of \`allow\` names ${client}: the packet is dropped.`;
}

export function entryNeedsPort(): string {
  return "Without the client's port no running connection is looked up; this is the way of a new one.";
}

export function noEntry(service: ServiceEntry): string {
  if (service.mode === "one-arm" && service.protocol === "tcp") {
    return "No table knows a connection from this port: a new one goes by the ring, a packet in the middle of one is dropped (`dropNoFlow`).";
  }
  return "No table knows a flow from this port: it goes by the ring.";
}

export function entryOf(flow: FlowFacts, backend: BackendFacts): string {
  return `The ${tableName(flow.table)} knows the flow: it belongs to ${backend.id}, and was silent for ${seconds(flow.idleSeconds)}.`;
}

export function entryOfDead(flow: FlowFacts, backend: BackendFacts | undefined): string {
  const whose =
    backend === undefined ? "which is not there any more" : `${backend.id}, which is dead (${backend.reason})`;
  const then =
    flow.table === "udp"
      ? "it goes by the ring anew"
      : "the client gets a reset, and a new connection goes by the ring";
  return `The ${tableName(flow.table)} knows the flow as one of ${place(flow.address, flow.port)}, ${whose}: ${then}.`;
}

export function limit(client: IpAddress, perSecond: number, left: number): string {
  const rule = `A client may open ${perSecond} new connections a second`;
  return left === 0
    ? `${rule}, and ${client} has used them up: the packet is dropped.`
    : `${rule}; ${client} has ${left} left at this moment.`;
}

export function openLimit(whose: string, open: number, limitOf: number): string {
  const rule = `${whose} has ${open} of the ${limitOf} connections open that it may have`;
  return open >= limitOf ? `${rule}: the packet is dropped.` : `${rule}.`;
}

interface RingChoice {
  readonly hash: number;
  readonly slot: number;
  readonly backend: BackendFacts;
  /** Those that the slots before name, and that take no more. */
  readonly passed: readonly BackendFacts[];
  readonly persistence: Persistence;
}

export function ring({ hash, slot, backend, passed, persistence }: RingChoice): string {
  const of = persistence === "source" ? "the client's address alone" : "the flow's ends";
  const instead = passed.length === 0 ? "" : `, since ${passed.map(why).join(" and ")}`;
  return `The hash of ${of} is 0x${hash.toString(16).padStart(8, "0")}; slot ${slot} of the ring's ${RING_SIZE} names ${backend.id}${instead}.`;
}

/** "web/s1 has all the connections it may have". */
function why({ id, state }: BackendFacts): string {
  return state === "alive" ? `${id} has all the connections it may have` : `${id} is ${state}`;
}

export function ringEmpty(slot: number | undefined): string {
  const where = slot === undefined ? "The ring names no backend" : `Slot ${slot} of the ring names no living backend`;
  return `${where}: none of the service's backends can serve, so the packet is dropped.`;
}

export function ringRefuses(passed: readonly BackendFacts[]): string {
  return `The slots that the hash gives name nobody who takes a new connection: ${passed.map(why).join(", ")}; it is dropped.`;
}

export function shares(parts: readonly { readonly backend: BackendFacts; readonly share: number }[]): string {
  const list = parts.map(({ backend, share }) => `${backend.id} ${(share * 100).toFixed(1)} %`).join(", ");
  return `The client's port decides; of the ring's slots ${list}.`;
}

export function standing(one: BackendFacts): string {
  const open = one.openMax === 0 ? "" : `; ${one.open} of its ${one.openMax} connections are open`;
  const state = { alive: "alive", draining: "draining: it keeps what it has and takes nothing new", dead: "dead" }[
    one.state
  ];
  return `${one.id} is ${place(one.address, one.port)}, and is ${state} (${one.reason})${open}.`;
}

export function hop(one: BackendFacts, mode: ServiceMode): string {
  if (one.hop === undefined) return `There is no route to ${one.address}: the packet is dropped.`;
  const { device, via, mac } = one.hop;
  const towards =
    via === undefined ? `${one.address} is on the link of ${device}` : `${one.address} is behind ${via} on ${device}`;
  if (mac !== undefined) return `${towards}, and the frame goes to ${mac}.`;
  const then = mode === "direct" ? "the packet is dropped" : "the packet is left to the kernel, which asks for it";
  return `${towards}, whose Ethernet address is not known now: ${then}.`;
}

export function beside(client: IpAddress, parts: readonly { readonly backend: BackendFacts }[]): string {
  const whose = parts.map(({ backend }) => backend.id).join(", ");
  return `${client} is in the subnet of ${whose}, whose answers would go past this box: the connection is carried as in one-arm.`;
}

export function rewrite(
  facts: TraceFacts,
  service: ServiceEntry,
  mode: ServiceMode,
  one: BackendFacts | undefined,
): string {
  const to = one === undefined ? "the backend's address and port" : place(one.address, one.port);
  const from = place(service.address, service.port);
  switch (mode) {
    case "nat":
      return `The destination ${from} becomes ${to}; the client's address stays, and the backend must answer through this box.`;
    case "one-arm": {
      const port = facts.flow?.vipSourcePort ?? 0;
      const source = port === 0 ? `${service.address} with a free port of 1024 to 31999` : place(service.address, port);
      return `The destination ${from} becomes ${to}, and the source becomes ${source}, to which the backend answers.`;
    }
    case "direct":
      return "Only the Ethernet addresses change: the backend, which must have the address too, answers to the client by itself.";
  }
}

export function otherwise(service: ServiceEntry, mtu: number | undefined): string {
  const size = mtu === undefined ? "" : ` a packet of more than ${mtu} bytes is answered with the size that fits;`;
  const life = service.mode === "direct" ? "" : " one whose time to live is over is answered so;";
  return `What else may happen:${life}${size} a later fragment that comes before the first is dropped.`;
}

function tableName(table: FlowFacts["table"]): string {
  return {
    established: "table of established connections",
    "half-open": "table of half-open connections",
    udp: "table of UDP flows",
  }[table];
}

function seconds(value: number): string {
  return value < 1 ? "less than a second" : `${Math.floor(value)} s`;
}

function place(address: IpAddress, port: number): string {
  return family(address) === "ipv6" ? `[${address}]:${port}` : `${address}:${port}`;
}
