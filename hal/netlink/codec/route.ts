/** Routes of the main table: struct rtmsg and its attributes. @see rtnetlink(7), linux/rtnetlink.h */
import { type RouteEntry, RTPROT_FUTAGO } from "../../contract/network.ts";
import {
  addressBytes,
  addressFromBytes,
  type Family,
  family,
  type Ifindex,
  type InterfaceAddress,
  type IpAddress,
} from "../../units/address.ts";
import { concatBytes } from "../../units/bytes.ts";
import { familyNumber, readAddress } from "./address.ts";
import {
  type Attributes,
  attribute,
  attributeU32,
  align,
  readAttributes,
  readU16,
  readU32,
  valueU32,
  writeU16,
} from "./attributes.ts";
import {
  AF_INET,
  AF_INET6,
  RT_SCOPE_LINK,
  RT_SCOPE_NOWHERE,
  RT_SCOPE_UNIVERSE,
  RT_TABLE_MAIN,
  RTA_DST,
  RTA_GATEWAY,
  RTA_MULTIPATH,
  RTA_OIF,
  RTA_PRIORITY,
  RTA_TABLE,
  RTA_VIA,
  RTM_F_CLONED,
  RTN_UNICAST,
} from "./constants.ts";
import { ifindexOf, readIfindex } from "./link.ts";

/** Family, destination and source prefix lengths, TOS, table, protocol, scope, type, flags. */
const RTMSG_BYTES = 12;
const NEXT_HOP_BYTES = 8;

export type RouteRequest = Omit<RouteEntry, "protocol">;

/**
 * The routes that RTM_NEWROUTE or RTM_DELROUTE describes, one per next hop. None for what is no unicast route of the
 * main table: local and multicast routes, other tables, blackholes, cached clones.
 */
export function decodeRoutes(payload: Uint8Array): readonly RouteEntry[] {
  const familyByte = payload[0];
  if (payload.length < RTMSG_BYTES || (familyByte !== AF_INET && familyByte !== AF_INET6)) return [];
  const attributes = readAttributes(payload, RTMSG_BYTES);
  const table = valueU32(attributes.get(RTA_TABLE)) ?? payload[4];
  if (table !== RT_TABLE_MAIN || payload[7] !== RTN_UNICAST || (readU32(payload, 8) & RTM_F_CLONED) !== 0) return [];
  const destination = readDestination(attributes.get(RTA_DST), familyByte, payload[1] ?? 0);
  if (destination === "malformed") return [];
  const shared = {
    family: familyByte === AF_INET ? ("ipv4" as const) : ("ipv6" as const),
    destination,
    metric: valueU32(attributes.get(RTA_PRIORITY)) ?? 0,
    protocol: payload[5] ?? 0,
  };
  const multipath = attributes.get(RTA_MULTIPATH);
  const single = { via: readVia(attributes, familyByte), ifindex: ifindexOf(valueU32(attributes.get(RTA_OIF))) };
  const hops = multipath === undefined ? [single] : readNextHops(multipath, familyByte);
  return hops.map((hop) => ({ ...shared, ...hop }));
}

/** What RTM_GETROUTE wants to list one family's main table. */
export function encodeRouteFilter(name: Family): Uint8Array {
  const header = new Uint8Array(RTMSG_BYTES);
  header[0] = familyNumber(name);
  return concatBytes([header, attributeU32(RTA_TABLE, RT_TABLE_MAIN)]);
}

/** For RTM_NEWROUTE. */
export function encodeRoute(route: RouteRequest): Uint8Array {
  // IPv4 refuses a gateway for a route of link scope, and a route without one of any other.
  const scope = route.via === undefined && route.family === "ipv4" ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  return encode(route, scope);
}

/** For RTM_DELROUTE: finds the route whatever its scope, but only one of our own protocol. */
export function encodeRouteDeletion(route: RouteRequest): Uint8Array {
  return encode(route, RT_SCOPE_NOWHERE);
}

function encode(route: RouteRequest, scope: number): Uint8Array {
  const header = new Uint8Array(RTMSG_BYTES);
  const { destination, via, ifindex, metric } = route;
  header.set([familyNumber(route.family), destination?.prefixLength ?? 0, 0, 0, RT_TABLE_MAIN, RTPROT_FUTAGO, scope]);
  header[7] = RTN_UNICAST;
  const parts: Uint8Array[] = [header];
  if (destination !== undefined) parts.push(attribute(RTA_DST, networkBytes(destination)));
  if (via !== undefined) parts.push(encodeVia(route.family, via));
  if (ifindex !== undefined) parts.push(attributeU32(RTA_OIF, ifindex));
  parts.push(attributeU32(RTA_PRIORITY, metric));
  return concatBytes(parts);
}

/** An IPv4 route through an IPv6 neighbour says the gateway's family (RTA_VIA). */
function encodeVia(routeFamily: Family, via: IpAddress): Uint8Array {
  if (family(via) === routeFamily) return attribute(RTA_GATEWAY, addressBytes(via));
  const head = new Uint8Array(2);
  writeU16(head, 0, familyNumber(family(via)));
  return attribute(RTA_VIA, concatBytes([head, addressBytes(via)]));
}

/** The kernel refuses a destination with host bits. */
function networkBytes(destination: InterfaceAddress): Uint8Array {
  return addressBytes(destination.address).map((byte, i) => {
    const bits = Math.min(8, Math.max(0, destination.prefixLength - 8 * i));
    return byte & (0xff << (8 - bits));
  });
}

function readDestination(value: Uint8Array | undefined, familyByte: number, prefixLength: number) {
  if (prefixLength > (familyByte === AF_INET ? 32 : 128)) return "malformed";
  if (prefixLength === 0) return undefined;
  const address = readAddress(value, familyByte);
  return address === undefined ? "malformed" : { address, prefixLength };
}

function readVia(attributes: Attributes, familyByte: number): IpAddress | undefined {
  const via = attributes.get(RTA_VIA);
  if (via === undefined) return readAddress(attributes.get(RTA_GATEWAY), familyByte);
  return via.length < 2 ? undefined : addressFromBytes(via.subarray(2));
}

/** struct rtnexthop: length, flags, hops, index, attributes. */
function readNextHops(bytes: Uint8Array, familyByte: number): readonly Pick<RouteEntry, "via" | "ifindex">[] {
  const hops: { via: IpAddress | undefined; ifindex: Ifindex | undefined }[] = [];
  let at = 0;
  while (at + NEXT_HOP_BYTES <= bytes.length) {
    const length = readU16(bytes, at);
    if (length < NEXT_HOP_BYTES || at + length > bytes.length) break;
    const hop = bytes.subarray(at, at + length);
    hops.push({ via: readVia(readAttributes(hop, NEXT_HOP_BYTES), familyByte), ifindex: readIfindex(hop, 4) });
    at += align(length);
  }
  return hops;
}
