/**
 * Turns services, pools and health into the entries of the balancer's tables. Keeps what stands there where it is:
 * a service keeps its index and a backend its number as long as they exist, because running flows refer to them.
 * Writes nothing; `diff.ts` says what to write.
 */
import type { Ipv4 } from "@futago/hal/units/address.ts";
import {
  type BackendEntry,
  type BalancerEntry,
  type ReverseEntry,
  RING_SIZE,
  type RingEntry,
  SERVICE_BACKENDS_MAX,
  type ServiceEntry,
} from "@futago/hal/units/balancer.ts";
import { ok, refuse, type Result } from "@futago/hal/units/result.ts";
import { hashText } from "./hash.ts";
import { buildRing } from "./maglev.ts";
import { type BalancedService, candidates, endpointKey, findServiceConflict, type ServiceConflict } from "./service.ts";

export interface BalancerInput {
  /** The same on both boxes, unknown to clients, and kept across commits: changing it moves every flow without an entry. */
  readonly seed: string;
  readonly services: readonly BalancedService[];
  /** The size of the tables. */
  readonly servicesMax: number;
}

/** The entries that carry out `input`, given those that stand in the tables. */
export function compileServices(
  input: BalancerInput,
  standing: readonly BalancerEntry[],
): Result<readonly BalancerEntry[], ServiceConflict> {
  const conflict = findServiceConflict(input.services, input.servicesMax);
  if (conflict !== undefined) return refuse(conflict);
  const ground = survey(standing);
  const indexes = assign(
    input.services.map((service) => endpointKey(service.address, service.port, service.protocol)),
    ground.indexes,
    input.servicesMax,
  );
  const hosts = new Map<Ipv4, ReverseEntry>();
  const entries = input.services.flatMap((service, i) =>
    compileOne(input.seed, service, indexes[i] ?? 0, ground, hosts),
  );
  return ok([...entries, ...hosts.values()]);
}

/** What stands in the tables, by the keys that last. */
interface Ground {
  readonly indexes: ReadonlyMap<string, number>;
  /** By service index: address and port to ordinal. */
  readonly ordinals: ReadonlyMap<number, ReadonlyMap<string, number>>;
  readonly rings: ReadonlyMap<number, RingEntry>;
}

function survey(standing: readonly BalancerEntry[]): Ground {
  const indexes = new Map<string, number>();
  const ordinals = new Map<number, Map<string, number>>();
  const rings = new Map<number, RingEntry>();
  for (const entry of standing) {
    switch (entry.kind) {
      case "service":
        indexes.set(endpointKey(entry.address, entry.port, entry.protocol), entry.index);
        break;
      case "backend": {
        const index = Math.floor(entry.number / SERVICE_BACKENDS_MAX);
        const known = ordinals.get(index) ?? new Map<string, number>();
        known.set(`${entry.address}:${entry.port}`, entry.number % SERVICE_BACKENDS_MAX);
        ordinals.set(index, known);
        break;
      }
      case "ring":
        rings.set(entry.index, entry);
        break;
      case "reverse":
        break;
    }
  }
  return { indexes, ordinals, rings };
}

/**
 * A number below `max` for each key: the one it had, else the lowest that nobody has or just had. Numbers just given
 * up are used last, so that a flow that still names one does not soon meet a stranger. There are at most `max` keys.
 */
function assign(keys: readonly string[], known: ReadonlyMap<string, number>, max: number): readonly number[] {
  const wanted = new Set(keys);
  const held = new Map([...known].filter(([key, number]) => wanted.has(key) && number < max));
  const taken = new Set(held.values());
  const leaving = new Set([...known.values()].filter((number) => number < max && !taken.has(number)));
  const numbers = Array.from({ length: max }, (_, number) => number);
  const fresh = numbers.filter((number) => !taken.has(number) && !leaving.has(number));
  const spare = [...fresh, ...leaving].values();
  return keys.map((key) => held.get(key) ?? spare.next().value ?? 0);
}

function compileOne(
  seed: string,
  service: BalancedService,
  index: number,
  ground: Ground,
  hosts: Map<Ipv4, ReverseEntry>,
): readonly BalancerEntry[] {
  const { address, port, protocol } = service;
  const known = ground.ordinals.get(index) ?? new Map<string, number>();
  const ordinals = assign(
    service.backends.map((backend) => `${backend.address}:${backend.port}`),
    known,
    SERVICE_BACKENDS_MAX,
  );
  const entries: BalancerEntry[] = [];
  service.backends.forEach((backend, i) => {
    const number = index * SERVICE_BACKENDS_MAX + (ordinals[i] ?? 0);
    const place = { address: backend.address, port: backend.port };
    const reply = { protocol, vip: address, vipPort: port, backend: number, service: index };
    entries.push({ kind: "backend", number, ...place, alive: backend.alive } satisfies BackendEntry);
    entries.push({ kind: "reverse", ...place, ...reply } satisfies ReverseEntry);
    // Port 0 only says whose host it is; the first service to name the host describes it.
    if (!hosts.has(backend.address)) {
      hosts.set(backend.address, { kind: "reverse", address: backend.address, port: 0, ...reply });
    }
  });
  const ring = compileRing(seed, service, index, ordinals, ground.rings.get(index));
  const entry: ServiceEntry = { kind: "service", address, port, protocol, index, seed: hashText(seed) };
  return [...entries, ring, entry];
}

function compileRing(
  seed: string,
  service: BalancedService,
  index: number,
  ordinals: readonly number[],
  standing: RingEntry | undefined,
): RingEntry {
  const ordinalOf = new Map(service.backends.map((backend, i) => [backend, ordinals[i] ?? 0]));
  const members = candidates(service.backends).map((backend) => ({
    id: backend.id,
    weight: backend.weight,
    ordinal: ordinalOf.get(backend) ?? 0,
  }));
  const signature = JSON.stringify([seed, members]);
  if (standing?.signature === signature) return standing;
  return { kind: "ring", index, ordinals: buildRing(seed, members, RING_SIZE), signature };
}
