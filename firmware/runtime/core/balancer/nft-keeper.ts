/**
 * Keeps the rules of nftables that serve services where XDP cannot: applies them whole, puts right what somebody else
 * changed, counts the connections that they track, and ends those of dead backends. Decides nothing about which
 * services they are.
 */
import { HalError } from "@futago/hal/contract/error.ts";
import type { MarkedConnections, Nftables } from "@futago/hal/contract/nftables.ts";
import type { IpAddress } from "@futago/hal/units/address.ts";
import { type MarkedBackend, NFT_MARK, NFT_MARK_MASK } from "../../../balancer/nft-marks.ts";
import { compileNft, NFT_REMOVAL, NFT_TABLE, type NftRules } from "../../../balancer/nft-rules.ts";
import { type BalancedService, keepsFlows } from "../../../balancer/service.ts";
import type { Log } from "../log.ts";

export interface NftKeeperOptions {
  readonly nftables: Nftables;
  readonly seed: string;
  readonly log: Log;
  /** Trouble came or went. */
  readonly onChange: () => void;
}

/** The kernel says nothing of rules that somebody changed, and connections come and go. */
const LOOK_MILLIS = 1_000;
/** Counting lists every connection: never for more than a twentieth of the time. */
const REST_SHARE = 20;
const COUNT_AGE_MILLIS = 200;
const WHOLE_MARK = 0xffffffff;

interface InForce {
  readonly rules: NftRules;
  readonly generation: number;
  /** As the kernel lists it; undefined when somebody else changed rules meanwhile. */
  readonly table: string | undefined;
}

export class NftKeeper {
  readonly #nftables: Nftables;
  readonly #options: NftKeeperOptions;
  #services: readonly BalancedService[] = [];
  #own: ReadonlySet<IpAddress> = new Set();
  #full: ReadonlySet<number> = new Set();
  /** Undefined: no service needs them. */
  #wanted: NftRules | undefined;
  /** "unknown" what a predecessor left. */
  #inForce: InForce | "none" | "unknown" = "unknown";
  #counts: ReadonlyMap<number, MarkedConnections> = new Map();
  #countAgainAt = 0;
  #running: Promise<void> = Promise.resolve();
  #isWaiting = false;
  #timer: NodeJS.Timeout | undefined;
  #conflict: string | undefined;
  #refusal: string | undefined;
  #isRemoved = false;

  constructor(options: NftKeeperOptions) {
    this.#options = options;
    this.#nftables = options.nftables;
  }

  /** What the machine refused, or no rules could say. */
  get trouble(): string | undefined {
    return this.#conflict ?? this.#refusal;
  }

  /** Whether the service is in the rules that stand. */
  serves({ name }: Pick<BalancedService, "name">): boolean {
    return this.#standing?.rules.services.has(name) ?? false;
  }

  setServices(services: readonly BalancedService[], own: ReadonlySet<IpAddress>): void {
    const isSame = services.length === this.#services.length && services.every((one, i) => one === this.#services[i]);
    if (isSame && own === this.#own && this.#inForce !== "unknown") return;
    this.#services = services;
    this.#own = own;
    this.#compile();
  }

  /** Open connections of each backend, by service and backend. */
  *open(): Iterable<{ readonly service: BalancedService; readonly place: string; readonly open: number }> {
    for (const { mark, service, backend } of this.#wanted?.backends ?? []) {
      const open = this.#counts.get(mark)?.open ?? 0;
      if (open > 0) yield { service, place: `${backend.address}:${backend.port}`, open };
    }
  }

  /** Resolves when the counts are fresh. */
  async count(): Promise<void> {
    if (this.#wanted === undefined || performance.now() < this.#countAgainAt) return;
    await this.#attempt(() => this.#count());
  }

  /** Takes the rules off the machine, and ends what they carried. */
  async remove(): Promise<void> {
    clearInterval(this.#timer);
    this.#wanted = undefined;
    this.#isRemoved = true;
    await this.#running;
    await this.#attempt(() => this.#bring());
  }

  #compile(): void {
    const services = this.#services;
    const input = {
      seed: this.#options.seed,
      services,
      servicesMax: services.length,
      own: this.#own,
      full: this.#full,
    };
    const compiled = services.length === 0 ? undefined : compileNft(input);
    const conflict = compiled?.ok === false ? compiled.reason : undefined;
    this.#conflict = conflict && `the services cannot be balanced: ${JSON.stringify(conflict)}`;
    if (compiled?.ok === false) {
      this.#options.log.warn("nftables-refused", { sentence: this.#conflict });
      this.#options.onChange();
      return;
    }
    this.#wanted = compiled?.value;
    this.#wake();
  }

  #wake(): void {
    if (this.#wanted === undefined) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    } else this.#timer ??= setInterval(() => this.#onLook(), LOOK_MILLIS);
    this.#soon(() => this.#attempt(() => this.#bring()));
  }

  #onLook(): void {
    this.#soon(async () => {
      if (this.#isRemoved) return;
      await this.#attempt(() => this.#look());
      await this.count();
    });
  }

