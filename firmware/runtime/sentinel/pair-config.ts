/** The orders of a paired box in the words of the election, and in those of pulse. */
import type { Link, RequestBuilder } from "@futago/hal/contract/network.ts";
import type { Ifname } from "@futago/hal/units/address.ts";
import type { PulseCommand } from "@futago/hal/units/pulse.ts";
import { millis, seconds } from "@futago/hal/units/time.ts";
import type { GroupOrders, InterfaceOrders, Orders, PairOrders } from "../../config/orders.ts";
import { nameHash } from "../../standby/identity.ts";
import type { GroupNeeds } from "../../standby/pair/fitness.ts";
import type { PairConfig } from "../../standby/pair/types.ts";
import type { BeatKeys } from "./mode.ts";
import { releaseOperations, takeOverOperations } from "./plans.ts";
import type { Recordable } from "./recorder.ts";

const BOOT_WAIT = seconds(3);
const DEAD_TIMES = { default: millis(75), fast: millis(15), calm: millis(600) } as const;

export function devicesOf(group: GroupOrders): readonly Ifname[] {
  return [...new Set(group.virtualRouters.map((router) => router.device))];
}

/** What decides how fit the box is; nothing on a spare, whose ports are shut. */
export function needsOf(orders: Orders): readonly GroupNeeds[] {
  if (orders.pair?.part === "spare") return [];
  return orders.groups.map((group) => ({ name: group.name, devices: devicesOf(group) }));
}

/** Groups beyond the gate's last slot are left out. */
export function pairConfig(orders: Orders, pair: PairOrders, slots: ReadonlyMap<string, number>): PairConfig {
  return {
    box: orders.box ?? "a",
    configId: orders.revision.slice(0, 16).padEnd(16, "0"),
    safety: pair.partition === "safety",
    deadTime: DEAD_TIMES[pair.profile],
    fixed: pair.fixed,
    bootWait: BOOT_WAIT,
    spare: pair.part === "spare",
    groups: orders.groups.flatMap((group) => {
      const slot = slots.get(group.name);
      if (slot === undefined) return [];
      const { name, preempt, priority } = group;
      return [{ slot, name, id: nameHash(name), preference: priority, preempt }];
    }),
  };
}

/** What the recorder watches. */
export function recordedOf(orders: Orders, pair: PairOrders): Recordable {
  return {
    paths: pathNames(orders.interfaces),
    devices: [...new Set([...pair.over, ...orders.groups.flatMap(devicesOf)])],
  };
}

/** The configuration's names of the heartbeat's paths by their ids. */
export function pathNames(interfaces: readonly InterfaceOrders[]): ReadonlyMap<number, string> {
  return new Map(interfaces.map(({ name }) => [nameHash(name), name]));
}

export interface PulseSetup {
  readonly requests: RequestBuilder;
  readonly links: ReadonlyMap<string, Link>;
  readonly orders: Orders;
  readonly pair: PairOrders;
  readonly config: PairConfig;
  readonly beatKeys: BeatKeys;
}

/** What pulse must know that is not the election's to decide: the key, the paths that are there, the plans. */
export function pulseSetup(setup: PulseSetup): readonly PulseCommand[] {
  const { requests, links, orders, pair, config, beatKeys } = setup;
  const { configId, box, safety } = config;
  const paths = pair.over.flatMap((device) => {
    const link = links.get(device);
    const name = orders.interfaces.find((entry) => entry.device === device)?.name ?? device;
    return link === undefined ? [] : [{ ifindex: link.ifindex, id: nameHash(name) }];
  });
  const context = { requests, links, interfaces: orders.interfaces };
  const plans = config.groups.flatMap(({ name, slot }): readonly PulseCommand[] => {
    const group = orders.groups.find((each) => each.name === name);
    if (group === undefined) return [];
    return [
      { kind: "plan", group: slot, plan: "takeOver", operations: takeOverOperations(context, group) },
      { kind: "plan", group: slot, plan: "release", operations: releaseOperations(context, group) },
    ];
  });
  return [
    { kind: "configure", key: beatKeys.key, otherKey: beatKeys.other, configId, box, safety, port: pair.port, paths },
    ...plans,
  ];
}
