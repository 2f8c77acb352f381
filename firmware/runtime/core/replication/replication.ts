/**
 * Keeps the flows of the box that serves in the tables of the one that stands by. What is said and when is
 * decided in replication/ (pure); this reads the ring buffer, walks and writes the tables, and speaks to the peer.
 */
import type { Socket } from "node:net";
import type { BpfCursor, BpfEvents, BpfObject } from "@futago/hal/contract/bpf.ts";
import type { Clock } from "@futago/hal/contract/machine.ts";
import { viewOf } from "@futago/hal/units/flow-record.ts";
import { between, type Instant, toMillis } from "@futago/hal/units/time.ts";
import { AddressSet } from "../../../replication/address-set.ts";
import { Directory, type DirectoryService } from "../../../replication/directory.ts";
import { type FlowFrame, FLOWS_VERSION, TALLY_BYTES } from "../../../replication/frame.ts";
import {
  newReceiver,
  type ReceiverAction,
  type ReceiverInput,
  type ReceiverState,
  stepReceiver,
} from "../../../replication/receiver.ts";
import {
  isWhole,
  newSender,
  keepsUp,
  nextTimeout,
  type SenderAction,
  type SenderInput,
  type SenderState,
  stepSender,
} from "../../../replication/sender.ts";
import { FlowLink } from "./flow-link.ts";
import { DatagramRounds } from "./datagram-rounds.ts";
import { FlowTable, type IntakeRefusal, type TableCursor } from "./flow-table.ts";
import { encodeTally } from "./tally.ts";

/** Entries of one slice: some milliseconds of work. */
const SLICE = 1_000;
const SECOND_MILLIS = 1_000;
/** After a take-over what the former holder said last still counts. */
const FRESH_MILLIS = 5_000;

export interface ReplicationOptions {
  readonly object: BpfObject;
  readonly clock: Clock;
  /** Random: 64 bits that name this run, and 32 that its epochs begin from. */
  readonly stream: bigint;
  readonly epoch: number;
  /** How many flow events found no room in the ring buffer so far. */
  readonly eventsLost: () => number;
  readonly onChange: () => void;
  readonly count: (name: string) => void;
}

export interface ReplicationStatus {
  /** A connection to the peer stands. */
  readonly linked: boolean;
  /** The peer has the whole table, but for what is on its way. */
  readonly whole: boolean;
  /** Of the newest frame told, and of the newest that the peer has carried out. */
  readonly position: number;
  readonly acknowledged: number;
  /** How far the peer's own flows are carried out here. */
  readonly received: number;
  /** Flows of this box in the peer's table, by the service's index: they would survive a fail-over now. */
  readonly replicated: ReadonlyMap<number, number>;
  /** Flows of the peer in this box's table, by the service's index. */
  readonly held: ReadonlyMap<number, number>;
}

function isForNow(refusal: IntakeRefusal): boolean {
  return refusal === "unknownService" || refusal === "unknownBackend" || refusal === "ownAddress";
}

export class Replication {
  readonly #options: ReplicationOptions;
  readonly #table: FlowTable;
  readonly #events: BpfEvents;
  readonly #second: NodeJS.Timeout;
  readonly #rounds: DatagramRounds;
  #services: readonly DirectoryService[] = [];
  #sender: SenderState;
  #receiver: ReceiverState = newReceiver();
  #link: FlowLink | undefined;
  #timer: NodeJS.Timeout | undefined;
  #cursor: TableCursor | undefined;
  #closed = false;
  #sweep = 0;
  #lost: number;
  #tallied = "";
  #replicated: ReadonlyMap<number, number> = new Map();
  #freshUntil = 0;
  /** The peer told of services or backends that are not here, or of addresses that this box holds. */
  #missesSome = false;

