/** What stands in the balancer's tables as replication knows it. Pure. */
import { addressBytes, family, type IpAddress } from "@futago/hal/units/address.ts";
import { type BalancerEntry, SERVICE_BACKENDS_MAX } from "@futago/hal/units/balancer.ts";
import type { DirectoryService } from "../../../replication/directory.ts";

type Backend = DirectoryService["backends"][number];

export function directoryOf(standing: readonly BalancerEntry[]): readonly DirectoryService[] {
  const backends = new Map<number, Backend[]>();
  for (const entry of standing) {
    if (entry.kind !== "backend") continue;
    const index = Math.floor(entry.number / SERVICE_BACKENDS_MAX);
    const known = backends.get(index) ?? [];
    known.push({ address: wideAddress(entry.address), port: entry.port, number: entry.number });
    backends.set(index, known);
  }
  return standing.flatMap((entry) => {
    if (entry.kind !== "service") return [];
    const { port, protocol, index, mode } = entry;
    return [{ address: wideAddress(entry.address), port, protocol, index, mode, backends: backends.get(index) ?? [] }];
  });
}

/** 16 bytes each, in one order. */
export function wideAddresses(addresses: readonly IpAddress[]): Uint8Array {
  return Buffer.concat([...new Set(addresses)].sort().map(wideAddress));
}

/** 16 bytes: an IPv4 address as ::ffff:a.b.c.d. */
function wideAddress(address: IpAddress): Uint8Array {
  const bytes = addressBytes(address);
  if (family(address) === "ipv6") return bytes;
  return Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...bytes);
}
