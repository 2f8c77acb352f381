/**
 * Who serves: runs the checks, joins their verdicts with what the active box told, and keeps the balancer's ring, the
 * sentinel's penalties and the peer's picture at it.
 */
import type { Hal } from "@futago/hal/contract/hal.ts";
import type { Link } from "@futago/hal/contract/network.ts";
import type { IpAddress } from "@futago/hal/units/address.ts";
import { between, earliest, type Instant, toMillis } from "@futago/hal/units/time.ts";
import type { SystemOrders } from "../../config/compile-system.ts";
import { lookup } from "../../config/lookup.ts";
import { subnetsOnLinks } from "../../config/on-link.ts";
import type { Resolved, ResolvedPool, ResolvedService } from "../../config/resolved.ts";
import { changedPools } from "../../config/unchanged.ts";
import type { CheckStatus } from "../control.ts";
import type { GroupStatus, Penalty } from "../messages.ts";
import { devicesOfServices, oneArmSubnets } from "./balancer/balanced-services.ts";
import { BalancerKeeper, type ServiceBackend } from "./balancer/balancer-keeper.ts";
import { DuePools } from "./balancer/due-pools.ts";
import { Fallback } from "./balancer/fallback.ts";
import { FlowCollector } from "./balancer/flow-collector.ts";
import { FlowCounter } from "./balancer/flow-counter.ts";
import { PoolStates } from "./balancer/pool-states.ts";
import { RefusalWatch } from "./balancer/refusal-watch.ts";
import type { LoadedTables } from "./balancer/load-balancer.ts";
import { ServiceList } from "./balancer/service-list.ts";
import { tableSizes } from "./balancer/table-sizes.ts";
import type { BackendHealth } from "./checks/backend-health.ts";
import { CERTIFICATE_ALARM, certificateAlarms } from "./checks/certificate-alarms.ts";
import { CheckRunner } from "./checks/check-runner.ts";
import { eitherAlone, HealthBoard } from "./checks/health-board.ts";
import { judgementOf, shownCheck } from "./checks/judgement.ts";
import { penaltiesOf } from "./checks/penalties.ts";
import { pathOf, type Subject, SubjectList } from "./checks/subjects.ts";
import { asksByTcp, Suspects } from "./checks/suspects.ts";
import type { Log } from "./log.ts";
import { inSlices, Slices } from "./slices.ts";
import type { PeerPool } from "./peer-link/message.ts";
import type { Picture } from "./peer-link/picture-sender.ts";
import type { BalancerView } from "./trace/balancer-view.ts";

export interface ServingOptions {
  readonly hal: Hal;
  readonly log: Log;
  readonly bpfDirectory: string;
  readonly seed: string;
  readonly tables: LoadedTables;
  readonly onPenalties: (penalties: readonly Penalty[]) => void;
  /** The names of pools that may stand otherwise than before: see `picture`. */
  readonly onPicture: (pools: readonly string[]) => void;
  readonly onChange: () => void;
  /** Keys of established flows that were taken out of the table, end to end. */
  readonly onEnded: (keys: Uint8Array) => void;
  /** The tables were made anew in another size: what holds their object must take the new one. */
  readonly onTables: () => void;
}

const ALARMS_EVERY_MILLIS = 60_000;

export class Serving {
  readonly #options: ServingOptions;
  readonly #checks: CheckRunner;
  readonly #balancer: BalancerKeeper;
  readonly fallback: Fallback;
  #config: Resolved | undefined;
  #system: SystemOrders | undefined;
  readonly #list = new SubjectList();
  #subjects: readonly Subject[] = [];
  /** Those of them that are not backends. */
  #surroundings: readonly Subject[] = [];
  /** Those of them that show a certificate. */
  #certified: readonly Subject[] = [];
  /** A certificate ends without a verdict. */
  readonly #alarmTimer: NodeJS.Timeout;
  readonly #board: HealthBoard;
  #drains: ReadonlySet<string> = new Set();
  readonly #suspects: Suspects;
  readonly #refusals: RefusalWatch;
  readonly #pools = new PoolStates();
  readonly #services = new ServiceList();
  readonly #counter: FlowCounter;
  readonly #collector: FlowCollector;
  readonly #due: DuePools;
  /** Pools that are to be judged anew, and those that were since the others were told. */
  readonly #doubtful = new Set<string>();
  #judged = new Set<string>();
  #judging: NodeJS.Immediate | undefined;
  #telling: NodeJS.Immediate | undefined;

