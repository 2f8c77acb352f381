import type { InterfaceAddress } from "@futago/hal/units/address.ts";
import { isLinkLocal, parseIpv6 } from "@futago/hal/units/address.ts";
import type { ResolvedVirtualRouter } from "./resolved.ts";

/**
 * The link-local virtual address that an IPv6 virtual router gets by itself: the modified EUI-64 of its virtual MAC
 * 00-00-5E-00-02-{VRID}, so that both boxes agree. Undefined for IPv4 and where the document names one.
 *
 * @see RFC 9568 §5.2.9, §7.3; RFC 4291 appendix A
 */
export function virtualLinkLocal(vr: ResolvedVirtualRouter): InterfaceAddress | undefined {
  if (vr.family === "ipv4" || vr.addresses.some((vip) => isLinkLocal(vip.address))) return undefined;
  const address = parseIpv6(`fe80::200:5eff:fe00:2${vr.vrid.toString(16).padStart(2, "0")}`);
  return address === undefined ? undefined : { address, prefixLength: 64 };
}
