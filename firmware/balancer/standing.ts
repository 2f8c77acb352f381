/** What stands in the tables, service by service: a large box has too much of it to go through for each question. Pure. */
import {
  type BackendEntry,
  type BalancerEntry,
  type RingEntry,
  SERVICE_BACKENDS_MAX,
  type ServiceEntry,
} from "@futago/hal/units/balancer.ts";
import type { InForce } from "./plan.ts";

export interface StandingService {
  readonly entry: ServiceEntry;
  /** All that carry it out: its ring and the service itself among them. */
  readonly entries: readonly BalancerEntry[];
  /** Another object when its backends, or their numbers, are others. */
  readonly ordinals: object;
}

export function standingServices(inForce: InForce): readonly StandingService[] {
  return inForce.kind === "planned" ? inForce.compiled.services : grouped(inForce.entries);
}

export function backendsOf({ entries }: StandingService): readonly BackendEntry[] {
  return entries.filter((one) => one.kind === "backend");
}

export function ringOf({ entries }: StandingService): RingEntry | undefined {
  return entries.find((one) => one.kind === "ring");
}

function grouped(entries: readonly BalancerEntry[]): readonly StandingService[] {
  const byIndex = Map.groupBy(entries, indexOf);
  return entries.flatMap((entry): StandingService[] => {
    if (entry.kind !== "service") return [];
    const all = byIndex.get(entry.index) ?? [];
    return [{ entry, entries: all, ordinals: all }];
  });
}

/** The service's. */
function indexOf(entry: BalancerEntry): number {
  switch (entry.kind) {
    case "service":
    case "ring":
      return entry.index;
    case "backend":
      return Math.floor(entry.number / SERVICE_BACKENDS_MAX);
    case "reverse":
    case "access":
      return entry.service;
  }
}
