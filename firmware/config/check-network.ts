/** Checks of interfaces, routes and the pair: devices, own addresses, gateways, witnesses. */
import { family, formatInterfaceAddress, isLinkLocal } from "@futago/hal/units/address.ts";
import { type Cross, pathForBox, placed } from "./check-context.ts";
import { dataPorts } from "./data-ports.ts";
import { notForHosts, notForHostsIn, subnetOf } from "./host-address.ts";
import { meantOr } from "./nearest.ts";
import { interfaceOf, reachOf } from "./on-link.ts";
import { formatPath, type Path } from "./path.ts";
import { say } from "./say.ts";
import { quoted } from "./shape.ts";
import type { Resolved } from "./resolved.ts";

export function checkNetwork(cross: Cross): void {
  /** Own addresses of all boxes, with the first place of each. Link-local ones may repeat on other links. */
  const owners = new Map<string, Path>();
  for (const view of cross.views) {
    checkDevices(cross, view);
    checkOwnAddresses(cross, view, owners);
    checkRoutes(cross, view);
    checkWitnesses(cross, view);
    checkColdHeartbeat(cross, view);
  }
}

function checkDevices(cross: Cross, view: Resolved): void {
  const users = new Map<string, Path>();
  const used = new Set<string>(view.interfaces.map(({ device }) => device));
  placed(cross.document.interfaces, ["interfaces"]).forEach(([link, here], i) => {
    const device = view.interfaces[i]?.device;
    if (device === undefined) return;
    const path = pathForBox(link.device, view.box, [...here, "device"]);
    const user = users.get(device);
    if (user === undefined) users.set(device, here);
    else
      cross.tell(
        "duplicateDevice",
        path,
        say`is ${{ value: quoted(device) }}, which ${{ other: formatPath(user) }} uses`,
        "give each interface a device of its own",
      );
    if (cross.devices === undefined || view.box !== cross.devicesBox || cross.devices.includes(device)) return;
    const free = cross.devices.filter((each) => each !== "lo" && !used.has(each));
    const otherwise = free.length === 0 ? "plug it in" : `plug it in, or write one of ${free.map(quoted).join(", ")}`;
    cross.tell(
      "missingDevice",
      path,
      say`is ${{ value: quoted(device) }}, but this box has no such network device`,
      meantOr(device, free, otherwise),
    );
  });
}

function checkOwnAddresses(cross: Cross, view: Resolved, owners: Map<string, Path>): void {
  placed(cross.document.interfaces, ["interfaces"]).forEach(([link, here], i) => {
    const list = pathForBox(link.addresses, view.box, [...here, "addresses"]);
    view.interfaces[i]?.addresses.forEach((value, j) => {
      const path = [...list, String(j)];
      const reason = notForHostsIn(value);
      if (reason !== undefined)
        cross.tell(
          "badAddress",
          path,
          say`is ${{ value: formatInterfaceAddress(value) }}, ${{ why: reason }}`,
          "write an address that a host can have",
        );
      const key = isLinkLocal(value.address) ? `${view.box ?? ""} ${link.name} ${value.address}` : value.address;
      const owner = owners.get(key);
      if (owner === undefined) owners.set(key, path);
      else if (formatPath(owner) === formatPath(path)) {
        cross.tell(
          "duplicateAddress",
          path,
          say`is ${{ value: value.address }} on both boxes`,
          'write the addresses per box: {"a": […], "b": […]}',
        );
      } else
        cross.tell(
          "duplicateAddress",
          path,
          say`is ${{ value: value.address }}, as ${{ other: formatPath(owner) }} is`,
          "give each an address of its own",
        );
    });
  });
}

