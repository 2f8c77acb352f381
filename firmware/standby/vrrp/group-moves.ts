/**
 * The moves of a failover group on a box alone: taking the role over, advertising, offering, keeping and yielding
 * it. Each returns the next state and the actions in order; when to make which is `group.ts`.
 */
import { after, micros, type Instant } from "@futago/hal/units/time.ts";
import {
  effectivePriority,
  isLinked,
  leaseEnd,
  machineConfig,
  memberOf,
  type ActiveGroup,
  type GroupAction,
  type GroupConfig,
  type GroupState,
  type GroupStep,
  type RouterState,
  type VirtualRouterId,
} from "./group-state.ts";
import {
  enterActive,
  enterBackup,
  PRIORITY_OWNER,
  PRIORITY_RELEASE,
  skewTime,
  type HeardAdvertisement,
} from "./machine.ts";

/** An active group that is not as healthy as configured offers its role again after this many Advertisement_Intervals. */
const REOFFER_INTERVALS = 10;

/** Sends what is due, renews the lease, and announces again when the lease had lapsed. */
export function advertise(
  config: GroupConfig,
  state: ActiveGroup,
  due: (router: RouterState) => boolean,
  now: Instant,
): GroupStep {
  const priority = effectivePriority(state);
  const actions: GroupAction[] = [];
  const routers = state.routers.map((router): RouterState => {
    if (!isLinked(router) || !due(router)) return router;
    actions.push({ kind: "sendAdvertisement", id: router.id, priority });
    const adverAt = after(now, memberOf(config, router.id).advertisementInterval);
    return { ...router, machine: { kind: "active", adverAt } };
  });
  const leaseUntil = leaseEnd(config, { ...state, routers }, undefined, now);
  actions.push({ kind: "grantLease", until: leaseUntil });
  if (state.leaseUntil <= now) actions.push(...resume(routers));
  return { state: { ...state, routers, leaseUntil, offer: undefined }, actions };
}

function resume(routers: readonly RouterState[]): readonly GroupAction[] {
  const announcements = active(routers).map((id): GroupAction => ({ kind: "announce", id }));
  return [
    ...announcements,
    { kind: "note", event: "resumed", reason: "the lease had lapsed and nobody else took over" },
  ];
}

/** All virtual routers that have a link become active; advertisements first, announcements last. */
export function takeOver(config: GroupConfig, state: GroupState, now: Instant, reason: string): GroupStep {
  const priority = effectivePriority(state);
  const routers = state.routers.map((router): RouterState => {
    if (!isLinked(router)) return idle(router);
    return { ...idle(router), machine: enterActive(machineConfig(config, router, priority), now).state };
  });
  const ids = active(routers);
  const leaseUntil = leaseEnd(config, { ...state, routers }, undefined, now);
  const reofferAt = reofferTime(config, { ...state, routers }, now);
  const facts = { priority: state.priority, routers, reason, since: now };
  return {
    state: { ...facts, kind: "active", leaseUntil, offer: undefined, reofferAt },
    actions: [
      ...ids.map((id): GroupAction => ({ kind: "sendAdvertisement", id, priority })),
      { kind: "grantLease", until: leaseUntil },
      ...ids.map((id): GroupAction => ({ kind: "installAddresses", id })),
      ...ids.map((id): GroupAction => ({ kind: "announce", id })),
      { kind: "transition", from: state.kind, to: "active", reason },
    ],
  };
}

/** Asks the others for a better router and goes on answering until one is heard or the offer ends. */
export function offerRole(
  config: GroupConfig,
  state: ActiveGroup,
  handOver: boolean,
  reason: string,
  now: Instant,
): GroupStep {
  const priority = effectivePriority(state);
  if (priority === PRIORITY_OWNER) return stay(state);
  let until = now;
  for (const router of state.routers.filter(isLinked)) {
    const interval = memberOf(config, router.id).advertisementInterval;
    const wait = handOver ? micros(1.5 * interval) : skewTime(priority + 0.5, interval);
    until = Math.max(until, after(now, wait)) as Instant;
  }
  const offer = { until, handOver };
  const leaseUntil = leaseEnd(config, state, offer, now);
  return {
    state: { ...state, offer, leaseUntil, reofferAt: undefined },
    actions: [
      ...active(state.routers).map(
        (id): GroupAction => ({ kind: "sendAdvertisement", id, priority: PRIORITY_RELEASE }),
      ),
      { kind: "grantLease", until: leaseUntil },
      { kind: "note", event: "offered", reason },
    ],
  };
}

