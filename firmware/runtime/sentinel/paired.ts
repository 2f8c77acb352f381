/**
 * The sentinel of a paired box: runs the pure election of firmware/standby/pair against pulse, the links and core's
 * health, and carries out what it says. Decides nothing itself.
 */
import type { PulseLauncher } from "@futago/hal/contract/pulse.ts";
import type { PulseHeard, PulseReport } from "@futago/hal/units/pulse.ts";
import { between, earliest, type Instant, instant } from "@futago/hal/units/time.ts";
import type { Orders, PairOrders } from "../../config/orders.ts";
import {
  causesFor,
  type FitnessState,
  fitnessOf,
  initialFitness,
  nextTimeout as nextFitnessTimeout,
  noteCarrier,
  noteCauses,
} from "../../standby/pair/fitness.ts";
import { type SoleSince, reviewSole, soleGroups } from "../../standby/pair/sole.ts";
import { initialPair, nextTimeout, step } from "../../standby/pair/step.ts";
import type { PairAction, PairConfig, PairInput, PairState } from "../../standby/pair/types.ts";
import type { Penalty, SentinelStatus, StaleSighting } from "../messages.ts";
import { Announcer } from "./announcer.ts";
import type { CpuTimes } from "./cpu-times.ts";
import type { BeatKeys, CommandAnswer, Mode, ModeCommand, ModeContext } from "./mode.ts";
import { type Evidence, roleEvidence } from "./evidence.ts";
import { IN_COLD, PairCommands } from "./pair-commands.ts";
import { needsOf, pairConfig, pulseSetup, recordedOf } from "./pair-config.ts";
import { pairStatus } from "./pair-status.ts";
import { PeerPresence } from "./peer-presence.ts";
import { vipOn } from "./plans.ts";
import { PulseProcess } from "./pulse-process.ts";
import { Recorder } from "./recorder.ts";
import { StaleNeighbours } from "./stale-neighbours.ts";
import { noStrangeBeats, noteStrangeBeats } from "./strange-beats.ts";
import { VipKeeper } from "./vip-keeper.ts";
import { VipWatch } from "./vip-watch.ts";
import { waitMillis } from "./wait.ts";
import { wallTime } from "./wall-time.ts";
import { Witnesses } from "./witnesses.ts";

const HAND_OVER_MILLIS_MAX = 1_500;

export interface PairedOptions {
  readonly launcher: PulseLauncher;
  /** Derived from the pair's: authenticate the heartbeats. */
  readonly beatKeys: BeatKeys;
  /** Hosts that send to this box what is for a VIP of the peer's, for the peer to tell them again. */
  readonly onStale: (hosts: readonly StaleSighting[]) => void;
  readonly cpuTimes: () => CpuTimes | undefined;
}

export class PairedSentinel implements Mode {
  readonly #context: ModeContext;
  readonly #witnesses: Witnesses;
  readonly #announcer: Announcer;
  readonly #watch: VipWatch;
  readonly #presence: PeerPresence;
  readonly #keeper: VipKeeper;
  readonly #stale: StaleNeighbours;
  readonly #commands = new PairCommands();
  readonly #pulse: PulseProcess;
  readonly #recorder: Recorder;
  #beatKeys: BeatKeys;
  #orders: Orders;
  #pair: PairOrders;
  #slots: ReadonlyMap<string, number>;
  #config: PairConfig;
  #state: PairState;
  #fitness: FitnessState = initialFitness;
  #fitnessAt: Instant = instant(0);
  #sole: SoleSince = new Map();
  #timer: NodeJS.Timeout | undefined;
  #stopping = false;
  #strangeBeats = noStrangeBeats;
  /** By the report that is being taken. */
  #heard: readonly PulseHeard[] | undefined;

