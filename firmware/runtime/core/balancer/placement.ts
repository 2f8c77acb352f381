/** Which services XDP serves and which nftables must, by the ports that take no XDP program. Pure. */
import type { Ifname } from "@futago/hal/units/address.ts";
import type { BalancedService } from "../../../balancer/service.ts";
import type { ServiceDevices } from "./balanced-services.ts";

export interface Placement {
  /** What nobody else can serve stays here, too. */
  readonly xdp: readonly BalancedService[];
  readonly nftables: readonly BalancedService[];
}

/** `devices` by the service's name; `blocked` are the ports without a program. Services stay the same objects. */
export function placeServices(
  services: readonly BalancedService[],
  devices: ReadonlyMap<string, ServiceDevices>,
  blocked: ReadonlyMap<Ifname, string>,
): Placement {
  if (blocked.size === 0) return { xdp: services, nftables: [] };
  const isForced = (service: BalancedService) =>
    service.mode !== "direct" && blockedPorts(service, devices.get(service.name), blocked).length > 0;
  return {
    xdp: services.filter((service) => !isForced(service)),
    nftables: services.filter(isForced),
  };
}

/** In `direct` nothing comes back by the backends' ports. */
export function blockedPorts(
  { mode }: Pick<BalancedService, "mode">,
  devices: ServiceDevices | undefined,
  blocked: ReadonlyMap<Ifname, string>,
): readonly Ifname[] {
  if (devices === undefined) return [];
  const all = mode === "direct" ? [devices.front] : [devices.front, ...devices.back];
  return [...new Set(all.filter((device) => device !== undefined && blocked.has(device)))] as Ifname[];
}
