/** Checks of names: each kind has every name once, and what is referred to exists. */
import { parseIpAddress } from "@futago/hal/units/address.ts";
import { type Cross, pathsIn, placed } from "./check-context.ts";
import { meantOr } from "./nearest.ts";
import { formatPath, type Path } from "./path.ts";
import { say } from "./say.ts";
import { quoted } from "./shape.ts";

export function checkNames(cross: Cross): void {
  const { document } = cross;
  const groups = placed(document.failoverGroups, ["failoverGroups"]);
  const pools = document.pools ?? [];
  const poolPath = pathsIn(pools, ["pools"]);
  const virtualRouters = groups.flatMap(([group, path]) => placed(group.virtualRouters, [...path, "virtualRouters"]));
  const groupPaths = groups.map(([, path]) => path);
  const routerPaths = virtualRouters.map(([, path]) => path);
  unique(cross, document.interfaces, pathsIn(document.interfaces, ["interfaces"]));
  unique(
    cross,
    groups.map(([group]) => group),
    (at) => groupPaths[at] ?? [],
  );
  unique(
    cross,
    virtualRouters.map(([vr]) => vr),
    (at) => routerPaths[at] ?? [],
  );
  unique(cross, pools, poolPath);
  pools.forEach(({ backends }, at) => unique(cross, backends, pathsIn(backends, [...poolPath(at), "backends"])));
  unique(cross, document.services ?? [], pathsIn(document.services ?? [], ["services"]));

  const interfaces = document.interfaces.map((link) => link.name);
  const known = { interfaces, pools: pools.map((pool) => pool.name) };
  for (const [vr, path] of virtualRouters)
    refer(cross, "interface", vr.interface, known.interfaces, [...path, "interface"]);
  for (const [route, path] of placed(document.routes, ["routes"])) {
    if (route.interface !== undefined)
      refer(cross, "interface", route.interface, known.interfaces, [...path, "interface"]);
  }
  checkHeartbeatOver(cross, known.interfaces);
  const vips = virtualRouters.map(([vr]) => vr.name).filter((name) => name !== undefined);
  for (const [service, path] of placed(document.services, ["services"])) {
    refer(cross, "pool", service.pool, known.pools, [...path, "pool"]);
    if (service.sorryPool !== undefined) refer(cross, "pool", service.sorryPool, known.pools, [...path, "sorryPool"]);
    if (parseIpAddress(service.address) === undefined) {
      refer(cross, "virtual router", service.address, vips, [...path, "address"]);
    }
  }
}

function checkHeartbeatOver(cross: Cross, interfaces: readonly string[]): void {
  const seen = new Set<string>();
  cross.document.pair?.heartbeat?.over?.forEach((name, i) => {
    const path = ["pair", "heartbeat", "over", String(i)];
    refer(cross, "interface", name, interfaces, path);
    if (seen.has(name))
      cross.tell("duplicateEntry", path, say`is ${{ value: quoted(name) }} a second time`, "remove it");
    seen.add(name);
  });
}

function unique(cross: Cross, items: readonly { readonly name?: string }[], pathOf: (at: number) => Path): void {
  const first = new Map<string, number>();
  items.forEach(({ name }, at) => {
    if (name === undefined) return;
    const other = first.get(name);
    if (other === undefined) {
      first.set(name, at);
      return;
    }
    const what = say`is ${{ value: quoted(name) }}, as ${{ other: formatPath(pathOf(other)) }} is called`;
    cross.tell("duplicateName", [...pathOf(at), "name"], what, "choose another name");
  });
}

function refer(cross: Cross, kind: string, name: string, known: readonly string[], path: Path): void {
  if (known.includes(name)) return;
  const otherwise =
    known.length === 0 ? `add a ${kind} of that name` : `write one of ${known.slice(0, 20).map(quoted).join(", ")}`;
  cross.tell(
    "unknownName",
    path,
    say`is ${{ value: quoted(name) }}, but there is no ${{ kind }} of that name`,
    meantOr(name, known, otherwise),
  );
}
