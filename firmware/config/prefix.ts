/** Subnets of clients as `allow` and `deny` write them: an address alone means itself. */
import {
  addressBits,
  type InterfaceAddress,
  parseInterfaceAddress,
  parseIpAddress,
} from "@futago/hal/units/address.ts";

/** "198.51.100.0/24", or "203.0.113.7" for "203.0.113.7/32"; host bits are kept as written. */
export function parsePrefix(text: string): InterfaceAddress | undefined {
  const address = parseIpAddress(text);
  return address === undefined ? parseInterfaceAddress(text) : { address, prefixLength: addressBits(address) };
}
