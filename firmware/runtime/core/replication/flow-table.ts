/**
 * The flows in the kernel's tables as replication reads and writes them: by the thousand, in slices, and never over a
 * flow that this box itself serves. What the peer told of established flows bears its mark, and an epoch by which a
 * sweep knows what a complete table did not name.
 */
import {
  BPF_ABSENT,
  BPF_DONE,
  BPF_EXISTS,
  type BpfCursor,
  type BpfEvents,
  type BpfMap,
  type BpfObject,
} from "@futago/hal/contract/bpf.ts";
import type { Clock } from "@futago/hal/contract/machine.ts";
import { PROTOCOL_AT, RECORD_BYTES, RECORD_KEY_BYTES, VIP_AT, viewOf } from "@futago/hal/units/flow-record.ts";
import type { Instant } from "@futago/hal/units/time.ts";
import {
  FLOW_EVENT_BYTES,
  FLOW_KEY_BYTES,
  FlowEntries,
  FlowValues,
  recordsOfEntries,
  recordsOfEvents,
  ReturnEntries,
} from "@futago/hal/xdp/flow-records.ts";
import type { AddressSet } from "../../../replication/address-set.ts";
import { type Directory, type FlowPlace, type FlowRefusal, PROTOCOLS } from "../../../replication/directory.ts";
import { DatagramFlows } from "./datagram-flows.ts";

/** Why a record of the peer was not written; the counter's name, too. */
export type IntakeRefusal = FlowRefusal | "ownAddress" | "tableFull";

/** Own flows find room, however many the peer tells of. */
const OWN_SHARE = 16;

export interface FlowTableOptions {
  readonly object: BpfObject;
  readonly clock: Clock;
  readonly count: (refusal: IntakeRefusal) => void;
}

/** Where a walk through the tables goes on. */
export interface TableCursor {
  readonly table: "established" | "udp_flows";
  readonly from: BpfCursor | undefined;
}

/** Records of the peer that are written alike. */
interface Batch {
  readonly entries: FlowEntries;
  readonly places: FlowPlace[];
}

/** Which virtual addresses are whose, from this box's view. */
export interface Ownership {
  /** Those that this box holds: their flows are told, and nobody tells this box of them. */
  readonly own: AddressSet;
  /** Held for so short a time that what the former holder still says counts. */
  readonly fresh: boolean;
}

export class FlowTable {
  readonly #options: FlowTableOptions;
  readonly datagrams: DatagramFlows;
  readonly #established: BpfMap;
  readonly #returns: BpfMap;
  /** Flows that bear the present epoch, by the service's index. */
  readonly #held = new Map<number, number>();
  #heldInAll = 0;
  #epoch = 0;
  directory: Directory;
  ownership: Ownership;

