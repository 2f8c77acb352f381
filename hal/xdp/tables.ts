/** The maps of gate and balancer as typed tables, on any hal's loaded objects. */
import type { BpfMap, BpfObject } from "../contract/bpf.ts";
import type { IpAddress } from "../units/address.ts";
import { type BalancerEntry, type BalancerWrite, SERVICE_BACKENDS_MAX } from "../units/balancer.ts";
import { concatBytes } from "../units/bytes.ts";
import {
  addTraffic,
  BALANCER_REASONS,
  type BalancerReason,
  decodeAddress,
  decodeNumber,
  decodeStale,
  decodeTraffic,
  encodeAddress,
  encodeNumber,
  GATE_REASONS,
  type GateReason,
  type StaleEntry,
  sumWords,
  type Traffic,
} from "./layout.ts";
import { decodeAccess, decodeBackend, decodeReverse, decodeRing, decodeService } from "./layout-entries.ts";
import { decodeFlow, decodeReturn, type Flow, type ReturnFlow } from "./layout-flows.ts";
import { nextGeneration } from "./state.ts";
import { applyWrites, trafficOfServices } from "./write-entries.ts";

export type { StaleEntry } from "./layout.ts";

export interface GateTables {
  /** Address to group index. */
  vips(): ReadonlyMap<IpAddress, number>;
  /** Makes the table hold these and no others. */
  setVips(vips: ReadonlyMap<IpAddress, number>): void;
  counters(): Readonly<Record<GateReason, number>>;
  /** Hosts that sent to this box what is a closed VIP's, since this was asked last. */
  takeStale(): readonly StaleEntry[];
}

/** Of an object "gate" (VIPs and counters) or "balancer" (VIPs only: its counters throw). */
export function gateTables(object: BpfObject): GateTables {
  const vips = object.map("futago_vips");
  return {
    vips: () => readAddresses(vips),
    setVips: (wanted) => {
      if (writeAddresses(vips, wanted)) nextGeneration(object);
    },
    counters: () => readCounters(object.map("gate_counters"), GATE_REASONS),
    takeStale: () => takeStale(object.map("futago_stale")),
  };
}

export interface BalancerTables {
  /** Every entry that stands in the maps, for firmware/balancer to start from. */
  read(): readonly BalancerEntry[];
  /** Carries out the writes in their order. Counters of what is removed start again at zero. */
  apply(writes: readonly BalancerWrite[]): void;
  /** Makes the table of the box's own addresses hold these and no others. True when it did not before. */
  setOwn(addresses: readonly IpAddress[]): boolean;
  counters(): Readonly<Record<BalancerReason, number>>;
  /** By the service's index. */
  serviceTraffic(index: number): Traffic;
  /** By the backend's number. */
  backendTraffic(number: number): Traffic;
  establishedFlows(): Iterable<Flow>;
  halfOpenFlows(): Iterable<Flow>;
  udpFlows(): Iterable<Flow>;
  /** `one-arm`: the twins of the established flows, and of the others. */
  returns(): Iterable<ReturnFlow>;
  halfReturns(): Iterable<ReturnFlow>;
  /** Makes all that the balancer's processors remember old: a route, a neighbour or a link changed. */
  nextGeneration(): void;
}

export function balancerTables(object: BpfObject): BalancerTables {
  const own = object.map("futago_own");
  return {
    read: () => readEntries(object),
    apply: (writes) => applyWrites(object, writes),
    setOwn: (addresses) => {
      const changed = writeAddresses(own, new Map(addresses.map((address) => [address, 1])));
      if (changed) nextGeneration(object);
      return changed;
    },
    counters: () => readCounters(object.map("balancer_counts"), BALANCER_REASONS),
    serviceTraffic: (index) => serviceTraffic(object, index),
    backendTraffic: (number) => readTraffic(object.map("backend_counts"), number),
    establishedFlows: () => readFlows(object.map("established")),
    halfOpenFlows: () => readFlows(object.map("half_open")),
    udpFlows: () => readFlows(object.map("udp_flows")),
    returns: () => readReturns(object.map("returns")),
    halfReturns: () => readReturns(object.map("half_returns")),
    nextGeneration: () => nextGeneration(object),
  };
}

function readEntries(object: BpfObject): readonly BalancerEntry[] {
  const entries: BalancerEntry[] = [];
  const indexes = new Set<number>();
  for (const [key, value] of object.map("services").entries()) {
    const service = decodeService(key, value);
    indexes.add(service.index);
    entries.push(service);
  }
  for (const index of indexes) {
    const ring = object.map("rings").lookup(encodeNumber(index));
    if (ring !== undefined) entries.push(decodeRing(index, ring));
  }
  for (const [key, value] of object.map("backends").entries()) {
    const backend = decodeBackend(decodeNumber(key), value);
    if (backend !== undefined) entries.push(backend);
  }
  for (const [key, value] of object.map("reverses").entries()) entries.push(decodeReverse(key, value));
  for (const [key, value] of object.map("access_lists").entries()) entries.push(decodeAccess(key, value));
  return entries;
}

function readAddresses(map: BpfMap): ReadonlyMap<IpAddress, number> {
  return new Map([...map.entries()].map(([key, value]) => [decodeAddress(key), decodeNumber(value)]));
}

/** Whether anything was to be written. */
function writeAddresses(map: BpfMap, wanted: ReadonlyMap<IpAddress, number>): boolean {
  const standing = readAddresses(map);
  const missing = [...wanted].filter(([address, number]) => standing.get(address) !== number);
  const strange = [...standing.keys()].filter((address) => !wanted.has(address));
  for (const [address, number] of missing) map.update(encodeAddress(address), encodeNumber(number));
  for (const address of strange) map.delete(encodeAddress(address));
  return missing.length + strange.length > 0;
}

/** Reads and removes. What arrives in between is lost, and tells no more than what is there. */
function takeStale(map: BpfMap): readonly StaleEntry[] {
  return [...map.entries()].map(([key, value]) => {
    map.delete(key);
    return decodeStale(key, value);
  });
}

function readCounters<Reason extends string>(map: BpfMap, reasons: readonly Reason[]): Record<Reason, number> {
  const read = (index: number) => sumWords(map.lookup(encodeNumber(index)) ?? new Uint8Array(0), 1)[0] ?? 0;
  return Object.fromEntries(reasons.map((reason, index) => [reason, read(index)])) as Record<Reason, number>;
}

function readTraffic(map: BpfMap, index: number): Traffic {
  return decodeTraffic(map.lookup(encodeNumber(index)) ?? new Uint8Array(0));
}

/** Of the backends that it has, and of those that it had. */
function serviceTraffic(object: BpfObject, index: number): Traffic {
  const first = index * SERVICE_BACKENDS_MAX;
  const numbers = Array.from({ length: SERVICE_BACKENDS_MAX }, (_, ordinal) => encodeNumber(first + ordinal));
  const present = trafficOfServices(object, concatBytes(numbers)).get(index);
  const former = readTraffic(object.map("former_counts"), index);
  return present === undefined ? former : addTraffic(former, present);
}

function* readFlows(map: BpfMap): Iterable<Flow> {
  for (const [key, value] of map.entries()) yield decodeFlow(key, value);
}

function* readReturns(map: BpfMap): Iterable<ReturnFlow> {
  for (const [key, value] of map.entries()) yield decodeReturn(key, value);
}
