/** Which addresses a host can have, and what can be reached from where. Pure arithmetic on addresses. */
import {
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
  if (family(address) === "ipv6") {
    if (address === "::") return "the unspecified address";
    if (address === "::1") return "the loopback address";
    if (/^ff[0-9a-f]{2}:/.test(address)) return "a multicast address";
    return address.startsWith("::ffff:") ? "an IPv4 address written as IPv6" : undefined;
  }
  const first = Number(address.slice(0, address.indexOf(".")));
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
  clearFrom(bytes, value.prefixLength);
  return { address: addressFromBytes(bytes) ?? value.address, prefixLength: value.prefixLength };
}

function clearFrom(bytes: Uint8Array, bit: number): void {
  const whole = Math.ceil(bit / 8);
  if (whole > 0) bytes[whole - 1] = (bytes[whole - 1] ?? 0) & (0xff << (whole * 8 - bit));
  bytes.fill(0, whole);
}

/** Subnets that addresses are looked up in. */
export interface SubnetTable<T> {
  /** By length, longest first; under the bits of the prefix. */
  readonly ipv4: readonly SubnetsOfLength<T>[];
  readonly ipv6: readonly SubnetsOfLength<T>[];
}

interface SubnetsOfLength<T> {
  readonly prefixLength: number;
  readonly subnets: ReadonlyMap<string | number, T>;
}

/** A table of subnets; of two equal ones the first counts. */
export function subnetTable<T>(entries: readonly (readonly [InterfaceAddress, T])[]): SubnetTable<T> {
  const of = (wanted: "ipv4" | "ipv6"): readonly SubnetsOfLength<T>[] => {
    const here = entries.filter(([subnet]) => family(subnet.address) === wanted);
    const lengths = [...new Set(here.map(([subnet]) => subnet.prefixLength))].sort((a, b) => b - a);
    return lengths.map((prefixLength) => {
      const same = here.filter(([subnet]) => subnet.prefixLength === prefixLength).toReversed();
      return {
        prefixLength,
        subnets: new Map(same.map(([{ address }, value]) => [leadingBits(address, prefixLength), value])),
      };
    });
  };
  return { ipv4: of("ipv4"), ipv6: of("ipv6") };
}

/** What belongs to the subnet with the longest prefix that holds the address; undefined when none does. */
export function longestMatch<T>(address: IpAddress, table: SubnetTable<T>): T | undefined {
  for (const { prefixLength, subnets } of table[family(address)]) {
    const found = subnets.get(leadingBits(address, prefixLength));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The first bits of an address, as a key that is the same for all addresses of a subnet. */
function leadingBits(address: IpAddress, prefixLength: number): string | number {
  if (family(address) === "ipv4") return Math.floor(toNumber(address) / 2 ** (32 - prefixLength));
  const bytes = addressBytes(address);
  clearFrom(bytes, prefixLength);
  return String.fromCharCode(...bytes);
}

/** Of an IPv4 address. */
function toNumber(address: IpAddress): number {
  const bytes = addressBytes(address);
  return (((bytes[0] ?? 0) * 256 + (bytes[1] ?? 0)) * 256 + (bytes[2] ?? 0)) * 256 + (bytes[3] ?? 0);
}
