/**
 * One failover group of a box alone: gives the pure group machine its inputs and carries out what it says. Its
 * virtual routers' addresses and frames are AloneRouter's.
 */
import { HalError } from "@futago/hal/contract/error.ts";
import type { Clock } from "@futago/hal/contract/machine.ts";
import { type Instant, millis } from "@futago/hal/units/time.ts";
import type { GroupOrders } from "../../config/orders.ts";
import {
  effectivePriority,
  type GroupAction,
  type GroupConfig,
  type GroupInput,
  type GroupState,
  type GroupStep,
  initialGroup,
  nextTimeout,
  type VirtualRouterId,
} from "../../standby/vrrp/group-state.ts";
import { step } from "../../standby/vrrp/group.ts";
import { reconfigure } from "../../standby/vrrp/reconfigure.ts";
import type { AloneRouter } from "./alone-router.ts";
import type { GroupLease } from "./group-lease.ts";
import { waitMillis } from "./wait.ts";

/** A socket that never runs empty is a flood; then the timer is believed all the same. */
const DRAIN_ROUNDS_MAX = 64;

export interface AloneGroupContext {
  readonly clock: Clock;
  readonly lease: GroupLease;
  /** How many frames the box has received so far, on any socket. */
  readonly framesReceived: () => number;
  readonly onAction: (group: AloneGroup, action: Extract<GroupAction, { kind: "transition" | "note" }>) => void;
  readonly onChange: () => void;
}

export class AloneGroup {
  readonly name: string;
  readonly #context: AloneGroupContext;
  readonly #routers = new Map<VirtualRouterId, AloneRouter>();
  #config: GroupConfig;
  #state: GroupState;
  #timer: NodeJS.Timeout | undefined;
  #draining = false;
  #closed = false;
  #sendFailures = 0;
  #waiters: (() => void)[] = [];

  constructor(context: AloneGroupContext, orders: GroupOrders, routers: readonly AloneRouter[]) {
    this.name = orders.name;
    this.#context = context;
    this.#config = groupConfig(orders, routers);
    this.#state = initialGroup(this.#config, context.clock.now());
    for (const router of routers) this.#routers.set(router.id, router);
  }

  get state(): GroupState {
    return this.#state;
  }

  get routers(): readonly AloneRouter[] {
    return [...this.#routers.values()];
  }

  get priority(): number {
    return effectivePriority(this.#state);
  }

  get sendFailures(): number {
    return this.#sendFailures;
  }

  router(id: VirtualRouterId): AloneRouter | undefined {
    return this.#routers.get(id);
  }

  answering(now: Instant): boolean {
    return this.#state.kind === "active" && this.#state.leaseUntil > now;
  }

  input(input: GroupInput): void {
    if (this.#closed) return;
    this.#take(step(this.#config, this.#state, input, this.#context.clock.now()));
  }

  /** Virtual routers that are gone give up while they still have their socket; the caller closes them afterwards. */
  configure(orders: GroupOrders, routers: readonly AloneRouter[]): void {
    const config = groupConfig(orders, routers);
    const result = reconfigure(config, this.#state, this.#context.clock.now());
    for (const router of routers) this.#routers.set(router.id, router);
    this.#config = config;
    this.#take(result);
    const stays = new Set(routers);
    for (const [id, router] of this.#routers) if (!stays.has(router)) this.#routers.delete(id);
  }

  /** Offers the role and resolves when somebody took it or nobody did. */
  async handOver(sentence: string): Promise<void> {
    if (this.#state.kind !== "active") return;
    this.input({ kind: "handOver", sentence });
    while (this.#state.kind === "active" && this.#state.offer !== undefined && !this.#closed) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  /** Gives the role up and resolves when the addresses are gone. */
  async shutdown(): Promise<void> {
    this.input({ kind: "shutdown" });
    await Promise.all(this.routers.map((router) => router.settled()));
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#context.lease.drop();
    this.#wakeWaiters();
  }

  #take(result: GroupStep): void {
    const before = this.#state;
    this.#state = result.state;
    this.#carryOutAll(result.actions);
    this.#schedule();
    if (before.kind !== result.state.kind) this.#context.onChange();
    this.#wakeWaiters();
  }

  #carryOutAll(actions: readonly GroupAction[]): void {
    let allSent = true;
    for (const action of actions) {
      if (action.kind === "sendAdvertisement") allSent = this.#send(action.id, action.priority) && allSent;
      // What nobody could hear is no proof of life.
      else if (action.kind !== "grantLease" || allSent) this.#carryOut(action);
    }
    if (!allSent && this.#state.kind === "active") {
      this.#state = step(this.#config, this.#state, { kind: "sendFailed" }, this.#context.clock.now()).state;
    }
  }

  #carryOut(action: Exclude<GroupAction, { kind: "sendAdvertisement" }>): void {
    switch (action.kind) {
      case "installAddresses":
        return this.#routers.get(action.id)?.install();
      case "removeAddresses":
        return this.#routers.get(action.id)?.remove();
      case "announce":
        return this.#routers.get(action.id)?.announce();
      case "grantLease":
        return this.#context.lease.grant(action.until);
      case "dropLease":
        return this.#context.lease.drop();
      case "drainSockets":
        return this.#drain();
      case "transition":
      case "note":
        return this.#context.onAction(this, action);
    }
  }

  #send(id: VirtualRouterId, priority: number): boolean {
    try {
      if (this.#routers.get(id)?.advertise(priority) === true) return true;
    } catch (error) {
      if (!(error instanceof HalError)) throw error;
    }
    this.#sendFailures += 1;
    return false;
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const at = this.#closed || this.#draining ? undefined : nextTimeout(this.#state);
    if (at === undefined) return;
    const wait = waitMillis(this.#context.clock.now(), at);
    this.#timer = setTimeout(() => this.input({ kind: "timeout", drained: false }), wait);
  }

  /**
   * Lets the event loop read the sockets until a round brought nothing more, then repeats the timeout. Silence is
   * proof only when nothing was waiting (the peer's queued advertisements show that we were late, not it).
   */
  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    let rounds = 0;
    let received = this.#context.framesReceived();
    const round = () => {
      const count = this.#context.framesReceived();
      // The first immediate may run before the loop looked at the sockets; the second cannot.
      if (rounds++ < 1 || (count !== received && rounds < DRAIN_ROUNDS_MAX)) {
        received = count;
        setImmediate(round);
        return;
      }
      this.#draining = false;
      this.input({ kind: "timeout", drained: true });
    };
    setImmediate(round);
  }

  #wakeWaiters(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}

function groupConfig(orders: GroupOrders, routers: readonly AloneRouter[]): GroupConfig {
  return {
    preemptMode: orders.preempt,
    priority: orders.priority,
    virtualRouters: orders.virtualRouters.flatMap((each) => {
      const router = routers.find((one) => one.orders.device === each.device && isSame(one, each.vrid, each.family));
      if (router === undefined) return [];
      return [{ id: router.id, advertisementInterval: millis(each.advertisementIntervalMs) }];
    }),
  };
}

function isSame(router: AloneRouter, vrid: number, family: string): boolean {
  return router.orders.vrid === vrid && router.orders.family === family;
}
