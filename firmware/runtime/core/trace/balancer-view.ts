/** What those who look on see of the balancer. */
import type { BpfObject, XdpMode } from "@futago/hal/contract/bpf.ts";
import type { Ifname } from "@futago/hal/units/address.ts";
import type { BalancerEntry } from "@futago/hal/units/balancer.ts";

export interface BalancerView {
  readonly object: BpfObject;
  /** What the tables hold. */
  readonly standing: readonly BalancerEntry[];
  modeOf(device: Ifname | undefined): XdpMode | "none";
}
