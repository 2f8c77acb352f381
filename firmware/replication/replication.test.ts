import { RECORD_BYTES, RECORD_KEY_BYTES, VIP_AT, viewOf } from "@futago/hal/units/flow-record.ts";
import { after, type Instant, instant, millis, seconds } from "@futago/hal/units/time.ts";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AddressSet } from "./address-set.ts";
import { decodeFrame, encodeFrame, type FlowFrame, type FlowStreamFrame } from "./frame.ts";
import { newReceiver, type ReceiverAction, type ReceiverInput, type ReceiverState, stepReceiver } from "./receiver.ts";
import { isWhole, newSender, nextTimeout, type SenderAction, type SenderInput, stepSender } from "./sender.ts";

const VIP = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 1, 0, 1);
const OTHER_VIP = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 1, 0, 2);

/** A flow is named by its client's port and, here, carries a number that tells its generations apart. */
function record(port: number, generation: number, vip = VIP): Uint8Array {
  const bytes = new Uint8Array(RECORD_BYTES);
  bytes.set(vip, VIP_AT);
  viewOf(bytes).setUint16(32, port);
  viewOf(bytes).setUint32(56, generation);
  return bytes;
}

const portOf = (bytes: Uint8Array) => viewOf(bytes).getUint16(32);
const generationOf = (bytes: Uint8Array) => viewOf(bytes).getUint32(56);

interface Held {
  readonly generation: number;
  readonly epoch: number;
  readonly vip: Uint8Array;
}

/** Both machines, the cable between them, and two tables; everything in memory and in virtual time. */
class Pair {
  now: Instant = instant(seconds(1));
  /** Of the sending box: port to generation. */
  readonly mine = new Map<number, number>();
  readonly theirs = new Map<number, Held>();
  sweeps = 0;
  #runs = 1n;
  #sender = newSender(1n, 7);
  #receiver: ReceiverState = newReceiver();
  #connected = false;
  #cursor = -1;
  #walk: number | undefined;
  #forward: Uint8Array[] = [];
  #backward: Uint8Array[] = [];

  constructor() {
    this.#send({ kind: "vips", vips: VIP });
  }

