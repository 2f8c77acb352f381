/** The tables on the real kernel: their shapes, what filling, changing, walking and resizing them takes. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BpfObject } from "@futago/hal/contract/bpf.ts";
import { FakeNetwork } from "@futago/hal/fake/network.ts";
import type { IpAddress } from "@futago/hal/units/address.ts";
import { instant } from "@futago/hal/units/time.ts";
import { openBpf } from "@futago/hal/xdp/bpf.ts";
import { balancerSizes, MAPS, type MapShape } from "@futago/hal/xdp/layout.ts";
import { balancerTables } from "@futago/hal/xdp/tables.ts";
import { compileServices } from "@futago/firmware/balancer/compile.ts";
import { diffEntries } from "@futago/firmware/balancer/diff.ts";
import { backend, ip, prefix, service } from "@futago/firmware/balancer/services.test-support.ts";
import { RingStock } from "@futago/firmware/balancer/ring-stock.ts";
import { BalancerKeeper } from "@futago/firmware/runtime/core/balancer/balancer-keeper.ts";
import { mapSizes, type TableSizes } from "@futago/firmware/runtime/core/balancer/table-sizes.ts";
import { FlowCollector } from "@futago/firmware/runtime/core/balancer/flow-collector.ts";
import { mountPins, bootNanos, type Pins } from "./pins.ts";
import { fillFlows, type LoadTimes, loadServices, manyServices } from "./table-load.ts";

const bpf = openBpf();
let pins: Pins;
let objects: Readonly<Record<"gate" | "balancer", BpfObject>>;
const loaded: BpfObject[] = [];

beforeAll(() => {
  pins = mountPins(bpf);
  const load = (name: "gate" | "balancer") => {
    const object = bpf.load(name, pins.directory);
    loaded.push(object);
    return object;
  };
  objects = { gate: load("gate"), balancer: load("balancer") };
});

afterAll(() => {
  for (const object of loaded) object.close();
  pins.remove();
});

const nowSeconds = () => Number(bootNanos() / 1_000_000_000n);

describe("the shapes in layout.ts", () => {
  for (const [name, shape] of Object.entries(MAPS) as [string, MapShape][]) {
    it(`are those of the object: ${name}`, () => {
      const { keyBytes, valueBytes, entriesMax } = objects[shape.object === "gate" ? "gate" : "balancer"].map(name);
      const { keyBytes: key, valueBytes: value, entriesMax: max } = shape;
      expect({ keyBytes, valueBytes, entriesMax }).toEqual({ keyBytes: key, valueBytes: value, entriesMax: max });
    });
  }
});

describe("entries of every kind", () => {
  it("are read back as they were written, and are gone after they were removed", () => {
    const tables = balancerTables(objects.balancer);
    const lists = { allow: ["10.9.0.0/16", "10.9.1.5/32"], deny: ["10.9.1.0/24"] };
    const lists6 = { allow: ["2001:db8::/32"], deny: ["2001:db8:1::/48", "::/0"] };
    const wanted = [
      service(80, [backend(11), backend(12, { draining: true, flowsMax: 9 })], parsed(lists)),
      service(53, [backend(11, { address: ip("2001:db8:2::11") })], {
        ...parsed(lists6),
        address: ip("2001:db8::1"),
        protocol: "udp",
        mode: "one-arm",
        persistence: "source",
        newFlowsPerSecond: 7,
        sorry: [backend(21, { address: ip("2001:db8:2::21"), alive: false })],
      }),
    ];
    const bounds = { servicesMax: 256, own: new Set<IpAddress>() };
    const compiled = compileServices({ seed: "seed", services: wanted, ...bounds }, tables.read());
    if (!compiled.ok) throw new Error(compiled.reason.kind);
    tables.apply(compiled.value.map((entry) => ({ kind: "put", entry })));
    expect(tables.read().filter((one) => one.kind === "access")).toHaveLength(6);
    expect(diffEntries(tables.read(), compiled.value)).toEqual([]);
    expect(tables.read()).toHaveLength(compiled.value.length);
    tables.apply(diffEntries(compiled.value, []));
    expect(tables.read()).toEqual([]);
  });
});

function parsed({ allow, deny }: { readonly allow: readonly string[]; readonly deny: readonly string[] }) {
  return { allow: allow.map(prefix), deny: deny.map(prefix) };
}

/** What it takes to load so many services of a hundred backends into tables of their own. */
function loadedAlone(services: number): LoadTimes {
  const own = mountPins(bpf);
  const object = bpf.load("balancer", own.directory, balancerSizes(1_024, 131_072));
  try {
    return loadServices(object, manyServices(services, 100), 1_024);
  } finally {
    object.close();
    own.remove();
  }
}

