/**
 * The sentinel of a box alone: plain VRRPv3 with whoever else is on the links. Runs the pure group machine of
 * firmware/standby/vrrp for each failover group against packet sockets, links, addresses and health.
 */
import { HalError } from "@futago/hal/contract/error.ts";
import type { AddressEntry, Link, NetworkEvent, Subscription } from "@futago/hal/contract/network.ts";
import { type Ifname, type InterfaceAddress } from "@futago/hal/units/address.ts";
import { toMillis } from "@futago/hal/units/time.ts";
import type { VrrpFrame } from "../../announce/vrrp-frame.ts";
import type { GroupOrders, Orders, VirtualRouterOrders } from "../../config/orders.ts";
import { CORE_ABSENCE, CORE_WEIGHT } from "../../standby/pair/fitness.ts";
import { type GroupAction, virtualRouterId } from "../../standby/vrrp/group-state.ts";
import { PRIORITY_OWNER } from "../../standby/vrrp/machine.ts";
import { listsAddresses, type ReceivedAdvertisement } from "../../standby/vrrp/packet.ts";
import type { Penalty, SentinelStatus } from "../messages.ts";
import { AloneGroup } from "./alone-group.ts";
import { primaryAddress } from "./alone-primary.ts";
import { AloneRouter } from "./alone-router.ts";
import { AloneSockets } from "./alone-sockets.ts";
import { aloneStatus, stateWord } from "./alone-status.ts";
import { AloneWatch } from "./alone-watch.ts";
import { GroupLease } from "./group-lease.ts";
import type { CommandAnswer, Mode, ModeCommand, ModeContext } from "./mode.ts";
import { Remarks } from "./remarks.ts";
import { wallTime } from "./wall-time.ts";

/** After the kernel refused an address, the virtual router stays out for this long. */
const REFUSAL_MILLIS = 5_000;
const HAND_OVER_MILLIS_MAX = 3_000;

export class AloneSentinel implements Mode {
  readonly #context: ModeContext;
  readonly #memory: Uint8Array;
  readonly #sockets: AloneSockets;
  readonly #watch: AloneWatch;
  readonly #remarks: Remarks;
  readonly #subscription: Subscription;
  readonly #groups = new Map<string, AloneGroup>();
  /** Virtual routers that are kept out after a refusal of the kernel, with its words. */
  readonly #refused = new Map<AloneRouter, { readonly sentence: string; readonly timer: NodeJS.Timeout }>();
  #orders: Orders;
  /** Undefined until the kernel has listed them: only then is it known from where to speak. */
  #addresses: readonly AddressEntry[] | undefined;
  #penalties: readonly Penalty[] = [];
  #corePenalty: Penalty | undefined;
  #coreTimer: NodeJS.Timeout | undefined;
  #maintenance = false;
  #stopping = false;

