/** What the balancer counted of each service of the configuration and of its backends. */
import type { BpfMap } from "@futago/hal/contract/bpf.ts";
import { SERVICE_BACKENDS_MAX } from "@futago/hal/units/balancer.ts";
import { decodeTraffic, encodeNumber } from "@futago/hal/xdp/layout.ts";
import { concatBytes } from "@futago/hal/units/bytes.ts";
import type { ResolvedService } from "../../../config/resolved.ts";
import type { TrafficShown } from "../../control.ts";
import type { BalancerView } from "./balancer-view.ts";

export interface ServiceTraffic {
  readonly service: TrafficShown;
  /** By the backend's address and port, "10.2.0.11:80". */
  readonly backends: ReadonlyMap<string, TrafficShown>;
}

export const NO_TRAFFIC: TrafficShown = { packetsIn: 0, bytesIn: 0, packetsOut: 0, bytesOut: 0, flows: 0 };

/** Everything is read at once; what is returned sums it up for a service, over its addresses. */
export function readTraffic({
  object,
  standing,
}: Pick<BalancerView, "object" | "standing">): (service: ResolvedService) => ServiceTraffic {
  const services = standing.filter((one) => one.kind === "service");
  const backends = standing.filter((one) => one.kind === "backend");
  const ofServices = readMany(
    object.map("service_counts"),
    services.map(({ index }) => index),
  );
  const ofBackends = readMany(
    object.map("backend_counts"),
    backends.map(({ number }) => number),
  );
  const indexes = new Map(services.map((one) => [end(one.address, one.port, one.protocol), one.index]));
  const byIndex = Map.groupBy(backends, ({ number }) => Math.floor(number / SERVICE_BACKENDS_MAX));
  return ({ addresses, port, protocol }) => {
    const mine = addresses.flatMap((address) => indexes.get(end(address, port, protocol)) ?? []);
    const sums = new Map<string, TrafficShown>();
    for (const one of mine.flatMap((index) => byIndex.get(index) ?? [])) {
      const at = `${one.address}:${one.port}`;
      sums.set(at, sum(sums.get(at) ?? NO_TRAFFIC, ofBackends.get(one.number) ?? NO_TRAFFIC));
    }
    const whole = mine.map((index) => ofServices.get(index) ?? NO_TRAFFIC).reduce(sum, NO_TRAFFIC);
    return { service: whole, backends: sums };
  };
}

function readMany(map: BpfMap, numbers: readonly number[]): ReadonlyMap<number, TrafficShown> {
  const { values } = map.lookupMany(concatBytes(numbers.map(encodeNumber)));
  const bytes = values.length / Math.max(1, numbers.length);
  return new Map(numbers.map((number, i) => [number, decodeTraffic(values.subarray(i * bytes, (i + 1) * bytes))]));
}

function end(address: string, port: number, protocol: string): string {
  return `${protocol} ${address} ${port}`;
}

function sum(a: TrafficShown, b: TrafficShown): TrafficShown {
  return {
    packetsIn: a.packetsIn + b.packetsIn,
    bytesIn: a.bytesIn + b.bytesIn,
    packetsOut: a.packetsOut + b.packetsOut,
    bytesOut: a.bytesOut + b.bytesOut,
    flows: a.flows + b.flows,
  };
}
