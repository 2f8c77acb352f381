/** Services and backends for tests, with everything that a test does not care about filled in. */
import { type IpAddress, parseInterfaceAddress, parseIpAddress } from "@futago/hal/units/address.ts";
import type { BalancerEntry, RingEntry } from "@futago/hal/units/balancer.ts";
import { type BalancedBackend, type BalancedService, SLOW_START_STEPS } from "./service.ts";

export function ip(text: string): IpAddress {
  const address = parseIpAddress(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return address;
}

export function prefix(text: string) {
  const parsed = parseInterfaceAddress(text);
  if (parsed === undefined) throw new Error(`${text} is no prefix`);
  return parsed;
}

/** The same list each time, as a service's is while its configuration is the same. */
const NOBODY: BalancedService["allow"] = [];

/** 10.2.0.`last`, or as `more` says. */
export function backend(last: number, more: Partial<BalancedBackend> = {}): BalancedBackend {
  return {
    id: `web/s${last}`,
    address: ip(`10.2.0.${last}`),
    port: 80,
    weight: 1,
    backup: false,
    alive: true,
    blind: false,
    draining: false,
    step: SLOW_START_STEPS,
    subnetBits: 0,
    flowsMax: 0,
    ...more,
  };
}

export function service(
  port: number,
  backends: readonly BalancedBackend[],
  more: Partial<BalancedService> = {},
): BalancedService {
  return {
    name: `s${port}`,
    address: ip("10.1.0.1"),
    port,
    protocol: "tcp",
    mode: "nat",
    persistence: "none",
    allow: NOBODY,
    deny: NOBODY,
    newFlowsPerSecond: 0,
    flowsMax: 0,
    clientFlowsMax: 0,
    idleTimeoutSeconds: 7440,
    backends,
    sorry: [],
    ...more,
  };
}

/** How many slots of the service's ring each backend has, by its address. */
export function slotsOf(entries: readonly BalancerEntry[], index: number): Readonly<Record<string, number>> {
  const ring = entries.find((entry): entry is RingEntry => entry.kind === "ring" && entry.index === index);
  const place = new Map<number, string>();
  for (const entry of entries) if (entry.kind === "backend") place.set(entry.number, entry.address);
  const slots: Record<string, number> = {};
  for (const ordinal of ring?.ordinals ?? []) {
    const owner = place.get(index * 128 + ordinal) ?? "nobody";
    slots[owner] = (slots[owner] ?? 0) + 1;
  }
  return slots;
}
