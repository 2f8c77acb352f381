/**
 * Makes of what the gate remembers a report for the peer: which hosts still send to this box although the peer holds
 * the VIP, and which VIP's Ethernet address they have wrong. Pure; sends nothing.
 */
import type { Link } from "@futago/hal/contract/network.ts";
import { family, type IpAddress } from "@futago/hal/units/address.ts";
import { after, type Instant, seconds } from "@futago/hal/units/time.ts";
import type { GroupOrders, Orders } from "../../config/orders.ts";
import type { StaleSighting } from "../messages.ts";
import type { StaleEntry } from "./gate.ts";

/** After a hand-over packets are still on their way, and the announcements of the first moments have not all arrived. */
export const STALE_GRACE = seconds(1);

export interface StaleView {
  readonly orders: Orders;
  readonly links: ReadonlyMap<string, Link>;
  /** Since when this box has not held the group; undefined while it holds it. */
  readonly awaySince: (group: string) => Instant | undefined;
}

export function staleSightings(entries: readonly StaleEntry[], view: StaleView): readonly StaleSighting[] {
  return entries.flatMap((entry) => {
    const group = view.orders.groups.find((each) => vipsOn(each).includes(entry.vip));
    const link = [...view.links.values()].find((each) => each.ifindex === entry.ifindex);
    // What a port overhears that is meant for another station tells nothing of its sender.
    if (group === undefined || link === undefined || link.mac !== entry.sentTo) return [];
    const away = view.awaySince(group.name);
    if (away === undefined || Number(entry.seenNanos / 1_000n) < after(away, STALE_GRACE)) return [];
    const { mac, source, sentTo, packets } = entry;
    return wrongVips(group, link, entry).map(({ name, virtualAddress }) => {
      return { interface: name, virtualAddress, host: { mac, address: source }, sentTo, frames: packets };
    });
  });
}

interface WrongVip {
  readonly name: string;
  readonly virtualAddress: IpAddress;
}

/** The VIP itself when it lives on the host's link; otherwise the packet came by way of a gateway: the group's VIPs there. */
function wrongVips(group: GroupOrders, link: Link, entry: StaleEntry): readonly WrongVip[] {
  const here = group.virtualRouters
    .filter((router) => router.device === link.ifname)
    .flatMap((router) => router.addresses.map(({ address }) => ({ name: router.interface, virtualAddress: address })));
  const itself = here.filter(({ virtualAddress }) => virtualAddress === entry.vip);
  if (itself.length > 0) return itself;
  return here.filter(({ virtualAddress }) => family(virtualAddress) === family(entry.vip));
}

function vipsOn(group: GroupOrders): readonly IpAddress[] {
  return group.virtualRouters.flatMap((router) => router.addresses.map((vip) => vip.address));
}
