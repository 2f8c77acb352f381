/** What the balancer counted of a service of the configuration and of its backends. */
import type { BpfMap } from "@futago/hal/contract/bpf.ts";
import { addTraffic, decodeTraffic, encodeNumber } from "@futago/hal/xdp/layout.ts";
import { concatBytes } from "@futago/hal/units/bytes.ts";
import { backendsOf } from "../../../balancer/standing.ts";
import type { ResolvedService } from "../../../config/resolved.ts";
import type { TrafficShown } from "../../control.ts";
import type { BalancerView } from "./balancer-view.ts";

export interface ServiceTraffic {
  readonly service: TrafficShown;
  /** By the backend's address and port, "10.2.0.11:80". */
  readonly backends: ReadonlyMap<string, TrafficShown>;
}

export const NO_TRAFFIC: TrafficShown = { packetsIn: 0, bytesIn: 0, packetsOut: 0, bytesOut: 0, flows: 0 };

/** Summed up over its addresses. */
export function readTraffic(
  { object, serviceAt }: Pick<BalancerView, "object" | "serviceAt">,
  { addresses, port, protocol }: Pick<ResolvedService, "addresses" | "port" | "protocol">,
): ServiceTraffic {
  const standing = addresses.flatMap((address) => serviceAt(address, port, protocol) ?? []);
  const backends = standing.flatMap(backendsOf);
  const ofBackends = readMany(
    object.map("backend_counts"),
    backends.map(({ number }) => number),
  );
  const sums = new Map<string, TrafficShown>();
  for (const [i, one] of backends.entries()) {
    const at = `${one.address}:${one.port}`;
    sums.set(at, addTraffic(sums.get(at) ?? NO_TRAFFIC, ofBackends[i] ?? NO_TRAFFIC));
  }
  const indexes = standing.map(({ entry }) => entry.index);
  const former = readMany(object.map("former_counts"), indexes);
  return { service: [...former, ...ofBackends].reduce(addTraffic, NO_TRAFFIC), backends: sums };
}

function readMany(map: BpfMap, numbers: readonly number[]): readonly TrafficShown[] {
  if (numbers.length === 0) return [];
  const { values } = map.lookupMany(concatBytes(numbers.map(encodeNumber)));
  const bytes = values.length / numbers.length;
  return numbers.map((_, i) => decodeTraffic(values.subarray(i * bytes, (i + 1) * bytes)));
}
