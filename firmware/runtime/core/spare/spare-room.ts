/**
 * Carries out who serves in a cold pair: remembers it, tells the peer, gives the sentinel its part and the network its
 * ports, and asks around when that must be proven. The rules are pair/spare's. On a hot pair, or a box alone, it does no
 * more than bring network and sentinel to the configuration.
 */
import type { Hal } from "@futago/hal/contract/hal.ts";
import { between, toMillis } from "@futago/hal/units/time.ts";
import { compileOrders } from "../../../config/compile-orders.ts";
import { compileSystem, type SystemOrders } from "../../../config/compile-system.ts";
import type { Orders } from "../../../config/orders.ts";
import type { Resolved } from "../../../config/resolved.ts";
import { spareAlarms } from "../../../pair/spare/refusals.ts";
import { nextTimeout, initialSpare, standing, step } from "../../../pair/spare/step.ts";
import type {
  Activation,
  Look,
  SpareAction,
  SpareConfig,
  SpareInput,
  SpareState,
  Standing,
} from "../../../pair/spare/types.ts";
import type { SentinelEvent, SentinelStatus } from "../../messages.ts";
import type { InForce } from "../configuration.ts";
import type { Log } from "../log.ts";
import { desiredNetwork } from "../network/desired.ts";
import type { NetworkKeeper } from "../network/network-keeper.ts";
import type { SentinelLink } from "../sentinel-link.ts";
import { addressesByPort, askAround } from "./dark-probe.ts";
import type { ActivationMemory } from "./activation-memory.ts";

export interface SpareRoomOptions {
  readonly hal: Pick<Hal, "clock" | "frames" | "network">;
  readonly log: Log;
  readonly memory: ActivationMemory;
  readonly network: Pick<NetworkKeeper, "apply">;
  readonly sentinel: Pick<SentinelLink, "sendOrders" | "command" | "connected">;
  readonly inForce: () => InForce | undefined;
  /** Changes of the kernel's network are made one after the other. */
  readonly inTurn: (change: () => Promise<void>) => Promise<void>;
  readonly tell: (activation: Activation) => void;
  readonly setAlarm: (kind: string, sentence: string | undefined) => void;
  readonly onEvent: (event: SentinelEvent) => void;
  readonly onChange: () => void;
}

const SENTINEL_MILLIS_MAX = 3_000;
const SENTINEL_LOOK_MILLIS = 20;
const ALONE: SpareConfig = { box: "a", cold: false, preferred: "a" };

export class SpareRoom {
  readonly #options: SpareRoomOptions;
  #config: SpareConfig = ALONE;
  #state: SpareState;
  /** Undefined until the first configuration is in force. */
  #applied: Standing | undefined;
  #role: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #waiting: (() => void)[] = [];
  #closed = false;

  constructor(options: SpareRoomOptions) {
    this.#options = options;
    this.#state = initialSpare(options.memory.activation);
  }

  get config(): SpareConfig {
    return this.#config;
  }

  get state(): SpareState {
    return this.#state;
  }

  /** Null where nothing is decided by people. */
  get shown(): Activation | null {
    return this.#config.cold ? this.#state.activation : null;
  }

  /** Brings network and sentinel to a configuration, as one change among others. */
  async stand(inForce: InForce): Promise<SystemOrders> {
    const before = this.#applied === undefined ? undefined : this.#config;
    const config = configOf(inForce.resolved);
    const isNew = config.cold && before?.cold !== true;
    const serving = isNew ? await this.#holds() : this.#state.serving;
    this.#config = config;
    this.#input({ kind: "configured", before, serving });
    return this.#bringTo(inForce);
  }

  /** As the sentinel says; undefined before it does. */
  get role(): string | undefined {
    return this.#role;
  }

  setStatus({ role, peer, alarms }: SentinelStatus): void {
    const isOther = role !== this.#role;
    this.#role = role;
    if (isOther) this.#setAlarms();
    const lost = alarms.some(({ kind }) => kind === "peer-lost");
    const heard = peer?.alive === true ? (peer.role === "active" ? "active" : "idle") : lost ? "silent" : "unknown";
    const serving = role === "active";
    if (serving !== this.#state.serving || heard !== this.#state.peer)
      this.#input({ kind: "sentinel", serving, peer: heard });
  }

  sentinelLost(): void {
    this.#input({ kind: "sentinelLost" });
  }

  setLink(up: boolean): void {
    this.#input({ kind: "link", up });
  }

  receive(activation: Activation): void {
    this.#input({ kind: "told", activation });
  }

  /** Asks around because a person wants to know; the ports are silent until the answer is dealt with. */
  async look(): Promise<Look> {
    this.#input({ kind: "look" });
    return this.#askAround();
  }

  /** What was asked leads to nothing: the ports are shut again. */
  async dismiss(look: Look): Promise<void> {
    this.#input({ kind: "looked", by: "person", look });
    await this.#options.inTurn(() => this.#apply());
  }

  /** What a person decided is on the disk when this resolves, and network and sentinel are at work. Throws StoreError. */
  async decide(activation: Activation, forced: Look | undefined): Promise<void> {
    await this.#options.memory.keep(activation);
    this.#input({ kind: "decided", activation, forced });
    await this.#options.inTurn(() => this.#apply());
  }

  /** Whether it comes true that the sentinel serves, or does not, within the time. */
  async until(serving: boolean, millis: number): Promise<boolean> {
    const deadline = performance.now() + millis;
    while (this.#state.serving !== serving) {
      const left = deadline - performance.now();
      if (left <= 0 || this.#closed) return false;
      await new Promise<void>((resolve) => {
        const late = setTimeout(resolve, left);
        this.#waiting.push(() => {
          clearTimeout(late);
          resolve();
        });
      });
    }
    return true;
  }