  constructor(options: FlowTableOptions, directory: Directory, ownership: Ownership) {
    this.#options = options;
    this.#established = options.object.map("established");
    this.#returns = options.object.map("returns");
    this.directory = directory;
    this.ownership = ownership;
    const { object, count } = options;
    this.datagrams = new DatagramFlows({ object, nowNanos: () => this.#nowNanos(), isOwn: this.#isOwn, count });
  }

  /** Flows of the peer that this box holds, by the service's index. */
  get held(): ReadonlyMap<number, number> {
    return this.#held;
  }

  /** Flows of this box's addresses in one slice of the tables: established ones, then those of UDP that go on. */
  slice(count: number, cursor: TableCursor | undefined): { records: Uint8Array; next: TableCursor | undefined } {
    if (cursor?.table === "udp_flows") {
      const { records, next } = this.datagrams.slice(count, cursor.from, 0);
      return { records, next: next === undefined ? undefined : { table: "udp_flows", from: next } };
    }
    const { keys, values, next } = this.#established.slice(count, cursor?.from);
    const records = recordsOfEntries(keys, values, this.#nowNanos(), this.#isOwn);
    return { records, next: { table: next === undefined ? "udp_flows" : "established", from: next } };
  }

  /** Calls back with the flows of this box's addresses that begin, by the batch. */
  watch(onBegun: (records: Uint8Array) => void): BpfEvents {
    return this.#options.object.events("flow_events", FLOW_EVENT_BYTES, (events) => {
      const records = recordsOfEvents(events, this.#nowNanos(), this.#isOwn);
      if (records.length > 0) onBegun(records);
    });
  }

  /** Those of some keys, end to end, that are of this box's addresses. */
  ownKeys(keys: Uint8Array): Uint8Array {
    const view = viewOf(keys);
    const own: number[] = [];
    for (let at = 0; at < keys.length; at += FLOW_KEY_BYTES) if (this.#isOwn(view, at)) own.push(at);
    if (own.length * FLOW_KEY_BYTES === keys.length) return keys;
    const some = new Uint8Array(own.length * FLOW_KEY_BYTES);
    own.forEach((at, i) => some.set(keys.subarray(at, at + FLOW_KEY_BYTES), i * FLOW_KEY_BYTES));
    return some;
  }

  /** A complete table of the peer begins: none of it is there yet. */
  begin(epoch: number): void {
    this.#epoch = epoch;
    this.#held.clear();
    this.#heldInAll = 0;
  }

  /** Writes what the peer told, as far as it fits this box's services. */
  apply(records: Uint8Array, epoch: number): void {
    const view = viewOf(records);
    const now = this.#nowNanos();
    const batch = (): Batch => ({ entries: new FlowEntries(records.length / RECORD_BYTES), places: [] });
    const [foreign, own] = [batch(), batch()];
    // Few frames hold any.
    let foreignDatagrams: Batch | undefined;
    let ownDatagrams: Batch | undefined;
    for (let at = 0; at < records.length; at += RECORD_BYTES) {
      const isDatagrams = view.getUint8(at + PROTOCOL_AT) === PROTOCOLS.udp;
      const place = this.#judge(view, at, isDatagrams ? undefined : foreign.entries.count);
      if (typeof place === "string") {
        this.#options.count(place);
        continue;
      }
      const isOwn = this.#isOwn(view, at);
      if (isDatagrams) {
        const { entries, places } = isOwn ? (ownDatagrams ??= batch()) : (foreignDatagrams ??= batch());
        entries.addDatagrams(view, at, place.backend, now);
        places.push(place);
      } else {
        const { entries, places } = isOwn ? own : foreign;
        entries.addTold(view, at, place.backend, epoch, now);
        places.push(place);
      }
    }
    this.#write(foreign.entries, foreign.places, true);
    this.#write(own.entries, own.places, false);
    if (foreignDatagrams !== undefined) this.datagrams.write(foreignDatagrams.entries, foreignDatagrams.places, true);
    if (ownDatagrams !== undefined) this.datagrams.write(ownDatagrams.entries, ownDatagrams.places, false);
  }

  /** Removes what the peer says has ended. */
  remove(keys: Uint8Array): void {
    const { values, outcomes } = this.#established.lookupMany(keys);
    const read = new FlowValues(values);
    const view = viewOf(keys);
    const gone = new FlowEntries(outcomes.length);
    outcomes.forEach((outcome, i) => {
      const serves = this.#isOwn(view, i * FLOW_KEY_BYTES) && !read.isTold(i);
      if (outcome === BPF_DONE && !serves) gone.addCopy(keys, values, i);
    });
    this.#delete(gone);
  }

  /** Clears one slice: what is of these addresses, not of this epoch, and not used since. */
  sweep(
    count: number,
    from: BpfCursor | undefined,
    { epoch, vips, since }: { readonly epoch: number; readonly vips: AddressSet; readonly since: Instant },
  ): BpfCursor | undefined {
    const { keys, values, next } = this.#established.slice(count, from);
    const entries = keys.length / FLOW_KEY_BYTES;
    const read = new FlowValues(values);
    const view = viewOf(keys);
    const gone = new FlowEntries(entries);
    for (let i = 0; i < entries; i++) {
      const at = i * FLOW_KEY_BYTES;
      if (!vips.has(view, at + VIP_AT) || this.#isOwn(view, at)) continue;
      const isOld = read.isTold(i) ? read.epoch(i) !== epoch : read.seenNanos(i) < since * 1_000;
      if (isOld) gone.addCopy(keys, values, i);
    }
    this.#delete(gone);
    return next;
  }

  /** Core's collector took these out of the table by itself: those of the peer are held no more. */
  forget(keys: Uint8Array): void {
    const view = viewOf(keys);
    for (let i = 0; i * FLOW_KEY_BYTES < keys.length; i++) {
      if (!this.#isOwn(view, i * FLOW_KEY_BYTES)) this.#uncount(view, i);
    }
  }

  /** `more` established flows are about to be written; undefined: the record is none, and its table forgets by itself. */
  #judge(view: DataView, at: number, more: number | undefined): FlowPlace | IntakeRefusal {
    const { own, fresh } = this.ownership;
    if (own.has(view, at + VIP_AT) && !fresh) return "ownAddress";
    if (more === undefined) return this.directory.judge(view, at);
    const { entriesMax } = this.#established;
    const room = own.size === 0 ? entriesMax : entriesMax - Math.ceil(entriesMax / OWN_SHARE);
    if (this.#heldInAll + more >= room) return "tableFull";
    return this.directory.judge(view, at);
  }

  /** The peer's word counts more than what stands there, unless this box serves the flow. */
  #write(entries: FlowEntries, places: readonly FlowPlace[], overwrites: boolean): void {
    if (entries.count === 0) return;
    const { keys, values } = entries;
    const twinless = this.#writeTwins(keys, values, places, overwrites);
    if (twinless.size > 0) {
      const rest = new FlowEntries(entries.count);
      places.forEach((_, i) => !twinless.has(i) && rest.addCopy(keys, values, i));
      const restPlaces = places.filter((_, i) => !twinless.has(i));
      this.#writeFlows(rest.keys, rest.values, restPlaces, overwrites);
    } else {
      this.#writeFlows(keys, values, places, overwrites);
    }
  }

  #writeFlows(keys: Uint8Array, values: Uint8Array, places: readonly FlowPlace[], overwrites: boolean): void {
    const outcomes = this.#established.insertMany(keys, values);
    const standing = new FlowEntries(places.length);
    const standingPlaces: FlowPlace[] = [];
    const refused = new FlowEntries(places.length);
    places.forEach((place, i) => {
      if (outcomes[i] === BPF_DONE) return this.#countHeld(place.service, 1);
      if (outcomes[i] === BPF_EXISTS) {
        if (!overwrites) return this.#options.count("ownAddress");
        standingPlaces.push(place);
        return standing.addCopy(keys, values, i);
      }
      this.#options.count("tableFull");
      refused.addCopy(keys, values, i);
    });
    this.#deleteTwins(refused.keys, refused.values);
    if (standing.count > 0) this.#overwrite(standing.keys, standing.values, standingPlaces);
  }

  #overwrite(keys: Uint8Array, values: Uint8Array, places: readonly FlowPlace[]): void {
    const before = this.#established.lookupMany(keys);
    const old = new FlowValues(before.values);
    const now = new FlowValues(values);
    const moved = new FlowEntries(places.length);
    const outcomes = this.#established.updateMany(keys, values);
    places.forEach((place, i) => {
      const wasThere = before.outcomes[i] === BPF_DONE;
      if (outcomes[i] !== BPF_DONE) return this.#options.count("tableFull");
      if (!wasThere || !old.isTold(i) || old.epoch(i) !== this.#epoch) this.#countHeld(place.service, 1);
      if (wasThere && !old.hasSameTwin(i, now)) moved.addCopy(keys, before.values, i);
    });
    this.#deleteTwins(moved.keys, moved.values);
  }

  /**
   * Before the flows, so that none is without; returns those that must stay away because they would be. Never in the
   * place of a twin that stands for a flow which this box serves.
   */
  #writeTwins(
    keys: Uint8Array,
    values: Uint8Array,
    places: readonly FlowPlace[],
    overwrites: boolean,
  ): ReadonlySet<number> {
    const twins = new ReturnEntries(places.length);
    const keyView = viewOf(keys);
    const valueView = viewOf(values);
    const flows: number[] = [];
    const read = new FlowValues(values);
    places.forEach(({ service }, i) => {
      if (read.vipSourcePort(i) === 0) return;
      twins.add(keyView, valueView, i, service);
      flows.push(i);
    });
    if (flows.length === 0) return new Set();
    const { keys: twinKeys, values: twinValues } = twins;
    const outcomes = overwrites
      ? this.#returns.updateMany(twinKeys, twinValues)
      : this.#returns.insertMany(twinKeys, twinValues);
    const refused = flows.filter((_, i) => outcomes[i] !== BPF_DONE);
    for (const _ of refused) this.#options.count("tableFull");
    return new Set(refused);
  }

  #delete(gone: FlowEntries): void {
    if (gone.count === 0) return;
    const { keys, values } = gone;
    const read = new FlowValues(values);
    const view = viewOf(keys);
    this.#established.deleteMany(keys).forEach((outcome, i) => {
      if (outcome === BPF_ABSENT || !read.isTold(i) || read.epoch(i) !== this.#epoch) return;
      this.#uncount(view, i);
    });
    this.#deleteTwins(keys, values);
  }

