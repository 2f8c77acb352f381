/**
 * Neighbour Discovery frames: the unsolicited advertisement that tells neighbours a VIP's new Ethernet address, the
 * group that a VIP must listen on, and the reading of others' solicitations and advertisements.
 *
 *   Neighbour Advertisement: type 136, code, checksum | R S O, reserved | target address | options
 *   Neighbour Solicitation:  type 135, code, checksum | reserved        | target address | options
 *
 * @see RFC 4861 §4.3, §4.4, §4.6.1
 */
import {
  addressBytes,
  addressFromBytes,
  family,
  isIpv4Address,
  macBytes,
  macFromBytes,
  type Ipv6,
  type Mac,
} from "@futago/hal/units/address.ts";
import { internetChecksum, pseudoHeader } from "@futago/hal/units/checksum.ts";
import { decodeEthernet, encodeEthernet, ETHERTYPE_IPV6, multicastMac } from "./ethernet.ts";
import { decodeIp, encodeIp } from "./ip.ts";

const PROTOCOL_ICMPV6 = 58;
const HOP_LIMIT = 255;
const ALL_NODES = "ff02::1" as Ipv6;
const TYPE_SOLICITATION = 135;
const TYPE_ADVERTISEMENT = 136;
const OPTION_SOURCE_LINK_LAYER = 1;
const OPTION_TARGET_LINK_LAYER = 2;
const FIXED_BYTES = 24;
const FLAG_ROUTER = 0x80;
const FLAG_SOLICITED = 0x40;
const FLAG_OVERRIDE = 0x20;

export interface NeighbourPacket {
  readonly kind: "solicitation" | "advertisement";
  readonly source: Ipv6;
  readonly target: Ipv6;
  /** The link-layer address option, where there is one. */
  readonly linkLayer: Mac | undefined;
  readonly router: boolean;
  readonly solicited: boolean;
  readonly override: boolean;
  readonly ethernetSource: Mac;
  readonly ethernetDestination: Mac;
}

/**
 * An unsolicited Neighbour Advertisement for `address`: Router set, Solicited clear, Override set, to all nodes, or
 * to the one host `to`. The address is its own source, for the box holds it when it says so.
 *
 * @see RFC 9568 §6.4.2 (400), RFC 4861 §7.2.6
 */
export function encodeUnsolicitedAdvertisement(address: Ipv6, mac: Mac, to?: { mac: Mac; address: Ipv6 }): Uint8Array {
  const destination = to?.address ?? ALL_NODES;
  const message = new Uint8Array(FIXED_BYTES + 8);
  message.set([TYPE_ADVERTISEMENT, 0, 0, 0, FLAG_ROUTER | FLAG_OVERRIDE]);
  message.set(addressBytes(address), 8);
  message.set([OPTION_TARGET_LINK_LAYER, 1, ...macBytes(mac)], FIXED_BYTES);
  const checksum = internetChecksum([pseudoHeader(address, destination, PROTOCOL_ICMPV6, message.length), message]);
  message.set([checksum >> 8, checksum & 0xff], 2);
  return encodeEthernet({
    destination: to?.mac ?? multicastMac(destination),
    source: mac,
    etherType: ETHERTYPE_IPV6,
    payload: encodeIp({
      source: address,
      destination,
      protocol: PROTOCOL_ICMPV6,
      hopLimit: HOP_LIMIT,
      payload: message,
    }),
  });
}

/** Undefined for whatever is not a valid solicitation or advertisement (RFC 4861 §7.1). */
export function decodeNeighbour(bytes: Uint8Array): NeighbourPacket | undefined {
  const frame = decodeEthernet(bytes);
  if (frame === undefined || frame.etherType !== ETHERTYPE_IPV6) return undefined;
  const packet = decodeIp(frame.etherType, frame.payload);
  if (!packet.ok || packet.value.protocol !== PROTOCOL_ICMPV6 || packet.value.hopLimit !== HOP_LIMIT) return undefined;
  const { source, destination, payload: message } = packet.value;
  const [type, code, , , flags = 0] = message;
  if ((type !== TYPE_SOLICITATION && type !== TYPE_ADVERTISEMENT) || code !== 0) return undefined;
  const target = addressFromBytes(message.subarray(8, FIXED_BYTES));
  if (target === undefined || isIpv4Address(target) || isIpv4Address(source)) return undefined;
  const sum = internetChecksum([pseudoHeader(source, destination, PROTOCOL_ICMPV6, message.length), message]);
  if (sum !== 0) return undefined;
  const advertises = type === TYPE_ADVERTISEMENT;
  return {
    kind: advertises ? "advertisement" : "solicitation",
    source,
    target,
    linkLayer: linkLayerOption(message, advertises ? OPTION_TARGET_LINK_LAYER : OPTION_SOURCE_LINK_LAYER),
    router: advertises && (flags & FLAG_ROUTER) !== 0,
    solicited: advertises && (flags & FLAG_SOLICITED) !== 0,
    override: advertises && (flags & FLAG_OVERRIDE) !== 0,
    ethernetSource: frame.source,
    ethernetDestination: frame.destination,
  };
}

/**
 * The solicited-node group of an address, which its holder must be a member of. The kernel joins it by itself when
 * the address is added to an interface.
 *
 * @see RFC 4291 §2.7.1
 */
export function solicitedNodeGroup(address: Ipv6): { readonly group: Ipv6; readonly mac: Mac } {
  const bytes = addressBytes(address);
  const prefix = addressBytes("ff02::1:ff00:0" as Ipv6);
  prefix.set(bytes.subarray(13), 13);
  const group = addressFromBytes(prefix);
  if (group === undefined || family(group) !== "ipv6") throw new RangeError(`${address} has no solicited-node group`);
  return { group: group as Ipv6, mac: multicastMac(group) };
}

function linkLayerOption(message: Uint8Array, wanted: number): Mac | undefined {
  let at = FIXED_BYTES;
  while (at + 8 <= message.length) {
    const length = (message[at + 1] ?? 0) * 8;
    // A length of zero would loop for ever (RFC 4861 §4.6).
    if (length === 0) return undefined;
    if (message[at] === wanted && length === 8) return macFromBytes(message.subarray(at + 2, at + 8));
    at += length;
  }
  return undefined;
}
