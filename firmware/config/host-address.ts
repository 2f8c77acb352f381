/** Which addresses a host can have, and what can be reached from where. Pure arithmetic on addresses. */
import {
  addressBits,
  addressBytes,
  addressFromBytes,
  family,
  formatInterfaceAddress,
  type InterfaceAddress,
  type IpAddress,
  isLinkLocal,
} from "@futago/hal/units/address.ts";

/** Why no host can have the address, as the rest of "is …"; undefined when one can. */
export function notForHosts(address: IpAddress): string | undefined {
  const [first = 0] = addressBytes(address);
  if (family(address) === "ipv6") {
    if (address === "::") return "the unspecified address";
    if (address === "::1") return "the loopback address";
    if (first === 0xff) return "a multicast address";
    return address.startsWith("::ffff:") ? "an IPv4 address written as IPv6" : undefined;
  }
  if (first === 0) return "an address of no host";
  if (first === 127) return "a loopback address";
  if (first >= 240) return "a reserved address";
  return first >= 224 ? "a multicast address" : undefined;
}

/** Like {@link notForHosts} for what checks and clients are sent to: nothing that means another machine on every link (169.254.169.254). */
export function notForBackends(address: IpAddress): string | undefined {
  if (isLinkLocal(address) || address.startsWith("169.254.")) return "a link-local address";
  return notForHosts(address);
}

/** Like {@link notForHosts}, and whether it is the subnet's own or its broadcast address. */
export function notForHostsIn(value: InterfaceAddress): string | undefined {
  const reason = notForHosts(value.address);
  if (reason !== undefined) return reason;
  if (family(value.address) === "ipv6" || value.prefixLength >= 31) return undefined;
  if (subnetOf(value).address === value.address)
    return `the address of the subnet ${formatInterfaceAddress(value)} itself`;
  const bits = toNumber(value.address);
  const hostBits = 2 ** (32 - value.prefixLength);
  return bits % hostBits === hostBits - 1 ? `the broadcast address of its subnet` : undefined;
}

/** The subnet that the address lies in, with the host bits cleared. */
export function subnetOf(value: InterfaceAddress): InterfaceAddress {
  const bytes = addressBytes(value.address);
  for (let bit = value.prefixLength; bit < addressBits(value.address); bit++) {
    const at = bit >> 3;
    bytes[at] = (bytes[at] ?? 0) & ~(0x80 >> (bit & 7));
  }
  return { address: addressFromBytes(bytes) ?? value.address, prefixLength: value.prefixLength };
}

/** Subnets that addresses are looked up in. */
export interface SubnetTable<T> {
  /** Longest first. */
  readonly lengths: readonly number[];
  readonly subnets: ReadonlyMap<string, T>;
}

/** A table of subnets; of two equal ones the first counts. */
export function subnetTable<T>(entries: readonly (readonly [InterfaceAddress, T])[]): SubnetTable<T> {
  const subnets = new Map<string, T>();
  for (const [subnet, value] of entries) {
    const key = formatInterfaceAddress(subnetOf(subnet));
    if (!subnets.has(key)) subnets.set(key, value);
  }
  const lengths = [...new Set(entries.map(([subnet]) => subnet.prefixLength))].sort((a, b) => b - a);
  return { lengths, subnets };
}

/** What belongs to the subnet with the longest prefix that holds the address; undefined when none does. */
export function longestMatch<T>(address: IpAddress, table: SubnetTable<T>): T | undefined {
  for (const prefixLength of table.lengths) {
    if (prefixLength > addressBits(address)) continue;
    const found = table.subnets.get(formatInterfaceAddress(subnetOf({ address, prefixLength })));
    if (found !== undefined) return found;
  }
  return undefined;
}

function toNumber(address: IpAddress): number {
  return addressBytes(address).reduce((sum, byte) => sum * 256 + byte, 0);
}
