/**
 * Turns services, pools and health into the entries of the balancer's tables. Keeps what stands there where it is:
 * a service keeps its index and a backend its number as long as they exist, because running flows refer to them.
 * Writes nothing; `diff.ts` says what to write.
 */
import type { IpAddress } from "@futago/hal/units/address.ts";
import {
  type BackendEntry,
  type BalancerEntry,
  type ReverseEntry,
  type RingEntry,
  SERVICE_BACKENDS_MAX,
  type ServiceEntry,
} from "@futago/hal/units/balancer.ts";
import { ok, refuse, type Result } from "@futago/hal/units/result.ts";
import { atOnce } from "@futago/hal/units/steps.ts";
import { accessEntries, accessRule } from "./access.ts";
import { assign } from "./assign.ts";
import { hashText } from "./hash.ts";
import { membersOf, RingStock, signatureOf } from "./ring-stock.ts";
import {
  allBackends,
  type BalancedBackend,
  type BalancedService,
  type Bounds,
  candidates,
  endpointKey,
  findConflictInSteps,
  type ServiceConflict,
  serviceKey,
  stateOf,
} from "./service.ts";

export interface BalancerInput extends Bounds {
  /** The same on both boxes, unknown to clients, and kept across commits: changing it moves every flow without an entry. */
  readonly seed: string;
  readonly services: readonly BalancedService[];
  /** Made beforehand. */
  readonly rings?: RingStock | undefined;
}

/** A service with the entries that carry it out. */
export interface CompiledService {
  readonly service: BalancedService;
  readonly entry: ServiceEntry;
  readonly index: number;
  /** Of `allBackends`, in their order. */
  readonly ordinals: readonly number[];
  readonly ring: RingEntry;
  /** The ring among them. */
  readonly entries: readonly BalancerEntry[];
}

export interface Compiled {
  readonly services: readonly CompiledService[];
  readonly byIndex: ReadonlyMap<number, CompiledService>;
  /** By which a packet is known to be a backend's whose port cannot be read. */
  readonly hosts: readonly ReverseEntry[];
}

/** The entries that carry out `input`, given those that stand in the tables. */
export function compileServices(
  input: BalancerInput,
  standing: readonly BalancerEntry[],
): Result<readonly BalancerEntry[], ServiceConflict> {
  const compiled = compile(input, standing);
  return compiled.ok ? ok(entriesOf(compiled.value)) : compiled;
}

export function entriesOf({ services, hosts }: Compiled): readonly BalancerEntry[] {
  return [...services.flatMap((service) => service.entries), ...hosts];
}

export function compile(input: BalancerInput, standing: readonly BalancerEntry[]): Result<Compiled, ServiceConflict> {
  return atOnce(compileInSteps(input, surveyEntries(standing)));
}

/** As {@link compile}; a step is a service. */
export function* compileInSteps(
  input: BalancerInput,
  ground: Ground,
): Generator<undefined, Result<Compiled, ServiceConflict>> {
  const conflict = yield* findConflictInSteps(input.services, input);
  if (conflict !== undefined) return refuse(conflict);
  const indexes = assign(input.services.map(serviceKey), ground.indexes, input.servicesMax);
  const compileRing = ringCompiler(input.seed, input.rings);
  const services: CompiledService[] = [];
  for (const [i, service] of input.services.entries()) {
    const index = indexes[i] ?? 0;
    const same = ground.compiled(service, index);
    if (same === undefined) {
      const ordinals = assign(allBackends(service).map(placeOf), ground.ordinals(index), SERVICE_BACKENDS_MAX);
      const ring = compileRing(service, index, ordinals, ground.ring(index));
      services.push(compileOne(input.seed, { service, index, ordinals, ring }));
    } else services.push(same);
    yield undefined;
  }
  return ok(compiledOf(services, yield* hostsInSteps(services)));
}

function placeOf({ address, port }: Pick<BalancedBackend, "address" | "port">): string {
  return `${address}:${port}`;
}

export function compiledOf(services: readonly CompiledService[], hosts: readonly ReverseEntry[]): Compiled {
  return { services, byIndex: new Map(services.map((service) => [service.index, service])), hosts };
}

