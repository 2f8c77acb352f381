/** Checks of pools and services: backends that can be reached and told apart, addresses that move together. */
import { family, isIpv4Address, parseIpAddress } from "@futago/hal/units/address.ts";
import { checkCheck } from "./check-checks.ts";
import { type Cross, placed } from "./check-context.ts";
import { ownAndVirtual } from "./check-network.ts";
import { notForBackends } from "./host-address.ts";
import { servicesMax } from "./limits.ts";
import { interfaceTowards, reachOf } from "./on-link.ts";
import { formatPath, type Path } from "./path.ts";
import { resolveService } from "./resolve.ts";
import type { Resolved, ResolvedBackend, ResolvedPool, ResolvedService } from "./resolved.ts";
import type { PoolDocument, ServiceDocument } from "./schema.ts";
import { quoted } from "./shape.ts";

export function checkServices(cross: Cross): void {
  const ours = new Set(cross.views.flatMap(ownAndVirtual));
  for (const [pool, path] of placed(cross.document.pools, ["pools"])) checkPool(cross, pool, path, ours);
  const services = placed(cross.document.services, ["services"]);
  for (const [service, path] of services) checkAddress(cross, service, path);
  checkUniqueness(cross, services);
  for (const view of cross.views) {
    for (const [service, path] of services) checkGateway(cross, view, service, path);
  }
}

function checkPool(cross: Cross, pool: PoolDocument, path: Path, ours: ReadonlySet<string>): void {
  if (pool.check !== undefined) checkCheck(cross, pool.check, "pool", [...path, "check"]);
  if (pool.backends.length === 0)
    cross.tell("poolEmpty", [...path, "backends"], "is empty", "add at least one backend");
  const seen = new Map<string, Path>();
  for (const [backend, here] of placed(pool.backends, [...path, "backends"])) {
    const address = parseIpAddress(backend.address);
    if (address === undefined) continue;
    const reason = notForBackends(address);
    if (reason !== undefined)
      cross.tell("badAddress", [...here, "address"], `is ${address}, ${reason}`, "write the backend's own address");
    if (ours.has(address)) {
      cross.tell(
        "backendIsOurs",
        [...here, "address"],
        `is ${address}, an address of the pair itself`,
        "write the address of another machine",
      );
    }
    const key = `${address} ${backend.port}`;
    const other = seen.get(key);
    if (other === undefined) seen.set(key, here);
    else cross.tell("duplicateBackend", here, `has the address and port of ${formatPath(other)}`, "remove one of them");
  }
}

function checkAddress(cross: Cross, service: ServiceDocument, path: Path): void {
  const here = [...path, "address"];
  const vips = (cross.views[0]?.groups ?? []).flatMap((group) => group.virtualRouters);
  const address = parseIpAddress(service.address);
  if (address !== undefined) {
    if (family(address) === "ipv6")
      cross.tell("notBuilt", here, `is ${address}; IPv6 services are not built yet`, "write an IPv4 address");
    else if (!vips.some((vr) => vr.addresses.some((vip) => vip.address === address))) {
      cross.tell(
        "serviceWithoutVip",
        here,
        `is ${address}, which is no virtual address`,
        "add it to a virtual router of a failover group",
      );
    }
    return;
  }
  const named = vips.find((vr) => vr.name === service.address);
  if (named !== undefined && named.family === "ipv6") {
    cross.tell(
      "notBuilt",
      here,
      `is ${quoted(service.address)}, an IPv6 virtual router; IPv6 services are not built yet`,
      "name an IPv4 one",
    );
  }
}