  constructor(options: ServingOptions) {
    this.#options = options;
    const { hal, log } = options;
    this.#balancer = new BalancerKeeper({ ...options, pinDirectory: options.bpfDirectory });
    this.fallback = new Fallback({
      nftables: hal.nftables,
      seed: options.seed,
      log,
      onChange: options.onChange,
      ports: this.#balancer.ports,
    });
    this.#counter = new FlowCounter(hal.clock, () => this.#balancer.object);
    this.#collector = new FlowCollector({
      clock: hal.clock,
      object: () => this.#balancer.object,
      idleTimeoutSeconds: (service) => this.#balancer.idleTimeoutSeconds(service),
      onEnded: options.onEnded,
      log,
    });
    this.#collector.start();
    this.#alarmTimer = setInterval(options.onChange, ALARMS_EVERY_MILLIS);
    this.#checks = new CheckRunner({
      machine: hal,
      onVerdict: (subject, state) => {
        log.info("check-verdict", { subject: subject.path, verdict: state.verdict, reason: state.reason });
        this.#suspects.onVerdict(subject, state);
        this.#onVerdict(subject);
      },
    });
    this.#suspects = new Suspects(this.#checks);
    this.#refusals = new RefusalWatch({
      clock: hal.clock,
      backendOf: (number) => this.#balancer.backendOf(number),
      onRefusal: (backend) => this.#onRefusal(backend),
    });
    this.#refusals.watch(this.#balancer.object);
    this.#due = new DuePools(hal.clock, (pools) => {
      this.#doubt(pools);
      this.#judge();
    });
    this.#board = new HealthBoard({
      clock: hal.clock,
      stateOf: (path) => this.#checks.stateOf(path),
      suspected: (id) => this.#suspects.judgement(id),
      inheritedDead: this.#balancer.inheritedDead,
    });
  }

  /**
   * Resolves when it is in force. What happens meanwhile counts by the new configuration. One at a time. `links`, where
   * they are known, tell which services XDP can serve before any is put in force.
   */
  async configure(config: Resolved, system: SystemOrders, links: readonly Link[] = []): Promise<void> {
    const slices = new Slices();
    const former = this.#config;
    const subjects = await inSlices(this.#list.configure(config, system), slices);
    this.#config = config;
    this.#system = system;
    this.fallback.setDevices(devicesOfServices(config, system));
    if (links.length > 0) this.#balancer.setDevices(this.fallback.devices, links);
    this.#subjects = subjects;
    this.#surroundings = subjects.filter(({ about }) => about.kind !== "backend");
    this.#certified = subjects.filter(({ probe }) => probe.kind === "https");
    this.#board.configure(config);
    await this.#checks.setSubjects([...subjects, ...this.#suspects.configure(config)], slices);
    this.#pools.keep(config.pools, subnetsOnLinks(config));
    this.#due.keep(lookup(config).pools);
    for (const pool of changedPools(config, former)) {
      this.#updatePool(pool);
      if (slices.spent) await slices.rest();
    }
    const services = this.#services.configure(config.services, (pool) => this.#pools.backendsOf(pool));
    if (await this.#balancer.resize(tableSizes(config), this.fallback.share(services))) {
      this.#refusals.watch(this.#balancer.object);
      this.#options.onTables();
    }
    // As they stand by now: the tables took a while.
    await this.#serve();
    this.#due.schedule();
    this.#tellPenalties();
    this.#tell(this.poolNames);
  }

  /** Where the balancer sits, and what it must not take for a client. */
  setNetwork(links: readonly Link[], ownAddresses: readonly IpAddress[]): void {
    if (this.#config === undefined || this.#system === undefined) return;
    this.#checks.setLinks(links);
    this.#balancer.setOwn(ownAddresses);
    this.fallback.setOwn(ownAddresses);
    this.#balancer.setDevices(this.fallback.devices, links);
    void this.#serve();
  }

  /** What the sentinel says of the groups. */
  setGroups(groups: readonly GroupStatus[]): void {
    const moved = this.#board.setGroups(groups);
    if (moved.length === 0) return;
    this.#doubt(moved);
    this.#judge();
  }

  /** What the peer told of some pools. */
  setTold(pools: readonly PeerPool[]): void {
    this.#board.tell(pools);
    this.#doubt(pools.map((pool) => pool.name));
    this.#judge();
  }

  /** What the peer is to know of a pool; undefined when that is not this box's to say. */
  picture(pool: string): Picture | undefined {
    return this.#board.picture(pool);
  }

  /** Every pool that there is. */
  get poolNames(): readonly string[] {
    return this.#config?.pools.map((pool) => pool.name) ?? [];
  }

  /** What a person should know, a sentence by subject, by the kind of alarm. */
  alarms(): ReadonlyMap<string, ReadonlyMap<string, string>> {
    return new Map([
      ["balancer-refused", new Map([...this.#balancer.troubles, ...this.fallback.troubles])],
      ["balancer-fallback", this.fallback.alarms],
      [CERTIFICATE_ALARM, certificateAlarms(this.#certified, (path) => this.#checks.stateOf(path), Date.now())],
    ]);
  }

  /** How the pool's backends stand, in their order. */
  healthOf(pool: ResolvedPool): readonly BackendHealth[] {
    return this.#board.now(pool).backends;
  }

  /** For those who look on. */
  get balancer(): BalancerView {
    return this.#balancer;
  }

  /** By this box's own checks, whatever the other one told: backends that are up, and surroundings that do not answer. */
  get own(): { readonly up: number; readonly away: number } {
    const verdictOf = ({ path }: Subject) => this.#checks.stateOf(path)?.verdict;
    const up = this.#subjects.filter((one) => one.about.kind === "backend" && verdictOf(one) === "healthy").length;
    return { up, away: this.#surroundings.filter((one) => verdictOf(one) === "unhealthy").length };
  }

  /** The backends that keep their connections and take no new ones, by "pool/backend". */
  setDrains(drains: ReadonlySet<string>): void {
    const changed = eitherAlone(drains, this.#drains);
    this.#drains = drains;
    this.#doubt([...changed].map((backend) => backend.slice(0, backend.indexOf("/"))));
    this.#judge();
  }

  /** The subnets whose clients a `nat` service serves as in `one-arm`, such as "10.2.0.0/24". */
  oneArmOf(service: ResolvedService): readonly string[] {
    return this.#config === undefined ? [] : oneArmSubnets(this.#config, service, subnetsOnLinks(this.#config));
  }

  /** Flows in the tables, by the backend's number, as of the newest walk. */
  get open(): ReadonlyMap<number, number> {
    return this.#collector.newest.open;
  }

  /** Running connections by the backend's address and port, "10.2.0.11:80", as of the newest count. */
  get flows(): ReadonlyMap<string, number> {
    return this.fallback.addFlows(this.#counter.counts);
  }

  /** Resolves when `flows` are fresh. */
  async countFlows(): Promise<void> {
    await Promise.all([this.#counter.count(), this.fallback.count()]);
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#balancer.counters(), ...this.#collector.counters };
  }

  /** The checks as they are shown, all or those of one service's pools; a pool at a time. */
  *checks(only: ResolvedService | undefined): Generator<readonly CheckStatus[]> {
    const now = this.#options.hal.clock.now();
    const wall = Date.now();
    const timeOf = (moment: Instant) => new Date(wall - toMillis(between(moment, now))).toISOString();
    const shown = (subject: Subject, health?: BackendHealth) => {
      const state = this.#checks.stateOf(subject.path);
      return state === undefined ? [] : [shownCheck(subject, state, health, timeOf)];
    };
    const { pools } = this.#config ?? { pools: [] };
    let at = 0;
    for (const pool of pools) {
      if (pool.check.kind === "none") continue;
      const subjects = this.#subjects.slice(at, at + pool.backends.length);
      at += pool.backends.length;
      if (only !== undefined && pool.name !== only.pool && pool.name !== only.sorryPool) continue;
      const health = this.healthOf(pool);
      yield subjects.flatMap((subject, i) => shown(subject, health[i]));
    }
    if (only === undefined) yield this.#surroundings.flatMap((subject) => shown(subject));
  }

  /** Takes the balancer off the machine. */
  async remove(): Promise<void> {
    this.#due.close();
    clearInterval(this.#alarmTimer);
    clearImmediate(this.#telling);
    clearImmediate(this.#judging);
    this.#collector.close();
    this.#refusals.close();
    this.#checks.close();
    this.#balancer.remove();
    await this.fallback.remove();
  }

  /** The ring first: clients wait for it. Verdicts of one moment about one pool make one ring. */
  #onVerdict({ about }: Subject): void {
    if (about.kind !== "backend") {
      this.#tellPenalties();
      this.#tellSoon();
      return;
    }
    if (this.#doubtful.size === 0) queueMicrotask(() => this.#judge());
    this.#doubt([about.pool]);
  }

  #doubt(pools: readonly string[]): void {
    // A configuration that is put in force has all pools judged.
    if (this.#config === undefined) return;
    for (const pool of pools) this.#doubtful.add(pool);
  }

  /** Judges pools anew and puts them into the rings: some now, the others when those who wait had their turn. */
  #judge(): void {
    if (this.#judging !== undefined || this.#config === undefined) return;
    const slices = new Slices();
    for (const name of this.#doubtful) {
      this.#doubtful.delete(name);
      const pool = lookup(this.#config).pools.get(name);
      if (pool === undefined) continue;
      this.#judged.add(name);
      if (this.#updatePool(pool)) {
        this.#services.refresh(name, (one) => this.#pools.backendsOf(one));
        void this.#serve();
      }
      if (slices.spent) break;
    }
    this.#due.schedule();
    this.#tellSoon();
    if (this.#doubtful.size === 0) return;
    this.#judging = setImmediate(() => {
      this.#judging = undefined;
      this.#judge();
    });
  }

  /** As the services stand. Until they are known, a predecessor's tables serve on: to empty them would end every connection. */
  async #serve(): Promise<void> {
    const { services } = this.#services;
    if (services !== undefined) await this.#balancer.setServices(this.fallback.share(services));
  }

  /** A client saw a backend refuse, or nobody there: its check looks at once, or where that looks elsewhere, another. */
  #onRefusal({ id, protocol }: ServiceBackend): void {
    const [poolName = "", name] = id.split("/");
    if (this.#config === undefined || this.#system === undefined) return;
    const pool = lookup(this.#config).pools.get(poolName);
    const backend = pool?.backends.find((one) => one.name === name);
    if (pool === undefined || backend === undefined) return;
    if (protocol === "udp" || asksByTcp(pool.check, backend)) this.#checks.hint(pathOf(poolName, backend.name));
    else this.#suspects.suspect(poolName, backend, this.#system);
  }

  /** Whether anything changed. */
  #updatePool(pool: ResolvedPool): boolean {
    const now = this.#options.hal.clock.now();
    const before = this.#pools.backendsOf(pool.name);
    const health = this.#board.judge(pool);
    const { backends, nextAt } = this.#pools.update(pool, health.backends, this.#drains, now);
    this.#due.set(pool.name, earliest(nextAt, health.nextTimeout));
    return backends !== before;
  }

  #tellPenalties(): void {
    const judged = ({ path }: Subject) => {
      const state = this.#checks.stateOf(path);
      return state === undefined ? undefined : judgementOf(state);
    };
    this.#options.onPenalties(penaltiesOf(this.#surroundings, judged));
  }

  /** Who else wants to know hears of all verdicts of a moment at once. */
  #tellSoon(): void {
    this.#telling ??= setImmediate(() => {
      this.#telling = undefined;
      const judged = [...this.#judged];
      this.#judged = new Set();
      this.#tell(judged);
    });
  }

  #tell(pools: readonly string[]): void {
    if (this.#config === undefined) return;
    this.#options.onPicture(pools);
    this.#options.onChange();
  }
}