/** Compiles services in another state of their backends: what they are, and which backends there are, is as before. */
export function recompiler(seed: string): (before: CompiledService, service: BalancedService) => CompiledService {
  const compileRing = ringCompiler(seed);
  return (before, service) => {
    const { index, ordinals } = before;
    const ring = compileRing(service, index, ordinals, before.ring);
    return compileOne(seed, { service, index, ordinals, ring });
  };
}

/** What stands in the tables, by the keys that last; all but `indexes` by the service's index. */
export interface Ground {
  readonly indexes: ReadonlyMap<string, number>;
  /** Address and port to ordinal. */
  ordinals(index: number): ReadonlyMap<string, number>;
  ring(index: number): RingEntry | undefined;
  /** What carries out this very service already. */
  compiled(service: BalancedService, index: number): CompiledService | undefined;
}

const NO_ORDINALS: ReadonlyMap<string, number> = new Map();

/** Of what was compiled before with the same seed. */
export function surveyCompiled({ services, byIndex }: Compiled): Ground {
  return {
    indexes: new Map(services.map(({ service, index }) => [serviceKey(service), index])),
    ordinals: (index) => {
      const known = byIndex.get(index);
      if (known === undefined) return NO_ORDINALS;
      return new Map(allBackends(known.service).map((backend, i) => [placeOf(backend), known.ordinals[i] ?? 0]));
    },
    ring: (index) => byIndex.get(index)?.ring,
    compiled: (service, index) => {
      const known = byIndex.get(index);
      return known?.service === service ? known : undefined;
    },
  };
}

export function surveyEntries(standing: readonly BalancerEntry[]): Ground {
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
      case "access":
        break;
    }
  }
  return {
    indexes,
    ordinals: (index) => ordinals.get(index) ?? NO_ORDINALS,
    ring: (index) => rings.get(index),
    compiled: () => undefined,
  };
}

function compileOne(seed: string, known: Omit<CompiledService, "entry" | "entries">): CompiledService {
  const { service, index, ordinals, ring } = known;
  const { address: vip, port: vipPort, protocol, mode, persistence } = service;
  const entries: BalancerEntry[] = [...accessEntries(service, index)];
  allBackends(service).forEach((backend, i) => {
    const { address, port, subnetBits, flowsMax } = backend;
    const number = index * SERVICE_BACKENDS_MAX + (ordinals[i] ?? 0);
    const state = stateOf(backend, protocol);
    entries.push({ kind: "backend", number, address, port, state, subnetBits, flowsMax } satisfies BackendEntry);
    if (mode !== "nat") return;
    const reply = { protocol, vip, vipPort, backend: number, service: index };
    entries.push({ kind: "reverse", address, port, ...reply } satisfies ReverseEntry);
  });
  const entry: ServiceEntry = {
    kind: "service",
    address: vip,
    port: vipPort,
    protocol,
    index,
    seed: hashText(seed),
    mode,
    persistence,
    access: accessRule(service),
    newFlowsPerSecond: service.newFlowsPerSecond,
    flowsMax: service.flowsMax,
    clientFlowsMax: service.clientFlowsMax,
  };
  entries.push(ring, entry);
  return { ...known, entry, entries };
}

/** Port 0 only says whose host it is; the first service to name the host describes it. */
function* hostsInSteps(services: readonly CompiledService[]): Generator<undefined, readonly ReverseEntry[]> {
  const hosts: ReverseEntry[] = [];
  const known = { tcp: new Set<IpAddress>(), udp: new Set<IpAddress>() };
  for (const { entries } of services) {
    for (const entry of entries) {
      if (entry.kind !== "reverse" || known[entry.protocol].has(entry.address)) continue;
      known[entry.protocol].add(entry.address);
      hosts.push({ ...entry, port: 0 });
    }
    yield undefined;
  }
  return hosts;
}

/** Rings are functions of their members alone, so services on one pool share the work. */
function ringCompiler(seed: string, rings: RingStock = new RingStock()) {
  return (
    service: BalancedService,
    index: number,
    ordinals: readonly number[],
    standing: RingEntry | undefined,
  ): RingEntry => {
    const ordinalOf = new Map(allBackends(service).map((backend, i) => [backend, ordinals[i] ?? 0]));
    const members = membersOf(candidates(service), (backend) => ordinalOf.get(backend) ?? 0);
    const signature = signatureOf(seed, members);
    if (standing?.signature === signature) return standing;
    return { kind: "ring", index, ordinals: rings.ring(seed, members, signature), signature };
  };
}