  constructor(context: ModeContext, orders: Orders, slots: ReadonlyMap<string, number>) {
    const { hal, links, gate } = context;
    this.#context = context;
    this.#memory = gate.memory;
    this.#orders = { ...orders, groups: [] };
    this.#remarks = new Remarks(hal.clock, context.onEvent);
    this.#sockets = new AloneSockets(hal.frames, {
      onAdvertisement: (device, advertisement, frame) => this.#onAdvertisement(device, advertisement, frame),
      onRefusal: (device, reason, frame) => this.#remarks.refused(device, reason, frame),
      onNeighbourTalk: (device, packet) => this.#watch.observe(device, packet),
      onChange: () => this.linksChanged(),
    });
    this.#watch = new AloneWatch({
      clock: hal.clock,
      links,
      interfaces: () => this.#orders.interfaces,
      groups: () => [...this.#groups.values()],
    });
    this.#subscription = hal.network.subscribe((event) => this.#onNetwork(event));
    this.setOrders(orders, slots);
    void this.#listAddresses();
  }

  /** How many packets were accepted by checksum reading and refused by reason. */
  get counters(): Readonly<Record<string, number>> {
    let sendFailures = 0;
    for (const group of this.#groups.values()) sendFailures += group.sendFailures;
    return { ...this.#remarks.counters, "send-failed": sendFailures };
  }

  setOrders(orders: Orders, slots: ReadonlyMap<string, number>): void {
    this.#orders = orders;
    for (const [name, group] of this.#groups) {
      if (!orders.groups.some((each) => each.name === name && slots.has(name))) this.#dropGroup(group);
    }
    this.#openSockets();
    for (const each of orders.groups) {
      const slot = slots.get(each.name);
      if (slot === undefined) continue;
      const known = this.#groups.get(each.name);
      if (known === undefined) this.#addGroup(each, slot);
      else this.#configureGroup(known, each);
    }
    this.#review();
  }

  setConnectionsTold(): void {
    // There is nobody to tell.
  }

  setBeatKeys(): void {
    // There is nobody to hear.
  }

  setPenalties(penalties: readonly Penalty[]): void {
    this.#penalties = penalties;
    this.#review();
  }

  hearStale(): void {
    // From a peer that it had a moment ago; alone nobody's hosts but its own are its business.
  }

  setCoreConnected(connected: boolean): void {
    clearTimeout(this.#coreTimer);
    const sentence = "core is not running";
    const penalty: Penalty = { group: undefined, cause: "core", weight: CORE_WEIGHT, sentence };
    const note = (next: Penalty | undefined) => {
      this.#corePenalty = next;
      this.#review();
    };
    if (connected) note(undefined);
    else this.#coreTimer = setTimeout(() => note(penalty), toMillis(CORE_ABSENCE));
  }

  linksChanged(): void {
    this.#openSockets();
    this.#review();
  }

  async command(command: ModeCommand): Promise<CommandAnswer> {
    switch (command.kind) {
      case "switchover":
        return this.#switchover(command.group);
      case "maintenance":
        return this.#setMaintenance(command.on);
    }
  }

  status(): SentinelStatus {
    return aloneStatus({
      clock: this.#context.hal.clock,
      groups: [...this.#groups.values()],
      maintenance: this.#maintenance,
      penalties: this.#allPenalties(),
      watchAlarms: this.#watch.alarms(),
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#coreTimer);
    for (const { timer } of this.#refused.values()) clearTimeout(timer);
    const groups = [...this.#groups.values()];
    await this.#offerAll(groups, "this box stops");
    await Promise.all(groups.map((group) => this.#endGroup(group)));
    this.#groups.clear();
    this.#subscription.close();
    this.#sockets.close();
  }

  async #switchover(name: string | undefined): Promise<CommandAnswer> {
    const groups = [...this.#groups.values()].filter((group) => name === undefined || group.name === name);
    if (groups.length === 0) return answer(1, `there is no failover group ${name ?? ""}`);
    const mine = groups.filter((group) => group.state.kind === "active");
    if (mine.length === 0) {
      return answer(5, "this box is alone and not active; ask the router that is active to hand over");
    }
    await this.#offerAll(mine, "a switch-over was asked for");
    const kept = mine.filter((group) => group.state.kind === "active").map((group) => group.name);
    if (kept.length > 0) return answer(5, `no other router took ${kept.join(", ")} over; it stays here`);
    return answer(0, `handed over: ${mine.map((group) => group.name).join(", ")}`);
  }

  async #setMaintenance(on: boolean): Promise<CommandAnswer> {
    if (on === this.#maintenance) return answer(0, `maintenance is ${on ? "on" : "off"} already`);
    this.#maintenance = on;
    const groups = [...this.#groups.values()];
    if (!on) {
      for (const group of groups) this.#startGroup(group);
      return answer(0, "maintenance is off; this box takes part again");
    }
    await this.#offerAll(groups, "maintenance");
    await Promise.all(groups.map((group) => group.shutdown()));
    return answer(0, "maintenance is on; this box holds no role");
  }

  /** Planned hand-over, as long as it may take. */
  async #offerAll(groups: readonly AloneGroup[], sentence: string): Promise<void> {
    const offers = Promise.all(groups.map((group) => group.handOver(sentence)));
    let late: NodeJS.Timeout | undefined;
    const limit = new Promise((resolve) => {
      late = setTimeout(resolve, HAND_OVER_MILLIS_MAX);
    });
    await Promise.race([offers, limit]);
    clearTimeout(late);
  }

  #addGroup(orders: GroupOrders, slot: number): void {
    const { hal, onChange } = this.#context;
    const routers = orders.virtualRouters.map((each) => this.#newRouter(each));
    const context = {
      clock: hal.clock,
      lease: new GroupLease(this.#memory, slot),
      framesReceived: () => this.#sockets.received,
      onAction: (group: AloneGroup, action: Extract<GroupAction, { kind: "transition" | "note" }>) =>
        this.#onGroupAction(group, action),
      onChange,
    };
    const group = new AloneGroup(context, orders, routers);
    this.#groups.set(orders.name, group);
    // An earlier run that was killed may have left the addresses behind.
    for (const router of routers) router.remove();
    this.#reviewGroup(group);
    this.#startGroup(group);
  }

  #startGroup(group: AloneGroup): void {
    if (!this.#maintenance && this.#addresses !== undefined) group.input({ kind: "startup" });
  }

  #configureGroup(group: AloneGroup, orders: GroupOrders): void {
    const before = group.routers;
    const routers = orders.virtualRouters.map((each) => {
      const router = group.router(virtualRouterId(each.device, each.family, each.vrid));
      router?.configure(each, this.#own(each.device));
      return router ?? this.#newRouter(each);
    });
    group.configure(orders, routers);
    for (const router of before) if (!routers.includes(router)) void this.#closeRouter(router);
  }

  #newRouter(orders: VirtualRouterOrders): AloneRouter {
    const { hal, links } = this.#context;
    const context = {
      hal,
      links,
      socket: (device: Ifname) => this.#sockets.sender(device),
      onRefused: (router: AloneRouter, error: Error) => this.#onRefused(router, error),
    };
    return new AloneRouter(context, orders, this.#own(orders.device));
  }

  #dropGroup(group: AloneGroup): void {
    this.#groups.delete(group.name);
    void this.#endGroup(group);
  }

  async #endGroup(group: AloneGroup): Promise<void> {
    await group.shutdown();
    group.close();
    await Promise.all(group.routers.map((router) => this.#closeRouter(router)));
  }

  async #closeRouter(router: AloneRouter): Promise<void> {
    clearTimeout(this.#refused.get(router)?.timer);
    this.#refused.delete(router);
    await router.close();
  }

  #own(device: Ifname): readonly InterfaceAddress[] {
    return this.#orders.interfaces.find((entry) => entry.device === device)?.addresses ?? [];
  }

  #openSockets(): void {
    const devices = new Set(this.#orders.groups.flatMap((group) => group.virtualRouters.map((each) => each.device)));
    const links = [...devices].flatMap((device): readonly Link[] => {
      const link = this.#context.links.get(device);
      return link === undefined ? [] : [link];
    });
    try {
      this.#sockets.configure(links);
    } catch (error) {
      if (!(error instanceof HalError)) throw error;
      this.#remarks.say("socket-refused", error.message);
    }
  }

  /** Gives every group what changed of its links and its health. */
  #review(): void {
    if (this.#stopping) return;
    for (const group of this.#groups.values()) this.#reviewGroup(group);
    this.#context.onChange();
  }

  #reviewGroup(group: AloneGroup): void {
    for (const router of group.routers) {
      const { id } = router;
      const obstacle = this.#obstacle(router);
      if (router.primaryAddress === undefined) group.input({ kind: "linkLost", id, sentence: obstacle });
      else group.input({ kind: "linkBack", id, primaryAddress: router.primaryAddress });
    }
    const orders = this.#orders.groups.find((each) => each.name === group.name);
    if (orders === undefined) return;
    const causes = this.#allPenalties().filter((one) => one.group === undefined || one.group === group.name);
    const cost = causes.reduce((sum, cause) => sum + cause.weight, 0);
    const heaviest = causes.toSorted((a, b) => b.weight - a.weight)[0];
    const priority = orders.priority === PRIORITY_OWNER ? PRIORITY_OWNER : Math.max(1, orders.priority - cost);
    group.input({ kind: "priorityChanged", priority, sentence: heaviest?.sentence ?? "healthy" });
  }

  /** Sets the router's primary address, or says why it has none. */
  #obstacle(router: AloneRouter): string {
    const { device } = router.orders;
    const link = this.#context.links.get(device);
    const own = this.#own(device);
    const source = link === undefined ? undefined : primaryAddress(router.orders, own, link, this.#addresses ?? []);
    const refusal = this.#refused.get(router)?.sentence;
    const ready = link?.carrier === true && refusal === undefined && this.#sockets.sender(device) !== undefined;
    router.primaryAddress = ready ? source : undefined;
    if (link === undefined) return `${device} does not exist`;
    if (!link.carrier) return `${device} has no carrier`;
    if (refusal !== undefined) return refusal;
    return source === undefined ? `${device} has no address to speak from` : `${device} has no packet socket`;
  }

  #allPenalties(): readonly Penalty[] {
    return this.#corePenalty === undefined ? this.#penalties : [this.#corePenalty, ...this.#penalties];
  }

  #onNetwork(event: NetworkEvent): void {
    if (event.kind === "addressGone") {
      const { address } = event.entry;
      for (const group of this.#groups.values()) for (const router of group.routers) router.addressGone(address);
    }
    if (event.kind === "address" || event.kind === "addressGone" || event.kind === "overrun")
      void this.#listAddresses();
  }

  async #listAddresses(): Promise<void> {
    const first = this.#addresses === undefined;
    try {
      this.#addresses = await this.#context.hal.network.addresses();
    } catch (error) {
      if (!(error instanceof HalError)) throw error;
      return this.#remarks.say("addresses-unknown", error.message);
    }
    if (this.#stopping) return;
    this.#review();
    if (first) for (const group of this.#groups.values()) this.#startGroup(group);
  }

  #onRefused(router: AloneRouter, error: Error): void {
    const sentence = `${router.id}: ${error.message}`;
    this.#remarks.say("address-refused", sentence);
    if (this.#stopping) return;
    clearTimeout(this.#refused.get(router)?.timer);
    const timer = setTimeout(() => {
      this.#refused.delete(router);
      this.#review();
    }, REFUSAL_MILLIS);
    this.#refused.set(router, { sentence, timer });
    this.#review();
  }

  #onAdvertisement(device: Ifname, heard: ReceivedAdvertisement, frame: VrrpFrame): void {
    const id = virtualRouterId(device, heard.family, heard.vrid);
    const group = [...this.#groups.values()].find((each) => each.router(id) !== undefined);
    const router = group?.router(id);
    if (group === undefined || router === undefined) return this.#remarks.refused(device, "vrid-unknown", frame);
    if (heard.source === router.primaryAddress) return this.#remarks.count("own-packet");
    this.#remarks.accepted(heard);
    const { advertisementIntervalMs } = router.orders;
    if (toMillis(heard.maxAdvertiseInterval) !== advertisementIntervalMs) {
      const theirs = `${heard.source} on ${id} advertises every ${toMillis(heard.maxAdvertiseInterval)} ms`;
      this.#remarks.say("interval-differs", `${theirs}, this box every ${advertisementIntervalMs} ms`, id);
    }
    if (!listsAddresses(heard, router.addresses)) {
      const sentence = `${heard.source} on ${id} advertises ${heard.addresses.join(", ")}, this box has ${router.addresses.join(", ")}`;
      this.#remarks.say("addresses-differ", sentence, id);
    }
    if (group.priority === PRIORITY_OWNER) {
      this.#remarks.say("owner-contested", `${heard.source} advertises ${id}, whose addresses this box owns`, id);
    }
    const { priority, source, maxAdvertiseInterval } = heard;
    group.input({ kind: "advertisement", id, heard: { priority, source, maxAdvertiseInterval } });
  }

  #onGroupAction(group: AloneGroup, action: Extract<GroupAction, { kind: "transition" | "note" }>): void {
    const { clock } = this.#context.hal;
    const moved = action.kind === "transition";
    this.#context.onEvent({
      at: wallTime(clock, clock.now()),
      event: moved ? "role" : `role-${action.event}`,
      group: group.name,
      from: moved ? stateWord(action.from, this.#maintenance) : undefined,
      to: moved ? stateWord(action.to, this.#maintenance) : undefined,
      reason: action.reason,
      evidence: { priority: group.priority },
    });
  }
}

function answer(exitCode: number, message: string): CommandAnswer {
  return { ok: exitCode === 0, message, exitCode };
}
