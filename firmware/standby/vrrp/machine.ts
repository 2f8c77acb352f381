/**
 * RFC 9568's state machine for one virtual router, as a pure step function.
 *
 * Takes the present state, one input and the time; returns the next state and the actions in the order they must
 * be carried out. It knows no group: `group.ts` couples the machines of virtual routers that move together.
 *
 * @see RFC 9568 §6.1 (parameters), §6.4 (states)
 */
import { addressBytes, type IpAddress } from "@futago/hal/units/address.ts";
import { after, between, micros, type Instant, type Micros } from "@futago/hal/units/time.ts";

export const PRIORITY_RELEASE = 0;
export const PRIORITY_OWNER = 255;

export interface VirtualRouterConfig {
  /** 1 to 254, or 255 for the router that owns the addresses (§5.2.4). */
  readonly priority: number;
  readonly advertisementInterval: Micros;
  readonly preemptMode: boolean;
  /** The source of our own advertisements and our side of the tie-break. */
  readonly primaryAddress: IpAddress;
}

export type State =
  | { readonly kind: "initialize" }
  | { readonly kind: "backup"; readonly activeAdverInterval: Micros; readonly activeDownAt: Instant }
  | { readonly kind: "active"; readonly adverAt: Instant };

export type BackupState = Extract<State, { kind: "backup" }>;
export type ActiveState = Extract<State, { kind: "active" }>;

export interface HeardAdvertisement {
  readonly priority: number;
  readonly source: IpAddress;
  readonly maxAdvertiseInterval: Micros;
}

export type Input =
  | { readonly kind: "startup" }
  | { readonly kind: "shutdown" }
  /**
   * The wake-up that {@link nextTimeout} asked for. `drained`: every packet that was waiting when we woke has been
   * given to step, so silence is a fact and not our own lateness.
   */
  | { readonly kind: "timeout"; readonly drained: boolean }
  | ({ readonly kind: "advertisement" } & HeardAdvertisement);

export type Action =
  | { readonly kind: "sendAdvertisement"; readonly priority: number }
  | { readonly kind: "installAddresses" }
  | { readonly kind: "removeAddresses" }
  /** Gratuitous ARP or unsolicited NA, once the addresses are installed. */
  | { readonly kind: "announce" }
  /** Read the socket until it is empty, give step what came, then a timeout with `drained`. */
  | { readonly kind: "drainSocket" };

export interface Step {
  readonly state: State;
  readonly actions: readonly Action[];
}

/** Skew_Time: the lower the priority, the longer the wait. Exact to the microsecond. @see RFC 9568 §6.1 */
export function skewTime(priority: number, activeAdverInterval: Micros): Micros {
  return micros(((256 - priority) * activeAdverInterval) / 256);
}

/** Active_Down_Interval. @see RFC 9568 §6.1 */
export function activeDownInterval(priority: number, activeAdverInterval: Micros): Micros {
  return micros(3 * activeAdverInterval + skewTime(priority, activeAdverInterval));
}

/** When step must next be called with a timeout; undefined while idle. */
export function nextTimeout(state: State): Instant | undefined {
  switch (state.kind) {
    case "initialize":
      return undefined;
    case "backup":
      return state.activeDownAt;
    case "active":
      return state.adverAt;
  }
}

export function step(config: VirtualRouterConfig, state: State, input: Input, now: Instant): Step {
  switch (state.kind) {
    case "initialize":
      return stepInitialize(config, state, input, now);
    case "backup":
      return stepBackup(config, state, input, now);
    case "active":
      return stepActive(config, state, input, now);
  }
}

/** The Backup state with a fresh Active_Down_Timer. */
export function enterBackup(config: VirtualRouterConfig, activeAdverInterval: Micros, now: Instant): BackupState {
  const activeDownAt = after(now, activeDownInterval(config.priority, activeAdverInterval));
  return { kind: "backup", activeAdverInterval, activeDownAt };
}

/**
 * The Active state, and what becoming active takes. The advertisement goes first, for it is what stops the other
 * router; the announcement goes last, for it must find the addresses in place (§8.1.2).
 */
