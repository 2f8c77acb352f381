/** One round of announcing: the frames that tell every neighbour, or one host, at which Ethernet address a VIP lives. */
import { isIpv4Address, type IpAddress, type Ipv6, type Mac } from "@futago/hal/units/address.ts";
import { encodeGratuitousArp } from "./arp.ts";
import { encodeUnsolicitedAdvertisement } from "./nd.ts";

/** For each IPv4 address a gratuitous ARP as request and as reply, for each IPv6 address an unsolicited advertisement. */
export function announcementFrames(addresses: readonly IpAddress[], mac: Mac): readonly Uint8Array[] {
  return addresses.flatMap((address) =>
    isIpv4Address(address)
      ? [encodeGratuitousArp("request", address, mac), encodeGratuitousArp("reply", address, mac)]
      : [encodeUnsolicitedAdvertisement(address, mac)],
  );
}

/** Tells one host again that still sends to another box's Ethernet address. */
export function tellAgainFrame(address: IpAddress, mac: Mac, host: { mac: Mac; address: IpAddress }): Uint8Array {
  if (isIpv4Address(address)) return encodeGratuitousArp("reply", address, mac, host.mac);
  return encodeUnsolicitedAdvertisement(address, mac, { mac: host.mac, address: host.address as Ipv6 });
}
