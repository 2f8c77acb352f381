/** Carries out writes of the balancer's entries, neighbours of one kind in one call to the kernel. */
import { getSystemErrorName } from "node:util";
import { BPF_ABSENT, BPF_DONE, type BpfMap, type BpfObject, type BpfOutcomes } from "../contract/bpf.ts";
import { HalError } from "../contract/error.ts";
import {
  type BalancerEntry,
  type BalancerWrite,
  RING_EMPTY,
  RING_SIZE,
  SERVICE_BACKENDS_MAX,
} from "../units/balancer.ts";
import { addTraffic, decodeTraffic, encodeNumber, encodeTraffic, numberAt, putNumber, type Traffic } from "./layout.ts";
import {
  decodeBackend,
  encodeAccessKey,
  encodeBackend,
  encodeEndpoint,
  encodeReverse,
  encodeRing,
  encodeService,
} from "./layout-entries.ts";
import { nextGeneration } from "./state.ts";

/** So many entries go to the kernel at once; rings are large, so that fewer of them do. */
const RUN_MAX = 4096;
const RING_RUN_MAX = 64;

/** What was counted of a backend, and its next hop: a number that goes to another backend starts at zero. */
const OF_A_BACKEND = ["backend_counts", "backend_hops", "backend_opened", "backend_closed"] as const;

const OF_A_SERVICE = ["former_counts", "service_open"] as const;

export const MAP_OF = {
  service: "services",
  ring: "rings",
  backend: "backends",
  reverse: "reverses",
  access: "access_lists",
} as const satisfies Record<BalancerEntry["kind"], string>;

/** Throws HalError at what the kernel refuses; what comes after it is not written. */
export function applyWrites(object: BpfObject, writes: readonly BalancerWrite[]): void {
  let run: BalancerWrite[] = [];
  for (const write of writes) {
    const [first] = run;
    const max = write.entry.kind === "ring" ? RING_RUN_MAX : RUN_MAX;
    const fits = first?.kind === write.kind && first.entry.kind === write.entry.kind && run.length < max;
    if (!fits) {
      applyRun(object, run);
      run = [];
    }
    run.push(write);
  }
  applyRun(object, run);
}

/** All of one kind. */
function applyRun(object: BpfObject, run: readonly BalancerWrite[]): void {
  const [first] = run;
  if (first === undefined) return;
  const entries = run.map((write) => write.entry);
  const { kind } = first.entry;
  const map = object.map(MAP_OF[kind]);
  const keys = joined(entries, map.keyBytes, keyOf);
  if (kind === "backend") forgetFormer(object, run, map, keys);
  if (kind === "service" && first.kind === "put") startAnew(object, absent(map, keys, entries), ["former_counts"]);
  if (first.kind === "put") done(map, map.updateMany(keys, joined(entries, map.valueBytes, valueOf)));
  else if (kind === "ring" || kind === "backend")
    done(map, map.updateMany(keys, joined(entries, map.valueBytes, emptyOf)));
  else done(map, map.deleteMany(keys));
  if (kind === "service" || kind === "reverse") nextGeneration(object);
  if (kind !== "service") return;
  if (first.kind === "put") countByClient(object, entries);
  else startAnew(object, entries, OF_A_SERVICE);
}

/** Those that are not in the map. */
function absent(map: BpfMap, keys: Uint8Array, entries: readonly BalancerEntry[]): readonly BalancerEntry[] {
  const { outcomes } = map.lookupMany(keys);
  return entries.filter((_, i) => outcomes[i] === BPF_ABSENT);
}

/** Services that go; and that come, because backends of one that went were counted to its index after that. */
function startAnew(object: BpfObject, services: readonly BalancerEntry[], names: readonly string[]): void {
  if (services.length === 0) return;
  for (const name of names) clear(object.map(name), joined(services, NUMBER_BYTES, indexOf));
}

/** Says of each service whether its clients' flows are counted; the count beside it goes on meanwhile. */
function countByClient(object: BpfObject, entries: readonly BalancerEntry[]): void {
  const memory = object.map("service_open").memory();
  for (const entry of entries) {
    if (entry.kind !== "service") continue;
    putNumber(memory, entry.index * OPEN_BYTES + BY_CLIENT_AT, entry.clientFlowsMax === 0 ? 0 : 1);
  }
}

/** struct service_open. */
const OPEN_BYTES = 16;
const BY_CLIENT_AT = 8;

