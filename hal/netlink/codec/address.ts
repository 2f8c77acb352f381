/** Addresses of links: struct ifaddrmsg and its attributes. @see rtnetlink(7), linux/if_addr.h */
import type { AddressEntry, AddressOptions } from "../../contract/network.ts";
import {
  addressBits,
  addressBytes,
  addressFromBytes,
  type Family,
  family,
  type Ifindex,
  type InterfaceAddress,
  type IpAddress,
} from "../../units/address.ts";
import { concatBytes } from "../../units/bytes.ts";
import { attribute, attributeU32, readAttributes, valueU32, writeU32 } from "./attributes.ts";
import {
  AF_INET,
  AF_INET6,
  IFA_ADDRESS,
  IFA_CACHEINFO,
  IFA_F_NODAD,
  IFA_F_NOPREFIXROUTE,
  IFA_FLAGS,
  IFA_LOCAL,
  RT_SCOPE_HOST,
  RT_SCOPE_LINK,
  RT_SCOPE_UNIVERSE,
} from "./constants.ts";
import { readIfindex } from "./link.ts";

/** Family, prefix length, low flags, scope, index. */
const IFADDRMSG_BYTES = 8;

/** The address that RTM_NEWADDR or RTM_DELADDR describes; undefined for anything else. */
export function decodeAddress(payload: Uint8Array): AddressEntry | undefined {
  if (payload.length < IFADDRMSG_BYTES) return undefined;
  const attributes = readAttributes(payload, IFADDRMSG_BYTES);
  // On a point-to-point link IFA_ADDRESS is the other end's address and IFA_LOCAL ours; IPv6 mostly has only the former.
  const address = readAddress(attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS), payload[0]);
  const ifindex = readIfindex(payload, 4);
  const prefixLength = payload[1] ?? 0;
  if (address === undefined || ifindex === undefined || prefixLength > addressBits(address)) return undefined;
  return {
    ifindex,
    address,
    prefixLength,
    scope: scopeName(payload[3] ?? 0),
    flags: valueU32(attributes.get(IFA_FLAGS)) ?? payload[2] ?? 0,
  };
}

/** What RTM_GETADDR wants to list every address. */
export function encodeAddressFilter(): Uint8Array {
  return new Uint8Array(IFADDRMSG_BYTES);
}

export function encodeAddress(ifindex: Ifindex, value: InterfaceAddress, options: AddressOptions = {}): Uint8Array {
  const bytes = addressBytes(value.address);
  const flags =
    (options.skipDuplicateDetection === true ? IFA_F_NODAD : 0) |
    (options.noPrefixRoute === true ? IFA_F_NOPREFIXROUTE : 0);
  const header = new Uint8Array(IFADDRMSG_BYTES);
  header[0] = familyNumber(family(value.address));
  header[1] = value.prefixLength;
  header[2] = flags & 0xff;
  writeU32(header, 4, ifindex);
  const deprecated = options.neverSource === true && family(value.address) === "ipv6";
  return concatBytes([
    header,
    attribute(IFA_LOCAL, bytes),
    attribute(IFA_ADDRESS, bytes),
    ...(deprecated ? [attribute(IFA_CACHEINFO, deprecatedForEver())] : []),
    ...(flags === 0 ? [] : [attributeU32(IFA_FLAGS, flags)]),
  ]);
}

/** struct ifa_cacheinfo: preferred for no second, valid without end; the kernel fills in the rest. */
function deprecatedForEver(): Uint8Array {
  const lifetimes = new Uint8Array(16);
  writeU32(lifetimes, 4, 0xffff_ffff);
  return lifetimes;
}

export function familyNumber(name: Family): number {
  return name === "ipv4" ? AF_INET : AF_INET6;
}

/** The address in an attribute, if its length is that of the family. */
export function readAddress(value: Uint8Array | undefined, familyByte: number | undefined): IpAddress | undefined {
  const length = familyByte === AF_INET ? 4 : familyByte === AF_INET6 ? 16 : -1;
  return value?.length === length ? addressFromBytes(value) : undefined;
}

function scopeName(scope: number): AddressEntry["scope"] {
  if (scope === RT_SCOPE_UNIVERSE) return "global";
  if (scope === RT_SCOPE_LINK) return "link";
  return scope === RT_SCOPE_HOST ? "host" : "other";
}