describe("a thousand services with a hundred backends each", () => {
  // Measured: 1.3 s of processor time, and 2 ms; the bench has the numbers.
  it("take no more work each than few do, and one that dies is out of its ring in a small part of that time", () => {
    const few = loadedAlone(100);
    const own = mountPins(bpf);
    const object = bpf.load("balancer", own.directory, balancerSizes(1_024, 131_072));
    try {
      const times = loadServices(object, manyServices(1_000, 100), 1_024);
      console.info("tables", few, times);
      expect(times.entries).toBe(302_000);
      expect(times.loadCpuMillis).toBeLessThan(2 * 10 * few.loadCpuMillis);
      expect(times.changeMillis).toBeLessThan(times.loadCpuMillis / 40);
      const standing = balancerTables(object).read();
      expect(standing.filter((one) => one.kind === "backend")).toHaveLength(100_000);
      expect(standing.filter((one) => one.kind === "backend" && one.state === "dead")).toHaveLength(9);
    } finally {
      object.close();
      own.remove();
    }
  }, 60_000);
});

function cpuMillisSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1_000;
}

describe("a full table of flows", () => {
  it("is walked in small slices, and what fell silent is taken out", async () => {
    const own = mountPins(bpf);
    const object = bpf.load("balancer", own.directory);
    try {
      loadServices(object, manyServices(1, 64), 256);
      const filling = process.cpuUsage();
      fillFlows(object, 131_072, nowSeconds(), (i) => (i % 16 === 0 ? 700 : 1));
      const filled = cpuMillisSince(filling);
      const told: number[] = [];
      const collector = new FlowCollector({
        clock: { now: () => instant(Number(bootNanos() / 1_000n)) },
        object: () => object,
        idleTimeoutSeconds: () => 600,
        onEnded: (keys) => told.push(keys.length / 40),
        log: { warn: (event, fields) => expect([event, fields]).toBe("no trouble") },
      });
      let longest = 0;
      let turns = 0;
      let last = performance.now();
      const ticks = setInterval(() => {
        turns += 1;
        longest = Math.max(longest, performance.now() - last);
        last = performance.now();
      }, 1);
      const [from, cpu] = [performance.now(), process.cpuUsage()];
      const { removed, open } = await collector.collect();
      const millis = performance.now() - from;
      const cpuMillis = cpuMillisSince(cpu);
      clearInterval(ticks);
      console.info("walk", { turns, millis, cpuMillis, filled, longestStandstillMillis: longest });
      // Measured: half. A walk that is more work than to fill the table grows faster than the table.
      expect(cpuMillis).toBeLessThan(4 * filled);
      // Measured: 500. A walk in one piece gives nobody else a turn.
      expect(turns).toBeGreaterThan(100);
      // The first of the backends is dead: a quarter of them was its.
      expect([removed.idle, removed.backendDead]).toEqual([6_144, 2_048]);
      expect(told.reduce((a, b) => a + b, 0)).toBe(131_072 / 16);
      expect([...open.values()].reduce((a, b) => a + b, 0)).toBe((131_072 * 15) / 16);
      const [opened, closed] = ["backend_opened", "backend_closed"].map(
        (name) => new BigUint64Array(object.map(name).memory().buffer, 0, 64),
      );
      // Nobody counted these flows as opened; the walk found them all the same. Those of multiples of 16 lost some.
      expect(Array.from(opened!, (all, i) => BigInt.asIntN(64, all - closed![i]!))).toEqual(
        Array.from({ length: 64 }, (_, i) => (i % 16 === 0 ? 0n : 2_048n)),
      );
    } finally {
      object.close();
      own.remove();
    }
  }, 60_000);
});

describe("tables of another size", () => {
  it("take over services, numbers and flows", async () => {
    const own = mountPins(bpf);
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined, lines: () => [] };
    const sizes = { services: 256, flows: 4_096 };
    const hal = { bpf, network: new FakeNetwork() };
    const keeperOf = (of: TableSizes) => {
      const tables = { sizes: of, object: bpf.load("balancer", own.directory, mapSizes(of)), rings: new RingStock() };
      return new BalancerKeeper({ hal, pinDirectory: own.directory, seed: "seed", tables, log });
    };
    const keeper = keeperOf(sizes);
    try {
      const services = manyServices(3, 64);
      await keeper.setServices(services);
      fillFlows(keeper.object, 4_000, nowSeconds(), () => 1);
      const [before, standing] = [keeper.object, keeper.services];
      const entries = balancerTables(keeper.object).read().length;
      expect(await keeper.resize(sizes, services)).toBe(false);
      expect(await keeper.resize({ services: 512, flows: 8_192 }, services)).toBe(true);
      expect(keeper.object).not.toBe(before);
      expect(keeper.object.map("established").entriesMax).toBe(8_192);
      expect([...balancerTables(keeper.object).establishedFlows()]).toHaveLength(4_000);
      expect(keeper.services).toEqual(standing);
      expect(balancerTables(keeper.object).read()).toHaveLength(entries);
      expect(keeper.troubles.size).toBe(0);
      // A core that comes after finds the new tables under the pins.
      const next = keeperOf({ services: 512, flows: 8_192 });
      expect([...balancerTables(next.object).establishedFlows()]).toHaveLength(4_000);
      next.remove();
    } finally {
      keeper.remove();
      own.remove();
    }
  }, 30_000);
});
