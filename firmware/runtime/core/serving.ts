/**
 * Who serves: runs the checks, joins their verdicts with what the active box told, and keeps the balancer's ring, the
 * sentinel's penalties and the peer's picture at it.
 */
import { HalError } from "@futago/hal/contract/error.ts";
import type { Hal } from "@futago/hal/contract/hal.ts";
import type { Link } from "@futago/hal/contract/network.ts";
import type { IpAddress } from "@futago/hal/units/address.ts";
import { between, earliest, type Instant, toMillis } from "@futago/hal/units/time.ts";
import type { SystemOrders } from "../../config/compile-system.ts";
import { subnetsOnLinks } from "../../config/on-link.ts";
import type { Resolved, ResolvedPool, ResolvedService } from "../../config/resolved.ts";
import type { CheckState } from "../../health/check.ts";
import type { CheckStatus } from "../control.ts";
import { ExitCode, RefusalError } from "../exit-code.ts";
import type { GroupStatus, Penalty } from "../messages.ts";
import { devicesOfServices, oneArmClients } from "./balancer/balanced-services.ts";
import { BalancerKeeper, type ServiceBackend } from "./balancer/balancer-keeper.ts";
import { Fallback } from "./balancer/fallback.ts";
import { FlowCollector } from "./balancer/flow-collector.ts";
import { FlowCounter } from "./balancer/flow-counter.ts";
import { backendId, PoolStates } from "./balancer/pool-states.ts";
import { RefusalWatch } from "./balancer/refusal-watch.ts";
import { ServiceList } from "./balancer/service-list.ts";
import { tableSizes } from "./balancer/table-sizes.ts";
import {
  heldSince,
  type HealthView,
  type Judgement,
  key,
  pictureForPeer,
  viewHealth,
} from "./checks/backend-health.ts";
import { CERTIFICATE_ALARM, certificateAlarms } from "./checks/certificate-alarms.ts";
import { CheckRunner } from "./checks/check-runner.ts";
import { judgementOf, shownChecks } from "./checks/judgement.ts";
import { penaltiesOf } from "./checks/penalties.ts";
import { pathOf, type Subject, subjectsOf } from "./checks/subjects.ts";
import { asksByTcp, Suspects } from "./checks/suspects.ts";
import type { Log } from "./log.ts";
import type { PeerPool } from "./peer-link/message.ts";
import type { BalancerView } from "./trace/balancer-view.ts";

export interface ServingOptions {
  readonly hal: Hal;
  readonly log: Log;
  readonly bpfDirectory: string;
  readonly seed: string;
  /** For the sizes of the tables; `configure` is what puts it in force. */
  readonly config: Resolved | undefined;
  readonly onPenalties: (penalties: readonly Penalty[]) => void;
  /** The pools of the groups that this box holds, after every change. */
  readonly onPicture: (pools: readonly PeerPool[]) => void;
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
  #subjects: readonly Subject[] = [];
  /** Those of them that show a certificate. */
  #certified: readonly Subject[] = [];
  /** A certificate ends without a verdict. */
  readonly #alarmTimer: NodeJS.Timeout;
  #groups: readonly GroupStatus[] = [];
  #told: ReadonlyMap<string, PeerPool> = new Map();
  #drains: ReadonlySet<string> = new Set();
  readonly #suspects: Suspects;
  readonly #refusals: RefusalWatch;
  readonly #pools = new PoolStates();
  readonly #services = new ServiceList();
  readonly #counter: FlowCounter;
  readonly #collector: FlowCollector;
  #oneArm: ReadonlyMap<string, readonly string[]> = new Map();
  /** By the subject's path, as of its newest verdict or the newest look at all. */
  #states = new Map<string, CheckState>();
  /** By the pool's name: when its backends are to be looked at again although nobody said anything. */
  readonly #dueAt = new Map<string, Instant>();
  #timer: NodeJS.Timeout | undefined;
  #telling: NodeJS.Immediate | undefined;

