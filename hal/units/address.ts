/**
 * Network addresses as branded canonical text: two equal addresses are equal strings, so they serve as map
 * keys, log fields and JSON. Only the parsers below make them.
 */
import { isIPv4, isIPv6 } from "node:net";
import type { Brand } from "./time.ts";

/** Dotted quad without leading zeros. */
export type Ipv4 = Brand<string, "Ipv4">;
/** RFC 5952 text, without a zone. */
export type Ipv6 = Brand<string, "Ipv6">;
export type IpAddress = Ipv4 | Ipv6;
/** Six lower-case hexadecimal pairs with colons. */
export type Mac = Brand<string, "Mac">;
/** A Linux interface name: 1 to 15 bytes, no slash, no white space (dev_valid_name in net/core/dev.c). */
export type Ifname = Brand<string, "Ifname">;
/** A Linux interface index, positive. */
export type Ifindex = Brand<number, "Ifindex">;
export type Family = "ipv4" | "ipv6";

/** An address with the length of its subnet prefix: 10.1.0.1/24 keeps the host bits. */
export interface InterfaceAddress {
  readonly address: IpAddress;
  readonly prefixLength: number;
}

export function parseIpv4(text: string): Ipv4 | undefined {
  return isIPv4(text) ? (text as Ipv4) : undefined;
}

export function parseIpv6(text: string): Ipv6 | undefined {
  if (!isIPv6(text) || text.includes("%")) return undefined;
  return formatIpv6(ipv6Groups(text));
}

export function parseIpAddress(text: string): IpAddress | undefined {
  return parseIpv4(text) ?? parseIpv6(text);
}

export function family(address: IpAddress): Family {
  return address.includes(":") ? "ipv6" : "ipv4";
}

export function isIpv4Address(address: IpAddress): address is Ipv4 {
  return family(address) === "ipv4";
}

/** "10.1.0.1/24" or "fd00::1/64"; the prefix length must be written. */
export function parseInterfaceAddress(text: string): InterfaceAddress | undefined {
  const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text);
  const address = match?.[1] === undefined ? undefined : parseIpAddress(match[1]);
  if (address === undefined) return undefined;
  const prefixLength = Number(match?.[2]);
  return prefixLength <= addressBits(address) ? { address, prefixLength } : undefined;
}

export function formatInterfaceAddress(value: InterfaceAddress): string {
  return `${value.address}/${value.prefixLength}`;
}

/** 32 or 128. */
export function addressBits(address: IpAddress): number {
  return family(address) === "ipv4" ? 32 : 128;
}

/** The address in network byte order: 4 or 16 bytes. */
export function addressBytes(address: IpAddress): Uint8Array {
  if (family(address) === "ipv4") return ipv4Bytes(address);
  const bytes = new Uint8Array(16);
  ipv6Groups(address).forEach((group, i) => {
    bytes[2 * i] = group >> 8;
    bytes[2 * i + 1] = group & 0xff;
  });
  return bytes;
}

/** Digit by digit: large configurations ask for hundreds of thousands. */
function ipv4Bytes(address: string): Uint8Array {
  const bytes = new Uint8Array(4);
  let at = 0;
  for (let i = 0; i < address.length; i++) {
    const code = address.charCodeAt(i);
    if (code === 0x2e) at++;
    else bytes[at] = (bytes[at] ?? 0) * 10 + code - 0x30;
  }
  return bytes;
}

/** The address held in 4 or 16 bytes of network order; undefined for any other length. */
export function addressFromBytes(bytes: Uint8Array): IpAddress | undefined {
  if (bytes.length === 4) return bytes.join(".") as Ipv4;
  if (bytes.length !== 16) return undefined;
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0));
  return formatIpv6(groups);
}

/** Whether `address` lies in the subnet of `subnet` (same family, same leading bits). */
export function inSubnet(address: IpAddress, subnet: InterfaceAddress): boolean {
  if (family(address) !== family(subnet.address)) return false;
  const a = addressBytes(address);
  const b = addressBytes(subnet.address);
  const whole = subnet.prefixLength >> 3;
  for (let i = 0; i < whole; i++) if (a[i] !== b[i]) return false;
  const rest = subnet.prefixLength & 7;
  if (rest === 0) return true;
  const mask = (0xff << (8 - rest)) & 0xff;
  return ((a[whole] ?? 0) & mask) === ((b[whole] ?? 0) & mask);
}

/** fe80::/10. */
export function isLinkLocal(address: IpAddress): boolean {
  // The text is canonical: lower case, no leading zeros.
  return /^fe[89ab][0-9a-f]:/.test(address);
}

export function parseMac(text: string): Mac | undefined {
  const lower = text.toLowerCase();
  return /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(lower) ? (lower as Mac) : undefined;
}

export function macBytes(mac: Mac): Uint8Array {
  return Uint8Array.from(mac.split(":").map((pair) => Number.parseInt(pair, 16)));
}

/** The MAC held in six bytes; undefined for any other length. */
export function macFromBytes(bytes: Uint8Array): Mac | undefined {
  if (bytes.length !== 6) return undefined;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":") as Mac;
}

export function parseIfname(text: string): Ifname | undefined {
  const bytes = new TextEncoder().encode(text).length;
  const valid = bytes >= 1 && bytes <= 15 && text !== "." && text !== ".." && !/[/:\s]/.test(text);
  return valid ? (text as Ifname) : undefined;
}

/** The eight groups of an IPv6 address that isIPv6 accepted. Digit by digit, as {@link ipv4Bytes}. */
function ipv6Groups(text: string): number[] {
  const hex = text.includes(".") ? withoutDots(text) : text;
  const groups: number[] = [];
  let gap = -1;
  let group = 0;
  let digits = 0;
  for (let i = 0; i <= hex.length; i++) {
    const code = i === hex.length ? COLON : hex.charCodeAt(i);
    if (code !== COLON) {
      group = group * 16 + (code <= NINE ? code - 0x30 : (code | 0x20) - 0x57);
      digits++;
      continue;
    }
    if (digits > 0) groups.push(group);
    if (hex.charCodeAt(i + 1) === COLON) gap = groups.length;
    group = 0;
    digits = 0;
  }
  if (gap < 0) return groups;
  const missing = Array.from({ length: 8 - groups.length }, () => 0);
  return [...groups.slice(0, gap), ...missing, ...groups.slice(gap)];
}

const COLON = 0x3a;
const NINE = 0x39;

/** "::ffff:192.0.2.1" as "::ffff:c000:201". */
function withoutDots(text: string): string {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  return dotted === null ? text : `${dotted[1]}${pairOf(dotted[2], dotted[3])}:${pairOf(dotted[4], dotted[5])}`;
}

function pairOf(high: string | undefined, low: string | undefined): string {
  return ((Number(high) << 8) | Number(low)).toString(16);
}

function formatIpv6(groups: readonly number[]): Ipv6 {
  let bestStart = -1;
  let bestLength = 1;
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > bestLength) {
      bestStart = start;
      bestLength = length;
    }
  }
  const text = groups.map((group) => group.toString(16));
  if (bestStart < 0) return text.join(":") as Ipv6;
  return `${text.slice(0, bestStart).join(":")}::${text.slice(bestStart + bestLength).join(":")}` as Ipv6;
}
