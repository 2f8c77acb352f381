/**
 * Who serves: runs the checks, joins their verdicts with what the active box told, and keeps the balancer's ring, the
 * sentinel's penalties and the peer's picture at it.
 */
import { HalError } from "@futago/hal/contract/error.ts";
import type { Hal } from "@futago/hal/contract/hal.ts";
import type { Link } from "@futago/hal/contract/network.ts";
import type { IpAddress } from "@futago/hal/units/address.ts";
import { between, type Instant, toMillis } from "@futago/hal/units/time.ts";
import type { SystemOrders } from "../../config/compile-system.ts";
import type { Resolved, ResolvedService } from "../../config/resolved.ts";
import type { CheckStatus, ServiceStatus } from "../control.ts";
import { ExitCode, RefusalError } from "../exit-code.ts";
import type { GroupStatus, Penalty } from "../messages.ts";
import { balancedDevices, balancedServices, deviceOfService } from "./balancer/balanced-services.ts";
import { BalancerKeeper } from "./balancer/balancer-keeper.ts";
import type { FlowCounter } from "./balancer/flow-counter.ts";
import {
  heldSince,
  type HealthView,
  type Judgement,
  key,
  pictureForPeer,
  viewHealth,
} from "./checks/backend-health.ts";
import { CheckRunner } from "./checks/check-runner.ts";
import { judgementOf, shownChecks } from "./checks/judgement.ts";
import { penaltiesOf } from "./checks/penalties.ts";
import { type Subject, subjectsOf } from "./checks/subjects.ts";
import type { Log } from "./log.ts";
import type { PeerPool } from "./peer-link/message.ts";

export interface ServingOptions {
  readonly hal: Hal;
  readonly log: Log;
  readonly bpfDirectory: string;
  readonly seed: string;
  readonly onPenalties: (penalties: readonly Penalty[]) => void;
  /** The pools of the groups that this box holds, after every change. */
  readonly onPicture: (pools: readonly PeerPool[]) => void;
  readonly onChange: () => void;
}

export class Serving {
  readonly #options: ServingOptions;
  readonly #checks: CheckRunner;
  readonly #balancer: BalancerKeeper;
  #config: Resolved | undefined;
  #system: SystemOrders | undefined;
  #subjects: readonly Subject[] = [];
  #groups: readonly GroupStatus[] = [];
  #told: ReadonlyMap<string, PeerPool> = new Map();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ServingOptions) {
    this.#options = options;
    const { hal, log } = options;
    this.#balancer = loadBalancer(options);
    this.#checks = new CheckRunner({
      machine: hal,
      onVerdict: ({ path }, { verdict, reason }) => {
        log.info("check-verdict", { subject: path, verdict, reason });
        this.#onVerdict();
      },
    });
  }

  configure(config: Resolved, system: SystemOrders): void {
    this.#config = config;
    this.#system = system;
    this.#subjects = subjectsOf(config, system);
    this.#checks.setSubjects(this.#subjects);
    this.#onVerdict();
  }

  /** Where the balancer sits, and what it must not take for a client. */
  setNetwork(links: readonly Link[], ownAddresses: readonly IpAddress[]): void {
    if (this.#config === undefined || this.#system === undefined) return;
    this.#balancer.setOwn(ownAddresses);
    this.#balancer.setDevices(balancedDevices(this.#config, this.#system), links);
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

  /** What the balancer was refused, by subject. */
  get troubles(): ReadonlyMap<string, string> {
    return this.#balancer.troubles;
  }

  view(): HealthView {
    const now = this.#options.hal.clock.now();
    if (this.#config === undefined) return { backends: new Map(), nextTimeout: undefined };
    const activeSince = heldSince(this.#groups, now, Date.now());
    return viewHealth({ config: this.#config, own: this.#ownBackends(), peer: this.#told, activeSince }, now);
  }

  attachOf(service: ResolvedService): ServiceStatus["attach"] {
    return this.#config === undefined ? "none" : this.#balancer.modeOf(deviceOfService(this.#config, service));
  }

  get flows(): FlowCounter {
    return this.#balancer.flows;
  }

  counters(): Readonly<Record<string, number>> {
    return this.#balancer.counters();
  }

  checks(): readonly CheckStatus[] {
    const now = this.#options.hal.clock.now();
    const wall = Date.now();
    const timeOf = (moment: Instant) => new Date(wall - toMillis(between(moment, now))).toISOString();
    return shownChecks(this.#subjects, this.#checks.states(), this.view(), timeOf);
  }

  /** Takes the balancer off the machine. */
  remove(): void {
    clearTimeout(this.#timer);
    this.#checks.close();
    this.#balancer.remove();
  }

  #onVerdict(): void {
    const judged = new Map([...this.#checks.states()].map(([path, state]) => [path, judgementOf(state)]));
    this.#options.onPenalties(penaltiesOf(this.#subjects, judged));
    this.#refresh();
  }

  #refresh(): void {
    const config = this.#config;
    if (config === undefined) return;
    const view = this.view();
    this.#balancer.setServices(balancedServices(config, view.backends));
    const active = this.#groups.filter((group) => group.state === "active").map((group) => group.name);
    this.#options.onPicture(pictureForPeer(config, view, new Set(active)));
    this.#options.onChange();
    clearTimeout(this.#timer);
    if (view.nextTimeout === undefined) return;
    const wait = toMillis(between(this.#options.hal.clock.now(), view.nextTimeout));
    this.#timer = setTimeout(() => this.#refresh(), Math.max(1, Math.ceil(wait)));
  }

  #ownBackends(): ReadonlyMap<string, Judgement> {
    const states = this.#checks.states();
    return new Map(
      this.#subjects.flatMap(({ about, path }): [string, Judgement][] => {
        const state = states.get(path);
        if (about.kind !== "backend" || state === undefined) return [];
        const dead = state.verdict === "unknown" && this.#balancer.inheritedDead.has(about.at);
        return [[key(about.pool, about.backend), dead ? FOUND_DEAD : judgementOf(state)]];
      }),
    );
  }
}

/** A core that was restarted does not send clients to what its predecessor knew to be dead. */
const FOUND_DEAD: Judgement = { healthy: false, reason: "dead before core was restarted; not checked again yet" };

function loadBalancer({ hal, bpfDirectory, seed, log }: ServingOptions): BalancerKeeper {
  try {
    return new BalancerKeeper(hal, bpfDirectory, seed, log);
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
