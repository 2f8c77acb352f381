/**
 * VRRPv3 messages on the wire: encodes an ADVERTISEMENT and decodes one behind the ladder of checks that RFC 9568
 * §7.1 asks of a receiver. The IP and Ethernet headers are `firmware/announce`'s; whether the VRID is ours and
 * who wins is decided by `machine.ts` and `group.ts`.
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   |Version| Type  | Virtual Rtr ID|   Priority    |IPvX Addr Count|
 *   |Reserve|  Max Advertise Intvl  |          Checksum             |
 *   |                       IPvX Address(es)                        |
 *
 * @see RFC 9568 §5.2
 */
import {
  addressBytes,
  addressFromBytes,
  family,
  isLinkLocal,
  type Family,
  type IpAddress,
  type Ipv4,
  type Ipv6,
} from "@futago/hal/units/address.ts";
import { internetChecksum, pseudoHeader } from "@futago/hal/units/checksum.ts";
import { ok, refuse, type Result } from "@futago/hal/units/result.ts";
import { micros, type Micros } from "@futago/hal/units/time.ts";

export const VRRP_PROTOCOL = 112;
export const VRRP_TTL = 255;
/** Where advertisements go. @see RFC 9568 §5.1.1.2, §5.1.2.2 */
export const VRRP_GROUP: { readonly ipv4: Ipv4; readonly ipv6: Ipv6 } = {
  ipv4: "224.0.0.18" as Ipv4,
  ipv6: "ff02::12" as Ipv6,
};

const VERSION = 3;
const TYPE_ADVERTISEMENT = 1;
const HEADER_BYTES = 8;
const CENTISECOND_MICROS = 10_000;
const INTERVAL_CENTISECONDS_MAX = 0xfff;

/**
 * Which reading of the checksum over IPv4: `rfc5798` includes a pseudo-header (keepalived, FRR), `rfc9568` is the
 * message alone (RFC 9568 §5.2.8, Cisco, Juniper). Over IPv6 both include it.
 */
export type ChecksumReading = "rfc5798" | "rfc9568";

export interface Advertisement {
  readonly vrid: number;
  /** 0: the sender gives the role up; 1 to 254; 255: it owns the addresses. */
  readonly priority: number;
  readonly maxAdvertiseInterval: Micros;
  /** The virtual addresses; for IPv6 the link-local one first. */
  readonly addresses: readonly IpAddress[];
}

export interface ReceivedAdvertisement extends Advertisement {
  readonly family: Family;
  /** The sender's primary address. */
  readonly source: IpAddress;
  /** The reading that the sender's checksum fits. Over IPv6 always `rfc9568`. */
  readonly checksum: ChecksumReading;
  /** Bytes after the address list, such as an authentication trailer; they are not interpreted. */
  readonly trailerBytes: number;
}

/** What the IP header said of a message. */
export interface PacketMeta {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** TTL or Hop Limit. */
  readonly hopLimit: number;
}

/** Why a message is discarded, in the order of the checks. Also the metric label. */
export type AdvertisementRefusal =
  /** TTL or Hop Limit is not 255: the packet may come from another link. §5.1.1.3, §5.1.2.3 */
  | "ttl-not-255"
  /** Not sent to the VRRP group; unicast VRRP is an extension we do not speak. §7.2 */
  | "destination-not-group"
  /** Shorter than the fixed fields. §7.1 */
  | "truncated"
  /** Another version of VRRP. §7.1 */
  | "version-not-3"
  /** Not an ADVERTISEMENT. §5.2.2 */
  | "type-unknown"
  /** No address in the list. §5.2.5, erratum 8299 */
  | "address-count-zero"
  /** Shorter than the address list that it announces. §7.1 */
  | "addresses-truncated"
  /** No reading of the checksum fits. §5.2.8 */
  | "checksum-wrong"
  /** Max Advertise Interval is 0. Erratum 8301 */
  | "interval-zero"
  /** Over IPv6 the first address is not link-local. §5.2.9, erratum 8300 */
  | "first-address-not-link-local";

/**
 * The message for one advertisement, checksum included. Throws RangeError on a VRID, priority, interval or address
 * list that the wire cannot carry: the schema admits none.
 */
