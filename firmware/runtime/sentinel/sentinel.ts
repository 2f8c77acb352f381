/** Puts the sentinel's parts together: the gate, the links, core's socket, and the mode that the orders ask for. */
import { join } from "node:path";
import type { BoardDescription } from "@futago/hal/contract/board.ts";
import type { Hal } from "@futago/hal/contract/hal.ts";
import type { Link, NetworkEvent, Subscription } from "@futago/hal/contract/network.ts";
import type { PulseLauncher } from "@futago/hal/contract/pulse.ts";
import type { Instant } from "@futago/hal/units/time.ts";
import type { Orders } from "../../config/orders.ts";
import { assignSlots } from "../../standby/identity.ts";
import type { HowBoxEnds } from "../hardware/end.ts";
import type {
  CoreToSentinel,
  Penalty,
  SentinelCommand,
  SentinelStatus,
  SentinelToCore,
  StaleSighting,
} from "../messages.ts";
import { AloneSentinel } from "./alone.ts";
import { readCpuTimes } from "./cpu-times.ts";
import { GATE_GROUPS_MAX, Gate } from "./gate.ts";
import { SentinelHardware } from "./hardware.ts";
import type { BeatKeys, CommandAnswer, Mode, ModeContext } from "./mode.ts";
import { PairedSentinel } from "./paired.ts";
import { PulseWatch } from "./pulse-watch.ts";
import { SentinelServer } from "./server.ts";

const STATUS_MILLIS = 1_000;
/** Changes come in bursts; one status serves them all. */
const STATUS_AFTER_CHANGE_MILLIS = 5;

export interface SentinelOptions {
  readonly hal: Hal;
  readonly launcher: PulseLauncher;
  /** Of the heartbeats; undefined on a box that is not of a pair. */
  readonly beatKeys: () => BeatKeys | undefined;
  readonly stateDirectory: string;
  readonly bpfDirectory: string;
  /** Undefined where the machine is not the box's own: nothing of it is touched then. */
  readonly board?: BoardDescription | undefined;
}

export class Sentinel {
  readonly #options: SentinelOptions;
  readonly #gate: Gate;
  readonly #server: SentinelServer;
  readonly #links = new Map<string, Link>();
  readonly #pulse: PulseWatch;
  readonly #hardware: SentinelHardware | undefined;
  #subscription: Subscription | undefined;
  #mode: Mode | undefined;
  #orders: Orders | undefined;
  /** The orders that the mode was given last. */
  #followed: Orders | undefined;
  #slots: ReadonlyMap<string, number> = new Map();
  #penalties: readonly Penalty[] = [];
  #told = true;
  #coreConnected = false;
  /** Somebody's wish, whichever mode there is to carry it out. */
  #maintenance = false;
  /** Modes follow one another: the next begins when the one before has let go of everything. */
  #turn: Promise<void> = Promise.resolve();
  #followingSince: Instant | undefined;
  #stopping = false;
  #statusTimer: NodeJS.Timeout | undefined;
  #changeTimer: NodeJS.Timeout | undefined;

