/** Checks of failover groups: VRIDs, virtual addresses, priorities, tracked checks. */
import { family, formatInterfaceAddress, inSubnet, isLinkLocal } from "@futago/hal/units/address.ts";
import { checkCheck } from "./check-checks.ts";
import { type Cross, pathForBox, placed } from "./check-context.ts";
import { notForHostsIn } from "./host-address.ts";
import { virtualLinkLocal } from "./link-local.ts";
import { vipsMax } from "./limits.ts";
import { formatPath, type Path } from "./path.ts";
import { say } from "./say.ts";
import { quoted } from "./shape.ts";
import { chosen } from "./resolve.ts";
import type { Resolved, ResolvedVirtualRouter } from "./resolved.ts";
import type { GroupDocument, VirtualRouterDocument } from "./schema.ts";

/** A virtual router where the document has it, beside what one box makes of it. */
interface Placed {
  readonly written: VirtualRouterDocument;
  readonly vr: ResolvedVirtualRouter;
  readonly path: Path;
}

export function checkGroups(cross: Cross): void {
  const groups = placed(cross.document.failoverGroups, ["failoverGroups"]);
  for (const [group, path] of groups) {
    if (group.preferred !== undefined && cross.document.pair === undefined) {
      cross.tell(
        "pairOnly",
        [...path, "preferred"],
        "names a box of a pair, but this box is alone",
        'remove it, or add "pair": {}',
      );
    }
    for (const [track, here] of placed(group.track, [...path, "track"]))
      checkCheck(cross, track.check, "track", [...here, "check"]);
  }
  for (const view of cross.views) {
    const all = groups.flatMap(([group, path], i) => placeVirtualRouters(view, group, path, i));
    checkVrids(cross, all);
    checkVips(cross, view, all);
    for (const [group, path] of groups) checkPriorities(cross, view, group, path);
    for (const each of all) checkOwner(cross, view, each);
  }
}

function placeVirtualRouters(view: Resolved, group: GroupDocument, path: Path, index: number): readonly Placed[] {
  return placed(group.virtualRouters, [...path, "virtualRouters"]).flatMap(([written, here], j) => {
    const vr = view.groups[index]?.virtualRouters[j];
    return vr === undefined ? [] : [{ written, vr, path: here }];
  });
}

function checkVrids(cross: Cross, all: readonly Placed[]): void {
  const users = new Map<string, Path>();
  for (const { vr, path } of all) {
    if (vr.vrid === 0) {
      cross.tell(
        "vridsExhausted",
        [...path, "vrid"],
        say`cannot be chosen: all 255 are taken on ${{ interface: vr.interface }}`,
        "put several addresses into one virtual router",
      );
      continue;
    }
    const key = `${vr.family} ${vr.interface} ${vr.vrid}`;
    const user = users.get(key);
    if (user === undefined) users.set(key, path);
    else {
      const what = say`is ${{ value: vr.vrid }}, which ${{ other: formatPath(user) }} uses on ${{ interface: vr.interface }}`;
      cross.tell("overlappingVrid", [...path, "vrid"], what, "choose another, or leave it out to have one chosen");
    }
  }
}

function checkVips(cross: Cross, view: Resolved, all: readonly Placed[]): void {
  const owners = new Map<string, Path>();
  let count = 0;
  for (const { vr, path } of all) {
    const families = new Set(vr.addresses.map((vip) => family(vip.address)));
    if (families.size > 1) {
      cross.tell(
        "mixedFamilies",
        [...path, "addresses"],
        "holds IPv4 and IPv6 addresses",
        "make two virtual routers of it, one for each family",
      );
    }
    count += vr.addresses.length + (virtualLinkLocal(vr) === undefined ? 0 : 1);
    vr.addresses.forEach((vip, i) => {
      const here = [...path, "addresses", String(i)];
      const reason = notForHostsIn(vip);
      if (reason !== undefined)
        cross.tell(
          "badAddress",
          here,
          say`is ${{ value: formatInterfaceAddress(vip) }}, ${{ why: reason }}`,
          "write an address that a host can have",
        );
      const key = isLinkLocal(vip.address) ? `${vr.interface} ${vip.address}` : vip.address;
      const owner = owners.get(key);
      if (owner === undefined) owners.set(key, here);
      else
        cross.tell(
          "duplicateVip",
          here,
          say`is ${{ value: vip.address }}, as ${{ other: formatPath(owner) }} is`,
          "remove one of them",
        );
      const link = view.interfaces.find((each) => each.name === vr.interface);
      const subnets =
        link?.addresses.filter((own) => family(own.address) === family(vip.address) && !isLinkLocal(own.address)) ?? [];
      if (subnets.length === 0 || isLinkLocal(vip.address) || subnets.some((own) => inSubnet(vip.address, own))) return;
      cross.tell(
        "vipOutsideSubnet",
        here,
        `is ${vip.address}, outside the subnets of ${vr.interface}${view.box === undefined ? "" : ` on box ${view.box}`} (${subnets.map(formatInterfaceAddress).join(", ")})`,
        "write an address of one of these subnets, or move it to another interface",
      );
    });
  }
  if (count > vipsMax) {
    cross.tell(
      "tooManyVips",
      ["failoverGroups"],
      say`hold ${{ count }} virtual addresses, at most ${{ most: vipsMax }} are possible`,
      "remove some",
    );
  }
}

/** A group's virtual routers share one state, so they share one Priority. */
function checkPriorities(cross: Cross, view: Resolved, group: GroupDocument, path: Path): void {
  let first: number | undefined;
  for (const [vr, here] of placed(group.virtualRouters, [...path, "virtualRouters"])) {
    const priority = chosen(vr.priority, view.box);
    if (priority === undefined) continue;
    first ??= priority;
    if (priority === first) continue;
    const where = pathForBox(vr.priority, view.box, [...here, "priority"]);
    cross.tell(
      "priorityDiffers",
      where,
      say`is ${{ value: priority }}, but another virtual router of ${{ group: quoted(group.name) }} has ${{ other: first }}`,
      `write ${first}, or make two groups`,
    );
  }
}

/** A virtual address that is the box's own is only possible for the address owner, RFC 9568 §5.2.4. */
function checkOwner(cross: Cross, view: Resolved, { written, vr, path }: Placed): void {
  const own = new Set(view.interfaces.flatMap((link) => link.addresses.map((address) => address.address)));
  const priority = chosen(written.priority, view.box);
  const where = pathForBox(written.priority, view.box, [...path, "priority"]);
  if (priority === 255 && view.box !== undefined) {
    cross.tell(
      "priorityOwner",
      where,
      "is 255, which only a box alone can have that owns the addresses",
      "write 1 to 254",
    );
    return;
  }
  vr.addresses.forEach((vip, i) => {
    if (priority === 255 && !own.has(vip.address)) {
      cross.tell(
        "priorityOwner",
        where,
        say`is 255, but ${{ address: vip.address }} is no address of this box`,
        "write 1 to 254",
      );
    }
    if (priority !== 255 && own.has(vip.address)) {
      const whose = view.box === undefined ? "the box's own address" : `box ${view.box}'s own address`;
      cross.tell(
        "vipIsOwnAddress",
        [...path, "addresses", String(i)],
        say`is ${{ value: vip.address }}, ${{ whose }}`,
        "write another address, which then moves between the boxes",
      );
    }
  });
}
