import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BalancerEntry, BalancerWrite } from "@futago/hal/units/balancer.ts";
import { compileServices } from "./compile.ts";
import { applyWrites, diffEntries, entryKey } from "./diff.ts";
import { type BalancedService, candidates, findServiceConflict } from "./service.ts";
import { backend, ip, service, slotsOf } from "./services.test-support.ts";

const own = new Set([ip("10.2.0.250")]);
const bounds = { servicesMax: 16, own };

function compile(
  services: readonly BalancedService[],
  standing: readonly BalancerEntry[] = [],
): readonly BalancerEntry[] {
  const result = compileServices({ seed: "seed", services, ...bounds }, standing);
  if (!result.ok) throw new Error(result.reason.kind);
  return result.value;
}

/** Kind and key of each write, in order. */
function summary(writes: readonly BalancerWrite[]): readonly string[] {
  return writes.map(({ kind, entry }) => `${kind} ${entryKey(entry)}`);
}

function statesOf(entries: readonly BalancerEntry[]): readonly string[] {
  return entries.flatMap((entry) => (entry.kind === "backend" ? [entry.state] : []));
}

function owners(entries: readonly BalancerEntry[], index: number): readonly string[] {
  return Object.keys(slotsOf(entries, index)).sort();
}

describe("one service with two backends", () => {
  const entries = compile([service(80, [backend(11), backend(12)])]);

  it("becomes a service, a ring, two backends, two reverse entries and two hosts", () => {
    expect(entries.map(entryKey).sort()).toEqual([
      "backend 0",
      "backend 1",
      "reverse tcp 10.2.0.11:0",
      "reverse tcp 10.2.0.11:80",
      "reverse tcp 10.2.0.12:0",
      "reverse tcp 10.2.0.12:80",
      "ring 0",
      "service tcp 10.1.0.1:80",
    ]);
  });

  it("has replies of each backend come from the VIP", () => {
    expect(entries).toContainEqual({
      kind: "reverse",
      address: "10.2.0.12",
      port: 80,
      protocol: "tcp",
      vip: "10.1.0.1",
      vipPort: 80,
      backend: 1,
      service: 0,
    });
  });

  it("is the same on the other box", () => {
    expect(compile([service(80, [backend(11), backend(12)])])).toEqual(entries);
  });
});