  constructor(options: SentinelOptions) {
    this.#options = options;
    this.#gate = new Gate(options.hal.bpf, options.bpfDirectory);
    // Whatever an earlier run left: nobody holds a lease that this one has not given.
    this.#gate.shutAll();
    this.#server = new SentinelServer(join(options.stateDirectory, "sentinel.sock"), {
      onMessage: (message, answer) => this.#onMessage(message, answer),
      onCore: (connected) => this.#onCore(connected),
    });
    const { board, hal } = options;
    this.#pulse = new PulseWatch(hal.clock);
    this.#hardware = board && new SentinelHardware(hal.board, hal.clock, board, () => this.#reportHardware());
  }

  async start(): Promise<void> {
    const { network } = this.#options.hal;
    this.#subscription = network.subscribe((event) => this.#onNetwork(event));
    await this.#listLinks();
    await this.#server.listen();
    this.#lookAtHardware();
    this.#statusTimer = setInterval(() => {
      this.#lookAtGate();
      this.#sendStatus();
      // Last, so that the watchdog is fed by a turn that has done its work.
      this.#lookAtHardware();
    }, STATUS_MILLIS);
  }

  /** `how` is known at the latest when it has handed over. */
  async stop(how: () => Promise<HowBoxEnds | undefined> = () => Promise.resolve(undefined)): Promise<void> {
    clearInterval(this.#statusTimer);
    this.#lookAtHardware();
    this.#stopping = true;
    await this.#turn;
    await this.#mode?.stop();
    this.#sendStatus();
    clearTimeout(this.#changeTimer);
    this.#subscription?.close();
    this.#server.close();
    this.#gate.close();
    this.#hardware?.end(await how());
  }

  #reportHardware(): void {
    if (this.#hardware !== undefined) this.#server.hardware(this.#hardware.report);
  }

  #lookAtHardware(): void {
    const pulseSilence = this.#pulse.silence(this.#options.hal.clock.now());
    this.#hardware?.look({ pulseSilence, followingSince: this.#followingSince });
  }

  #onCore(connected: boolean): void {
    this.#coreConnected = connected;
    // Whatever a core wanted to be seen is gone with it.
    this.#hardware?.override(undefined);
    if (connected) {
      this.#reportHardware();
      // A core that was just started says so first thing when it is otherwise.
      this.#told = true;
      this.#mode?.setConnectionsTold(true);
      // A box that was paired, or paired anew, starts its core again.
      this.#mode?.setBeatKeys(this.#options.beatKeys());
    }
    this.#mode?.setCoreConnected(connected);
    if (connected) this.#sendStatus();
  }

  #onMessage(message: CoreToSentinel, answer: (reply: SentinelToCore) => void): void {
    switch (message.kind) {
      case "orders":
        return this.#obey(message.orders);
      case "health":
        this.#penalties = message.penalties;
        return this.#mode?.setPenalties(message.penalties);
      case "connections":
        this.#told = message.told;
        return this.#mode?.setConnectionsTold(message.told);
      case "stale":
        return this.#mode?.hearStale(message.hosts);
      case "alive":
        return;
      case "light":
        return this.#hardware?.override(message.light ?? undefined);
      case "command": {
        const { id, command } = message;
        if (command.kind === "maintenance") this.#maintenance = command.on;
        void this.#command(command).then((result) => answer({ kind: "result", id, ...result }));
      }
    }
  }

  async #command(command: SentinelCommand): Promise<CommandAnswer> {
    if (command.kind === "holds") {
      const message = this.#mode?.status().role === "active" ? "active" : "nothing";
      return { ok: true, message, exitCode: 0 };
    }
    if (this.#mode !== undefined) return this.#mode.command(command);
    // Core repeats maintenance first thing, maybe before its orders: it is in force from the first moment then.
    if (command.kind === "maintenance") return { ok: true, message: "noted", exitCode: 0 };
    return { ok: false, message: "the sentinel has no orders yet; try again", exitCode: 1 };
  }

  #obey(orders: Orders): void {
    if (this.#stopping || (this.#orders !== undefined && JSON.stringify(this.#orders) === JSON.stringify(orders)))
      return;
    this.#orders = orders;
    this.#slots = assignSlots(
      this.#slots,
      orders.groups.map((group) => group.name),
      GATE_GROUPS_MAX,
    );
    this.#standGate();
    this.#turn = this.#turn.then(() => this.#takeTurn());
    this.#changed();
  }

  /** How long it takes is a sign of life. */
  async #takeTurn(): Promise<void> {
    this.#followingSince = this.#options.hal.clock.now();
    await this.#follow();
    this.#followingSince = undefined;
  }

  /** Brings the mode to the newest orders. From alone to paired or back, the old one lets go before the new one begins. */
  async #follow(): Promise<void> {
    const orders = this.#orders;
    if (this.#stopping || orders === undefined || orders === this.#followed) return;
    const sameKind =
      this.#followed !== undefined && (this.#followed.pair === undefined) === (orders.pair === undefined);
    this.#followed = orders;
    if (this.#mode !== undefined && sameKind) return this.#mode.setOrders(orders, this.#slots);
    const old = this.#mode;
    this.#mode = undefined;
    await old?.stop();
    if (this.#stopping) return;
    // Others may have come meanwhile; their turn is next.
    const mode = this.#makeMode(orders);
    this.#mode = mode;
    mode.setPenalties(this.#penalties);
    mode.setConnectionsTold(this.#told);
    mode.setCoreConnected(this.#coreConnected);
    if (this.#maintenance) void mode.command({ kind: "maintenance", on: true });
  }

  #makeMode(orders: Orders): Mode {
    const context: ModeContext = {
      hal: this.#options.hal,
      gate: this.#gate,
      links: this.#links,
      onEvent: (event) => this.#server.event(event),
      onChange: () => this.#changed(),
    };
    const { pair } = orders;
    if (pair === undefined) return new AloneSentinel(context, orders, this.#slots);
    const launcher = this.#pulse.listenTo(this.#options.launcher);
    const beatKeys = this.#options.beatKeys();
    // Core refuses a pair without a key before it sends orders; without one no heartbeat could be told from a forgery.
    if (beatKeys === undefined) throw new Error("orders for a pair on a box that has no pair key");
    const onStale = (hosts: readonly StaleSighting[]) => this.#server.stale(hosts);
    const options = { launcher, beatKeys, onStale, cpuTimes: readCpuTimes };
    return new PairedSentinel(context, options, { ...orders, pair }, this.#slots);
  }

  /** Which address belongs to which group, and the devices the gate stands on. */
  #standGate(): void {
    const groups = this.#orders?.groups ?? [];
    const addresses = groups.flatMap((group) => {
      const slot = this.#slots.get(group.name);
      if (slot === undefined) return [];
      return group.virtualRouters.flatMap((router) => router.addresses.map((vip) => ({ address: vip.address, slot })));
    });
    const devices = new Set(groups.flatMap((group) => group.virtualRouters.map((router) => router.device)));
    this.#gate.setAddresses(addresses);
    this.#gate.setDevices([...devices].flatMap((device) => this.#links.get(device)?.ifindex ?? []));
  }

  #lookAtGate(): void {
    for (const { ifindex, refusal } of this.#gate.restore()) {
      const device = [...this.#links.values()].find((link) => link.ifindex === ifindex)?.ifname ?? `link ${ifindex}`;
      this.#server.event({
        at: new Date().toISOString(),
        event: refusal === undefined ? "gate-restored" : "gate-refused",
        group: undefined,
        from: undefined,
        to: undefined,
        reason: refusal ?? "somebody took the gate off the device",
        evidence: { device },
      });
    }
  }

  async #listLinks(): Promise<void> {
    const links = await this.#options.hal.network.links();
    this.#links.clear();
    for (const link of links) this.#links.set(link.ifname, link);
    this.#linksChanged();
  }

  #onNetwork(event: NetworkEvent): void {
    switch (event.kind) {
      case "link": {
        const known = this.#links.get(event.link.ifname);
        if (known !== undefined && JSON.stringify(known) === JSON.stringify(event.link)) return;
        for (const [name, link] of this.#links) if (link.ifindex === event.link.ifindex) this.#links.delete(name);
        this.#links.set(event.link.ifname, event.link);
        return this.#linksChanged();
      }
      case "linkGone":
        this.#links.delete(event.ifname);
        this.#gate.forgetDevice(event.ifindex);
        return this.#linksChanged();
      case "overrun":
        void this.#listLinks();
        return;
      case "address":
      case "addressGone":
      case "route":
      case "routeGone":
      case "neighbour":
      case "neighbourGone":
        return;
    }
  }

  #linksChanged(): void {
    this.#standGate();
    this.#mode?.linksChanged();
    this.#changed();
  }

  #changed(): void {
    this.#changeTimer ??= setTimeout(() => {
      this.#changeTimer = undefined;
      this.#sendStatus();
    }, STATUS_AFTER_CHANGE_MILLIS);
  }

  #sendStatus(): void {
    const status: SentinelStatus | undefined = this.#mode?.status();
    this.#hardware?.setRole(status?.role);
    if (status !== undefined) this.#server.status(status);
  }
}
