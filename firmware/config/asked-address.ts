/**
 * Whether a person may let the box ask an address, with a ping or a request of its own. What listens on the box and its
 * peer for them alone must not be reached in their name, and nothing that means another machine on every link. A name is
 * judged by the address that it has, and that address is asked. Pure.
 */
import {
  addressBytes,
  addressFromBytes,
  family,
  type InterfaceAddress,
  type IpAddress,
} from "@futago/hal/units/address.ts";
import { notForBackends, notForHostsIn } from "./host-address.ts";

export interface Surroundings {
  /** The box's own addresses of now, with their subnets; virtual ones among them. */
  readonly own: readonly InterfaceAddress[];
  /** Of the pair: the other box's and the virtual ones. */
  readonly pair: readonly IpAddress[];
}

export const ASKED_REFUSALS = ["notForHosts", "broadcastAddress", "embeddedAddress", "ownAddress"] as const;

export interface AskedRefusal {
  readonly reason: (typeof ASKED_REFUSALS)[number];
  /** As the rest of "10.1.0.1 is …". */
  readonly sentence: string;
}

export function refuseAsked(address: IpAddress, { own, pair }: Surroundings): AskedRefusal | undefined {
  const reason = notForBackends(address);
  if (reason !== undefined) return { reason: "notForHosts", sentence: reason };
  if (pair.includes(address) || own.some((one) => one.address === address))
    return { reason: "ownAddress", sentence: "an address of the pair itself" };
  const ofSubnet = own.map(({ prefixLength }) => notForHostsIn({ address, prefixLength }));
  const lies = own.map((one, i) => (inSame(one, address) ? ofSubnet[i] : undefined)).find((one) => one !== undefined);
  if (lies !== undefined) return { reason: "broadcastAddress", sentence: lies };
  const inner = embedded(address);
  const refusal = inner === undefined ? undefined : refuseAsked(inner, { own, pair });
  return (
    refusal && { reason: "embeddedAddress", sentence: `another way to write ${inner}, which is ${refusal.sentence}` }
  );
}

function inSame({ address: own, prefixLength }: InterfaceAddress, address: IpAddress): boolean {
  if (family(own) !== family(address)) return false;
  const [mine, theirs] = [addressBytes(own), addressBytes(address)];
  for (let bit = 0; bit < prefixLength; bit++) {
    const mask = 0x80 >> (bit % 8);
    const at = Math.floor(bit / 8);
    if (((mine[at] ?? 0) & mask) !== ((theirs[at] ?? 0) & mask)) return false;
  }
  return true;
}

/**
 * The IPv4 address that a translator or a tunnel takes out of an IPv6 address: RFC 4291 §2.5.5.1, RFC 6052 §2.1,
 * RFC 3056 §2. Those mapped into IPv6 are no address of a host in any case.
 */
function embedded(address: IpAddress): IpAddress | undefined {
  if (family(address) === "ipv4") return undefined;
  const bytes = addressBytes(address);
  const starts = (...head: readonly number[]) => head.every((byte, i) => bytes[i] === byte);
  if (starts(0x20, 0x02)) return addressFromBytes(bytes.subarray(2, 6));
  const isTranslated = starts(0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0);
  return isTranslated || starts(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) ? addressFromBytes(bytes.subarray(12)) : undefined;
}