  /** For those who ask why. */
  tellWhy(event: string, reason: string, evidence: SentinelEvent["evidence"]): void {
    const at = new Date().toISOString();
    this.#options.onEvent({ at, event, group: undefined, from: undefined, to: undefined, reason, evidence });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#wake();
  }

  #input(input: SpareInput): void {
    if (this.#closed) return;
    const { clock } = this.#options.hal;
    const { state, actions } = step(this.#config, this.#state, input, clock.now());
    this.#state = state;
    for (const action of actions) this.#carryOut(action);
    this.#setTimer();
    this.#setAlarms();
    if (input.kind !== "configured" && this.#isBehind()) void this.#options.inTurn(() => this.#apply());
    this.#wake();
    this.#options.onChange();
  }

  #setAlarms(): void {
    const alarms = spareAlarms(this.#config, this.#state, this.#role === "maintenance");
    for (const [kind, sentence] of alarms) this.#options.setAlarm(kind, sentence);
  }

  #carryOut(action: SpareAction): void {
    switch (action.kind) {
      case "tell":
        return this.#options.tell(action.activation);
      case "keep": {
        const { activation } = action;
        this.#options.log.info("activation", { ...activation });
        this.#options.memory.keep(activation).catch((error: unknown) => {
          // It holds until core is started again; by then the peer tells it anew.
          this.#options.log.warn("activation-not-kept", { ...activation, error: String(error) });
        });
        return;
      }
      case "look":
        void this.#askAround().then((look) => {
          const answers = look.answers.map(({ address, mac, device }) => `${address} ${mac} ${device}`);
          this.#options.log.info("asked-around", { answers, unplugged: look.unplugged, asked: look.asked });
          return this.#input({ kind: "looked", by: "boot", look });
        });
    }
  }

  #setTimer(): void {
    clearTimeout(this.#timer);
    const at = nextTimeout(this.#state);
    if (at === undefined) return;
    const wait = Math.max(1, Math.ceil(toMillis(between(this.#options.hal.clock.now(), at))));
    this.#timer = setTimeout(() => this.#input({ kind: "timeout" }), wait);
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  async #askAround(): Promise<Look> {
    await this.#options.inTurn(() => this.#apply());
    const orders = this.#orders();
    if (orders === undefined) return { answers: [], unplugged: [], asked: 0 };
    return askAround(this.#options.hal, addressesByPort(orders));
  }

  #orders(): Orders | undefined {
    const inForce = this.#options.inForce();
    return inForce && compileOrders(inForce.resolved, inForce.revision.id, this.#standing.part);
  }

  get #standing(): Standing {
    return standing(this.#config, this.#state);
  }

  #isBehind(): boolean {
    const { part, ports } = this.#standing;
    return this.#applied !== undefined && (part !== this.#applied.part || ports !== this.#applied.ports);
  }

  async #apply(): Promise<void> {
    const inForce = this.#options.inForce();
    if (inForce !== undefined && this.#isBehind() && !this.#closed) await this.#bringTo(inForce);
  }

  async #bringTo({ resolved, revision }: InForce): Promise<SystemOrders> {
    const { network, sentinel } = this.#options;
    const now = this.#standing;
    this.#applied = now;
    const orders = compileOrders(resolved, revision.id, now.part);
    const system = compileSystem(resolved);
    // A spare lets go of what it holds before its ports are shut.
    if (now.part === "spare") sentinel.sendOrders(orders);
    await network.apply(desiredNetwork(system, orders, now.ports));
    if (now.part !== "spare") sentinel.sendOrders(orders);
    return system;
  }

  /** Whether the sentinel has served on while there was no core, or no cold pair. One that is not there holds nothing. */
  async #holds(): Promise<boolean> {
    const { sentinel } = this.#options;
    const deadline = performance.now() + SENTINEL_MILLIS_MAX;
    while (!sentinel.connected && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, SENTINEL_LOOK_MILLIS));
    }
    const answer = await sentinel.command({ kind: "holds" });
    return answer.ok && answer.message === "active";
  }
}

function configOf({ box, pair, groups }: Resolved): SpareConfig {
  if (box === undefined || pair === undefined) return ALONE;
  return { box, cold: pair.standby === "cold", preferred: groups[0]?.preferred ?? "a" };
}
