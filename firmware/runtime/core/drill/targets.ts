/** The VIPs that a drill probes, and how this box can ask for each. */
import type { AddressEntry, Link, Network } from "@futago/hal/contract/network.ts";
import {
  family,
  type Ifindex,
  inSubnet,
  type InterfaceAddress,
  type IpAddress,
  type Mac,
  parseInterfaceAddress,
} from "@futago/hal/units/address.ts";
import type { Resolved } from "../../../config/resolved.ts";
import type { GroupStatus } from "../../messages.ts";

/** More are not probed: their packets would be a load of their own. */
export const VIPS_MAX = 64;

export interface Target {
  readonly group: string;
  readonly address: IpAddress;
  readonly ifindex: Ifindex;
  readonly mac: Mac;
  /** This box's own address beside the VIP; undefined where no answer of another box could come back. */
  readonly source: IpAddress | undefined;
  /** This box holds it now. */
  readonly gives: boolean;
}

export async function targetsOf(
  network: Pick<Network, "links" | "addresses">,
  config: Resolved,
  groups: readonly GroupStatus[],
): Promise<readonly Target[]> {
  const links = await network.links();
  const entries = await network.addresses();
  const vips = groups.flatMap((group) =>
    group.addresses.flatMap((text) => {
      const vip = parseInterfaceAddress(text);
      return vip === undefined ? [] : [{ group, vip }];
    }),
  );
  const virtual = new Set<IpAddress>(vips.map(({ vip }) => vip.address));
  const own = entries.filter(({ address }) => !virtual.has(address));
  return vips.slice(0, VIPS_MAX).flatMap(({ group, vip }) => {
    const link = linkOf(config, links, group.name, vip);
    if (link?.mac === undefined) return [];
    const { ifindex, mac } = link;
    const gives = group.state === "active";
    // A box on which it stands would answer itself.
    const answersItself = !gives && entries.some(({ address }) => address === vip.address);
    const source = answersItself ? undefined : sourceFor(vip, ifindex, own);
    return [{ group: group.name, address: vip.address, ifindex, mac, source, gives }];
  });
}

/** A link-local VIP is none that the configuration wrote: it is on the link of the group's others of its family. */
function linkOf(config: Resolved, links: readonly Link[], name: string, vip: InterfaceAddress): Link | undefined {
  const routers = config.groups.find((group) => group.name === name)?.virtualRouters ?? [];
  const router =
    routers.find(({ addresses }) => addresses.some(({ address }) => address === vip.address)) ??
    routers.find((one) => one.family === family(vip.address));
  const device = config.interfaces.find((one) => one.name === router?.interface)?.device;
  return links.find(({ ifname }) => ifname === device);
}

function sourceFor(vip: InterfaceAddress, ifindex: Ifindex, own: readonly AddressEntry[]): IpAddress | undefined {
  return own.find((entry) => entry.ifindex === ifindex && inSubnet(vip.address, entry))?.address;
}