  /** Only where the twin is for the same client: its place may have gone to another. */
  #deleteTwins(keys: Uint8Array, values: Uint8Array): void {
    const count = keys.length / FLOW_KEY_BYTES;
    const read = new FlowValues(values);
    const twins = new ReturnEntries(count);
    const keyView = viewOf(keys);
    const valueView = viewOf(values);
    for (let i = 0; i < count; i++) if (read.vipSourcePort(i) !== 0) twins.add(keyView, valueView, i, 0);
    if (twins.count === 0) return;
    const standing = this.#returns.lookupMany(twins.keys);
    standing.outcomes.forEach((outcome, i) => {
      if (outcome !== BPF_DONE || !twins.isSameClient(standing.values, i)) return;
      this.#returns.deleteMany(twins.keys.subarray(i * RECORD_KEY_BYTES, (i + 1) * RECORD_KEY_BYTES));
    });
  }

  #uncount(keys: DataView, i: number): void {
    const service = this.directory.serviceOf(keys, i * FLOW_KEY_BYTES);
    if (service !== undefined) this.#countHeld(service, -1);
  }

  #countHeld(service: number, more: number): void {
    this.#held.set(service, Math.max(0, (this.#held.get(service) ?? 0) + more));
    this.#heldInAll = Math.max(0, this.#heldInAll + more);
  }

  readonly #isOwn = (view: DataView, keyAt: number): boolean => this.ownership.own.has(view, keyAt + VIP_AT);

  /** CLOCK_BOOTTIME. */
  #nowNanos(): number {
    return this.#options.clock.now() * 1_000;
  }
}
