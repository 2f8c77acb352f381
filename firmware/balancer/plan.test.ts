import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BalancerEntry } from "@futago/hal/units/balancer.ts";
import { atOnce } from "@futago/hal/units/steps.ts";
import { type BalancerInput, compileServices } from "./compile.ts";
import { applyWrites, diffEntries, entryKey } from "./diff.ts";
import { entriesInForce, type InForce, compileMoveInSteps, planChange, planMoveInSteps, type Plan } from "./plan.ts";
import type { BalancedBackend, BalancedService } from "./service.ts";
import { backend, ip, service } from "./services.test-support.ts";

const NOTHING: InForce = { kind: "found", entries: [] };
const own = new Set([ip("10.2.0.250")]);

function input(services: readonly BalancedService[], more: Partial<BalancerInput> = {}): BalancerInput {
  return { seed: "seed", services, servicesMax: 16, own, ...more };
}

function plan(wanted: BalancerInput, inForce: InForce): Plan {
  const planned = planChange(wanted, inForce);
  if (!planned.ok) throw new Error(JSON.stringify(planned.reason));
  return planned.value;
}

function keys(entries: readonly BalancerEntry[]): readonly string[] {
  return entries.map(entryKey).sort();
}

const web = [backend(11), backend(12), backend(13)];
const mail = service(25, [backend(14)]);

describe("a backend that dies", () => {
  const first = plan(input([service(80, web), mail]), NOTHING);

  it("changes its ring and itself, and nothing of other services is looked at", () => {
    const now = [service(80, [backend(11), backend(12, { alive: false }), backend(13)]), mail];
    const { writes, inForce } = plan(input(now), first.inForce);
    expect(writes.map(({ kind, entry }) => `${kind} ${entryKey(entry)}`)).toEqual(["put ring 0", "put backend 1"]);
    const [before, after] = [first.inForce, inForce].map((one) => (one.kind === "planned" ? one.compiled : undefined));
    expect(after?.services[1]).toBe(before?.services[1]);
    expect(after?.hosts).toBe(before?.hosts);
  });

  it("in a service that changes otherwise, too, is compiled whole", () => {
    const now = [service(80, [backend(11, { alive: false })], { mode: "direct" }), mail];
    const { writes } = plan(input(now), first.inForce);
    expect(writes.map(({ kind, entry }) => `${kind} ${entryKey(entry)}`)).toContain("remove reverse tcp 10.2.0.12:80");
  });
});

describe("nothing", () => {
  it("is to be written for the same services", () => {
    const wanted = input([service(80, web), mail]);
    const { inForce } = plan(wanted, NOTHING);
    expect(plan(wanted, inForce).writes).toEqual([]);
    expect(plan(input([service(80, web), mail]), inForce).writes).toEqual([]);
    expect(plan(wanted, { kind: "found", entries: entriesInForce(inForce) }).writes).toEqual([]);
  });
});

describe("the box's own addresses", () => {
  it("are held against all backends when they change, although no backend does", () => {
    const services = [service(80, web)];
    const { inForce } = plan(input(services), NOTHING);
    expect(planChange(input(services, { own: new Set([ip("10.2.0.12")]) }), inForce)).toEqual({
      ok: false,
      reason: { kind: "backendIsOwn", service: "s80", backend: "web/s12" },
    });
  });
});

describe("tables made anew", () => {
  it("get everything, under the numbers that flows know", () => {
    const before = plan(input([service(70, [backend(9)]), service(80, web)]), NOTHING);
    const later = plan(input([service(80, [backend(11), backend(13)])]), before.inForce);
    const services = [service(80, [backend(11), backend(13)])];
    const wanted = input(services, { servicesMax: 32 });
    const compiled = atOnce(compileMoveInSteps(wanted, later.inForce));
    if (!compiled.ok) throw new Error(compiled.reason.kind);
    const led = applyWrites([], atOnce(planMoveInSteps(wanted, compiled.value, [])).writes);
    expect(keys(led)).toEqual(keys(entriesInForce(later.inForce)));
    expect(keys(led)).toContain("ring 1");
    expect(keys(led)).toContain("backend 130");
  });
});

const states = fc.record({ alive: fc.boolean(), draining: fc.boolean(), weight: fc.integer({ min: 0, max: 3 }) });

describe("the short way", () => {
  it("leads where the long one does", () => {
    const pools = fc.array(fc.array(states, { minLength: 4, maxLength: 4 }), { minLength: 2, maxLength: 2 });
    const made = (list: readonly (readonly Partial<BalancedBackend>[])[]) =>
      list.map((pool, p) =>
        service(
          80 + p,
          pool.map((state, b) => backend(10 * p + b + 1, state)),
        ),
      );
    fc.assert(
      fc.property(pools, pools, (one, other) => {
        const first = plan(input(made(one)), NOTHING);
        const second = plan(input(made(other)), first.inForce);
        const whole = compileServices(input(made(other)), entriesInForce(first.inForce));
        if (!whole.ok) throw new Error(whole.reason.kind);
        expect(diffEntries(entriesInForce(second.inForce), whole.value)).toEqual([]);
        const led = applyWrites(entriesInForce(first.inForce), second.writes);
        expect(diffEntries(led, whole.value)).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });
});
