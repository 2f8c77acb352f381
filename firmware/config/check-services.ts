/** Checks of services: addresses that are virtual ones, each told apart, and backends that can serve them. */
import { parseIpAddress } from "@futago/hal/units/address.ts";
import { accessEntriesOf, checkAccess } from "./check-access.ts";
import { type Cross, placed } from "./check-context.ts";
import { checkBackendReach, checkBackends } from "./check-service-backends.ts";
import { accessEntriesMax, servicesMax } from "./limits.ts";
import { reachKey, reachOf } from "./on-link.ts";
import { formatPath, type Path } from "./path.ts";
import { resolveService } from "./resolve.ts";
import type { Resolved, ResolvedPool, ResolvedService } from "./resolved.ts";
import { say } from "./say.ts";
import type { ServiceDocument } from "./schema.ts";

/** A service where the document has it, with what both boxes make of it; both pools as far as they exist. */
export interface PlacedService {
  readonly service: ResolvedService;
  readonly path: Path;
  /** `pool` first, then `sorryPool`, each with the key that names it. */
  readonly pools: readonly (readonly ["pool" | "sorryPool", ResolvedPool])[];
}

/** Under this, connections that people think of as idle are cut: mail and SSH clients speak up once a minute or less. */
const idleTimeoutSecondsCalm = 60;

export function checkServices(cross: Cross): void {
  const written = placed(cross.document.services, ["services"]);
  const [first] = cross.views;
  if (first === undefined) return;
  checkAddresses(cross, written, first);
  for (const [service, path] of written) {
    checkTimeout(cross, service, path);
    checkSorryPool(cross, service, path);
  }
  const services = placeServices(first, written);
  for (const { service, path } of services) checkAccess(cross, service, path);
  const duplicates = checkUniqueness(cross, services);
  checkCounts(cross, services);
  checkBackends(
    cross,
    services.filter((each) => !duplicates.has(each)),
  );
  const unlike = new Map(cross.views.map((view) => [reachKey(view), view]));
  for (const view of unlike.values()) {
    const reach = reachOf(view);
    for (const each of services) checkBackendReach(cross, view, reach, each);
  }
}

type Written = readonly (readonly [ServiceDocument, Path])[];

function placeServices(view: Resolved, written: Written): readonly PlacedService[] {
  const byName = new Map(view.pools.map((pool) => [pool.name, pool]));
  return written.flatMap(([document, path]) => {
    const service = resolveService(document, view.groups);
    if (service === undefined) return [];
    const pools = (["pool", "sorryPool"] as const).flatMap((key) => {
      const pool = byName.get(service[key] ?? "");
      return pool === undefined ? [] : [[key, pool] as const];
    });
    return [{ service, path, pools }];
  });
}

/** A name that no virtual router has is told with the other names. */
function checkAddresses(cross: Cross, written: Written, view: Resolved): void {
  const routers = view.groups.flatMap((group) => group.virtualRouters);
  const vips = new Set<string>(routers.flatMap((vr) => vr.addresses.map((vip) => vip.address)));
  for (const [service, path] of written) {
    const address = parseIpAddress(service.address);
    if (address === undefined || vips.has(address)) continue;
    const what = say`is ${{ value: address }}, which is no virtual address`;
    cross.tell("serviceWithoutVip", [...path, "address"], what, "add it to a virtual router of a failover group");
  }
}

function checkTimeout(cross: Cross, { idleTimeoutSeconds: seconds }: ServiceDocument, path: Path): void {
  if (seconds === undefined || seconds >= idleTimeoutSecondsCalm) return;
  cross.warn(
    "shortIdleTimeout",
    [...path, "idleTimeoutSeconds"],
    say`is ${{ value: seconds }}: connections that are silent for longer are forgotten`,
    `write ${idleTimeoutSecondsCalm} or more, or leave it out, unless clients are known to speak more often`,
  );
}

function checkSorryPool(cross: Cross, { pool, sorryPool }: ServiceDocument, path: Path): void {
  if (sorryPool !== pool) return;
  const what = "is the service's own pool, which does not live when it is needed";
  cross.tell("sorryPoolSame", [...path, "sorryPool"], what, "name another pool, or remove it");
}

/** One VIP, protocol and port belongs to one service. Returns the others that claim it. */
function checkUniqueness(cross: Cross, services: readonly PlacedService[]): ReadonlySet<PlacedService> {
  const owners = new Map<string, Path>();
  const duplicates = new Set<PlacedService>();
  for (const each of services) {
    const { service, path } = each;
    for (const address of service.addresses) {
      const key = `${address} ${service.protocol} port ${service.port}`;
      const owner = owners.get(key);
      if (owner === undefined) owners.set(key, path);
      else {
        duplicates.add(each);
        const what = say`answers ${{ value: key }}, as ${{ other: formatPath(owner) }} does`;
        cross.tell("duplicateService", path, what, "remove one of them, or change its port");
      }
    }
  }
  return duplicates;
}

function checkCounts(cross: Cross, services: readonly PlacedService[]): void {
  const addresses = services.reduce((sum, { service }) => sum + service.addresses.length, 0);
  if (addresses > servicesMax) {
    const what = say`have ${{ count: addresses }} addresses together, at most ${{ most: servicesMax }} are possible`;
    cross.tell("wrongCount", ["services"], what, "remove some");
  }
  const entries = services.reduce((sum, { service }) => sum + accessEntriesOf(service), 0);
  if (entries > accessEntriesMax) {
    cross.tell(
      "tooManyEntries",
      ["services"],
      say`have ${{ count: entries }} entries of allow and deny together, at most ${{ most: accessEntriesMax }} are possible`,
      "join neighbouring subnets, or remove some",
    );
  }
}
