/** What a box knew when a role changed: the heartbeat of each path, carrier, its own lateness, and what is wrong. Pure. */
import type { Link } from "@futago/hal/contract/network.ts";
import type { PulseHeard } from "@futago/hal/units/pulse.ts";
import { between } from "@futago/hal/units/time.ts";
import type { GroupOrders, Orders } from "../../config/orders.ts";
import type { PairState } from "../../standby/pair/types.ts";
import { devicesOf, pathNames } from "./pair-config.ts";

export type Evidence = Readonly<Record<string, number | string>>;

/**
 * `atMicros` is the moment of the change by the boot clock, which core's own measures go by. `heard`: the newest beat of
 * each path at that moment; left out, what the newest snapshot says.
 */
export function roleEvidence(
  orders: Orders,
  state: PairState,
  group: GroupOrders | undefined,
  links: ReadonlyMap<string, Link>,
  heard: readonly PulseHeard[] | undefined,
): Evidence {
  const at = group === undefined ? undefined : state.groups[group.name]?.since;
  if (group === undefined || at === undefined) return {};
  const { snapshot, timing } = state;
  const names = pathNames(orders.interfaces);
  const gaps = (heard ?? snapshot?.paths ?? []).flatMap(({ id, heardAt }) => {
    const name = names.get(id);
    return name === undefined || heardAt === 0
      ? []
      : [[`gapMicros ${name}`, Math.max(0, between(heardAt, at))] as const];
  });
  const carriers = devicesOf(group).map((device) => {
    const carrier = links.get(device)?.carrier;
    return [`carrier ${device}`, carrier === undefined ? "no such device" : carrier ? "up" : "down"] as const;
  });
  const wrong = state.fitness[group.name]?.sentence ?? "";
  return {
    atMicros: at,
    ...Object.fromEntries([...gaps, ...carriers]),
    latenessMicros: timing.latenessP999,
    ...(wrong === "" ? {} : { unfit: wrong }),
  };
}
