import fc from "fast-check";
import { expect, it } from "vitest";
import { type BalancedService, findServiceConflict } from "../balancer/service.ts";
import { changed, problemsOf } from "./example.test-support.ts";
import { resolveForBox } from "./resolve.ts";
import type { Resolved } from "./resolved.ts";
import type { Document } from "./schema.ts";

const port = fc.constantFrom(80, 81);
const backend = fc.record({ address: fc.constantFrom("10.2.0.11", "10.2.0.12", "10.2.0.13"), port });
const pool = fc.uniqueArray(backend, {
  minLength: 1,
  maxLength: 2,
  selector: ({ address, port: at }) => `${address} ${at}`,
});
const service = fc.record(
  {
    address: fc.constantFrom("10.1.0.1", "10.1.0.7", "front"),
    protocol: fc.constantFrom("tcp", "udp"),
    port,
    mode: fc.constantFrom("nat", "nat", "one-arm"),
    pool: fc.constantFrom("p0", "p1", "p2"),
    sorryPool: fc.constantFrom("p0", "p1", "p2"),
  },
  { requiredKeys: ["address", "protocol", "port", "mode", "pool"] },
);

/** As core asks the balancer for them. */
function balanced({ services, pools }: Resolved): readonly BalancedService[] {
  const backendsOf = (name: string | undefined) =>
    (pools.find((one) => one.name === name)?.backends ?? []).map((one) => ({
      ...one,
      id: `${name}/${one.name}`,
      alive: true,
      blind: false,
      draining: false,
      step: 5,
      subnetBits: 0,
      flowsMax: 0,
    }));
  return services.flatMap((one) =>
    one.addresses.map((address) => ({
      ...one,
      address,
      newFlowsPerSecond: 0,
      flowsMax: 0,
      clientFlowsMax: 0,
      backends: backendsOf(one.pool),
      sorry: backendsOf(one.sorryPool),
    })),
  );
}

it("refuses exactly the services that the balancer could not tell apart", () => {
  let refused = 0;
  let taken = 0;
  fc.assert(
    fc.property(
      fc.array(pool, { minLength: 3, maxLength: 3 }),
      fc.array(service, { minLength: 1, maxLength: 3 }),
      (pools, services) => {
        const document = changed((d) => {
          d.failoverGroups[0].virtualRouters[0].addresses = ["10.1.0.1/24", "10.1.0.7/24"];
          d.pools = pools.map((backends, p) => ({
            name: `p${p}`,
            backends: backends.map((one, i) => ({ name: `s${i}`, ...one })),
            check: { type: "icmp" },
          }));
          d.services = services.map((one, i) => ({ name: `v${i}`, ...one }));
        });
        const problems = problemsOf(document);
        const unlike = problems.filter(
          ({ code }) =>
            !["backendInTwoServices", "duplicateService", "duplicateBackend", "sorryPoolSame"].includes(code),
        );
        expect(unlike).toEqual([]);
        const resolved = resolveForBox(document as Document, "a");
        const conflict = findServiceConflict(balanced(resolved), { servicesMax: 16, own: new Set() });
        if (conflict === undefined) taken++;
        else refused++;
        expect(problems.length > 0).toBe(conflict !== undefined);
      },
    ),
    { numRuns: 500 },
  );
  expect(Math.min(refused, taken)).toBeGreaterThan(20);
});
