/**
 * Checks of a service beside its backends: whether each mode's needs are met, and whether a reply can be told from
 * another service's. What a box cannot see, such as how a backend is set up, is said as a warning.
 */
import { family } from "@futago/hal/units/address.ts";
import type { Cross } from "./check-context.ts";
import type { PlacedService } from "./check-services.ts";
import { backendsPerPoolMax } from "./limits.ts";
import { interfaceOf, interfaceTowards, type Reach } from "./on-link.ts";
import { formatPath, type Path } from "./path.ts";
import type { Resolved, ResolvedBackend, ResolvedPool, ResolvedService } from "./resolved.ts";
import { say } from "./say.ts";
import { quoted } from "./shape.ts";

/** What both boxes see alike. */
export function checkBackends(cross: Cross, services: readonly PlacedService[]): void {
  const claims: Claims = new Map();
  const checked = new Set((cross.document.pools ?? []).filter((pool) => pool.check).map((pool) => pool.name));
  for (const each of services) {
    checkTogether(cross, each);
    const { service, path, pools } = each;
    for (const [key, pool] of pools) {
      checkFamilies(cross, service, path, pool);
      if (service.mode === "direct") checkPorts(cross, service, path, pool);
      if (service.protocol === "udp" && !checked.has(pool.name)) warnOfTcpCheck(cross, path, key, pool);
    }
    if (service.mode === "nat") {
      claimBackends(cross, each, claims);
    }
    if (service.mode === "direct") warnOfLoopback(cross, service, path);
  }
}

/** Both pools share the service's numbers for backends, and a backend of both would have two. */
function checkTogether(cross: Cross, { path, pools }: PlacedService): void {
  const [main, sorry] = pools.map(([, pool]) => pool);
  if (main === undefined || sorry === undefined || main === sorry) return;
  const here = [...path, "sorryPool"];
  const count = main.backends.length + sorry.backends.length;
  if (count > backendsPerPoolMax) {
    const what = say`makes ${{ count }} backends of the service, at most ${{ most: backendsPerPoolMax }} are possible`;
    cross.tell("wrongCount", here, what, "name a smaller pool");
  }
  const known = new Set(main.backends.map(whereOf));
  const both = sorry.backends.filter((backend) => known.has(whereOf(backend)));
  if (both.length === 0) return;
  const what = say`is ${{ value: quoted(sorry.name) }}, whose ${{ backends: listed(both) }} ${{ pool: quoted(main.name) }} has too`;
  cross.tell("duplicateBackend", here, what, "name a pool of other backends");
}

function checkFamilies(cross: Cross, service: ResolvedService, path: Path, pool: ResolvedPool): void {
  const wanted = service.family === "ipv4" ? "IPv4" : "IPv6";
  for (const backend of pool.backends) {
    if (family(backend.address) === service.family) continue;
    const what = say`is ${{ value: backend.address }}, but ${{ service: formatPath(path) }} has an ${{ wanted }} address`;
    cross.tell("mixedFamilies", pathOf(pool, backend, "address"), what, `write the backend's ${wanted} address`);
  }
}

/** In mode direct nothing of a packet but its Ethernet addresses changes. */
function checkPorts(cross: Cross, service: ResolvedService, path: Path, pool: ResolvedPool): void {
  for (const backend of pool.backends) {
    if (backend.port === service.port) continue;
    const what = say`is ${{ value: backend.port }}, but ${{ service: formatPath(path) }} is on port ${{ port: service.port }}, which mode direct cannot change`;
    const mend = `write ${service.port} and let the backend listen there, or use mode one-arm`;
    cross.tell("directPort", pathOf(pool, backend, "port"), what, mend);
  }
}

function warnOfTcpCheck(cross: Cross, path: Path, key: string, pool: ResolvedPool): void {
  cross.warn(
    "tcpCheckForUdp",
    ["pools", pool.name, "check"],
    say`is left out, so that backends count as dead where nothing accepts TCP, but ${{ service: formatPath(path) }} (${{ key }}) is for UDP`,
    'add a check of type "dns" or "icmp", or write {"type": "tcp"} when the backends answer TCP too',
  );
}

/** The path of the service that a backend's address and port answers for. */
type Claims = Map<string, Path>;

