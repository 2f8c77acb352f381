/** On tables in memory: what somebody else did to them, and what stands there afterwards. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BpfObject } from "@futago/hal/contract/bpf.ts";
import { FakeBpf } from "@futago/hal/fake/bpf.ts";
import { atOnce } from "@futago/hal/units/steps.ts";
import { encodeNumber } from "@futago/hal/xdp/layout.ts";
import { balancerTables } from "@futago/hal/xdp/tables.ts";
import { planInSteps } from "../../../balancer/plan.ts";
import { backend, service } from "../../../balancer/services.test-support.ts";
import { type Audited, TableAudit } from "./table-audit.ts";

let object: BpfObject;
let audited: Audited | undefined;
let logged: Readonly<Record<string, unknown>>[];
let audit: TableAudit;
/** All that stands, as it was written. */
let before: string;

const standing = () => JSON.stringify([...balancerTables(object).read()].map((entry) => JSON.stringify(entry)).sort());

beforeEach(() => {
  const bpf = new FakeBpf();
  bpf.mount("/bpf");
  object = bpf.load("balancer", "/bpf");
  const services = [
    service(80, [backend(11), backend(12)]),
    service(25, [backend(13)], { allow: [{ address: backend(1).address, prefixLength: 24 }] }),
  ];
  const input = { seed: "seed", services, servicesMax: 16, own: new Set<never>() };
  const planned = atOnce(planInSteps(input, { kind: "found", entries: [] }));
  if (!planned.ok || planned.value.inForce.kind !== "planned") throw new Error("the services are not planned");
  balancerTables(object).apply(planned.value.writes);
  audited = { object, ...planned.value.inForce.compiled };
  before = standing();
  logged = [];
  audit = new TableAudit({
    look: () => audited,
    restore: (entries) => balancerTables(object).apply(entries.map((entry) => ({ kind: "put", entry }))),
    alsoLook: () => undefined,
    log: { warn: (_event, fields) => void logged.push(fields ?? {}) },
  });
});
afterEach(() => audit.close());

/** The first key of a map that has keys. */
const firstKey = (map: string) => [...object.map(map).entries()][0]![0];

describe("a look at the tables", () => {
  it("says nothing of what is right", async () => {
    await audit.look();
    expect([standing(), logged]).toEqual([before, []]);
  });

  it.each([
    ["a service was taken away", () => object.map("services").delete(firstKey("services"))],
    ["a reply's entry was taken away", () => object.map("reverses").delete(firstKey("reverses"))],
    ["an access entry was taken away", () => object.map("access_lists").delete(firstKey("access_lists"))],
    ["a backend was overwritten", () => object.map("backends").update(encodeNumber(0), new Uint8Array(24))],
    ["a ring was overwritten", () => object.map("rings").update(encodeNumber(1), new Uint8Array(20_016).fill(1))],
    [
      "a service was turned into another",
      () => object.map("services").update(firstKey("services"), new Uint8Array(24)),
    ],
  ])("puts right that %s, and names it", async (_what, meddle) => {
    meddle();
    expect(standing()).not.toBe(before);
    await audit.look();
    expect(standing()).toBe(before);
    expect(logged).toMatchObject([{ count: 1 }]);
  });

  it.each(["services", "reverses", "access_lists"])("takes out of %s what core did not put there", async (name) => {
    const map = object.map(name);
    map.update(new Uint8Array(map.keyBytes).fill(7), new Uint8Array(map.valueBytes));
    await audit.look();
    expect([standing(), logged]).toEqual([before, [{ removed: 1 }]]);
  });

  it("keeps off tables that are being written", async () => {
    audited = undefined;
    object.map("services").delete(firstKey("services"));
    await audit.look();
    expect(logged).toEqual([]);
  });
});
