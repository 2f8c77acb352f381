/** Ethernet II frames around the packets of this room, and the multicast addresses of Ethernet. */
import { addressBytes, family, macBytes, macFromBytes, type IpAddress, type Mac } from "@futago/hal/units/address.ts";

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_IPV6 = 0x86dd;
export const BROADCAST = "ff:ff:ff:ff:ff:ff" as Mac;
const HEADER_BYTES = 14;

export interface EthernetFrame {
  readonly destination: Mac;
  readonly source: Mac;
  readonly etherType: number;
  /** What follows the header, padding included. */
  readonly payload: Uint8Array;
}

export function encodeEthernet(frame: EthernetFrame): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + frame.payload.length);
  bytes.set(macBytes(frame.destination), 0);
  bytes.set(macBytes(frame.source), 6);
  bytes.set([frame.etherType >> 8, frame.etherType & 0xff], 12);
  bytes.set(frame.payload, HEADER_BYTES);
  return bytes;
}

/** Undefined when the header is not complete. */
export function decodeEthernet(bytes: Uint8Array): EthernetFrame | undefined {
  const destination = macFromBytes(bytes.subarray(0, 6));
  const source = macFromBytes(bytes.subarray(6, 12));
  if (destination === undefined || source === undefined || bytes.length < HEADER_BYTES) return undefined;
  const etherType = ((bytes[12] ?? 0) << 8) | (bytes[13] ?? 0);
  return { destination, source, etherType, payload: bytes.subarray(HEADER_BYTES) };
}

/** Whether the address is one station's: no group's, for which the first octet has its lowest bit, and not empty. */
export function isStationMac(mac: Mac): boolean {
  return (Number.parseInt(mac.slice(0, 2), 16) & 1) === 0 && mac !== "00:00:00:00:00:00";
}

/**
 * The Ethernet address that an IP multicast group is sent to.
 *
 * @see RFC 1112 §6.4 (IPv4), RFC 2464 §7 (IPv6)
 */
export function multicastMac(group: IpAddress): Mac {
  const bytes = addressBytes(group);
  const mac =
    family(group) === "ipv4"
      ? [0x01, 0x00, 0x5e, (bytes[1] ?? 0) & 0x7f, bytes[2] ?? 0, bytes[3] ?? 0]
      : [0x33, 0x33, ...bytes.subarray(12)];
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join(":") as Mac;
}

/**
 * The Virtual Router MAC address: 00-00-5E-00-01-VRID for IPv4, 00-00-5E-00-02-VRID for IPv6.
 *
 * @see RFC 9568 §7.3
 */
export function virtualRouterMac(version: "ipv4" | "ipv6", vrid: number): Mac {
  const block = version === "ipv4" ? "01" : "02";
  return `00:00:5e:00:${block}:${vrid.toString(16).padStart(2, "0")}` as Mac;
}