function checkRoutes(cross: Cross, view: Resolved): void {
  const reach = reachOf(view);
  const ours = new Set(ownAndVirtual(view));
  const seen = new Map<string, Path>();
  placed(cross.document.routes, ["routes"]).forEach(([route, here], i) => {
    const resolved = view.routes[i];
    if (resolved === undefined) return;
    const { destination, via } = resolved;
    const viaPath = pathForBox(route.via, view.box, [...here, "via"]);
    if (destination !== undefined) {
      const subnet = subnetOf(destination);
      if (subnet.address !== destination.address) {
        cross.tell(
          "malformed",
          [...here, "to"],
          say`is ${{ value: quoted(route.to) }}, which has bits beyond its prefix`,
          `write ${formatInterfaceAddress(subnet)}`,
        );
      }
      if (family(destination.address) !== family(via)) {
        cross.tell(
          "mixedFamilies",
          viaPath,
          say`is ${{ value: via }}, of the other family than ${{ to: route.to }}`,
          "write a gateway of the same family",
        );
      }
    }
    const key = `${destination === undefined ? resolved.family : formatInterfaceAddress(destination)} ${resolved.metric}`;
    const other = seen.get(key);
    if (other === undefined) seen.set(key, here);
    else
      cross.tell(
        "duplicateRoute",
        here,
        say`leads where ${{ other: formatPath(other) }} leads, with the same metric`,
        "remove one, or give them different metrics",
      );
    const reason = ours.has(via) ? "an address of the pair itself" : notForHosts(via);
    if (reason !== undefined) {
      cross.tell(
        "badAddress",
        viaPath,
        say`is ${{ value: via }}, ${{ why: reason }}`,
        "write the gateway's own address",
      );
    } else if (isLinkLocal(via)) {
      if (route.interface === undefined) {
        cross.tell(
          "missingKey",
          [...here, "interface"],
          "is missing, and every link has link-local addresses",
          'add "interface": the one to leave by',
        );
      }
    } else {
      const link = interfaceOf(via, reach);
      if (link === undefined || (route.interface !== undefined && route.interface !== link)) {
        const where = route.interface === undefined ? "of the box" : `of ${route.interface}`;
        cross.tell(
          "unreachableGateway",
          viaPath,
          say`is ${{ value: via }}, which lies in no subnet ${{ where }}`,
          "write a gateway that lies in a subnet of an interface",
        );
      }
    }
  });
}

function checkWitnesses(cross: Cross, view: Resolved): void {
  const { pair } = cross.document;
  if (pair === undefined || view.pair === undefined) return;
  if (view.pair.partition === "safety" && view.pair.witnesses.length === 0) {
    cross.tell(
      "witnessesNeeded",
      pathForBox(pair.witnesses, view.box, ["pair", "witnesses"]),
      "names none, but partition is safety: a box that lost its peer would never serve",
      "name at least one address that answers ICMP echo, such as the gateway",
    );
  }
  const ours = new Set(cross.views.flatMap(ownAndVirtual));
  const seen = new Set<string>();
  const list = pathForBox(pair.witnesses, view.box, ["pair", "witnesses"]);
  view.pair.witnesses.forEach((witness, i) => {
    const path = [...list, String(i)];
    const reason = notForHosts(witness);
    if (reason !== undefined)
      cross.tell(
        "badAddress",
        path,
        say`is ${{ value: witness }}, ${{ why: reason }}`,
        "write an address that a host can have",
      );
    if (ours.has(witness))
      cross.tell(
        "witnessIsOurs",
        path,
        say`is ${{ value: witness }}, an address of the pair itself`,
        "name another machine, such as the gateway",
      );
    if (seen.has(witness)) cross.tell("duplicateEntry", path, say`is ${{ value: witness }} a second time`, "remove it");
    seen.add(witness);
  });
}

function checkColdHeartbeat(cross: Cross, view: Resolved): void {
  if (view.pair?.standby !== "cold" || view.pair.heartbeat.over.length > 0) return;
  const over = cross.document.pair?.heartbeat?.over;
  cross.tell(
    "coldWithoutHeartbeat",
    over === undefined ? ["pair", "standby"] : ["pair", "heartbeat", "over"],
    say`leaves the spare without a heartbeat: it has the ports of all virtual routers shut (${{ ports: dataPorts(view).join(", ") }})`,
    'give the boxes a cable of their own and name it in pair.heartbeat.over, or write "hot"',
  );
}

/** The box's own addresses and the virtual ones. */
export function ownAndVirtual(view: Resolved): readonly string[] {
  const virtual = view.groups.flatMap((group) => group.virtualRouters).flatMap((vr) => vr.addresses);
  return [...view.interfaces.flatMap((link) => link.addresses), ...virtual].map((each) => each.address);
}