  constructor(options: ServingOptions) {
    this.#options = options;
    const { hal, log } = options;
    this.#balancer = loadBalancer(options);
    this.fallback = new Fallback({
      nftables: hal.nftables,
      seed: options.seed,
      log,
      onChange: options.onChange,
      ports: this.#balancer,
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
        this.#onVerdict(subject, state);
      },
    });
    this.#suspects = new Suspects(this.#checks);
    this.#refusals = new RefusalWatch({
      clock: hal.clock,
      backendOf: (number) => this.#balancer.backendOf(number),
      onRefusal: (backend) => this.#onRefusal(backend),
    });
    this.#refusals.watch(this.#balancer.object);
  }

  /** `links`, where they are known, tell which services XDP can serve before any is put in force. */
  configure(config: Resolved, system: SystemOrders, links: readonly Link[] = []): void {
    this.#config = config;
    this.#system = system;
    this.fallback.setDevices(devicesOfServices(config, system));
    if (links.length > 0) this.#balancer.setDevices(this.fallback.devices, links);
    this.#oneArm = oneArmClients(config);
    this.#subjects = subjectsOf(config, system);
    this.#certified = this.#subjects.filter(({ probe }) => probe.kind === "https");
    this.#checks.setSubjects([...this.#subjects, ...this.#suspects.configure(config)]);
    this.#states = new Map(this.#checks.states());
    this.#pools.keep(config.pools, subnetsOnLinks(config));
    this.#dueAt.clear();
    for (const pool of config.pools) this.#updatePool(config, pool);
    this.#services.configure(config.services, (pool) => this.#pools.backendsOf(pool));
    const byXdp = this.fallback.share(this.#services.services);
    if (this.#balancer.resize(tableSizes(config), byXdp)) {
      this.#refusals.watch(this.#balancer.object);
      this.#options.onTables();
    }
    this.#balancer.setServices(byXdp);
    this.#schedule();
    this.#tellPenalties();
    this.#tell();
  }

  /** Where the balancer sits, and what it must not take for a client. */
  setNetwork(links: readonly Link[], ownAddresses: readonly IpAddress[]): void {
    if (this.#config === undefined || this.#system === undefined) return;
    this.#balancer.setOwn(ownAddresses);
    this.fallback.setOwn(ownAddresses);
    this.#balancer.setDevices(this.fallback.devices, links);
    this.#balancer.setServices(this.fallback.share(this.#services.services));
  }

  /** What the sentinel says of the groups. */
  setGroups(groups: readonly GroupStatus[]): void {
    const before = held(this.#groups);
    this.#groups = groups;
    if (held(groups) !== before) this.#refresh();
  }

  /** What the peer told of its pools. */
  setTold(told: ReadonlyMap<string, PeerPool>): void {
    this.#told = told;
    this.#refresh();
  }

  /** What a person should know, a sentence by subject, by the kind of alarm. */
  alarms(): ReadonlyMap<string, ReadonlyMap<string, string>> {
    return new Map([
      ["balancer-refused", new Map([...this.#balancer.troubles, ...this.fallback.troubles])],
      ["balancer-fallback", this.fallback.alarms],
      [CERTIFICATE_ALARM, certificateAlarms(this.#certified, this.#checks.states(), Date.now())],
    ]);
  }

  view(): HealthView {
    this.#states = new Map(this.#checks.states());
    return this.#config === undefined ? NOTHING : this.#viewOf(this.#config);
  }

  /** For those who look on. */
  get balancer(): BalancerView {
    return this.#balancer;
  }

  /** The backends that keep their connections and take no new ones, by "pool/backend". */
  setDrains(drains: ReadonlySet<string>): void {
    this.#drains = drains;
    this.#refresh();
  }

  /** The subnets whose clients a `nat` service serves as in `one-arm`, such as "10.2.0.0/24". */
  oneArmOf({ name }: ResolvedService): readonly string[] {
    return this.#oneArm.get(name) ?? [];
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

  checks(): readonly CheckStatus[] {
    const now = this.#options.hal.clock.now();
    const wall = Date.now();
    const timeOf = (moment: Instant) => new Date(wall - toMillis(between(moment, now))).toISOString();
    return shownChecks(this.#subjects, this.#checks.states(), this.view(), timeOf);
  }

  /** Takes the balancer off the machine. */
  async remove(): Promise<void> {
    clearTimeout(this.#timer);
    clearInterval(this.#alarmTimer);
    clearImmediate(this.#telling);
    this.#collector.close();
    this.#refusals.close();
    this.#checks.close();
    this.#balancer.remove();
    await this.fallback.remove();
  }

  /** The ring first: clients wait for it. Who else wants to know hears of all verdicts of a moment at once. */
  #onVerdict(subject: Subject, state: CheckState): void {
    this.#states.set(subject.path, state);
    if (subject.about.kind === "backend") this.#refreshPools([subject.about.pool]);
    else this.#tellPenalties();
    this.#telling ??= setImmediate(() => {
      this.#telling = undefined;
      this.#tell();
    });
  }

  /** A client saw a backend refuse, or nobody there: its check looks at once, or where that looks elsewhere, another. */
  #onRefusal({ id, protocol }: ServiceBackend): void {
    const [poolName = "", name] = id.split("/");
    const pool = this.#config?.pools.find((one) => one.name === poolName);
    const backend = pool?.backends.find((one) => one.name === name);
    if (pool === undefined || backend === undefined || this.#system === undefined) return;
    if (protocol === "udp" || asksByTcp(pool.check, backend)) this.#checks.hint(pathOf(poolName, backend.name));
    else this.#suspects.suspect(poolName, backend, this.#system);
  }

  #refresh(): void {
    if (this.#config === undefined) return;
    this.#refreshPools(this.#config.pools.map((pool) => pool.name));
    this.#tell();
  }

  #refreshPools(names: readonly string[]): void {
    const config = this.#config;
    if (config === undefined) return;
    for (const name of names) {
      const pool = config.pools.find((one) => one.name === name);
      if (pool === undefined || !this.#updatePool(config, pool)) continue;
      this.#services.refresh(name, (one) => this.#pools.backendsOf(one));
    }
    this.#balancer.setServices(this.fallback.share(this.#services.services));
    this.#schedule();
  }

  /** Whether anything changed. */
  #updatePool(config: Resolved, pool: ResolvedPool): boolean {
    const now = this.#options.hal.clock.now();
    const view = this.#viewOf({ ...config, pools: [pool] });
    const before = this.#pools.backendsOf(pool.name);
    const { backends, nextAt } = this.#pools.update(pool, view.backends, this.#drains, now);
    const due = earliest(nextAt, view.nextTimeout);
    if (due === undefined) this.#dueAt.delete(pool.name);
    else this.#dueAt.set(pool.name, due);
    return backends !== before;
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    let next: Instant | undefined;
    for (const due of this.#dueAt.values()) next = earliest(next, due);
    if (next === undefined) return;
    const wait = toMillis(between(this.#options.hal.clock.now(), next));
    this.#timer = setTimeout(() => this.#onDue(), Math.max(1, Math.ceil(wait)));
  }

  #onDue(): void {
    const now = this.#options.hal.clock.now();
    this.#refreshPools([...this.#dueAt].flatMap(([pool, due]) => (due <= now ? [pool] : [])));
    this.#tell();
  }

  #tellPenalties(): void {
    const judged = new Map([...this.#states].map(([path, state]) => [path, judgementOf(state)]));
    this.#options.onPenalties(penaltiesOf(this.#subjects, judged));
  }

  #tell(): void {
    const config = this.#config;
    if (config === undefined) return;
    const active = this.#groups.filter((group) => group.state === "active").map((group) => group.name);
    this.#options.onPicture(pictureForPeer(config, this.#viewOf(config), new Set(active)));
    this.#options.onChange();
  }

  #viewOf(config: Resolved): HealthView {
    const now = this.#options.hal.clock.now();
    const activeSince = heldSince(this.#groups, now, Date.now());
    return viewHealth({ config, own: this.#ownBackends(config.pools), peer: this.#told, activeSince }, now);
  }

  #ownBackends(pools: readonly ResolvedPool[]): ReadonlyMap<string, Judgement> {
    return new Map(
      pools.flatMap((pool) =>
        pool.backends.flatMap(({ name, address, port }): [string, Judgement][] => {
          const suspected = this.#suspects.judgement(backendId(pool.name, name), this.#states);
          if (suspected !== undefined) return [[key(pool.name, name), suspected]];
          const state = this.#states.get(pathOf(pool.name, name));
          if (state === undefined) return [];
          const dead = state.verdict === "unknown" && this.#balancer.inheritedDead.has(`${address}:${port}`);
          return [[key(pool.name, name), dead ? FOUND_DEAD : judgementOf(state)]];
        }),
      ),
    );
  }
}

const NOTHING: HealthView = { backends: new Map(), nextTimeout: undefined };

/** A core that was restarted does not send clients to what its predecessor knew to be dead. */
const FOUND_DEAD: Judgement = { healthy: false, reason: "dead before core was restarted; not checked again yet" };

function loadBalancer({ hal, bpfDirectory, seed, log, config }: ServingOptions): BalancerKeeper {
  try {
    const sizes = tableSizes(config);
    return new BalancerKeeper({ hal, pinDirectory: bpfDirectory, seed, sizes, log });
  } catch (error) {
    if (!(error instanceof HalError)) throw error;
    throw new RefusalError({
      exitCode: ExitCode.failed,
      what: `the kernel refuses the balancer: ${error.message}`,
      where: bpfDirectory,
      mend: "A kernel with CONFIG_BPF_SYSCALL and CONFIG_BPF_JIT, 5.16 or newer, is needed; the message above is the verifier's.",
    });
  }
}

function held(groups: readonly GroupStatus[]): string {
  const active = groups.filter((group) => group.state === "active");
  return active.map((group) => group.name).join();
}
