/**
 * Takes out of the balancer's tables what has ended or fallen silent, counts what is open of each backend, and keeps
 * the two tables of `one-arm` twins. When an entry goes is firmware/balancer/collect.ts's to say.
 */
import { BPF_DONE, type BpfObject, type BpfSlice } from "@futago/hal/contract/bpf.ts";
import { HalError } from "@futago/hal/contract/error.ts";
import type { Clock } from "@futago/hal/contract/machine.ts";
import { SERVICE_BACKENDS_MAX } from "@futago/hal/units/balancer.ts";
import { FLOW_BYTES, FLOW_KEY_BYTES, FlowEntries, FlowValues, ReturnEntries } from "@futago/hal/xdp/flow-records.ts";
import { FLOW_BACKEND_FIN, FLOW_CLIENT_FIN, FLOW_CLOSED, FLOW_RESET, viewOf } from "@futago/hal/xdp/layout.ts";
import { type CollectReason, collectReason, type FlowBackend } from "../../../balancer/collect.ts";
import type { Log } from "../log.ts";
import { BackendStates } from "./backend-states.ts";
import { ClientFlows } from "./client-flows.ts";
import { OpenFlows } from "./open-flows.ts";
import { OrphanReturns } from "./orphan-returns.ts";
import { SliceSize, walkFlows } from "./flow-walk.ts";

export interface CollectorOptions {
  readonly clock: Clock;
  /** Another after the tables were made anew. */
  readonly object: () => BpfObject;
  /** By the service's index; undefined where there is no service. */
  readonly idleTimeoutSeconds: (service: number) => number | undefined;
  /** Keys of established flows that were taken out, end to end: for the peer. */
  readonly onEnded: (keys: Uint8Array) => void;
  readonly log: Pick<Log, "warn">;
}

type Table = "established" | "udp_flows";

/** What one walk found and did. */
export interface Collected {
  /** Flows that are open, by the backend's number: established ones, and those of UDP. */
  readonly open: ReadonlyMap<number, number>;
  readonly removed: Readonly<Record<CollectReason, number>>;
  readonly orphans: number;
}

const NONE: Readonly<Record<CollectReason, number>> = {
  reset: 0,
  finished: 0,
  halfClosed: 0,
  idle: 0,
  backendDead: 0,
  backendGone: 0,
};

/** What both ends finished goes ten seconds later at the earliest: looking twice in that time is soon enough. */
const REST_MILLIS_MIN = 5_000;
/** A walk takes a fortieth of a processor's time, or less. */
const REST_SHARE = 40;

