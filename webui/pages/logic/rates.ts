/** Rates out of counters. A counter that went back belongs to a port that was made anew: it has no rate until the next look. */
import type { BoxesShown } from "@futago/firmware/runtime/control-ports.ts";
import type { BoxStatus } from "@futago/firmware/runtime/control.ts";

export interface PortRate {
  readonly receivedBits: number;
  readonly sentBits: number;
  readonly receivedPackets: number;
  readonly sentPackets: number;
}

/** Bits a second of all ports of each box, by its letter. */
export interface TrafficSample {
  readonly atMillis: number;
  readonly boxes: Readonly<Record<string, { readonly received: number; readonly sent: number }>>;
}

export interface Traffic {
  /** By {@link portKey}. */
  readonly ports: Readonly<Record<string, PortRate>>;
  /** The oldest first. */
  readonly samples: readonly TrafficSample[];
  readonly seen: BoxesShown | undefined;
}

export const noTraffic: Traffic = { ports: {}, samples: [], seen: undefined };
export const samplesMax = 180;

export function portKey(box: string, device: string): string {
  return `${box}/${device}`;
}

export function stepTraffic(traffic: Traffic, boxes: BoxesShown, nowMillis: number): Traffic {
  const ports: Record<string, PortRate> = {};
  const sums: Record<string, { received: number; sent: number }> = {};
  for (const box of boxes.boxes) {
    const before = traffic.seen?.boxes.find((one) => one.box === box.box);
    if (before === undefined) continue;
    const seconds = (Date.parse(box.at) - Date.parse(before.at)) / 1000;
    const sum = { received: 0, sent: 0 };
    for (const port of box.ports) {
      const key = portKey(box.box, port.device);
      const was = before.ports.find(({ device }) => device === port.device);
      const rate = seconds <= 0 || was === undefined ? traffic.ports[key] : rateOf(was, port, seconds);
      if (rate === undefined) continue;
      ports[key] = rate;
      sum.received += rate.receivedBits;
      sum.sent += rate.sentBits;
    }
    sums[box.box] = sum;
  }
  const hasSums = Object.keys(sums).length > 0;
  const samples = hasSums ? [...traffic.samples, { atMillis: nowMillis, boxes: sums }] : traffic.samples;
  return { ports, samples: samples.slice(-samplesMax), seen: boxes };
}

type Counters = Pick<
  BoxesShown["boxes"][number]["ports"][number],
  "receivedBytes" | "sentBytes" | "receivedPackets" | "sentPackets"
>;

function rateOf(was: Counters, is: Counters, seconds: number): PortRate | undefined {
  if (is.receivedBytes < was.receivedBytes || is.sentBytes < was.sentBytes) return undefined;
  return {
    receivedBits: ((is.receivedBytes - was.receivedBytes) * 8) / seconds,
    sentBits: ((is.sentBytes - was.sentBytes) * 8) / seconds,
    receivedPackets: (is.receivedPackets - was.receivedPackets) / seconds,
    sentPackets: (is.sentPackets - was.sentPackets) / seconds,
  };
}

export interface ServiceRate {
  readonly inBits: number;
  readonly outBits: number;
  readonly flowsPerSecond: number;
}

export interface ServiceRates {
  /** By the service's name, and by "service/backend". */
  readonly rates: Readonly<Record<string, ServiceRate>>;
  readonly atMillis: number;
  readonly seen: BoxStatus | undefined;
}

export const noServiceRates: ServiceRates = { rates: {}, atMillis: 0, seen: undefined };
/** Counters of the balancer are read once a second: two looks that are closer may be the same. */
const lookMillisMin = 900;

export function stepServiceRates(former: ServiceRates, status: BoxStatus, nowMillis: number): ServiceRates {
  const { seen } = former;
  if (seen === undefined || seen.box !== status.box) return { rates: {}, atMillis: nowMillis, seen: status };
  const seconds = (nowMillis - former.atMillis) / 1000;
  if (seconds * 1000 < lookMillisMin) return former;
  const rates: Record<string, ServiceRate> = {};
  for (const service of status.services) {
    const was = seen.services.find(({ name }) => name === service.name);
    if (was === undefined) continue;
    put(rates, service.name, was.traffic, service.traffic, seconds);
    for (const backend of service.backends) {
      const before = was.backends.find(({ name }) => name === backend.name);
      if (before !== undefined) put(rates, `${service.name}/${backend.name}`, before.traffic, backend.traffic, seconds);
    }
  }
  return { rates, atMillis: nowMillis, seen: status };
}

type Counts = BoxStatus["services"][number]["traffic"];

function put(rates: Record<string, ServiceRate>, key: string, was: Counts, is: Counts, seconds: number): void {
  if (is.bytesIn < was.bytesIn || is.bytesOut < was.bytesOut || is.flows < was.flows) return;
  rates[key] = {
    inBits: ((is.bytesIn - was.bytesIn) * 8) / seconds,
    outBits: ((is.bytesOut - was.bytesOut) * 8) / seconds,
    flowsPerSecond: (is.flows - was.flows) / seconds,
  };
}
