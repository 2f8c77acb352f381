/** Which address a virtual router of a box alone speaks from: the primary address of RFC 9568 §1.7. Not a VIP. */
import type { AddressEntry, Link } from "@futago/hal/contract/network.ts";
import {
  family,
  type InterfaceAddress,
  type IpAddress,
  type Ipv4,
  isLinkLocal,
  macBytes,
} from "@futago/hal/units/address.ts";
import type { VirtualRouterOrders } from "../../config/orders.ts";

/** IFA_F_DADFAILED and IFA_F_TENTATIVE of linux/if_addr.h: not, or not yet, the link's. */
const UNUSABLE = 0x08 | 0x40;

/**
 * IPv6: the link's link-local address. IPv4: the first of the box's own that is there. A link without any IPv4
 * address of its own (a VIP on a line that gives out only one) speaks from an address of 169.254.0.0/16 made from
 * its MAC: the frames are built here, so it need not be configured. Undefined while there is none.
 */
export function primaryAddress(
  orders: VirtualRouterOrders,
  own: readonly InterfaceAddress[],
  link: Link,
  addresses: readonly AddressEntry[],
): IpAddress | undefined {
  const virtual = new Set(orders.addresses.map((vip) => vip.address));
  const mine = addresses.filter((entry) => entry.ifindex === link.ifindex && (entry.flags & UNUSABLE) === 0);
  if (orders.family === "ipv6") {
    return mine.find((entry) => isLinkLocal(entry.address) && !virtual.has(entry.address))?.address;
  }
  const ipv4 = own.filter((entry) => family(entry.address) === "ipv4");
  const present = ipv4.filter((entry) => mine.some((one) => one.address === entry.address));
  // An address owner speaks from a VIP only if it has nothing else: who holds that VIP too would not listen to it.
  const primary = present.find((entry) => !virtual.has(entry.address)) ?? present[0];
  if (primary !== undefined) return primary.address;
  return ipv4.length === 0 && link.mac !== undefined ? addressFromMac(macBytes(link.mac)) : undefined;
}

/** 169.254.1.0 to 169.254.254.255, as RFC 3927 §2.1 allows. */
function addressFromMac(mac: Uint8Array): Ipv4 {
  const third = ((mac[4] ?? 0) % 254) + 1;
  return `169.254.${third}.${mac[5] ?? 0}` as Ipv4;
}
