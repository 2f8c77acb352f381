/** The VRRP advertisement of a paired box as a frame: it elects nobody, it tells others that the VRID is taken. */
import { encodeVrrpFrame } from "../../announce/vrrp-frame.ts";
import type { VirtualRouterOrders } from "../../config/orders.ts";
import { encodeAdvertisement } from "../../standby/vrrp/packet.ts";
import type { IpAddress } from "@futago/hal/units/address.ts";
import { seconds } from "@futago/hal/units/time.ts";

/** A pair advertises once a second, whatever the interval between boxes alone would be. */
const INTERVAL = seconds(1);

/** `source` is the interface's own address of the router's family: link-local for IPv6. */
export function advertisementFrame(router: VirtualRouterOrders, priority: number, source: IpAddress): Uint8Array {
  const addresses = router.addresses.map((vip) => vip.address);
  const advertisement = { vrid: router.vrid, priority, maxAdvertiseInterval: INTERVAL, addresses };
  return encodeVrrpFrame(router.vrid, source, encodeAdvertisement(advertisement, source, router.checksum));
}
