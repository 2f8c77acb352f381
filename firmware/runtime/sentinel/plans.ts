/** What pulse is to do the moment a group changes hands: addresses first, then the neighbours are told. */
import { announcementFrames } from "../../announce/announcement.ts";
import type { Link, RequestBuilder } from "@futago/hal/contract/network.ts";
import type { Ifname, InterfaceAddress } from "@futago/hal/units/address.ts";
import { concatBytes } from "@futago/hal/units/bytes.ts";
import type { PulseOperation } from "@futago/hal/units/pulse.ts";
import { type VipAddress, vipAddress } from "./vip-address.ts";
import type { GroupOrders, InterfaceOrders, VirtualRouterOrders } from "../../config/orders.ts";

export interface PlanContext {
  readonly requests: RequestBuilder;
  /** By device name; a device that is missing is left out of the plan. */
  readonly links: ReadonlyMap<string, Link>;
  readonly interfaces: readonly InterfaceOrders[];
}

/** How a VIP stands on a device: usable at once, and the source of nothing that the box itself sends. */
export function vipOn(interfaces: readonly InterfaceOrders[], device: Ifname, vip: InterfaceAddress): VipAddress {
  return vipAddress(interfaces.find((entry) => entry.device === device)?.addresses ?? [], vip);
}

export function takeOverOperations(context: PlanContext, group: GroupOrders): readonly PulseOperation[] {
  const requests: Uint8Array[] = [];
  const frames: PulseOperation[] = [];
  for (const router of group.virtualRouters) {
    const link = context.links.get(router.device);
    if (link === undefined) continue;
    for (const vip of router.addresses) {
      const { value, options } = vipOn(context.interfaces, router.device, vip);
      requests.push(context.requests.addAddress(link.ifindex, value, options));
    }
    frames.push(...announceOperations(link, router));
  }
  return [...requestsOperation(requests), ...frames];
}

export function releaseOperations(context: PlanContext, group: GroupOrders): readonly PulseOperation[] {
  const requests: Uint8Array[] = [];
  for (const router of group.virtualRouters) {
    const link = context.links.get(router.device);
    if (link === undefined) continue;
    for (const vip of router.addresses) {
      const { value } = vipOn(context.interfaces, router.device, vip);
      requests.push(context.requests.deleteAddress(link.ifindex, value));
    }
  }
  return requestsOperation(requests);
}

function announceOperations(link: Link, router: VirtualRouterOrders): readonly PulseOperation[] {
  if (link.mac === undefined) return [];
  const addresses = router.addresses.map((vip) => vip.address);
  return announcementFrames(addresses, link.mac).map((bytes) => ({ kind: "frame", ifindex: link.ifindex, bytes }));
}

/** The kernel takes a datagram of up to about 200 KiB of requests; ours stay far below. */
function requestsOperation(requests: readonly Uint8Array[]): readonly PulseOperation[] {
  return requests.length === 0 ? [] : [{ kind: "netlink", bytes: concatBytes(requests) }];
}
