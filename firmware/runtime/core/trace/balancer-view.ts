/** What those who look on see of the balancer. */
import type { BpfObject, XdpMode } from "@futago/hal/contract/bpf.ts";
import type { Ifname, IpAddress } from "@futago/hal/units/address.ts";
import type { ServiceProtocol } from "@futago/hal/units/balancer.ts";
import type { StandingService } from "../../../balancer/standing.ts";

export interface BalancerView {
  readonly object: BpfObject;
  /** What the tables hold; the same list until they are written. */
  readonly services: readonly StandingService[];
  /** One of them. */
  readonly serviceAt: (address: IpAddress, port: number, protocol: ServiceProtocol) => StandingService | undefined;
  modeOf(device: Ifname | undefined): XdpMode | "none";
}
