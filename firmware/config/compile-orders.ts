/** What sentinel is ordered to do, made from what one box resolved. */
import type { Ifname } from "@futago/hal/units/address.ts";
import { isLinkLocal } from "@futago/hal/units/address.ts";
import { virtualLinkLocal } from "./link-local.ts";
import type { GroupOrders, Orders, PairOrders, VirtualRouterOrders } from "./orders.ts";
import type { Resolved, ResolvedGroup, ResolvedVirtualRouter } from "./resolved.ts";

/** The complete orders of one box. `revision` is the id of the revision they come from; `part` is who it is in its pair. */
export function compileOrders(resolved: Resolved, revision: string, part: PairOrders["part"] = "either"): Orders {
  const devices = new Map(resolved.interfaces.map((link) => [link.name, link.device]));
  return {
    revision,
    box: resolved.box,
    pair: compilePair(resolved, devices, part),
    interfaces: resolved.interfaces.map(({ name, device, addresses, peerAddresses }) => ({
      name,
      device,
      addresses,
      peerAddresses,
    })),
    groups: resolved.groups.map((group) => compileGroup(group, devices)),
  };
}

type Devices = ReadonlyMap<string, Ifname>;

function compilePair({ pair }: Resolved, devices: Devices, part: PairOrders["part"]): PairOrders | undefined {
  if (pair === undefined) return undefined;
  const { partition, witnesses, heartbeat } = pair;
  const { profile, fixed, port } = heartbeat;
  const over = heartbeat.over.map((name) => deviceOf(devices, name));
  return { part, partition, witnesses, profile, fixed, port, over };
}

function compileGroup(group: ResolvedGroup, devices: Devices): GroupOrders {
  const { name, preferred, preempt, priority } = group;
  const virtualRouters = group.virtualRouters.map((vr) => compileVirtualRouter(vr, devices));
  return { name, preferred, preempt, priority, virtualRouters };
}

function compileVirtualRouter(vr: ResolvedVirtualRouter, devices: Devices): VirtualRouterOrders {
  const derived = virtualLinkLocal(vr);
  const linkLocal = derived === undefined ? vr.addresses.filter((vip) => isLinkLocal(vip.address)) : [derived];
  const others = vr.addresses.filter((vip) => !isLinkLocal(vip.address));
  return {
    interface: vr.interface,
    device: deviceOf(devices, vr.interface),
    vrid: vr.vrid,
    family: vr.family,
    addresses: [...linkLocal, ...others],
    advertisementIntervalMs: vr.advertisementIntervalMs,
    checksum: vr.checksum,
    virtualMac: vr.virtualMac,
  };
}

function deviceOf(devices: Devices, name: string): Ifname {
  const device = devices.get(name);
  if (device === undefined)
    throw new Error(`an accepted configuration names the interface ${name}, which it does not have`);
  return device;
}
