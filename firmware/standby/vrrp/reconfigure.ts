/**
 * Carries the state of a failover group on a box alone over to a new configuration: virtual routers that stay keep
 * what they know, so that a commit moves no role.
 */
import { after, earliest, type Instant } from "@futago/hal/units/time.ts";
import {
  isLinked,
  newRouter,
  type GroupAction,
  type GroupConfig,
  type GroupState,
  type GroupStep,
} from "./group-state.ts";

/**
 * The state under `config`. A virtual router that is gone says Priority 0 and lets its addresses go; a new one waits
 * for its first `linkBack`. The caller gives a changed Priority as `priorityChanged` afterwards.
 */
export function reconfigure(config: GroupConfig, state: GroupState, now: Instant): GroupStep {
  const known = new Map(state.routers.map((router) => [router.id, router]));
  const routers = config.virtualRouters.map(({ id, advertisementInterval }) => {
    const router = known.get(id) ?? newRouter(id);
    if (router.machine.kind !== "active") return router;
    const latest = after(now, advertisementInterval);
    const adverAt = earliest(router.machine.adverAt, latest) ?? latest;
    return { ...router, machine: { ...router.machine, adverAt } };
  });
  const stays = new Set(config.virtualRouters.map((member) => member.id));
  const actions = state.routers.flatMap((router): readonly GroupAction[] => {
    if (stays.has(router.id) || router.machine.kind !== "active") return [];
    const { id } = router;
    return [
      { kind: "sendAdvertisement", id, priority: 0 },
      { kind: "removeAddresses", id },
    ];
  });
  const linked = routers.some(isLinked);
  if (linked || state.kind === "initialize" || state.kind === "fault") return { state: { ...state, routers }, actions };
  const reason = "no virtual router that is left has a link";
  const { priority } = state;
  return {
    state: { kind: "fault", priority, routers, reason, since: now },
    actions: [
      ...(state.kind === "active" ? ([{ kind: "dropLease" }] as const) : []),
      ...actions,
      { kind: "transition", from: state.kind, to: "fault", reason },
    ],
  };
}