describe("what changes", () => {
  const before = compile([service(80, [backend(11), backend(12), backend(13)]), service(81, [backend(14)])]);
  const diff = (services: readonly BalancedService[]) => diffEntries(before, compile(services, before));

  it("is nothing when nothing changed", () => {
    expect(diff([service(80, [backend(11), backend(12), backend(13)]), service(81, [backend(14)])])).toEqual([]);
  });

  it("is nothing when services and backends are listed in another order", () => {
    expect(diff([service(81, [backend(14)]), service(80, [backend(13), backend(11), backend(12)])])).toEqual([]);
  });

  it("is the ring, then the backend, when one dies", () => {
    const writes = diff([
      service(80, [backend(11), backend(12, { alive: false }), backend(13)]),
      service(81, [backend(14)]),
    ]);
    expect(summary(writes)).toEqual(["put ring 0", "put backend 1"]);
  });

  it("leaves its flows to a backend that may be out of this box's sight only", () => {
    const writes = diff([
      service(80, [backend(11), backend(12, { alive: false, blind: true }), backend(13)]),
      service(81, [backend(14)]),
    ]);
    expect(summary(writes)).toEqual(["put ring 0", "put backend 1"]);
    expect(statesOf(writes.map(({ entry }) => entry))).toEqual(["draining"]);
  });

  it("leaves none of UDP, which another backend can serve", () => {
    const backends = [backend(11, { alive: false, blind: true }), backend(12)];
    expect(statesOf(compile([service(53, backends, { protocol: "udp" })]))).toEqual(["dead", "alive"]);
  });

  it("is the backend, then the ring, when one comes back", () => {
    const dead = compile([service(80, [backend(11), backend(12, { alive: false })])]);
    const writes = diffEntries(dead, compile([service(80, [backend(11), backend(12)])], dead));
    expect(summary(writes)).toEqual(["put backend 1", "put ring 0"]);
  });

  it("is the ring alone when a weight changes", () => {
    const writes = diff([
      service(80, [backend(11), backend(12, { weight: 2 }), backend(13)]),
      service(81, [backend(14)]),
    ]);
    expect(summary(writes)).toEqual(["put ring 0"]);
  });

  it("puts a new backend into the tables before the ring names it", () => {
    const writes = diff([
      service(80, [backend(11), backend(12), backend(13), backend(15)]),
      service(81, [backend(14)]),
    ]);
    expect(summary(writes)).toEqual([
      "put backend 3",
      "put reverse tcp 10.2.0.15:80",
      "put reverse tcp 10.2.0.15:0",
      "put ring 0",
    ]);
  });

  it("takes a removed backend out of the ring first", () => {
    const writes = diff([service(80, [backend(11), backend(13)]), service(81, [backend(14)])]);
    expect(summary(writes)).toEqual([
      "put ring 0",
      "remove reverse tcp 10.2.0.12:80",
      "remove reverse tcp 10.2.0.12:0",
      "remove backend 1",
    ]);
  });

  it("takes a removed service away before what it points to", () => {
    const writes = diff([service(80, [backend(11), backend(12), backend(13)])]);
    expect(summary(writes)).toEqual([
      "remove service tcp 10.1.0.1:81",
      "remove ring 1",
      "remove reverse tcp 10.2.0.14:80",
      "remove reverse tcp 10.2.0.14:0",
      "remove backend 128",
    ]);
  });

  it("gives a new backend no number that was just given up, while there are others", () => {
    const writes = diff([service(80, [backend(11), backend(13), backend(15)]), service(81, [backend(14)])]);
    expect(summary(writes)).toContain("put backend 3");
    expect(summary(writes)).toContain("remove backend 1");
  });

  it("gives numbers that were just given up when there are no others", () => {
    const full = Array.from({ length: 128 }, (_, i) => backend(i + 1));
    const standing = compile([service(80, full)]);
    const next = compile([service(80, [...full.slice(1), backend(200)])], standing);
    expect(next).toContainEqual({
      kind: "backend",
      number: 0,
      address: "10.2.0.200",
      port: 80,
      state: "alive",
      subnetBits: 0,
      flowsMax: 0,
    });
  });
});

describe("who gets new flows", () => {
  it("are the living primaries, backup backends only without them, and nobody of weight 0", () => {
    const pool = (one: boolean, two: boolean) => [
      backend(11, { alive: one }),
      backend(12, { alive: two }),
      backend(13, { backup: true }),
      backend(14, { backup: true, alive: false }),
    ];
    expect([...owners(compile([service(80, pool(true, true))]), 0)].sort()).toEqual(["10.2.0.11", "10.2.0.12"]);
    expect([...owners(compile([service(80, pool(false, true))]), 0)]).toEqual(["10.2.0.12"]);
    expect([...owners(compile([service(80, pool(false, false))]), 0)]).toEqual(["10.2.0.13"]);
    expect([...owners(compile([service(80, [backend(11, { weight: 0 }), backend(13, { backup: true })])]), 0)]).toEqual(
      ["10.2.0.13"],
    );
    expect(candidates({ backends: [backend(11, { alive: false })], sorry: [] })).toEqual([]);
    expect([...owners(compile([service(80, [backend(11, { alive: false })])]), 0)]).toEqual(["nobody"]);
  });
});

