/** How a VIP stands on a device, beside the box's own addresses there. Pure. */
import type { AddressOptions } from "@futago/hal/contract/network.ts";
import { addressBits, type Family, family, type InterfaceAddress, inSubnet } from "@futago/hal/units/address.ts";

export interface VipAddress {
  /** What is added and deleted. */
  readonly value: InterfaceAddress;
  readonly options: AddressOptions;
}

const IPV4: Family = "ipv4";

/**
 * A VIP in the subnet of an own address brings no route of its own. Of IPv4 it stands alone there: the kernel has one
 * primary address in a subnet, which brings the subnet's route. Were a VIP a secondary one, it would become the
 * primary as soon as the own address is replaced by another, and the box would have no way into its own subnet.
 */
export function vipAddress(own: readonly InterfaceAddress[], vip: InterfaceAddress): VipAddress {
  const isOwn = own.some(({ address }) => address === vip.address);
  const noPrefixRoute = own.some((each) => each.prefixLength === vip.prefixLength && inSubnet(vip.address, each));
  const isHost = noPrefixRoute && !isOwn && family(vip.address) === IPV4;
  const value = isHost ? { address: vip.address, prefixLength: addressBits(vip.address) } : vip;
  return { value, options: { skipDuplicateDetection: true, noPrefixRoute, neverSource: !isOwn } };
}