/** In mode nat the source of a backend's reply alone tells what it answers for, so it can answer for one address only. */
function claimBackends(cross: Cross, { service, path, pools }: PlacedService, claims: Claims): void {
  if (service.addresses.length > 1) {
    const what = say`is a virtual router with ${{ count: service.addresses.length }} addresses, but in mode nat each backend can answer for one only`;
    cross.tell("backendInTwoServices", [...path, "address"], what, "write one of the addresses, or use mode one-arm");
    return;
  }
  for (const [key, pool] of pools) {
    const shared: string[] = [];
    for (const backend of pool.backends) {
      if (family(backend.address) !== service.family) continue;
      const where = `${whereOf(backend)} ${service.protocol}`;
      const other = claims.get(where);
      if (other === undefined) claims.set(where, path);
      else if (other !== path) shared.push(`${backend.name} (${whereOf(backend)}, as ${formatPath(other)} does)`);
    }
    if (shared.length === 0) continue;
    const what = say`uses backends that answer for another address or port too, so a reply could belong to either: ${{ backends: shared.join(", ") }}`;
    const mend = "let the backends listen on another port for this service, or use mode one-arm";
    cross.tell("backendInTwoServices", [...path, key], what, mend);
  }
}

function warnOfLoopback(cross: Cross, service: ResolvedService, path: Path): void {
  cross.warn(
    "directNeedsLoopback",
    [...path, "mode"],
    say`is direct: each backend must have ${{ addresses: service.addresses.join(", ") }} on its loopback device and keep silent when ${{ protocol: service.family === "ipv4" ? "ARP" : "neighbour discovery" }} asks for it`,
    "set the backends up as docs/balancer.md says",
  );
}

/** What depends on the box's own addresses and routes. */
export function checkBackendReach(cross: Cross, view: Resolved, reach: Reach, each: PlacedService): void {
  const { service, path, pools } = each;
  const told = new Set<string>();
  for (const [, pool] of pools) {
    for (const backend of pool.backends) {
      if (family(backend.address) !== service.family) continue;
      if (service.mode === "direct") {
        checkOnLink(cross, reach, path, pool, backend);
        continue;
      }
      const link = interfaceTowards(backend.address, reach);
      if (link === undefined) {
        const what = say`is ${{ value: backend.address }}, which no subnet and no route of the box leads to`;
        const mend = "add a route, or an address to an interface";
        cross.warn("backendUnreachable", pathOf(pool, backend, "address"), what, mend);
      } else if (service.mode === "nat" && !told.has(link)) {
        told.add(link);
        checkGateway(cross, view, service, path, link, backend);
      }
    }
  }
}

function checkOnLink(cross: Cross, reach: Reach, path: Path, pool: ResolvedPool, backend: ResolvedBackend): void {
  if (interfaceOf(backend.address, reach) !== undefined) return;
  const what = say`is ${{ value: backend.address }}, in no subnet of the box, but ${{ service: formatPath(path) }} has mode direct, which reaches its own links only`;
  const mend = "move the backend to a link of the box, or use mode nat or one-arm";
  cross.tell("backendNotOnLink", pathOf(pool, backend, "address"), what, mend);
}

/** The backends answer through their gateway; when that is a VIP, it must move together with the service's. */
function checkGateway(
  cross: Cross,
  view: Resolved,
  service: ResolvedService,
  path: Path,
  link: string,
  backend: ResolvedBackend,
): void {
  const groups = view.groups.filter((group) =>
    group.virtualRouters.some((vr) => vr.interface === link && vr.family === service.family),
  );
  if (groups.some((group) => group.name === service.group)) return;
  const [other] = groups;
  if (other === undefined) {
    cross.warn(
      "gatewayMissing",
      path,
      say`has backends on ${{ interface: link }} (${{ backend: backend.name }}, ${{ address: backend.address }}), where no virtual address could be their gateway`,
      `add a virtual router on ${link} to group ${service.group} and make it the backends' gateway, or use mode one-arm`,
    );
    return;
  }
  cross.tell(
    "groupsDiffer",
    path,
    say`has its address in group ${{ group: quoted(service.group) }}, but its backends' gateway on ${{ interface: link }} is in group ${{ other: quoted(other.name) }}: replies would go to the wrong box`,
    "put both virtual routers into one group, or use mode one-arm",
  );
}

function pathOf(pool: ResolvedPool, backend: ResolvedBackend, key: "address" | "port"): Path {
  return ["pools", pool.name, "backends", backend.name, key];
}

function whereOf(backend: ResolvedBackend): string {
  return `${backend.address} port ${backend.port}`;
}

/** The first few by name, and how many more. */
function listed(backends: readonly ResolvedBackend[]): string {
  const names = backends.slice(0, 3).map((backend) => backend.name);
  return names.length === backends.length ? names.join(", ") : `${names.join(", ")} and ${backends.length - 3} more`;
}