  constructor(options: ReplicationOptions) {
    const { object, clock, count } = options;
    this.#options = options;
    this.#sender = newSender(options.stream, options.epoch);
    this.#lost = options.eventsLost();
    const refused = (refusal: IntakeRefusal) => {
      if (isForNow(refusal)) this.#missesSome = true;
      count(`flow_${refusal}`);
    };
    this.#table = new FlowTable({ object, clock, count: refused }, new Directory([]), {
      own: new AddressSet(new Uint8Array(0)),
      fresh: false,
    });
    this.#events = this.#table.watch((records) => this.#send({ kind: "flows", records }));
    this.#second = setInterval(() => this.#eachSecond(), SECOND_MILLIS);
    this.#rounds = new DatagramRounds({
      flows: this.#table.datagrams,
      nowNanos: () => clock.now() * 1_000,
      mayTell: () => keepsUp(this.#sender) && this.#table.ownership.own.size > 0,
      tell: (records) => this.#send({ kind: "flows", records }),
    });
  }

  /** The services that this box's tables hold, after every write. */
  setServices(services: readonly DirectoryService[]): void {
    this.#services = services;
    this.#table.directory = new Directory(services);
    this.#askAgain();
  }

  /** The virtual addresses, 16 bytes each, whose group this box holds. */
  setOwn(vips: Uint8Array): void {
    const { own } = this.#table.ownership;
    if (Buffer.compare(own.bytes, vips) === 0) return;
    this.#freshUntil = performance.now() + FRESH_MILLIS;
    this.#table.ownership = { own: new AddressSet(vips), fresh: true };
    this.#send({ kind: "vips", vips });
    this.#askAgain();
  }

  /** A connection to the peer stands; it takes the place of the former. */
  attach(socket: Socket): void {
    this.#link?.close();
    this.#onGone(this.#link);
    const link: FlowLink = new FlowLink(socket, {
      onFrame: (frame) => this.#link === link && this.#onFrame(link, frame),
      onSettled: () => this.#receive({ kind: "settled" }),
      onClose: () => this.#onGone(link),
      count: this.#options.count,
    });
    this.#link = link;
    const { stream } = this.#sender;
    link.send({ kind: "hello", version: FLOWS_VERSION, stream, has: this.#receiver.has });
  }

  /** Core's collector took flows out of `established`: their keys, end to end. */
  ended(keys: Uint8Array): void {
    this.#table.forget(keys);
    const own = this.#table.ownKeys(keys);
    if (own.length === 0) return;
    // Those that began before they ended are told of first.
    this.#events.drain();
    this.#send({ kind: "ends", keys: own });
  }

  /** Whether the peer says of its flows when they end, so that silence alone does not end them here. */
  get peerKeepsItsFlows(): boolean {
    const { stream, has, table } = this.#receiver;
    return stream !== undefined && has.stream === stream && table === undefined;
  }

  /** Flows of this box in the peer's table, by the service's index: they would survive a fail-over now. */
  get replicated(): ReadonlyMap<number, number> {
    return this.#replicated;
  }

  status(): ReplicationStatus {
    const { position, acknowledged } = this.#sender;
    const { has } = this.#receiver;
    return {
      linked: this.#link !== undefined,
      whole: isWhole(this.#sender),
      position,
      acknowledged,
      received: has.position,
      replicated: this.#replicated,
      held: this.#table.held,
    };
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#second);
    this.#rounds.close();
    clearTimeout(this.#timer);
    this.#sweep++;
    this.#events.close();
    this.#link?.close();
    this.#link = undefined;
  }

  /** What was refused may be welcome now: with other services, or when a new holder's table came before the news of it. */
  #askAgain(): void {
    if (!this.#missesSome || this.#link === undefined) return;
    this.#missesSome = false;
    this.#link.send({ kind: "again" });
  }

  #eachSecond(): void {
    const { ownership } = this.#table;
    if (ownership.fresh && performance.now() >= this.#freshUntil)
      this.#table.ownership = { ...ownership, fresh: false };
    const lost = this.#options.eventsLost();
    if (lost !== this.#lost) this.#send({ kind: "missed" });
    this.#lost = lost;
    this.#sendTally();
  }

  /** Not in the middle of a table, where the count says nothing. */
  #sendTally(): void {
    if (this.#link === undefined || this.#receiver.table !== undefined) return;
    const services = encodeTally(this.#services, this.#table.held);
    const text = Buffer.from(services).toString("latin1");
    if (text === this.#tallied) return;
    this.#tallied = text;
    this.#link.send({ kind: "tally", services });
  }

  #onFrame(link: FlowLink, frame: FlowFrame): void {
    switch (frame.kind) {
      case "hello":
        if (frame.version !== FLOWS_VERSION) return link.refuse("flowLinkVersion");
        this.#receive({ kind: "connected", stream: frame.stream });
        return this.#send({ kind: "connected", has: frame.has });
      case "acknowledge":
        return this.#send({ kind: "acknowledged", position: frame.position });
      case "tally":
        return this.#onTally(frame.services);
      case "again":
        return this.#send({ kind: "missed" });
      case "flows":
      case "ends":
      case "begin":
      case "end":
        if (this.#receiver.stream === undefined) return link.refuse("flowLinkNoHello");
        return this.#receive({ kind: "frame", frame });
    }
  }

  #onTally(services: Uint8Array): void {
    const view = viewOf(services);
    const replicated = new Map<number, number>();
    for (let at = 0; at < services.length; at += TALLY_BYTES) {
      const index = this.#table.directory.serviceAt(view, at, view.getUint16(at + 16), view.getUint8(at + 18));
      if (index !== undefined) replicated.set(index, view.getUint32(at + 20));
    }
    this.#replicated = replicated;
    this.#options.onChange();
  }

  #onGone(link: FlowLink | undefined): void {
    if (link === undefined || this.#link !== link) return;
    this.#link = undefined;
    this.#tallied = "";
    this.#receive({ kind: "disconnected" });
    this.#send({ kind: "disconnected" });
    this.#options.onChange();
  }

  #send(input: SenderInput): void {
    const before = this.#sender;
    const { state, actions } = stepSender(before, input, this.#options.clock.now());
    this.#sender = state;
    for (const action of actions) this.#carryOutSender(action);
    this.#arm();
    if (isWhole(before) !== isWhole(this.#sender)) this.#options.onChange();
  }

  #carryOutSender(action: SenderAction): void {
    switch (action.kind) {
      case "send":
        return this.#link?.sendBytes(action.bytes);
      case "walk":
        if (action.first) this.#cursor = undefined;
        setImmediate(() => this.#walk(action.sync));
        return;
      case "reconnect":
        return this.#link?.refuse(`flowSender_${action.reason}`);
    }
  }

  #walk(sync: number): void {
    // The maps may be closed by now.
    if (this.#closed || this.#sender.walk?.sync !== sync) return;
    const { records, next } = this.#table.slice(SLICE, this.#cursor);
    this.#cursor = next;
    this.#send({ kind: "slice", sync, records, last: next === undefined });
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const due = nextTimeout(this.#sender);
    if (due === undefined || this.#closed) return;
    const wait = toMillis(between(this.#options.clock.now(), due));
    this.#timer = setTimeout(() => this.#send({ kind: "timeout" }), Math.max(1, Math.ceil(wait)));
  }

  #receive(input: ReceiverInput): void {
    const { state, actions } = stepReceiver(this.#receiver, input, this.#options.clock.now());
    this.#receiver = state;
    for (const action of actions) this.#carryOutReceiver(action);
  }

  #carryOutReceiver(action: ReceiverAction): void {
    switch (action.kind) {
      case "apply":
        return this.#table.apply(action.records, action.epoch);
      case "remove":
        return this.#table.remove(action.keys);
      case "stopSweep":
        this.#sweep++;
        return this.#table.begin(this.#receiver.epoch);
      case "sweep":
        return this.#sweepAll(action.epoch, new AddressSet(action.vips), action.since);
      case "acknowledge":
        return this.#link?.send({ kind: "acknowledge", position: action.position });
      case "reconnect":
        return this.#link?.refuse(`flowReceiver_${action.reason}`);
    }
  }

  /** In slices, so that nothing else waits; another table that begins ends it. */
  #sweepAll(epoch: number, vips: AddressSet, since: Instant): void {
    const sweep = ++this.#sweep;
    let cursor: BpfCursor | undefined;
    const goOn = () => {
      if (sweep !== this.#sweep) return;
      cursor = this.#table.sweep(SLICE, cursor, { epoch, vips, since });
      if (cursor !== undefined) setImmediate(goOn);
    };
    setImmediate(goOn);
  }
}
