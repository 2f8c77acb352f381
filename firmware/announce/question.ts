/**
 * Frames that ask who holds an address: an ARP request, a Neighbour Solicitation. Whoever asks names itself, so that
 * the answer comes to it; with the unspecified address it asks without being anybody.
 *
 * @see RFC 826, RFC 5227 §2.1.1, RFC 4861 §4.3 and §7.2.2
 */
import {
  addressBytes,
  type Ipv4,
  type Ipv6,
  isIpv4Address,
  type IpAddress,
  macBytes,
  type Mac,
} from "@futago/hal/units/address.ts";
import { concatBytes } from "@futago/hal/units/bytes.ts";
import { internetChecksum, pseudoHeader } from "@futago/hal/units/checksum.ts";
import { BROADCAST, encodeEthernet, ETHERTYPE_ARP, ETHERTYPE_IPV6 } from "./ethernet.ts";
import { encodeIp } from "./ip.ts";
import { solicitedNodeGroup } from "./nd.ts";

const ARP_REQUEST = [0, 1, 0x08, 0x00, 6, 4, 0, 1];
const PROTOCOL_ICMPV6 = 58;
/** Also the proof that no router passed it on. */
const HOP_LIMIT = 255;
const SOLICITATION = [135, 0, 0, 0, 0, 0, 0, 0];
const OPTION_SOURCE_LINK_LAYER = [1, 1];

export interface Asker {
  readonly mac: Mac;
  readonly address: IpAddress;
}

/** The two addresses are of one family. */
export function encodeQuestion(asker: Asker, about: IpAddress): Uint8Array {
  const { mac, address } = asker;
  if (isIpv4Address(about) && isIpv4Address(address)) return arpRequest(mac, address, about);
  if (!isIpv4Address(about) && !isIpv4Address(address)) return solicitation(mac, address, about);
  throw new RangeError(`${address} cannot ask about ${about}`);
}

function arpRequest(mac: Mac, address: Ipv4, about: Ipv4): Uint8Array {
  const unknown = new Uint8Array(6);
  const parts = [Uint8Array.from(ARP_REQUEST), macBytes(mac), addressBytes(address), unknown, addressBytes(about)];
  const payload = concatBytes(parts);
  return encodeEthernet({ destination: BROADCAST, source: mac, etherType: ETHERTYPE_ARP, payload });
}

function solicitation(mac: Mac, address: Ipv6, about: Ipv6): Uint8Array {
  const { group, mac: destination } = solicitedNodeGroup(about);
  // From the unspecified address there is no option: nobody is to learn anything from it.
  const option = address === "::" ? [] : [...OPTION_SOURCE_LINK_LAYER, ...macBytes(mac)];
  const message = Uint8Array.from([...SOLICITATION, ...addressBytes(about), ...option]);
  const checksum = internetChecksum([pseudoHeader(address, group, PROTOCOL_ICMPV6, message.length), message]);
  message.set([checksum >> 8, checksum & 0xff], 2);
  const packet = { source: address, destination: group, protocol: PROTOCOL_ICMPV6, hopLimit: HOP_LIMIT };
  const payload = encodeIp({ ...packet, payload: message });
  return encodeEthernet({ destination, source: mac, etherType: ETHERTYPE_IPV6, payload });
}