  constructor(
    context: ModeContext,
    options: PairedOptions,
    orders: Orders & { readonly pair: PairOrders },
    slots: ReadonlyMap<string, number>,
  ) {
    const { hal } = context;
    this.#context = context;
    this.#beatKeys = options.beatKeys;
    this.#recorder = new Recorder(options.cpuTimes);
    this.#recorder.watch(recordedOf(orders, orders.pair));
    this.#orders = orders;
    this.#pair = orders.pair;
    this.#slots = slots;
    this.#config = pairConfig(orders, orders.pair, slots);
    this.#state = initialPair(this.#config, hal.clock.now(), false);
    this.#announcer = new Announcer(hal, context.links);
    this.#watch = new VipWatch(hal, context.links, {
      onChange: context.onChange,
      onDefend: (group) => this.#announce(this.#slots.get(group)),
    });
    this.#presence = new PeerPresence(hal.network, hal.clock, context.links);
    this.#keeper = new VipKeeper(
      {
        network: hal.network,
        clock: hal.clock,
        links: context.links,
        holds: (group) => !this.#stopping && this.#state.groups[group]?.state === "active",
        onKept: (group) => this.#announce(this.#slots.get(group.name)),
      },
      orders,
    );
    const holding = () => ({ orders: this.#orders, state: this.#state });
    this.#stale = new StaleNeighbours(context, this.#announcer, holding, options.onStale);
    this.#witnesses = new Witnesses(hal.icmp, hal.clock, (at) => this.#input({ kind: "witness", at }));
    this.#witnesses.configure(orders.pair.witnesses);
    this.#pulse = new PulseProcess(options.launcher, context.gate.pin, {
      onStart: () => {
        this.#tellPulse();
        this.#input({ kind: "pulseStarted" });
      },
      onReport: (report) => this.#onReport(report),
      onEnd: (reason) => this.#onPulseEnd(reason),
    });
    this.#pulse.start();
    this.linksChanged();
  }

  setOrders(orders: Orders, slots: ReadonlyMap<string, number>): void {
    if (orders.pair === undefined) return;
    for (const [name, slot] of this.#slots) {
      if (slots.get(name) === slot) continue;
      this.#pulse.send({ kind: "forget", group: slot });
      this.#announcer.stop(slot);
    }
    this.#orders = orders;
    this.#pair = orders.pair;
    this.#slots = slots;
    this.#recorder.watch(recordedOf(orders, orders.pair));
    this.#config = pairConfig(orders, orders.pair, slots);
    this.#witnesses.configure(orders.pair.witnesses);
    this.#announcer.setInterfaces(orders.interfaces);
    this.#tellPulse();
    this.#input({ kind: "configured" });
    this.#keeper.setOrders(orders);
    this.linksChanged();
  }

  setPenalties(penalties: readonly Penalty[]): void {
    this.#fitness = noteCauses(this.#fitness, penalties, this.#context.hal.clock.now());
    this.#tellFitness();
  }

  setConnectionsTold(told: boolean): void {
    this.#input({ kind: "connections", told });
  }

  setBeatKeys(keys: BeatKeys | undefined): void {
    if (keys === undefined) return;
    this.#beatKeys = keys;
    this.#tellPulse();
  }

  setCoreConnected(connected: boolean): void {
    const goneSince = this.#fitness.coreGoneSince ?? this.#context.hal.clock.now();
    this.#fitness = { ...this.#fitness, coreGoneSince: connected ? undefined : goneSince };
    this.#tellFitness();
  }

  linksChanged(): void {
    const now = this.#context.hal.clock.now();
    // A port that a spare is about to open has lost nothing.
    if (this.#config.spare) this.#fitness = { ...this.#fitness, carriers: {} };
    for (const device of needsOf(this.#orders).flatMap((need) => need.devices)) {
      this.#fitness = noteCarrier(this.#fitness, device, this.#context.links.get(device)?.carrier, now);
    }
    this.#recorder.linksChanged(this.#context.links);
    this.#tellPulse();
    this.#tellFitness();
    this.#watch.configure(this.#orders);
    this.#keeper.linksChanged();
  }

  command(command: ModeCommand): Promise<CommandAnswer> {
    const now = this.#context.hal.clock.now();
    if (command.kind === "maintenance") {
      const answer = this.#commands.maintenance(this.#config, this.#state, command.on, now, this.#pair.part);
      this.#input({ kind: "maintenance", on: command.on });
      return answer;
    }
    const cold = this.#pair.part === "either" ? undefined : IN_COLD;
    const refusal = cold ?? this.#commands.refuseSwitchover(this.#config, this.#state, command.group);
    if (refusal !== undefined) return Promise.resolve(refusal);
    const answer = this.#commands.switchover(this.#config, this.#state, command.group, now);
    this.#input({ kind: "switchover", group: command.group });
    return answer;
  }

  hearStale(hosts: readonly StaleSighting[]): void {
    if (!this.#stopping) this.#stale.hear(hosts);
  }

  status(): SentinelStatus {
    const now = this.#context.hal.clock.now();
    const causes = new Map(needsOf(this.#orders).map((need) => [need.name, causesFor(this.#fitness, need, now)]));
    return pairStatus({
      clock: this.#context.hal.clock,
      orders: this.#orders,
      pair: this.#pair,
      config: this.#config,
      state: this.#state,
      causes,
      links: this.#context.links,
      watchAlarms: [...this.#watch.alarms(), ...this.#stale.alarms()],
      staleCounters: this.#stale.counters,
      strangeBeats: this.#strangeBeats,
      pulseEnds: this.#pulse.ends,
    });
  }

  async stop(): Promise<void> {
    await this.#handOver();
    this.#stopping = true;
    clearTimeout(this.#timer);
    this.#witnesses.close();
    this.#stale.close();
    this.#announcer.close();
    this.#watch.close();
    await this.#pulse.quit();
    await this.#keeper.idle();
    await this.#removeAddresses();
  }

  /** Planned hand-over before the end, when there is somebody to take over. */
  async #handOver(): Promise<void> {
    const holds = Object.values(this.#state.groups).some((group) => group.state === "active");
    if (!holds || this.#commands.refuseSwitchover(this.#config, this.#state, undefined) !== undefined) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, HAND_OVER_MILLIS_MAX);
    });
    await Promise.race([this.command({ kind: "maintenance", on: true }), late]);
    clearTimeout(timer);
  }

  /** Whatever pulse could not remove, because it was killed. */
  async #removeAddresses(): Promise<void> {
    this.#context.gate.shutAll();
    const removals = this.#orders.groups.flatMap((group) =>
      group.virtualRouters.flatMap((router) => {
        const link = this.#context.links.get(router.device);
        return link === undefined
          ? []
          : router.addresses.map((vip) => {
              const { value } = vipOn(this.#orders.interfaces, router.device, vip);
              return this.#context.hal.network.deleteAddress(link.ifindex, value);
            });
      }),
    );
    // A link that vanished meanwhile took its addresses along.
    await Promise.allSettled(removals);
  }

  #onPulseEnd(reason: string): void {
    this.#strangeBeats = noStrangeBeats;
    this.#event("pulse-ended", undefined, reason, {});
    this.#announcer.stopAll();
    this.#input({ kind: "pulseEnded" });
    void this.#removeAddresses();
  }

  /** Everything that is not the election's to decide: the key, the paths, the plans. */
  #tellPulse(): void {
    const { hal, links } = this.#context;
    const setup = {
      requests: hal.requests,
      links,
      orders: this.#orders,
      pair: this.#pair,
      config: this.#config,
      beatKeys: this.#beatKeys,
    };
    for (const command of pulseSetup(setup)) this.#pulse.send(command);
  }

  #tellFitness(): void {
    this.#fitnessAt = this.#context.hal.clock.now();
    const fitness = fitnessOf(this.#fitness, needsOf(this.#orders), this.#fitnessAt);
    this.#input({ kind: "fitness", fitness });
  }

  #onReport(report: PulseReport): void {
    if (report.kind === "snapshot") this.#strangeBeats = noteStrangeBeats(this.#strangeBeats, report);
    this.#heard = report.kind === "executed" ? report.paths : undefined;
    this.#input({ kind: "report", report });
    this.#heard = undefined;
    if (report.kind !== "snapshot") return;
    this.#recorder.note(report);
    // From the first missing beat on each lease of a "safety" pair hangs on a fresh answer of a witness.
    const { beat } = this.#state.timing;
    const missing = !report.peerAlive || between(report.heardAt, report.at) > beat;
    this.#witnesses.hurry(missing && this.#config.safety ? Math.max(1, beat / 1_000) : undefined);
  }

  #input(input: PairInput): void {
    const now = this.#context.hal.clock.now();
    const result = step(this.#config, this.#state, input, now);
    this.#state = result.state;
    for (const action of result.actions) this.#carryOut(action);
    this.#commands.review(this.#state, now);
    this.#watchFor(now);
    this.#schedule(now);
    if (input.kind !== "witness") this.#context.onChange();
  }

  /** Tells the watch whose packets are right: this box's, and while the peer lives, the peer's. */
  #watchFor(now: Instant): void {
    const { snapshot } = this.#state;
    this.#sole = reviewSole(this.#sole, this.#config, this.#state, now);
    this.#presence.review(snapshot, this.#orders.interfaces);
    this.#watch.setHeld(soleGroups(this.#sole, now), snapshot?.peerAlive === true ? this.#presence.macs : new Set());
    this.#watch.setPeerLinkLocals(this.#presence.linkLocals);
  }

  #schedule(now: Instant): void {
    clearTimeout(this.#timer);
    if (this.#stopping) return;
    // Since the election heard of the fitness, not from now: a change that is due this very moment is not to be missed.
    const fitnessAt = nextFitnessTimeout(this.#fitness, this.#fitnessAt);
    const at = earliest(nextTimeout(this.#config, this.#state, now), fitnessAt) ?? now;
    this.#timer = setTimeout(
      () => {
        this.#tellFitness();
        this.#input({ kind: "timeout" });
      },
      Math.max(1, waitMillis(now, at)),
    );
  }

  #carryOut(action: PairAction): void {
    switch (action.kind) {
      case "pulse":
        return this.#pulse.send(action.command);
      case "announce":
        return this.#announce(action.slot);
      case "askWitnesses":
        return this.#witnesses.ask();
      case "transition":
        if (action.to !== "active") this.#announcer.stop(action.slot);
        this.#keeper.changedHands(action.group);
        if (action.from === "initialize" && action.to !== "active") this.#keeper.begunWithout(action.group);
        return this.#event("role", action.group, action.reason, this.#evidence(action), action);
      case "note":
        this.#commands.note(action);
        return this.#event(action.event, action.group, action.reason, action.evidence);
    }
  }

  #evidence({ group, evidence }: Extract<PairAction, { kind: "transition" }>): Evidence {
    const known = this.#orders.groups.find(({ name }) => name === group);
    return { ...evidence, ...roleEvidence(this.#orders, this.#state, known, this.#context.links, this.#heard) };
  }

  #announce(slot: number | undefined): void {
    const group = this.#orders.groups.find((entry) => this.#slots.get(entry.name) === slot);
    if (group !== undefined && slot !== undefined && !this.#stopping)
      this.#announcer.start(slot, group, this.#orders.interfaces);
  }

  #event(
    event: string,
    group: string | undefined,
    reason: string,
    evidence: Evidence,
    change: { readonly from?: string; readonly to?: string } = {},
  ): void {
    const { clock } = this.#context.hal;
    const now = clock.now();
    const recorded = event === "role" || event === "lease-lapsed";
    // Told a moment after it happened, which the evidence knows.
    const record = recorded ? this.#recorder.freeze(instant(Number(evidence["atMicros"] ?? now))) : undefined;
    const { from, to } = change;
    this.#context.onEvent({ at: wallTime(clock, now), event, group, from, to, reason, evidence, record });
  }
}
