/** A service's lists of clients as entries of the prefix table. */
import {
  addressBits,
  addressBytes,
  addressFromBytes,
  family,
  type InterfaceAddress,
} from "@futago/hal/units/address.ts";
import type { AccessEntry, AccessRule } from "@futago/hal/units/balancer.ts";
import type { BalancedService } from "./service.ts";

/** A service that names whom it serves denies the rest; one that only names whom it does not serves the rest. */
export function accessRule({ allow, deny }: BalancedService): AccessRule {
  if (allow.length > 0) return "listedOnly";
  return deny.length > 0 ? "listed" : "open";
}

/** Of a prefix in both lists the denial counts. Prefixes of the other family say nothing about the service's clients. */
export function accessEntries({ address, allow, deny }: BalancedService, service: number): readonly AccessEntry[] {
  const entries = new Map<string, AccessEntry>();
  const add = (list: readonly InterfaceAddress[], allowed: boolean) => {
    for (const written of list) {
      if (family(written.address) !== family(address)) continue;
      const prefix = withoutHostBits(written);
      entries.set(`${prefix.address}/${prefix.prefixLength}`, { kind: "access", service, prefix, allowed });
    }
  };
  add(allow, true);
  add(deny, false);
  return [...entries.values()];
}

export function withoutHostBits({ address, prefixLength }: InterfaceAddress): InterfaceAddress {
  if (prefixLength === addressBits(address)) return { address, prefixLength };
  const bytes = addressBytes(address).map((byte, i) => {
    const kept = Math.min(8, Math.max(0, prefixLength - 8 * i));
    return byte & (0xff << (8 - kept));
  });
  return { address: addressFromBytes(bytes) ?? address, prefixLength };
}
