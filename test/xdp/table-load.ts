/** Loads the balancer's tables with as much as they may hold, and says how long each step took. */
import type { BpfObject } from "@futago/hal/contract/bpf.ts";
import { type Ipv4, parseIpv4 } from "@futago/hal/units/address.ts";
import { encodeFlow, encodeFlowKey } from "@futago/hal/xdp/layout-flows.ts";
import { balancerTables } from "@futago/hal/xdp/tables.ts";
import type { BalancerInput } from "@futago/firmware/balancer/compile.ts";
import { type InForce, planChange } from "@futago/firmware/balancer/plan.ts";
import { type BalancedService, SLOW_START_STEPS } from "@futago/firmware/balancer/service.ts";

export function addressOf(number: number): Ipv4 {
  return parseIpv4(`10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`) as Ipv4;
}

const VIPS_FROM = 0xff0000;
const NOBODY: BalancedService["allow"] = [];

export function manyServices(services: number, backends: number): readonly BalancedService[] {
  return Array.from({ length: services }, (_, s) => ({
    name: `s${s}`,
    address: addressOf(VIPS_FROM + s),
    port: 80,
    protocol: "tcp",
    mode: "nat",
    persistence: "none",
    allow: NOBODY,
    deny: NOBODY,
    newFlowsPerSecond: 0,
    flowsMax: 0,
    clientFlowsMax: 0,
    idleTimeoutSeconds: 7440,
    sorry: [],
    backends: Array.from({ length: backends }, (__, b) => ({
      id: `p${s}/b${b}`,
      address: addressOf(s * backends + b + 1),
      port: 8080,
      weight: 1,
      backup: false,
      alive: true,
      blind: false,
      draining: false,
      step: SLOW_START_STEPS,
      subnetBits: 24,
      flowsMax: 0,
    })),
  }));
}

export interface LoadTimes {
  readonly entries: number;
  /** From the services to tables that hold them. */
  readonly loadMillis: number;
  /** Of this process's processor time: what others do on the machine does not count. */
  readonly loadCpuMillis: number;
  /** From a backend's death to tables that say so, the middle of nine. */
  readonly changeMillis: number;
  readonly changeMillisMax: number;
}

export function loadServices(object: BpfObject, services: readonly BalancedService[], servicesMax: number): LoadTimes {
  const tables = balancerTables(object);
  let inForce: InForce = { kind: "found", entries: tables.read() };
  const carryOut = (wanted: readonly BalancedService[]): { readonly millis: number; readonly writes: number } => {
    const from = performance.now();
    const planned = planChange({ ...ground, services: wanted, servicesMax }, inForce);
    if (!planned.ok) throw new Error(JSON.stringify(planned.reason));
    tables.apply(planned.value.writes);
    inForce = planned.value.inForce;
    return { millis: performance.now() - from, writes: planned.value.writes.length };
  };
  const cpu = process.cpuUsage();
  const first = carryOut(services);
  const { user, system } = process.cpuUsage(cpu);
  let current = services;
  const changes = Array.from({ length: 9 }, (_, i) => {
    const at = Math.floor((i * services.length) / 9);
    current = current.map((service, s) => (s === at ? withoutFirst(service) : service));
    return carryOut(current).millis;
  }).sort((a, b) => a - b);
  return {
    entries: first.writes,
    loadMillis: first.millis,
    loadCpuMillis: (user + system) / 1_000,
    changeMillis: changes[4] ?? 0,
    changeMillisMax: changes[8] ?? 0,
  };
}

const ground: Pick<BalancerInput, "seed" | "own"> = { seed: "a seed", own: new Set() };

function withoutFirst(service: BalancedService): BalancedService {
  const [first, ...others] = service.backends;
  return first === undefined ? service : { ...service, backends: [{ ...first, alive: false }, ...others] };
}

/** Flows of as many clients to the first backends; each was seen `idleSeconds` ago, as `idleOf` says of it. */
export function fillFlows(object: BpfObject, count: number, nowSeconds: number, idleOf: (i: number) => number): void {
  const map = object.map("established");
  const slice = 4_096;
  for (let from = 0; from < count; from += slice) {
    const size = Math.min(slice, count - from);
    const keys = new Uint8Array(size * map.keyBytes);
    const values = new Uint8Array(size * map.valueBytes);
    for (let i = 0; i < size; i++) {
      const flow = {
        client: addressOf(from + i + 1),
        clientPort: 40_000,
        vip: addressOf(VIPS_FROM),
        vipPort: 80,
        protocol: "tcp",
        backend: (from + i) % 64,
        address: addressOf(((from + i) % 64) + 1),
        port: 8080,
        vipSourcePort: 0,
        expectedAck: 0,
        flags: 0,
        seenNanos: BigInt(Math.floor((nowSeconds - idleOf(from + i)) * 1e9)),
      } as const;
      keys.set(encodeFlowKey(flow), i * map.keyBytes);
      values.set(encodeFlow(flow), i * map.valueBytes);
    }
    const refused = map.insertMany(keys, values).find((outcome) => outcome !== 0);
    if (refused !== undefined) throw new Error(`a flow was refused: errno ${refused}`);
  }
}
