/** What stands in the balancer's tables as replication knows it. Pure. */
import { addressBytes, family, type IpAddress } from "@futago/hal/units/address.ts";
import { backendsOf, type StandingService } from "../../../balancer/standing.ts";
import type { DirectoryService } from "../../../replication/directory.ts";

export function directoryOf(services: readonly StandingService[]): readonly DirectoryService[] {
  return services.map((service): DirectoryService => {
    const { address, port, protocol, index, mode } = service.entry;
    const places = {
      // Asked for by services that have flows.
      get backends() {
        return backendsOf(service).map((one) => ({ ...one, address: wideAddress(one.address) }));
      },
    };
    return Object.assign(places, { address: wideAddress(address), port, protocol, index, mode });
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