export class FlowCollector {
  readonly #options: CollectorOptions;
  readonly #size = new SliceSize();
  readonly #orphans = new OrphanReturns();
  readonly #total: Record<CollectReason, number> = { ...NONE };
  #totalOrphans = 0;
  #collecting: Promise<Collected> | undefined;
  #newest: Collected = { open: new Map(), removed: NONE, orphans: 0 };
  #removed: Record<CollectReason, number> = { ...NONE };
  #counted: Counted | undefined;
  #resting: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  get newest(): Collected {
    return this.#newest;
  }

  /** Walks again and again, first when whoever called this is done: what ended is told to parts of core not made yet. */
  start(): void {
    setImmediate(() => {
      if (!this.#closed) void this.#walkAndRest();
    }).unref();
  }

  async #walkAndRest(): Promise<void> {
    const before = this.#size.millis;
    await this.collect();
    const rest = Math.max(REST_MILLIS_MIN, REST_SHARE * (this.#size.millis - before));
    if (!this.#closed) this.#resting = setTimeout(() => void this.#walkAndRest(), rest).unref();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#resting);
  }

  /** How many entries went, by their reasons, since core began. */
  get counters(): Readonly<Record<string, number>> {
    const { reset, finished, halfClosed, idle, backendDead, backendGone } = this.#total;
    return {
      flowsReset: reset,
      flowsFinished: finished,
      flowsHalfClosed: halfClosed,
      flowsIdle: idle,
      flowsBackendDead: backendDead,
      flowsBackendGone: backendGone,
      returnsOrphaned: this.#totalOrphans,
    };
  }

  /** Walks all tables once. Who asks meanwhile gets the walk that is on its way. */
  collect(): Promise<Collected> {
    this.#collecting ??= this.#collect()
      .catch((error: unknown) => {
        if (!(error instanceof HalError)) throw error;
        // The tables were closed under the walk, or the kernel had no memory for it: the next one begins anew.
        this.#options.log.warn("flows-uncollected", { error: error.message });
        return this.#newest;
      })
      .finally(() => {
        this.#collecting = undefined;
      });
    return this.#collecting;
  }

  async #collect(): Promise<Collected> {
    const object = this.#options.object();
    const isCancelled = () => this.#closed || this.#options.object() !== object;
    const { flows: counted, clients } = this.#openFlowsOf(object);
    counted.begin();
    clients.begin();
    const counts = new Map<number, number>();
    this.#removed = { ...NONE };
    for (const table of ["established", "udp_flows"] as const) {
      await walkFlows(object.map(table), this.#size, isCancelled, (slice) => {
        const states = new BackendStates(object, slice.values);
        const onStay: OnStay = (flows, i, keys) => {
          if ((flows.flags(i) & FLOW_CLOSED) !== 0) return;
          counts.set(flows.backend(i), (counts.get(flows.backend(i)) ?? 0) + 1);
          if (!isCounted(flows, i, states)) return;
          counted.found(flows.backend(i));
          clients.found(flows.backend(i), keys, i * FLOW_KEY_BYTES);
        };
        const doomed = this.#sift(slice, table, states, onStay);
        if (doomed.count > 0) this.#remove(object, table, { doomed, states, counted, onStay });
      });
    }
    const orphans = await this.#orphans.collect(object, this.#size, isCancelled);
    if (!isCancelled()) {
      counted.correct();
      clients.correct();
    }
    for (const reason of Object.keys(NONE) as CollectReason[]) this.#total[reason] += this.#removed[reason];
    this.#totalOrphans += orphans;
    this.#newest = { open: counts, removed: this.#removed, orphans };
    return this.#newest;
  }

  #openFlowsOf(object: BpfObject): Counted {
    if (this.#counted?.object !== object) {
      this.#counted = { object, flows: new OpenFlows(object), clients: new ClientFlows(object) };
    }
    return this.#counted;
  }

  /** The entries of the slice that have to go; tells of each that stays. */
  #sift(slice: BpfSlice, table: Table, states: BackendStates, onStay: OnStay): FlowEntries {
    const values = new FlowValues(slice.values);
    const nowNanos = this.#options.clock.now() * 1_000;
    const count = slice.values.length / FLOW_BYTES;
    const doomed = new FlowEntries(count);
    for (let i = 0; i < count; i++) {
      const reason = this.#reasonOf(values, i, table, states, nowNanos);
      if (reason === undefined) {
        onStay(values, i, slice.keys);
        continue;
      }
      this.#removed[reason]++;
      doomed.addCopy(slice.keys, slice.values, i);
    }
    return doomed;
  }

  #reasonOf(
    values: FlowValues,
    i: number,
    table: Table,
    states: BackendStates,
    nowNanos: number,
  ): CollectReason | undefined {
    const flags = values.flags(i);
    const ends = (flags & FLOW_CLIENT_FIN) === 0 ? 0 : 1;
    return collectReason({
      finished: (flags & FLOW_BACKEND_FIN) === 0 ? ends : ends === 0 ? 1 : 2,
      reset: (flags & FLOW_RESET) !== 0,
      // The peer does not say when one of UDP ends: it grows old here as there.
      told: table === "established" && values.isTold(i),
      idleSeconds: Math.max(0, (nowNanos - values.seenNanos(i)) / 1e9),
      backend: states.of(values, i) satisfies FlowBackend,
      idleTimeoutSeconds: this.#options.idleTimeoutSeconds(Math.floor(values.backend(i) / SERVICE_BACKENDS_MAX)),
    });
  }

  /** What got a packet since it was read is another flow, or lives: it stays. */
  #remove(object: BpfObject, table: Table, { doomed, states, counted, onStay }: Sifted): void {
    const { values: now, outcomes } = object.map(table).lookupMany(doomed.keys);
    const going = new FlowEntries(doomed.count);
    for (let i = 0; i < doomed.count; i++) {
      if (outcomes[i] !== BPF_DONE) continue;
      if (isSame(doomed.values, now, i)) going.addCopy(doomed.keys, doomed.values, i);
      else onStay(new FlowValues(now), i, doomed.keys);
    }
    if (going.count === 0) return;
    const { keys } = going;
    const flows = new FlowValues(going.values);
    const twins = new ReturnEntries(going.count);
    for (let i = 0; i < going.count; i++) {
      if (flows.vipSourcePort(i) !== 0) twins.add(viewOf(keys), viewOf(going.values), i, 0);
    }
    const removed = object.map(table).deleteMany(keys);
    if (twins.count > 0) object.map(table === "established" ? "returns" : "half_returns").deleteMany(twins.keys);
    for (let i = 0; i < going.count; i++) {
      if (removed[i] === BPF_DONE && isCounted(flows, i, states)) counted.close(flows.backend(i));
    }
    if (table === "established") this.#options.onEnded(keys);
  }
}

interface Counted {
  readonly object: BpfObject;
  readonly flows: OpenFlows;
  readonly clients: ClientFlows;
}

/** A flow of the slice stays in the table. */
type OnStay = (flows: FlowValues, i: number, keys: Uint8Array) => void;

interface Sifted {
  readonly doomed: FlowEntries;
  readonly states: BackendStates;
  readonly counted: OpenFlows;
  readonly onStay: OnStay;
}

/** The balancer counts it as open, for the backend that has the number now. */
function isCounted(flows: FlowValues, i: number, states: BackendStates): boolean {
  return !flows.isTold(i) && (flows.flags(i) & FLOW_CLOSED) === 0 && states.of(flows, i) !== "gone";
}

function isSame(a: Uint8Array, b: Uint8Array, i: number): boolean {
  for (let at = i * FLOW_BYTES; at < (i + 1) * FLOW_BYTES; at++) if (a[at] !== b[at]) return false;
  return true;
}
