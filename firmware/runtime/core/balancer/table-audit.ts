/**
 * Looks again and again whether the balancer's tables hold what core wrote, and puts right what somebody else changed.
 * The kernel says nothing of a map that is written to.
 */
import type { BpfObject } from "@futago/hal/contract/bpf.ts";
import { HalError } from "@futago/hal/contract/error.ts";
import type { BalancerEntry } from "@futago/hal/units/balancer.ts";
import { amissEntries, removeStrangers } from "@futago/hal/xdp/amiss-entries.ts";
import { entryKey } from "../../../balancer/diff.ts";
import type { Log } from "../log.ts";
import { Slices } from "../slices.ts";

export interface Audited {
  readonly object: BpfObject;
  readonly services: readonly { readonly entries: readonly BalancerEntry[] }[];
  /** Another object whenever other entries, and not only others of the same keys, are to stand in the tables. */
  readonly hosts: readonly BalancerEntry[];
}

export interface TableAuditOptions {
  /** What the tables should hold now; undefined while they are being written, or nobody knows yet. */
  readonly look: () => Audited | undefined;
  /** Writes these entries again. */
  readonly restore: (entries: readonly BalancerEntry[]) => void;
  /** What else somebody may have taken away. */
  readonly alsoLook: () => void;
  readonly log: Pick<Log, "warn">;
}

const REST_MILLIS_MIN = 2_000;
/** A look takes a fortieth of a processor's time, or less. */
const REST_SHARE = 40;
const KEYS_LOGGED_MAX = 8;

export class TableAudit {
  readonly #options: TableAuditOptions;
  #resting: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: TableAuditOptions) {
    this.#options = options;
    this.#rest(0);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#resting);
  }

  #rest(cost: number): void {
    if (this.#closed) return;
    const millis = Math.max(REST_MILLIS_MIN, REST_SHARE * cost);
    this.#resting = setTimeout(() => void this.#round(), millis).unref();
  }

  async #round(): Promise<void> {
    let cost = 0;
    try {
      this.#options.alsoLook();
      cost = await this.look();
    } catch (error) {
      if (!(error instanceof HalError)) throw error;
      // The tables were closed under the look, or the kernel had no memory for it: the next one begins anew.
      this.#options.log.warn("balancer-unaudited", { error: error.message });
    }
    this.#rest(cost);
  }

  /** Looks at everything once. Returns the milliseconds of work that it took. */
  async look(): Promise<number> {
    const first = this.#options.look();
    if (first === undefined) return 0;
    const slices = new Slices();
    let cost = 0;
    let from = performance.now();
    const steps = this.#steps(first);
    while (this.#stands(first) && steps.next().done !== true) {
      if (!slices.spent) continue;
      cost += performance.now() - from;
      await slices.rest();
      from = performance.now();
    }
    return cost + performance.now() - from;
  }

  /** Whether the same entries are expected as at the beginning. */
  #stands({ object, hosts }: Audited): boolean {
    const now = this.#options.look();
    return !this.#closed && now?.object === object && now.hosts === hosts;
  }

  *#steps(first: Audited): Generator<undefined, void> {
    for (let i = 0; i < first.services.length; i++) {
      // As it is now: states of backends change meanwhile.
      this.#check(first.object, this.#options.look()?.services[i]?.entries ?? []);
      yield undefined;
    }
    for (const hosts of listsOf(first.hosts)) {
      this.#check(first.object, hosts);
      yield undefined;
    }
    const expected = function* () {
      for (const { entries } of first.services) yield entries;
      yield* listsOf(first.hosts);
    };
    const removed = yield* removeStrangers(first.object, expected);
    if (removed > 0) this.#options.log.warn("balancer-restored", { removed });
  }

  #check(object: BpfObject, entries: readonly BalancerEntry[]): void {
    const amiss = amissEntries(object, entries);
    if (amiss.length === 0) return;
    this.#options.restore(amiss);
    const keys = amiss.slice(0, KEYS_LOGGED_MAX).map(entryKey);
    this.#options.log.warn("balancer-restored", { count: amiss.length, entries: keys });
  }
}

const LIST_LENGTH = 500;

function* listsOf(entries: readonly BalancerEntry[]): Generator<readonly BalancerEntry[]> {
  for (let from = 0; from < entries.length; from += LIST_LENGTH) yield entries.slice(from, from + LIST_LENGTH);
}
