/** The gate, loaded on pins of the test's own, with VIPs of one group; nothing is attached, packets come by test run. */
import type { BpfObject } from "@futago/hal/contract/bpf.ts";
import { type IpAddress, parseIpAddress } from "@futago/hal/units/address.ts";
import { openBpf } from "@futago/hal/xdp/bpf.ts";
import { type GateTables, gateTables } from "@futago/hal/xdp/tables.ts";
import { Groups, mountPins } from "./pins.ts";

export interface LoadedGate {
  readonly gate: BpfObject;
  readonly tables: GateTables;
  readonly groups: Groups;
  remove(): void;
}

export function loadGate(vips: readonly string[], group: number): LoadedGate {
  const bpf = openBpf();
  const pins = mountPins(bpf);
  const gate = bpf.load("gate", pins.directory);
  const tables = gateTables(gate);
  tables.setVips(new Map(vips.map((text) => [parseIpAddress(text) as IpAddress, group])));
  return {
    gate,
    tables,
    groups: new Groups(gate.map("futago_groups")),
    remove: () => {
      gate.close();
      pins.remove();
    },
  };
}