  /** One at a time; while one waits, another has nothing to add. */
  #soon(work: () => Promise<void>): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    const turn = async () => {
      await this.#running;
      this.#isWaiting = false;
      await work();
    };
    this.#running = turn();
  }

  async #look(): Promise<void> {
    const inForce = this.#standing;
    if (
      this.#wanted !== undefined &&
      inForce !== undefined &&
      (await this.#nftables.generation()) !== inForce.generation
    ) {
      const table = await this.#nftables.table(NFT_TABLE);
      const isOurs = table !== undefined && table === inForce.table;
      if (isOurs) this.#inForce = { ...inForce, generation: await this.#nftables.generation() };
      else {
        this.#options.log.warn("nftables-restored", { table: NFT_TABLE });
        this.#inForce = "unknown";
      }
    }
    await this.#bring();
  }

  get #standing(): InForce | undefined {
    return typeof this.#inForce === "object" ? this.#inForce : undefined;
  }

  async #bring(): Promise<void> {
    const wanted = this.#wanted;
    if (wanted === undefined) return this.#clear();
    const before = this.#standing;
    if (before?.rules.document === wanted.document) {
      this.#inForce = { ...before, rules: wanted };
      return;
    }
    await this.#nftables.apply(wanted.document);
    const generation = await this.#nftables.generation();
    this.#inForce = { rules: wanted, generation, table: undefined };
    this.#options.log.info("nftables-applied", { backends: wanted.backends.length });
    // By the newest word of who lives: nft takes a while, and whoever came back meanwhile keeps its connections.
    const alive = this.#alive;
    await this.#forget([...marksAlive(before?.rules.backends)].filter((mark) => !alive.has(mark)));
    const table = await this.#nftables.table(NFT_TABLE);
    const isUndisturbed = (await this.#nftables.generation()) === generation;
    if (isUndisturbed) this.#inForce = { rules: wanted, generation, table };
  }

  async #clear(): Promise<void> {
    if (this.#inForce === "none") return;
    if (this.#inForce !== "unknown" || (await this.#isLeft())) {
      await this.#nftables.apply(NFT_REMOVAL);
      await this.#nftables.forget(NFT_MARK, NFT_MARK_MASK);
      this.#options.log.info("nftables-removed", { table: NFT_TABLE });
    }
    this.#inForce = "none";
    this.#counts = new Map();
  }

  async #isLeft(): Promise<boolean> {
    try {
      return (await this.#nftables.table(NFT_TABLE)) !== undefined;
    } catch (error) {
      // Without the program nobody can have left rules, and nobody needs it.
      if (error instanceof HalError && error.code === "ENOTSUP") return false;
      throw error;
    }
  }

  async #count(): Promise<void> {
    const from = performance.now();
    this.#counts = await this.#nftables.marked(NFT_MARK, NFT_MARK_MASK);
    const cost = performance.now() - from;
    this.#countAgainAt = performance.now() + Math.max(COUNT_AGE_MILLIS, REST_SHARE * cost);
    const inForce = this.#standing;
    if (inForce === undefined) return;
    // Left by a predecessor, or begun in the moment in which the rules changed.
    const alive = this.#alive;
    await this.#forget([...this.#counts.keys()].filter((mark) => !alive.has(mark)));
    const full = this.#fullAmong(inForce.rules.backends);
    if (full.length === this.#full.size && full.every(({ mark }) => this.#full.has(mark))) return;
    this.#full = new Set(full.map(({ mark }) => mark));
    this.#compile();
  }

  /** Those that have all that they may have open, and all of a service that has. */
  #fullAmong(backends: readonly MarkedBackend[]): readonly MarkedBackend[] {
    const openOf = ({ mark }: MarkedBackend) => this.#counts.get(mark)?.open ?? 0;
    const sums = new Map<BalancedService, number>();
    for (const one of backends) sums.set(one.service, (sums.get(one.service) ?? 0) + openOf(one));
    return backends.filter((one) => {
      const { service, backend } = one;
      const isServiceFull = service.flowsMax > 0 && (sums.get(service) ?? 0) >= service.flowsMax;
      return isServiceFull || (backend.flowsMax > 0 && openOf(one) >= backend.flowsMax);
    });
  }

  /** By the rules that are wanted, which may not stand yet. */
  get #alive(): ReadonlySet<number> {
    return marksAlive(this.#wanted?.backends);
  }

  async #forget(marks: readonly number[]): Promise<void> {
    for (const mark of marks) await this.#nftables.forget(mark, WHOLE_MARK);
    if (marks.length > 0) this.#options.log.info("connections-forgotten", { backends: marks.length });
  }

  async #attempt(action: () => Promise<void>): Promise<void> {
    try {
      await action();
      this.#setRefusal(undefined);
    } catch (error) {
      if (!(error instanceof HalError)) throw error;
      this.#setRefusal(error.message);
    }
  }

  #setRefusal(sentence: string | undefined): void {
    if (this.#refusal === sentence) return;
    this.#refusal = sentence;
    if (sentence !== undefined) this.#options.log.warn("nftables-refused", { sentence });
    this.#options.onChange();
  }
}

function marksAlive(backends: readonly MarkedBackend[] = []): ReadonlySet<number> {
  return new Set(
    backends.flatMap(({ mark, service, backend }) => (keepsFlows(backend, service.protocol) ? [mark] : [])),
  );
}