/** Of each number that is given up, or goes to another backend. `keys` are the entries' in the map of backends. */
function forgetFormer(object: BpfObject, run: readonly BalancerWrite[], map: BpfMap, keys: Uint8Array): void {
  const { values } = map.lookupMany(keys);
  const given = run.filter(({ kind, entry }, i) => {
    if (entry.kind !== "backend") return false;
    const former = decodeBackend(entry.number, values.subarray(i * map.valueBytes, (i + 1) * map.valueBytes));
    if (former === undefined) return false;
    return kind === "remove" || former.address !== entry.address || former.port !== entry.port;
  });
  if (given.length === 0) return;
  const numbers = joined(
    given.map((write) => write.entry),
    map.keyBytes,
    keyOf,
  );
  keepCounts(object, numbers);
  for (const name of OF_A_BACKEND) clear(object.map(name), numbers);
}

/** What backends counted stays their services', when they go. What arrives meanwhile is lost. */
function keepCounts(object: BpfObject, numbers: Uint8Array): void {
  const former = object.map("former_counts");
  for (const [index, traffic] of trafficOfServices(object, numbers)) {
    const key = encodeNumber(index);
    const known = decodeTraffic(former.lookup(key) ?? new Uint8Array(0));
    former.update(key, encodeTraffic(addTraffic(known, traffic)));
  }
}

/** By the service's index: what these backends' numbers, end to end, counted. */
export function trafficOfServices(object: BpfObject, numbers: Uint8Array): ReadonlyMap<number, Traffic> {
  const { values } = object.map("backend_counts").lookupMany(numbers);
  const bytes = (NUMBER_BYTES * values.length) / numbers.length;
  const sums = new Map<number, Traffic>();
  for (let at = 0, from = 0; at < numbers.length; at += NUMBER_BYTES, from += bytes) {
    const index = Math.floor(numberAt(numbers, at) / SERVICE_BACKENDS_MAX);
    const traffic = decodeTraffic(values.subarray(from, from + bytes));
    const before = sums.get(index);
    sums.set(index, before === undefined ? traffic : addTraffic(before, traffic));
  }
  return sums;
}

export function keyOf(entry: BalancerEntry): Uint8Array {
  switch (entry.kind) {
    case "service":
    case "reverse":
      return encodeEndpoint(entry.address, entry.port, entry.protocol);
    case "ring":
      return encodeNumber(entry.index);
    case "backend":
      return encodeNumber(entry.number);
    case "access":
      return encodeAccessKey(entry);
  }
}

export function valueOf(entry: BalancerEntry): Uint8Array {
  switch (entry.kind) {
    case "service":
      return encodeService(entry);
    case "reverse":
      return encodeReverse(entry);
    case "ring":
      return encodeRing(entry.ordinals);
    case "backend":
      return encodeBackend(entry);
    case "access":
      return encodeNumber(entry.allowed ? 1 : 0);
  }
}

const NUMBER_BYTES = 4;

function indexOf(entry: BalancerEntry): Uint8Array {
  return encodeNumber(entry.kind === "service" ? entry.index : 0);
}

const EMPTY_RING = encodeRing(new Uint16Array(RING_SIZE).fill(RING_EMPTY));
const NO_BACKEND = new Uint8Array(0);

/** What an array holds where nothing is. */
function emptyOf(entry: BalancerEntry): Uint8Array {
  return entry.kind === "ring" ? EMPTY_RING : NO_BACKEND;
}

/** End to end. */
export function joined(
  entries: readonly BalancerEntry[],
  bytesOfOne: number,
  encode: (entry: BalancerEntry) => Uint8Array,
): Uint8Array {
  const bytes = new Uint8Array(entries.length * bytesOfOne);
  entries.forEach((entry, i) => bytes.set(encode(entry), i * bytesOfOne));
  return bytes;
}

function done(map: BpfMap, outcomes: BpfOutcomes): void {
  const refused = outcomes.find((outcome) => outcome !== BPF_DONE && outcome !== BPF_ABSENT);
  if (refused === undefined) return;
  throw new HalError(getSystemErrorName(-refused), "bpf(BPF_MAP_UPDATE_BATCH)", `map ${map.name}`);
}

/** Zeroes elements of an array, on every processor. */
function clear(map: BpfMap, keys: Uint8Array): void {
  done(map, map.updateMany(keys, new Uint8Array(map.lookupMany(keys).values.length)));
}
