/** Checks of pools by themselves: backends that can exist and can be told apart. */
import { checkCheck } from "./check-checks.ts";
import { type Cross, pathsIn, placed } from "./check-context.ts";
import { ownAndVirtual } from "./check-network.ts";
import { notForBackends } from "./host-address.ts";
import { formatPath, type Path } from "./path.ts";
import type { ResolvedBackend } from "./resolved.ts";
import { say } from "./say.ts";

export function checkPools(cross: Cross): void {
  const ours = new Set(cross.views.flatMap(ownAndVirtual));
  const resolved = cross.views[0]?.pools ?? [];
  placed(cross.document.pools, ["pools"]).forEach(([pool, path], i) => {
    if (pool.check !== undefined) checkCheck(cross, pool.check, "pool", [...path, "check"]);
    if (pool.backends.length === 0)
      cross.tell("poolEmpty", [...path, "backends"], "is empty", "add at least one backend");
    checkBackends(cross, resolved[i]?.backends ?? [], path, ours);
  });
}

function checkBackends(
  cross: Cross,
  backends: readonly ResolvedBackend[],
  path: Path,
  ours: ReadonlySet<string>,
): void {
  const pathOf = pathsIn(backends, [...path, "backends"]);
  const seen = new Map<string, number>();
  for (const [at, { address, port }] of backends.entries()) {
    const reason = notForBackends(address);
    if (reason !== undefined)
      cross.tell(
        "badAddress",
        [...pathOf(at), "address"],
        say`is ${{ value: address }}, ${{ why: reason }}`,
        "write the backend's own address",
      );
    if (ours.has(address)) {
      cross.tell(
        "backendIsOurs",
        [...pathOf(at), "address"],
        say`is ${{ value: address }}, an address of the pair itself`,
        "write the address of another machine",
      );
    }
    const key = `${address} ${port}`;
    const other = seen.get(key);
    if (other === undefined) {
      seen.set(key, at);
      continue;
    }
    const what = say`has the address and port of ${{ other: formatPath(pathOf(other)) }}`;
    cross.tell("duplicateBackend", pathOf(at), what, "remove one of them");
  }
}