export function enterActive(config: VirtualRouterConfig, now: Instant): Step {
  return {
    state: { kind: "active", adverAt: after(now, config.advertisementInterval) },
    actions: [
      { kind: "sendAdvertisement", priority: config.priority },
      { kind: "installAddresses" },
      { kind: "announce" },
    ],
  };
}

/** Whether an Active Router must yield to the sender: higher priority, or the same and a higher primary address. @see RFC 9568 §6.4.3 */
export function senderWins(config: VirtualRouterConfig, heard: HeardAdvertisement): boolean {
  if (heard.priority !== config.priority) return heard.priority > config.priority;
  return compareAddresses(heard.source, config.primaryAddress) > 0;
}

/** Negative, zero or positive as `a` is lower than, equal to or higher than `b`, as unsigned integers in network order. */
export function compareAddresses(a: IpAddress, b: IpAddress): number {
  const bytesA = addressBytes(a);
  const bytesB = addressBytes(b);
  for (let i = 0; i < bytesA.length; i++) {
    const difference = (bytesA[i] ?? 0) - (bytesB[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** An on-time advertisement needs no look at the socket first; one that is late by half an interval does. */
export function isLate(config: VirtualRouterConfig, deadline: Instant, now: Instant): boolean {
  return between(deadline, now) > config.advertisementInterval / 2;
}

function stepInitialize(config: VirtualRouterConfig, state: State, input: Input, now: Instant): Step {
  if (input.kind !== "startup") return stay(state);
  if (config.priority === PRIORITY_OWNER) return enterActive(config, now);
  return stay(enterBackup(config, config.advertisementInterval, now));
}

function stepBackup(config: VirtualRouterConfig, state: BackupState, input: Input, now: Instant): Step {
  switch (input.kind) {
    case "startup":
      return stay(state);
    case "shutdown":
      return stay({ kind: "initialize" });
    case "timeout":
      if (now < state.activeDownAt) return stay(state);
      return input.drained ? enterActive(config, now) : { state, actions: [{ kind: "drainSocket" }] };
    case "advertisement": {
      if (isOwn(config, input)) return stay(state);
      if (input.priority === PRIORITY_RELEASE) {
        return stay({ ...state, activeDownAt: after(now, skewTime(config.priority, state.activeAdverInterval)) });
      }
      const honoured = !config.preemptMode || input.priority >= config.priority;
      return stay(honoured ? enterBackup(config, input.maxAdvertiseInterval, now) : state);
    }
  }
}

function stepActive(config: VirtualRouterConfig, state: ActiveState, input: Input, now: Instant): Step {
  switch (input.kind) {
    case "startup":
      return stay(state);
    case "shutdown":
      return {
        state: { kind: "initialize" },
        actions: [{ kind: "sendAdvertisement", priority: PRIORITY_RELEASE }, { kind: "removeAddresses" }],
      };
    case "timeout":
      if (now < state.adverAt) return stay(state);
      if (!input.drained && isLate(config, state.adverAt, now)) return { state, actions: [{ kind: "drainSocket" }] };
      return advertise(config, now);
    case "advertisement": {
      // A bridge or multicast loop-back may return our own advertisement; it must not reach the tie-break.
      if (isOwn(config, input)) return stay(state);
      if (input.priority === PRIORITY_RELEASE) return advertise(config, now);
      if (senderWins(config, input)) {
        return {
          state: enterBackup(config, input.maxAdvertiseInterval, now),
          actions: [{ kind: "removeAddresses" }],
        };
      }
      // The timer runs on: only the sender needs to hear at once who is active.
      return { state, actions: [{ kind: "sendAdvertisement", priority: config.priority }] };
    }
  }
}

function advertise(config: VirtualRouterConfig, now: Instant): Step {
  return {
    state: { kind: "active", adverAt: after(now, config.advertisementInterval) },
    actions: [{ kind: "sendAdvertisement", priority: config.priority }],
  };
}

function isOwn(config: VirtualRouterConfig, heard: HeardAdvertisement): boolean {
  return heard.source === config.primaryAddress;
}

function stay(state: State): Step {
  return { state, actions: [] };
}