  get whole(): boolean {
    return isWhole(this.#sender);
  }

  establish(port: number, generation: number, told = true): void {
    this.mine.set(port, generation);
    this.#send(told ? { kind: "flows", records: record(port, generation) } : { kind: "missed" });
  }

  end(port: number): void {
    if (!this.mine.delete(port)) return;
    this.#send({ kind: "ends", keys: record(port, 0).slice(0, RECORD_KEY_BYTES) });
  }

  connect(): void {
    if (this.#connected) return;
    this.#connected = true;
    this.#receive({ kind: "connected", stream: this.#sender.stream });
    this.#send({ kind: "connected", has: this.#receiver.has });
  }

  /** What is on its way is gone. */
  cut(): void {
    this.#connected = false;
    this.#forward = [];
    this.#backward = [];
    this.#receive({ kind: "disconnected" });
    this.#send({ kind: "disconnected" });
  }

  restartSender(): void {
    this.cut();
    this.#runs++;
    this.#sender = newSender(this.#runs, Number(this.#runs) * 1_000);
    this.#send({ kind: "vips", vips: VIP });
  }

  restartReceiver(keepsTable: boolean): void {
    this.cut();
    this.#receiver = newReceiver();
    if (!keepsTable) this.theirs.clear();
  }

  /** Delivers one frame: the first, another one, one twice, or none of it. */
  deliver(how: "first" | "swapped" | "twice" | "lost"): void {
    const queue = this.#forward.length >= this.#backward.length ? this.#forward : this.#backward;
    const first = how === "swapped" ? queue.splice(1, 1)[0] : queue.shift();
    if (first === undefined || how === "lost") return;
    this.#arrive(queue === this.#forward, first);
    if (how === "twice" && this.#connected) this.#arrive(queue === this.#forward, first);
  }

  slice(count: number): void {
    if (this.#walk === undefined) return;
    const sync = this.#walk;
    const ports = [...this.mine.keys()].sort((x, y) => x - y).filter((port) => port > this.#cursor);
    const some = ports.slice(0, count);
    this.#walk = undefined;
    this.#cursor = some.at(-1) ?? this.#cursor;
    const records = joined(some.map((port) => record(port, this.mine.get(port) ?? 0)));
    this.#send({ kind: "slice", sync, records, last: some.length === ports.length });
  }

  wait(): void {
    this.now = after(this.now, millis(700));
    const due = nextTimeout(this.#sender);
    if (due !== undefined && due <= this.now) this.#send({ kind: "timeout" });
  }

  /** A time without faults: everything that can happen happens. */
  quiet(): void {
    for (let i = 0; i < 400; i++) {
      this.connect();
      this.slice(3);
      while (this.#forward.length + this.#backward.length > 0) this.deliver("first");
      if (i % 10 === 9) this.wait();
    }
  }

  #arrive(isForward: boolean, bytes: Uint8Array): void {
    const frame = decoded(bytes);
    if (frame.kind === "acknowledge") this.#send({ kind: "acknowledged", position: frame.position });
    else if (isForward) {
      this.#receive({ kind: "frame", frame: frame as FlowStreamFrame });
      this.#receive({ kind: "settled" });
    }
  }

  #send(input: SenderInput): void {
    const { state, actions } = stepSender(this.#sender, input, this.now);
    this.#sender = state;
    for (const action of actions) this.#carryOutSender(action);
  }

  #carryOutSender(action: SenderAction): void {
    switch (action.kind) {
      case "send":
        if (this.#connected) this.#forward.push(action.bytes);
        return;
      case "walk":
        if (action.first) this.#cursor = -1;
        this.#walk = action.sync;
        return;
      case "reconnect":
        this.cut();
    }
  }

  #receive(input: ReceiverInput): void {
    const { state, actions } = stepReceiver(this.#receiver, input, this.now);
    this.#receiver = state;
    for (const action of actions) this.#carryOutReceiver(action);
  }

  #carryOutReceiver(action: ReceiverAction): void {
    switch (action.kind) {
      case "apply":
        for (let at = 0; at < action.records.length; at += RECORD_BYTES) {
          const one = action.records.subarray(at, at + RECORD_BYTES);
          this.theirs.set(portOf(one), { generation: generationOf(one), epoch: action.epoch, vip: VIP });
        }
        return;
      case "remove":
        for (let at = 0; at < action.keys.length; at += RECORD_KEY_BYTES) {
          this.theirs.delete(portOf(action.keys.subarray(at, at + RECORD_KEY_BYTES)));
        }
        return;
      case "sweep": {
        this.sweeps++;
        const vips = new AddressSet(action.vips);
        for (const [port, { epoch, vip }] of this.theirs)
          if (epoch !== action.epoch && vips.has(viewOf(vip), 0)) this.theirs.delete(port);
        return;
      }
      case "stopSweep":
        return;
      case "acknowledge":
        if (this.#connected) this.#backward.push(encodeFrame({ kind: "acknowledge", position: action.position }));
        return;
      case "reconnect":
        this.cut();
    }
  }
}

function decoded(bytes: Uint8Array): FlowFrame {
  const result = decodeFrame(bytes.subarray(4));
  if (!result.ok) throw new Error(result.reason);
  return result.value;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.length * RECORD_BYTES);
  parts.forEach((part, i) => whole.set(part, i * RECORD_BYTES));
  return whole;
}

const heldBy = (table: ReadonlyMap<number, Held>) =>
  [...table].map(([port, { generation }]) => [port, generation]).sort(([x = 0], [y = 0]) => x - y);
const sorted = (table: ReadonlyMap<number, number>) => [...table].sort(([x], [y]) => x - y);

const port = fc.integer({ min: 1, max: 20 });
const move = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("establish" as const), port, n: fc.nat(99) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("end" as const), port }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("miss" as const), port, n: fc.nat(99) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("deliver" as const),
      how: fc.constantFrom("first", "first", "first", "swapped", "twice", "lost"),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("slice" as const), n: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("connect" as const, "wait" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("cut" as const, "restartSender" as const, "restartReceiver" as const, "reboot" as const),
    }),
  },
);
type Move = typeof move extends fc.Arbitrary<infer T> ? T : never;

function make(pair: Pair, one: Move): void {
  switch (one.do) {
    case "establish":
      return pair.establish(one.port, one.n);
    case "miss":
      return pair.establish(one.port, one.n, false);
    case "end":
      return pair.end(one.port);
    case "deliver":
      return pair.deliver(one.how);
    case "slice":
      return pair.slice(one.n);
    case "connect":
      return pair.connect();
    case "wait":
      return pair.wait();
    case "cut":
      return pair.cut();
    case "restartSender":
      return pair.restartSender();
    case "restartReceiver":
      return pair.restartReceiver(true);
    case "reboot":
      return pair.restartReceiver(false);
  }
}

describe("the flows of one box in the other's table", () => {
  it("are the same after any loss, reordering, duplication, cut and restart, once it is quiet", () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 120 }), (moves) => {
        const pair = new Pair();
        for (const one of moves) make(pair, one);
        pair.quiet();
        expect(heldBy(pair.theirs)).toEqual(sorted(pair.mine));
        expect(pair.whole).toBe(true);
      }),
      { numRuns: 1_500 },
    );
  });

  it("are resent after a short cut, without telling the table again", () => {
    const pair = new Pair();
    pair.quiet();
    expect(pair.sweeps).toBe(1);
    pair.establish(1, 1);
    pair.cut();
    pair.establish(2, 1);
    pair.quiet();
    expect(heldBy(pair.theirs)).toEqual([
      [1, 1],
      [2, 1],
    ]);
    expect(pair.sweeps).toBe(1);
  });

  it("are told as a whole after more changes than are kept for a peer that is away", () => {
    const pair = new Pair();
    pair.quiet();
    pair.cut();
    for (let i = 0; i < 5_000; i++) pair.establish(1 + (i % 500), i);
    pair.quiet();
    expect(pair.sweeps).toBe(2);
    expect(heldBy(pair.theirs)).toEqual(sorted(pair.mine));
  });

  it("survive in the peer's table when they are of an address that the sender does not hold", () => {
    const pair = new Pair();
    pair.theirs.set(99, { generation: 1, epoch: 1, vip: OTHER_VIP });
    pair.theirs.set(98, { generation: 1, epoch: 1, vip: VIP });
    pair.quiet();
    expect([...pair.theirs.keys()]).toEqual([99]);
  });
});