export function encodeAdvertisement(
  advertisement: Advertisement,
  source: IpAddress,
  reading: ChecksumReading,
): Uint8Array {
  const version = family(source);
  const { vrid, priority, addresses } = advertisement;
  const centiseconds = Math.round(advertisement.maxAdvertiseInterval / CENTISECOND_MICROS);
  within("vrid", vrid, 1, 255);
  within("priority", priority, 0, 255);
  within("address count", addresses.length, 1, 255);
  within("interval in centiseconds", centiseconds, 1, INTERVAL_CENTISECONDS_MAX);
  const size = version === "ipv4" ? 4 : 16;
  const message = new Uint8Array(HEADER_BYTES + addresses.length * size);
  message.set([(VERSION << 4) | TYPE_ADVERTISEMENT, vrid, priority, addresses.length]);
  message.set([centiseconds >> 8, centiseconds & 0xff], 4);
  addresses.forEach((address, i) => {
    if (family(address) !== version) throw new RangeError(`${address} advertised from ${source}`);
    message.set(addressBytes(address), HEADER_BYTES + i * size);
  });
  const checksum = checksumOf(message, source, VRRP_GROUP[version], reading);
  message.set([checksum >> 8, checksum & 0xff], 6);
  return message;
}

/** Reads one message; `message` is what follows the IP header, cut at the IP header's length. */
export function decodeAdvertisement(
  message: Uint8Array,
  meta: PacketMeta,
): Result<ReceivedAdvertisement, AdvertisementRefusal> {
  const version = family(meta.source);
  const size = version === "ipv4" ? 4 : 16;
  if (meta.hopLimit !== VRRP_TTL) return refuse("ttl-not-255");
  if (meta.destination !== VRRP_GROUP[version]) return refuse("destination-not-group");
  if (message.length < HEADER_BYTES) return refuse("truncated");
  const [versionType = 0, vrid = 0, priority = 0, count = 0, intervalHigh = 0, intervalLow = 0] = message;
  if (versionType >> 4 !== VERSION) return refuse("version-not-3");
  if ((versionType & 0xf) !== TYPE_ADVERTISEMENT) return refuse("type-unknown");
  if (count === 0) return refuse("address-count-zero");
  const length = HEADER_BYTES + count * size;
  if (message.length < length) return refuse("addresses-truncated");
  const checksum = fittingReading(message, length, meta);
  if (checksum === undefined) return refuse("checksum-wrong");
  const centiseconds = ((intervalHigh & 0xf) << 8) | intervalLow;
  if (centiseconds === 0) return refuse("interval-zero");
  const addresses = readAddresses(message.subarray(HEADER_BYTES, length), size);
  const first = addresses[0];
  if (version === "ipv6" && (first === undefined || !isLinkLocal(first))) return refuse("first-address-not-link-local");
  return ok({
    family: version,
    source: meta.source,
    vrid,
    priority,
    maxAdvertiseInterval: micros(centiseconds * CENTISECOND_MICROS),
    addresses,
    checksum,
    trailerBytes: message.length - length,
  });
}

/** Whether an advertisement lists exactly these addresses, in any order. A difference is logged, never refused (§7.1). */
export function listsAddresses(advertisement: Advertisement, expected: readonly IpAddress[]): boolean {
  const listed = new Set(advertisement.addresses);
  return listed.size === new Set(expected).size && expected.every((address) => listed.has(address));
}

/**
 * The reading that fits, over the message as its address count ends it or over all that the IP header carries: a
 * sender of a trailer may have summed either.
 */
function fittingReading(message: Uint8Array, length: number, meta: PacketMeta): ChecksumReading | undefined {
  const readings: readonly ChecksumReading[] = family(meta.source) === "ipv4" ? ["rfc9568", "rfc5798"] : ["rfc9568"];
  const extents = message.length === length ? [message] : [message.subarray(0, length), message];
  for (const extent of extents) {
    for (const reading of readings) {
      if (checksumOf(extent, meta.source, meta.destination, reading) === 0) return reading;
    }
  }
  return undefined;
}

function checksumOf(message: Uint8Array, source: IpAddress, destination: IpAddress, reading: ChecksumReading): number {
  if (family(source) === "ipv4" && reading === "rfc9568") return internetChecksum([message]);
  return internetChecksum([pseudoHeader(source, destination, VRRP_PROTOCOL, message.length), message]);
}

function readAddresses(bytes: Uint8Array, size: number): readonly IpAddress[] {
  const addresses: IpAddress[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const address = addressFromBytes(bytes.subarray(at, at + size));
    if (address !== undefined) addresses.push(address);
  }
  return addresses;
}

function within(what: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`VRRP ${what} ${value} is not within ${min} to ${max}`);
  }
}
