/** What a service's mode, family, protocol, lists and pools make of its entries. */
import { describe, expect, it } from "vitest";
import type { BalancerEntry } from "@futago/hal/units/balancer.ts";
import { compileServices } from "./compile.ts";
import { diffEntries, entryKey } from "./diff.ts";
import { type BalancedService, findServiceConflict } from "./service.ts";
import { backend, ip, prefix, service, slotsOf } from "./services.test-support.ts";

const bounds = { servicesMax: 16, own: new Set([ip("10.2.0.250")]) };

function compile(
  services: readonly BalancedService[],
  standing: readonly BalancerEntry[] = [],
): readonly BalancerEntry[] {
  const result = compileServices({ seed: "seed", services, ...bounds }, standing);
  if (!result.ok) throw new Error(JSON.stringify(result.reason));
  return result.value;
}

describe("the mode of a service", () => {
  for (const mode of ["one-arm", "direct"] as const) {
    it(`${mode} has no reverse entries: replies are known otherwise, or not seen`, () => {
      expect(compile([service(80, [backend(11)], { mode })]).map(entryKey)).toEqual([
        "backend 0",
        "ring 0",
        "service tcp 10.1.0.1:80",
      ]);
    });

    it(`${mode} lets services share a backend`, () => {
      const shared = [
        service(80, [backend(11)], { mode }),
        service(81, [backend(11)], { mode }),
        service(82, [backend(11)]),
      ];
      expect(findServiceConflict(shared, bounds)).toBeUndefined();
      expect(compile(shared).filter((entry) => entry.kind === "reverse")).toHaveLength(2);
    });
  }

  it("is written with everything else that is the service's", () => {
    const more = { mode: "one-arm", persistence: "source", newFlowsPerSecond: 50 } as const;
    const rest = { protocol: "udp", flowsMax: 900, clientFlowsMax: 7 } as const;
    expect(compile([service(53, [], { ...more, ...rest, address: ip("2001:db8::1") })])).toContainEqual({
      kind: "service",
      address: "2001:db8::1",
      port: 53,
      index: 0,
      seed: expect.any(Number) as number,
      access: "open",
      ...more,
      ...rest,
    });
  });

  it("changes by taking the reverse entries away after the service has the new one", () => {
    const before = compile([service(80, [backend(11)])]);
    const writes = diffEntries(before, compile([service(80, [backend(11)], { mode: "direct" })], before));
    expect(writes.map(({ kind, entry }) => `${kind} ${entryKey(entry)}`)).toEqual([
      "put service tcp 10.1.0.1:80",
      "remove reverse tcp 10.2.0.11:80",
      "remove reverse tcp 10.2.0.11:0",
    ]);
  });
});

describe("one port of TCP and UDP", () => {
  it("are two services, whose backends are told apart by the protocol", () => {
    const both = [service(53, [backend(11)]), service(53, [backend(11)], { protocol: "udp" })];
    expect(findServiceConflict(both, bounds)).toBeUndefined();
    const keys = compile(both).map(entryKey);
    for (const protocol of ["tcp", "udp"]) {
      expect(keys).toContain(`service ${protocol} 10.1.0.1:53`);
      expect(keys).toContain(`reverse ${protocol} 10.2.0.11:80`);
      expect(keys).toContain(`reverse ${protocol} 10.2.0.11:0`);
    }
  });
});

describe("the lists of a service", () => {
  const lists = (allow: readonly string[], deny: readonly string[], address = ip("10.1.0.1")) =>
    compile([service(80, [], { allow: allow.map(prefix), deny: deny.map(prefix), address })]);
  const access = (entries: readonly BalancerEntry[]) =>
    entries.flatMap((one) => (one.kind === "access" ? [[entryKey(one), one.allowed]] : []));
  const rule = (entries: readonly BalancerEntry[]) =>
    entries.flatMap((one) => (one.kind === "service" ? [one.access] : []));

  it("become entries without host bits", () => {
    const entries = lists(["10.9.1.7/16"], ["10.9.128.0/17", "10.9.1.1/32"]);
    expect(access(entries)).toEqual([
      ["access 0 10.9.0.0/16", true],
      ["access 0 10.9.128.0/17", false],
      ["access 0 10.9.1.1/32", false],
    ]);
    expect(rule(entries)).toEqual(["listedOnly"]);
  });

  it("that only deny serve the rest", () => {
    expect(rule(lists([], ["10.9.0.0/16"]))).toEqual(["listed"]);
    expect(rule(lists([], []))).toEqual(["open"]);
  });

  it("deny what is in both", () => {
    expect(access(lists(["10.9.1.0/24"], ["10.9.1.5/24"]))).toEqual([["access 0 10.9.1.0/24", false]]);
  });

  it("say nothing about the other family, and still close the service to whom they do not name", () => {
    expect(access(lists(["10.0.0.0/8", "2001:db8:ffff::/33"], [], ip("2001:db8::1")))).toEqual([
      ["access 0 2001:db8:8000::/33", true],
    ]);
    expect(rule(lists(["10.0.0.0/8"], [], ip("2001:db8::1")))).toEqual(["listedOnly"]);
  });

  it("are there before the service minds them, and go after it does not", () => {
    const open = compile([service(80, [])]);
    const listed = compile([service(80, [], { deny: [prefix("10.9.0.0/16")] })], open);
    const keys = (writes: ReturnType<typeof diffEntries>) => writes.map(({ kind, entry }) => `${kind} ${entry.kind}`);
    expect(keys(diffEntries(open, listed))).toEqual(["put access", "put service"]);
    expect(keys(diffEntries(listed, open))).toEqual(["put service", "remove access"]);
  });
});

