/** The Internet checksum and the pseudo-headers that some protocols include in it. */
import { addressBytes, family, type IpAddress } from "./address.ts";

/**
 * The one's complement of the one's complement sum of the parts, taken as one byte string: 0 over data that
 * includes its own right checksum.
 *
 * @see RFC 1071 §1
 */
export function internetChecksum(parts: readonly Uint8Array[]): number {
  let sum = 0;
  let offset = 0;
  for (const part of parts) {
    for (const byte of part) {
      sum += offset % 2 === 0 ? byte << 8 : byte;
      offset++;
    }
    sum = fold(sum);
  }
  return ~fold(sum) & 0xffff;
}

/**
 * The pseudo-header of an upper-layer message of `length` bytes; both addresses are of one family.
 *
 * @see RFC 8200 §8.1 (IPv6), RFC 9293 §3.1 (IPv4)
 */
export function pseudoHeader(source: IpAddress, destination: IpAddress, protocol: number, length: number): Uint8Array {
  const tail =
    family(source) === "ipv4"
      ? [0, protocol, length >> 8, length & 0xff]
      : [0, 0, length >> 8, length & 0xff, 0, 0, 0, protocol];
  return Uint8Array.from([...addressBytes(source), ...addressBytes(destination), ...tail]);
}

function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x1_0000);
  return folded;
}
