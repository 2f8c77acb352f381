/**
 * ARP frames: gratuitous ones that tell neighbours a VIP's new Ethernet address, and the reading of others' for
 * conflicts and for hosts that missed the news.
 *
 * @see RFC 826, RFC 5227 §1.1 (terms), RFC 9568 §6.4.2 with errata 7947 and 7949
 */
import {
  addressBytes,
  addressFromBytes,
  isIpv4Address,
  macBytes,
  macFromBytes,
  type Ipv4,
  type Mac,
} from "@futago/hal/units/address.ts";
import { BROADCAST, decodeEthernet, encodeEthernet, ETHERTYPE_ARP } from "./ethernet.ts";

const ARP_BYTES = 28;
const HARDWARE_ETHERNET = [0, 1];
const PROTOCOL_IPV4 = [0x08, 0x00];
const OPERATION_REQUEST = 1;
const OPERATION_REPLY = 2;

export interface ArpPacket {
  readonly kind: "arp";
  readonly operation: "request" | "reply";
  readonly senderMac: Mac;
  readonly senderAddress: Ipv4;
  readonly targetMac: Mac;
  readonly targetAddress: Ipv4;
  readonly ethernetSource: Mac;
  readonly ethernetDestination: Mac;
}

/**
 * A gratuitous ARP: the address as sender and as target, `mac` as both hardware addresses. Some hosts learn only
 * from requests, others only from replies, so both are sent. `to` tells one host instead of everybody.
 */
export function encodeGratuitousArp(
  operation: "request" | "reply",
  address: Ipv4,
  mac: Mac,
  to: Mac = BROADCAST,
): Uint8Array {
  const ip = addressBytes(address);
  const hardware = macBytes(mac);
  const payload = new Uint8Array(ARP_BYTES);
  payload.set([...HARDWARE_ETHERNET, ...PROTOCOL_IPV4, 6, 4, 0]);
  payload[7] = operation === "request" ? OPERATION_REQUEST : OPERATION_REPLY;
  payload.set(hardware, 8);
  payload.set(ip, 14);
  payload.set(hardware, 18);
  payload.set(ip, 24);
  return encodeEthernet({ destination: to, source: mac, etherType: ETHERTYPE_ARP, payload });
}

/** Undefined for whatever is not a complete ARP request or reply of IPv4 over Ethernet. */
export function decodeArp(bytes: Uint8Array): ArpPacket | undefined {
  const frame = decodeEthernet(bytes);
  if (frame === undefined || frame.etherType !== ETHERTYPE_ARP || frame.payload.length < ARP_BYTES) return undefined;
  const { payload } = frame;
  const kind = [...HARDWARE_ETHERNET, ...PROTOCOL_IPV4, 6, 4, 0];
  if (!kind.every((byte, i) => payload[i] === byte)) return undefined;
  const code = payload[7];
  if (code !== OPERATION_REQUEST && code !== OPERATION_REPLY) return undefined;
  const senderMac = macFromBytes(payload.subarray(8, 14));
  const senderAddress = addressFromBytes(payload.subarray(14, 18));
  const targetMac = macFromBytes(payload.subarray(18, 24));
  const targetAddress = addressFromBytes(payload.subarray(24, 28));
  if (senderMac === undefined || targetMac === undefined) return undefined;
  if (senderAddress === undefined || !isIpv4Address(senderAddress)) return undefined;
  if (targetAddress === undefined || !isIpv4Address(targetAddress)) return undefined;
  return {
    kind: "arp",
    operation: code === OPERATION_REQUEST ? "request" : "reply",
    senderMac,
    senderAddress,
    targetMac,
    targetAddress,
    ethernetSource: frame.source,
    ethernetDestination: frame.destination,
  };
}