describe("a sorry pool", () => {
  const sorry = [backend(21, { id: "sorry/s21" }), backend(22, { id: "sorry/s22", backup: true })];
  const slots = (web: readonly ReturnType<typeof backend>[]) => slotsOf(compile([service(80, web, { sorry })]), 0);

  it("serves while no backend of the pool lives, its backup backends included", () => {
    expect(slots([backend(11), backend(12, { backup: true })])).toEqual({ "10.2.0.11": 10_007 });
    expect(slots([backend(11, { alive: false }), backend(12, { backup: true })])).toEqual({ "10.2.0.12": 10_007 });
    const dead = [backend(11, { alive: false }), backend(12, { backup: true, alive: false })];
    expect(slots(dead)).toEqual({ "10.2.0.21": 10_007 });
  });

  it("serves while all who live drain", () => {
    expect(slots([backend(11, { draining: true })])).toEqual({ "10.2.0.21": 10_007 });
  });

  it("has numbers beside the pool's, so that its own flows are known", () => {
    const entries = compile([service(80, [backend(11)], { sorry })]);
    expect(entries.filter((one) => one.kind === "backend").map((one) => one.number)).toEqual([0, 1, 2]);
    expect(entries.map(entryKey)).toContain("reverse tcp 10.2.0.21:80");
  });

  it("cannot hold a backend of the pool, and counts for the limit of backends", () => {
    expect(findServiceConflict([service(80, [backend(21)], { sorry })], bounds)).toMatchObject({
      kind: "backendShared",
    });
    const many = Array.from({ length: 127 }, (_, i) => backend(i + 100, { address: ip(`10.3.0.${i + 1}`) }));
    expect(findServiceConflict([service(80, many, { sorry })], bounds)).toMatchObject({ kind: "backendsTooMany" });
  });
});

describe("a draining backend", () => {
  it("stays in the tables and leaves the ring, the ring first", () => {
    const before = compile([service(80, [backend(11), backend(12)])]);
    const after = compile([service(80, [backend(11), backend(12, { draining: true })])], before);
    expect(slotsOf(after, 0)).toEqual({ "10.2.0.11": 10_007 });
    expect(diffEntries(before, after).map(({ entry }) => entry)).toMatchObject([
      { kind: "ring" },
      { kind: "backend", number: 1, state: "draining" },
    ]);
  });

  it("that is dead is dead", () => {
    expect(compile([service(80, [backend(11, { draining: true, alive: false })])])).toContainEqual(
      expect.objectContaining({ kind: "backend", state: "dead" }),
    );
  });
});

describe("a backend that came back", () => {
  it("gets its fifths of what it will have", () => {
    const share = (step: number) => slotsOf(compile([service(80, [backend(11), backend(12, { step, weight: 2 })])]), 0);
    // 1 and 2 fifths of 2: 10,007 × 2/7.
    expect(share(1)).toEqual({ "10.2.0.11": 7148, "10.2.0.12": 2859 });
    expect(share(5)).toEqual({ "10.2.0.11": 3336, "10.2.0.12": 6671 });
  });
});

describe("a backend of the box itself", () => {
  it("is refused", () => {
    expect(findServiceConflict([service(80, [backend(250)])], bounds)).toEqual({
      kind: "backendIsOwn",
      service: "s80",
      backend: "web/s250",
    });
  });
});

describe("limits of backends", () => {
  it("are written with them", () => {
    expect(compile([service(80, [backend(11, { flowsMax: 500 })])])).toContainEqual(
      expect.objectContaining({ kind: "backend", flowsMax: 500 }),
    );
  });
});
