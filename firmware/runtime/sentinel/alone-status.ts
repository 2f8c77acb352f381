/** What the sentinel of a box alone shows of itself: a reading of its groups, for core, the CLI and the alarms. */
import type { Clock } from "@futago/hal/contract/machine.ts";
import { formatInterfaceAddress } from "@futago/hal/units/address.ts";
import { isLinked, splitSince } from "../../standby/vrrp/group-state.ts";
import type { GroupState as ElectionState } from "../../standby/vrrp/group-state.ts";
import type { Alarm, GroupState, GroupStatus, Penalty, SentinelStatus } from "../messages.ts";
import type { AloneGroup } from "./alone-group.ts";
import { wallTime } from "./wall-time.ts";

export interface AloneView {
  readonly clock: Clock;
  readonly groups: readonly AloneGroup[];
  readonly maintenance: boolean;
  readonly penalties: readonly Penalty[];
  readonly watchAlarms: readonly Alarm[];
}

export function aloneStatus(view: AloneView): SentinelStatus {
  const groups = view.groups.map((group) => groupStatus(view, group));
  return {
    role: ownRole(groups),
    groups,
    peer: undefined,
    heartbeat: undefined,
    alarms: [...view.groups.flatMap((group) => groupAlarms(view, group)), ...view.watchAlarms],
  };
}

/** The word of `status` for a state of the election. */
export function stateWord(kind: ElectionState["kind"], maintenance: boolean): GroupState {
  switch (kind) {
    case "initialize":
      return maintenance ? "maintenance" : "initialize";
    case "backup":
      return "standby";
    case "active":
    case "fault":
      return kind;
  }
}

function ownRole(groups: readonly GroupStatus[]): string {
  const states = groups.map((group) => group.state);
  for (const role of ["active", "maintenance", "fault", "standby"] as const) if (states.includes(role)) return role;
  return "alone";
}

function groupStatus(view: AloneView, group: AloneGroup): GroupStatus {
  const { state } = group;
  return {
    name: group.name,
    state: stateWord(state.kind, view.maintenance),
    since: wallTime(view.clock, state.since),
    reason: state.reason,
    addresses: group.routers.flatMap((router) => router.orders.addresses.map(formatInterfaceAddress)),
    priority: group.priority,
    answering: group.answering(view.clock.now()),
  };
}

function groupAlarms(view: AloneView, group: AloneGroup): readonly Alarm[] {
  const now = view.clock.now();
  const { state, name } = group;
  const alarms: Alarm[] = [];
  if (state.kind !== "initialize") {
    for (const router of state.routers.filter((one) => !isLinked(one))) {
      const sentence = `${name}: ${router.id} takes no part, its link has no carrier or no address to speak from; look at the cable`;
      alarms.push({ kind: "unfit", since: wallTime(view.clock, now), sentence });
    }
  }
  for (const penalty of view.penalties.filter((one) => one.group === undefined || one.group === name)) {
    alarms.push({ kind: "unfit", since: wallTime(view.clock, now), sentence: `${name}: ${penalty.sentence}` });
  }
  const split = splitSince(state, now);
  if (split !== undefined) {
    const sentence = `${name}: another router is active on some of its virtual routers and on others nobody is heard; look at the cables between the routers, and make the other move its virtual routers together`;
    alarms.push({ kind: "vrrp-split", since: wallTime(view.clock, split), sentence });
  }
  return alarms;
}
