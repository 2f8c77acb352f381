/**
 * A service's lists of clients as ranges that do not overlap: sets of nftables know no longest prefix. Decides whom
 * the balancer denies, as `access.ts` and the prefix table do.
 */
import { addressBits, addressBytes, addressFromBytes, family, type IpAddress } from "@futago/hal/units/address.ts";
import { accessEntries, accessRule } from "./access.ts";
import type { BalancedService } from "./service.ts";

export interface AddressRange {
  readonly first: IpAddress;
  readonly last: IpAddress;
}

/** A stretch of the address space; neighbours differ in `allowed`. */
interface Stretch {
  readonly from: bigint;
  readonly allowed: boolean;
}

/** The clients that the service does not serve, in order. */
export function deniedRanges(service: BalancedService): readonly AddressRange[] {
  const bits = addressBits(service.address);
  const stretches = flatten(service, bits);
  const end = 1n << BigInt(bits);
  return stretches.flatMap(({ from, allowed }, i) => {
    if (allowed) return [];
    const next = stretches[i + 1]?.from ?? end;
    return [{ first: addressOf(from, bits), last: addressOf(next - 1n, bits) }];
  });
}

/** "10.0.0.0-10.0.0.255", or one address. */
export function rangeText({ first, last }: AddressRange): string {
  return first === last ? first : `${first}-${last}`;
}

/**
 * From the widest prefix to the narrowest, each laid over those that hold it. Prefixes lie within each other or apart,
 * so behind its end that is in force again which was there before it.
 */
function flatten(service: BalancedService, bits: number): readonly Stretch[] {
  const prefixes = accessEntries(service, 0)
    .filter(({ prefix }) => family(prefix.address) === family(service.address))
    .map(({ prefix, allowed }) => {
      const from = numberOf(prefix.address);
      return { from, next: from + (1n << BigInt(bits - prefix.prefixLength)), allowed };
    })
    .sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : a.next > b.next ? -1 : 1));
  const stretches: Stretch[] = [];
  const open: { readonly next: bigint; readonly allowed: boolean }[] = [];
  const put = (from: bigint) => {
    const allowed = open.at(-1)?.allowed ?? accessRule(service) !== "listedOnly";
    if (stretches.at(-1)?.from === from) stretches.pop();
    if (stretches.at(-1)?.allowed !== allowed) stretches.push({ from, allowed });
  };
  const closeUntil = (limit: bigint) => {
    for (let top = open.at(-1); top !== undefined && top.next <= limit; top = open.at(-1)) {
      open.pop();
      put(top.next);
    }
  };
  const end = 1n << BigInt(bits);
  put(0n);
  for (const { from, next, allowed } of prefixes) {
    closeUntil(from);
    open.push({ next, allowed });
    put(from);
  }
  closeUntil(end);
  return stretches.filter(({ from }) => from < end);
}

function numberOf(address: IpAddress): bigint {
  return addressBytes(address).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function addressOf(number: bigint, bits: number): IpAddress {
  const bytes = Uint8Array.from({ length: bits / 8 }, (_, i) => Number((number >> BigInt(bits - 8 - 8 * i)) & 0xffn));
  const address = addressFromBytes(bytes);
  if (address === undefined) throw new RangeError(`${bits} bits make no address`);
  return address;
}
