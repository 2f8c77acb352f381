/** The ports that a spare of a cold pair has shut: those of virtual routers, and what stands on them. */
import type { Ifname } from "@futago/hal/units/address.ts";
import type { Resolved } from "./resolved.ts";

type Ports = Pick<Resolved, "interfaces" | "groups">;

/** The devices of all virtual routers, in the order of the interfaces. */
export function dataPorts({ interfaces, groups }: Ports): readonly Ifname[] {
  const names = new Set(groups.flatMap((group) => group.virtualRouters.map((vr) => vr.interface)));
  return interfaces.filter(({ name }) => names.has(name)).map(({ device }) => device);
}

/** Whether the device is one of them or is shut with one: "eth0.10" is a VLAN on "eth0". */
export function standsOn(device: Ifname, ports: readonly Ifname[]): boolean {
  return ports.some((port) => device === port || device.startsWith(`${port}.`));
}
