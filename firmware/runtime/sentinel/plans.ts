/** What pulse is to do the moment a group changes hands: addresses first, then the neighbours are told. */
import { announcementFrames } from "../../announce/announcement.ts";
import type { AddressOptions, Link, RequestBuilder } from "@futago/hal/contract/network.ts";
import { type Ifname, type InterfaceAddress, inSubnet } from "@futago/hal/units/address.ts";
import { concatBytes } from "@futago/hal/units/bytes.ts";
import type { PulseOperation } from "@futago/hal/units/pulse.ts";
import type { GroupOrders, InterfaceOrders, VirtualRouterOrders } from "../../config/orders.ts";

export interface PlanContext {
  readonly requests: RequestBuilder;
  /** By device name; a device that is missing is left out of the plan. */
  readonly links: ReadonlyMap<string, Link>;
  readonly interfaces: readonly InterfaceOrders[];
}

/** How a VIP is added to a device: usable at once, and the source of nothing that the box itself sends. */
export function vipOptions(
  interfaces: readonly InterfaceOrders[],
  device: Ifname,
  vip: InterfaceAddress,
): AddressOptions {
  const own = interfaces.find((entry) => entry.device === device)?.addresses ?? [];
  // Own addresses bring the subnet's route already; a second one would only make it flap.
  const noPrefixRoute = own.some((each) => each.prefixLength === vip.prefixLength && inSubnet(vip.address, each));
  return { skipDuplicateDetection: true, noPrefixRoute, neverSource: true };
}

export function takeOverOperations(context: PlanContext, group: GroupOrders): readonly PulseOperation[] {
  const requests: Uint8Array[] = [];
  const frames: PulseOperation[] = [];
  for (const router of group.virtualRouters) {
    const link = context.links.get(router.device);
    if (link === undefined) continue;
    for (const vip of router.addresses) {
      const options = vipOptions(context.interfaces, router.device, vip);
      requests.push(context.requests.addAddress(link.ifindex, vip, options));
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
    for (const vip of router.addresses) requests.push(context.requests.deleteAddress(link.ifindex, vip));
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