export function keepRole(config: GroupConfig, state: ActiveGroup, reason: string, now: Instant): GroupStep {
  const kept = advertise(config, state, (router) => router.machine.kind === "active", now);
  const reofferAt = reofferTime(config, state, now);
  const next = kept.state.kind === "active" ? { ...kept.state, reofferAt } : kept.state;
  return { state: next, actions: [...kept.actions, { kind: "note", event: "kept", reason }] };
}

/** Silent first, then Priority 0 where the winner was not heard, then the addresses. */
export function yieldRole(
  config: GroupConfig,
  state: ActiveGroup,
  id: VirtualRouterId,
  heard: HeardAdvertisement,
  reason: string,
  now: Instant,
): GroupStep {
  const priority = effectivePriority(state);
  const routers = backupRouters(config, state, now).map((router): RouterState => {
    if (router.id !== id || !isLinked(router)) return router;
    const machine = enterBackup(machineConfig(config, router, priority), heard.maxAdvertiseInterval, now);
    return { ...router, machine };
  });
  return moveTo(state, "backup", routers, reason, now, release(state, id));
}

export function release(state: ActiveGroup, except: VirtualRouterId | undefined): readonly GroupAction[] {
  const [drop, ...removals] = silence(state);
  const others = active(state.routers).filter((id) => id !== except);
  const releases = others.map((id): GroupAction => ({ kind: "sendAdvertisement", id, priority: PRIORITY_RELEASE }));
  return [drop, ...releases, ...removals];
}

export function silence(state: ActiveGroup): readonly [GroupAction, ...GroupAction[]] {
  const removals = active(state.routers).map((id): GroupAction => ({ kind: "removeAddresses", id }));
  return [{ kind: "dropLease" }, ...removals];
}

export function moveTo(
  state: GroupState,
  kind: "initialize" | "fault" | "backup",
  routers: readonly RouterState[],
  reason: string,
  now: Instant,
  actions: readonly GroupAction[] = [],
): GroupStep {
  return {
    state: { kind, priority: state.priority, routers, reason, since: now },
    actions: [...actions, { kind: "transition", from: state.kind, to: kind, reason }],
  };
}

export function backupRouters(config: GroupConfig, state: GroupState, now: Instant): readonly RouterState[] {
  const priority = effectivePriority(state);
  return state.routers.map((router): RouterState => {
    if (!isLinked(router)) return idle(router);
    const mine = machineConfig(config, router, priority);
    return { ...idle(router), machine: enterBackup(mine, mine.advertisementInterval, now) };
  });
}

export function idle(router: RouterState): RouterState {
  return { ...router, machine: { kind: "initialize" }, contestedSince: undefined };
}

function active(routers: readonly RouterState[]): readonly VirtualRouterId[] {
  return routers.filter((router) => router.machine.kind === "active").map((router) => router.id);
}

export function replaceRouter<S extends GroupState>(state: S, router: RouterState): S {
  return { ...state, routers: state.routers.map((other) => (other.id === router.id ? router : other)) };
}

function reofferTime(config: GroupConfig, state: GroupState, now: Instant): Instant | undefined {
  if (effectivePriority(state) >= config.priority) return undefined;
  const longest = Math.max(...state.routers.filter(isLinked).map((r) => memberOf(config, r.id).advertisementInterval));
  return after(now, micros(REOFFER_INTERVALS * longest));
}

export function seconds(value: number): string {
  return `${(value / 1_000_000).toFixed(3)} s`;
}

export function stay(state: GroupState): GroupStep {
  return { state, actions: [] };
}