describe("conflicts", () => {
  const rows: readonly (readonly [readonly BalancedService[], object])[] = [
    [[service(80, []), service(80, [], { name: "twin" })], { kind: "duplicateService", service: "twin", other: "s80" }],
    [
      [service(80, [backend(11)]), service(81, [backend(11, { id: "other/s1" })])],
      { kind: "backendShared", service: "s81", other: "s80", backend: "other/s1" },
    ],
    [
      [service(80, [backend(11), backend(11, { id: "web/again" })])],
      { kind: "backendShared", service: "s80", other: "s80", backend: "web/again" },
    ],
    [
      [service(80, [backend(11, { address: ip("10.1.0.1"), port: 8080 })])],
      { kind: "backendIsVip", service: "s80", backend: "web/s11" },
    ],
    [
      [
        service(
          80,
          Array.from({ length: 129 }, (_, i) => backend(i)),
        ),
      ],
      { kind: "backendsTooMany", service: "s80" },
    ],
    [Array.from({ length: 17 }, (_, i) => service(i + 1, [])), { kind: "servicesTooMany" }],
  ];
  for (const [services, conflict] of rows) {
    it(`refuses ${JSON.stringify(conflict)}`, () => {
      expect(findServiceConflict(services, bounds)).toEqual(conflict);
      expect(compileServices({ seed: "seed", services, ...bounds }, [])).toEqual({ ok: false, reason: conflict });
    });
  }

  it("are none when the same backend serves on two ports", () => {
    expect(
      findServiceConflict([service(80, [backend(11)]), service(81, [backend(11, { port: 81 })])], bounds),
    ).toBeUndefined();
  });
});

const anyServices = fc.uniqueArray(fc.integer({ min: 80, max: 84 }), { maxLength: 4 }).chain((ports) =>
  fc.tuple(
    ...ports.map((port) =>
      fc
        .uniqueArray(
          fc.record({
            last: fc.integer({ min: 1, max: 6 }),
            weight: fc.integer({ min: 0, max: 3 }),
            alive: fc.boolean(),
            backup: fc.boolean(),
          }),
          { selector: ({ last }) => last, maxLength: 5 },
        )
        .map((list) =>
          service(
            port,
            list.map(({ last, ...more }) => backend(last, { port, ...more })),
          ),
        ),
    ),
  ),
);

describe("any two configurations", () => {
  it("are led from one to the other by the difference, and numbers that go on stay", () => {
    fc.assert(
      fc.property(anyServices, anyServices, (first, second) => {
        const standing = compile(first);
        const desired = compile(second, standing);
        const led = applyWrites(standing, diffEntries(standing, desired));
        expect(diffEntries(led, desired)).toEqual([]);
        expect(led).toHaveLength(desired.length);
        const places = (entries: readonly BalancerEntry[]) =>
          new Map(
            entries.flatMap((e) => (e.kind === "reverse" && e.port > 0 ? [[entryKey(e), e.backend] as const] : [])),
          );
        const now = places(desired);
        const staying = [...places(standing)].filter(([key]) => now.has(key));
        expect(staying.map(([key]) => [key, now.get(key)])).toEqual(staying);
      }),
      { numRuns: 60 },
    );
  });

  it("at no step of the way let a ring name a backend that is not there", () => {
    fc.assert(
      fc.property(anyServices, anyServices, (first, second) => {
        const standing = compile(first);
        const writes = diffEntries(standing, compile(second, standing));
        for (let i = 0; i <= writes.length; i++) {
          expect(dangling(applyWrites(standing, writes.slice(0, i)))).toEqual([]);
        }
      }),
      { numRuns: 25 },
    );
  });
});

/** What services and their rings name that is not there. */
function dangling(entries: readonly BalancerEntry[]): readonly string[] {
  const there = new Set(entries.map(entryKey));
  const rings = new Map(entries.flatMap((entry) => (entry.kind === "ring" ? [[entry.index, entry] as const] : [])));
  const named = entries.flatMap((entry) => {
    if (entry.kind !== "service") return [];
    const ordinals = [...new Set(rings.get(entry.index)?.ordinals)].filter((ordinal) => ordinal !== 0xffff);
    return [`ring ${entry.index}`, ...ordinals.map((ordinal) => `backend ${entry.index * 128 + ordinal}`)];
  });
  return named.filter((key) => !there.has(key));
}
