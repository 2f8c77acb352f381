/** Checks of a service's `allow` and `deny`: subnets that can hold a client of the service, none in both lists. */
import { family, formatInterfaceAddress } from "@futago/hal/units/address.ts";
import type { Cross } from "./check-context.ts";
import { subnetOf } from "./host-address.ts";
import type { Path } from "./path.ts";
import { formatPath } from "./path.ts";
import type { ResolvedService } from "./resolved.ts";
import { say } from "./say.ts";

export function checkAccess(cross: Cross, service: ResolvedService, path: Path): void {
  const seen = new Map<string, Path>();
  for (const list of ["allow", "deny"] as const) {
    service[list].forEach((prefix, i) => {
      const here = [...path, list, String(i)];
      const text = formatInterfaceAddress(prefix);
      const subnet = subnetOf(prefix);
      if (subnet.address !== prefix.address) {
        const mend = `write ${formatInterfaceAddress(subnet)}, or ${prefix.address} for this address alone`;
        cross.tell("malformed", here, say`is ${{ value: text }}, which has bits beyond its prefix`, mend);
      }
      if (family(prefix.address) !== service.family) {
        const what = say`is ${{ value: text }}, of the other family than the service's address, so that no client can match it`;
        cross.tell("mixedFamilies", here, what, "remove it, or move it to a service of that family");
      }
      const other = seen.get(text);
      if (other === undefined) seen.set(text, here);
      else
        cross.tell(
          "duplicateEntry",
          here,
          say`is ${{ value: text }}, as ${{ other: formatPath(other) }} is`,
          "remove one of them",
        );
    });
  }
}

/** Entries that the balancer's table holds for the service: each of its addresses has its own. */
export function accessEntriesOf(service: ResolvedService): number {
  return service.addresses.length * (service.allow.length + service.deny.length);
}