describe("a sender", () => {
  const start = instant(seconds(1));
  const none = { stream: 0n, position: 0 };
  const kinds = (actions: readonly SenderAction[]) =>
    actions.map((one) => (one.kind === "send" ? decoded(one.bytes).kind : one.kind));

  it("begins with the whole table", () => {
    const { state, actions } = stepSender(newSender(5n, 7), { kind: "connected", has: none }, start);
    expect(kinds(actions)).toEqual(["begin", "walk"]);
    expect(isWhole(state)).toBe(false);
  });

  it("dials anew when nothing is acknowledged for five seconds", () => {
    const { state } = stepSender(newSender(5n, 7), { kind: "connected", has: none }, start);
    expect(nextTimeout(state)).toBe(6_000_000);
    const { actions } = stepSender(state, { kind: "timeout" }, instant(seconds(6)));
    expect(actions).toEqual([{ kind: "reconnect", reason: "stuck" }]);
  });

  it("does not believe in positions that it never sent", () => {
    const { state } = stepSender(newSender(5n, 7), { kind: "connected", has: none }, start);
    const { actions } = stepSender(state, { kind: "acknowledged", position: 99 }, start);
    expect(actions).toEqual([{ kind: "reconnect", reason: "notSentYet" }]);
  });

  it("stops walking while the peer does not keep up", () => {
    let { state, actions } = stepSender(newSender(5n, 7), { kind: "connected", has: none }, start);
    let slices = 0;
    while (actions.some((one) => one.kind === "walk")) {
      slices++;
      const records = new Uint8Array(1_000 * RECORD_BYTES);
      ({ state, actions } = stepSender(state, { kind: "slice", sync: 8, records, last: false }, start));
    }
    expect(slices).toBe(9);
    ({ actions } = stepSender(state, { kind: "acknowledged", position: 9 }, start));
    expect(kinds(actions)).toEqual(["walk"]);
  });

  it("rests between two walks when it misses changes all the time", () => {
    let { state } = stepSender(newSender(5n, 7), { kind: "connected", has: none }, start);
    const last = { kind: "slice", sync: 8, records: new Uint8Array(0), last: true } as const;
    ({ state } = stepSender(state, last, start));
    const missed = stepSender(state, { kind: "missed" }, start);
    expect(missed.actions).toEqual([]);
    expect(nextTimeout(missed.state)).toBe(2_000_000);
    const { actions } = stepSender(missed.state, { kind: "timeout" }, instant(seconds(2)));
    expect(kinds(actions)).toEqual(["begin", "walk"]);
  });

  it("tells the table again after ten minutes", () => {
    let { state } = stepSender(newSender(5n, 7), { kind: "connected", has: none }, start);
    ({ state } = stepSender(state, { kind: "slice", sync: 8, records: new Uint8Array(0), last: true }, start));
    ({ state } = stepSender(state, { kind: "acknowledged", position: 2 }, start));
    expect(isWhole(state)).toBe(true);
    expect(nextTimeout(state)).toBe(601_000_000);
  });
});

describe("a receiver", () => {
  const start = instant(seconds(1));
  const { state: open } = stepReceiver(newReceiver(), { kind: "connected", stream: 5n }, start);
  const flows = { kind: "flows", position: 1, records: record(1, 1) } as const;
  const begin = { kind: "begin", position: 3, sync: 9, vips: VIP } as const;

  it("wants a table before it takes a change", () => {
    expect(stepReceiver(open, { kind: "frame", frame: flows }, start).actions).toEqual([
      { kind: "reconnect", reason: "noTableYet" },
    ]);
  });

  it("takes no frame out of its turn", () => {
    const { state } = stepReceiver(open, { kind: "frame", frame: begin }, start);
    expect(stepReceiver(state, { kind: "frame", frame: { ...flows, position: 5 } }, start).actions).toEqual([
      { kind: "reconnect", reason: "gap" },
    ]);
    expect(stepReceiver(state, { kind: "frame", frame: { ...flows, position: 3 } }, start).actions).toEqual([]);
  });

  it("sweeps nothing for a table that did not begin", () => {
    const { state } = stepReceiver(open, { kind: "frame", frame: begin }, start);
    const end = { kind: "end", position: 4, sync: 10 } as const;
    expect(stepReceiver(state, { kind: "frame", frame: end }, start).actions).toEqual([
      { kind: "reconnect", reason: "otherTable" },
    ]);
  });
});