/** One VIP, protocol and port belongs to one service, and one backend address and port to one of these. */
function checkUniqueness(cross: Cross, services: readonly (readonly [ServiceDocument, Path])[]): void {
  const view = cross.views[0];
  const owners = new Map<string, Path>();
  const backends = new Map<string, string>();
  let addresses = 0;
  for (const [written, path] of services) {
    const service = resolvedService(view, written);
    if (service === undefined) continue;
    addresses += service.addresses.length;
    let duplicate = false;
    for (const address of service.addresses) {
      const key = `${address}:${service.port} ${service.protocol}`;
      const owner = owners.get(key);
      if (owner === undefined) owners.set(key, path);
      else {
        duplicate = true;
        cross.tell(
          "duplicateService",
          path,
          `answers ${address} ${service.protocol} port ${service.port}, as ${formatPath(owner)} does`,
          "remove one of them, or change its port",
        );
      }
    }
    if (!duplicate) claimBackends(cross, view, service, path, backends);
  }
  if (addresses > servicesMax) {
    cross.tell(
      "wrongCount",
      ["services"],
      `have ${addresses} addresses together, at most ${servicesMax} are possible`,
      "remove some",
    );
  }
}

/** In mode nat the source of a backend's reply alone tells what it answers for, so it can answer for one address only. */
function claimBackends(
  cross: Cross,
  view: Resolved | undefined,
  service: ResolvedService,
  path: Path,
  taken: Map<string, string>,
): void {
  if (service.addresses.length > 1) {
    const what = `is a virtual router with ${service.addresses.length} addresses, but each backend can answer for one only`;
    cross.tell("backendInTwoServices", [...path, "address"], what, "write one of the addresses");
    return;
  }
  const shared: string[] = [];
  for (const backend of poolOf(view, service.pool)?.backends ?? []) {
    const key = `${backend.address} port ${backend.port}`;
    const other = taken.get(key);
    if (other === undefined) taken.set(key, formatPath(path));
    else shared.push(`${backend.name} (${key}, as ${other} does)`);
  }
  if (shared.length === 0) return;
  const what = `uses backends that answer for another address too, so a reply could belong to either: ${shared.join(", ")}`;
  const mend = "let the backends listen on another port for this service";
  cross.tell("backendInTwoServices", [...path, "pool"], what, mend);
}

/** The backends answer through their gateway; when that is a VIP, it must move together with the service's. */
function checkGateway(cross: Cross, view: Resolved, written: ServiceDocument, path: Path): void {
  const service = resolvedService(view, written);
  const pool = poolOf(view, written.pool);
  if (service === undefined || pool === undefined) return;
  const reach = reachOf(view);
  const told = new Set<string>();
  for (const backend of pool.backends) {
    const here = ["pools", pool.name, "backends", backend.name, "address"];
    if (!isIpv4Address(backend.address)) {
      cross.tell(
        "mixedFamilies",
        here,
        `is ${backend.address}, but ${formatPath(path)} has an IPv4 address`,
        "write the backend's IPv4 address",
      );
      continue;
    }
    const link = interfaceTowards(backend.address, reach);
    if (link === undefined) {
      cross.warn(
        "backendUnreachable",
        here,
        `is ${backend.address}, which no subnet and no route of the box leads to`,
        "add a route, or an address to an interface",
      );
    } else if (!told.has(link)) {
      told.add(link);
      checkLink(cross, view, service, path, link, backend);
    }
  }
}

function checkLink(
  cross: Cross,
  view: Resolved,
  service: ResolvedService,
  path: Path,
  link: string,
  backend: ResolvedBackend,
): void {
  const groups = view.groups.filter((group) =>
    group.virtualRouters.some((vr) => vr.interface === link && vr.family === "ipv4"),
  );
  if (groups.some((group) => group.name === service.group)) return;
  const [other] = groups;
  if (other === undefined) {
    cross.warn(
      "gatewayMissing",
      path,
      `has backends on ${link} (${backend.name}, ${backend.address}), where no virtual address could be their gateway`,
      `add a virtual router on ${link} to group ${service.group} and make it the backends' gateway`,
    );
    return;
  }
  cross.tell(
    "groupsDiffer",
    path,
    `has its address in group ${quoted(service.group)}, but its backends' gateway on ${link} is in group ${quoted(other.name)}: replies would go to the wrong box`,
    "put both virtual routers into one group",
  );
}

function resolvedService(view: Resolved | undefined, service: ServiceDocument): ResolvedService | undefined {
  return view === undefined ? undefined : resolveService(service, view.groups);
}

function poolOf(view: Resolved | undefined, name: string): ResolvedPool | undefined {
  return view?.pools.find((pool) => pool.name === name);
}
