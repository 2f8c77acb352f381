/** VRRP messages as whole Ethernet frames, to and from a packet(7) socket. The message itself is `standby/vrrp`'s. */
import { family, type IpAddress, type Ipv4, type Ipv6, type Mac } from "@futago/hal/units/address.ts";
import { ok, refuse, type Result } from "@futago/hal/units/result.ts";
import {
  decodeEthernet,
  encodeEthernet,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  multicastMac,
  virtualRouterMac,
} from "./ethernet.ts";
import { decodeIp, encodeIp, type IpRefusal } from "./ip.ts";

const PROTOCOL_VRRP = 112;
const TTL = 255;
const GROUP_IPV4 = "224.0.0.18" as Ipv4;
const GROUP_IPV6 = "ff02::12" as Ipv6;

export type FrameRefusal = IpRefusal | "frame-truncated" | "not-vrrp";

export interface VrrpFrame {
  /** The Ethernet source: the Virtual Router MAC, or a physical one from routers that do not follow §7.2. */
  readonly mac: Mac;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly hopLimit: number;
  readonly message: Uint8Array;
}

/**
 * The frame that carries a message from `source`, the sender's primary address. Its Ethernet source is the Virtual
 * Router MAC even where the VIPs live on the physical one: bridges learn from it on which port the Active Router is.
 *
 * @see RFC 9568 §5.1, §7.2
 */
export function encodeVrrpFrame(vrid: number, source: IpAddress, message: Uint8Array): Uint8Array {
  const version = family(source);
  const destination = version === "ipv4" ? GROUP_IPV4 : GROUP_IPV6;
  return encodeEthernet({
    destination: multicastMac(destination),
    source: virtualRouterMac(version, vrid),
    etherType: version === "ipv4" ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6,
    payload: encodeIp({ source, destination, protocol: PROTOCOL_VRRP, hopLimit: TTL, payload: message }),
  });
}

/** Strips the headers, the IPv4 one by its IHL. What RFC 9568 §7.1 checks of them is left to the reader of the message. */
export function decodeVrrpFrame(bytes: Uint8Array): Result<VrrpFrame, FrameRefusal> {
  const frame = decodeEthernet(bytes);
  if (frame === undefined) return refuse("frame-truncated");
  const packet = decodeIp(frame.etherType, frame.payload);
  if (!packet.ok) return packet;
  const { source, destination, hopLimit, protocol, payload } = packet.value;
  if (protocol !== PROTOCOL_VRRP) return refuse("not-vrrp");
  return ok({ mac: frame.source, source, destination, hopLimit, message: payload });
}
