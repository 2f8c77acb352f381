/** What a failover group on a box alone learns from other routers: Backup timers over several links, and ties. */
import { after, between, earliest, micros, type Instant } from "@futago/hal/units/time.ts";
import {
  effectivePriority,
  isLinked,
  machineConfig,
  memberOf,
  type ActiveGroup,
  type GroupConfig,
  type GroupState,
  type RouterState,
} from "./group-state.ts";
import {
  activeDownInterval,
  PRIORITY_RELEASE,
  senderWins,
  skewTime,
  step as stepMachine,
  type HeardAdvertisement,
  type VirtualRouterConfig,
} from "./machine.ts";

/** Notes who was heard on the router at `index`, and since when it contests an equal Priority there. */
export function withRival(
  state: GroupState,
  index: number,
  mine: VirtualRouterConfig,
  heard: HeardAdvertisement,
  now: Instant,
): GroupState {
  const routers = state.routers.map((router, i): RouterState => {
    if (i !== index) return router;
    const contests = heard.priority === mine.priority && senderWins(mine, heard);
    const fresh = isFresh(router, mine, now);
    const contestedSince = contests ? ((fresh ? router.contestedSince : undefined) ?? now) : undefined;
    return { ...router, rival: { source: heard.source, priority: heard.priority, at: now }, contestedSince };
  });
  return { ...state, routers };
}

/**
 * Backup: the virtual router's own machine decides. When it hears Priority 0, the other virtual routers of the group
 * need not wait out three intervals: a router that gave up one and still holds another is heard within one.
 */
export function stepBackupAdvertisement(
  config: GroupConfig,
  state: GroupState,
  index: number,
  heard: HeardAdvertisement,
  now: Instant,
): GroupState {
  const priority = effectivePriority(state);
  const routers = state.routers.map((router, i): RouterState => {
    if (!isLinked(router) || router.machine.kind !== "backup") return router;
    const mine = machineConfig(config, router, priority);
    if (i === index) {
      return { ...router, machine: stepMachine(mine, router.machine, { kind: "advertisement", ...heard }, now).state };
    }
    if (heard.priority !== PRIORITY_RELEASE) return router;
    const { activeAdverInterval, activeDownAt } = router.machine;
    const soon = after(now, micros(activeAdverInterval + skewTime(priority, activeAdverInterval)));
    return { ...router, machine: { ...router.machine, activeDownAt: earliest(activeDownAt, soon) ?? activeDownAt } };
  });
  return { ...state, routers };
}

/** Running Active_Down_Timers follow a change of our own Priority: only the skew differs. */
export function shiftSkew(state: GroupState, was: number, is: number, now: Instant): GroupState {
  const routers = state.routers.map((router): RouterState => {
    if (router.machine.kind !== "backup") return router;
    const { activeAdverInterval, activeDownAt } = router.machine;
    const shift = skewTime(is, activeAdverInterval) - skewTime(was, activeAdverInterval);
    const shifted = Math.max(activeDownAt + shift, Math.min(now, activeDownAt)) as Instant;
    return { ...router, machine: { ...router.machine, activeDownAt: shifted } };
  });
  return { ...state, routers };
}

/**
 * Whether a tie lost on the virtual router at `index` makes the group yield. Not while an earlier one hears a rival
 * of our Priority, for that one decides; and not before the earlier ones had an Active_Down_Interval to hear it.
 */
export function tieIsSettledHere(config: GroupConfig, state: ActiveGroup, index: number, now: Instant): boolean {
  const priority = effectivePriority(state);
  const contestedSince = state.routers[index]?.contestedSince ?? now;
  for (const router of state.routers.slice(0, index)) {
    if (!isLinked(router)) continue;
    const mine = machineConfig(config, router, priority);
    if (router.rival?.priority === priority && isFresh(router, mine, now)) return false;
    const wait = activeDownInterval(priority, memberOf(config, router.id).advertisementInterval);
    if (between(contestedSince, now) < wait) return false;
  }
  return true;
}

function isFresh(router: RouterState, mine: VirtualRouterConfig, now: Instant): boolean {
  if (router.rival === undefined) return false;
  return between(router.rival.at, now) <= activeDownInterval(mine.priority, mine.advertisementInterval);
}
