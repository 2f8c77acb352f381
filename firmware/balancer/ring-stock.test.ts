import { expect, it } from "vitest";
import { RING_SIZE, type RingEntry } from "@futago/hal/units/balancer.ts";
import { atOnce } from "@futago/hal/units/steps.ts";
import { compileServices } from "./compile.ts";
import { buildRing } from "./maglev.ts";
import { RingStock } from "./ring-stock.ts";
import { backend, service } from "./services.test-support.ts";

const pool = [backend(11), backend(12, { weight: 3 }), backend(13, { backup: true }), backend(14, { weight: 0 })];
const members = [
  { id: "web/s11", weight: 1, ordinal: 0 },
  { id: "web/s12", weight: 3, ordinal: 1 },
];

function ringOf(rings: RingStock, backends = pool): Uint16Array | undefined {
  const input = { seed: "seed", services: [service(80, backends)], servicesMax: 16, own: new Set<never>(), rings };
  const compiled = compileServices(input, []);
  if (!compiled.ok) throw new Error(compiled.reason.kind);
  return compiled.value.find((entry): entry is RingEntry => entry.kind === "ring")?.ordinals;
}

function prepared(): { readonly rings: RingStock; readonly ring: Uint16Array } {
  const rings = new RingStock();
  atOnce(rings.prepare("seed", [pool]));
  return { rings, ring: rings.ring("seed", members, JSON.stringify(["seed", members])) };
}

it("gives a service the ring that was prepared for its pool", () => {
  const { rings, ring } = prepared();
  expect(ringOf(rings)).toBe(ring);
  expect(ring).toEqual(buildRing("seed", members, RING_SIZE));
});

it("gives a pool that stands otherwise than was thought the ring that it needs", () => {
  const { rings, ring } = prepared();
  const without = ringOf(rings, [backend(11, { alive: false }), ...pool.slice(1)]);
  expect(without).not.toBe(ring);
  expect(without).toEqual(buildRing("seed", members.slice(1), RING_SIZE));
});

it("forgets its rings, and prepares no more, once it is closed", () => {
  const { rings, ring } = prepared();
  const steps = rings.prepare("seed", [pool, pool]);
  rings.close();
  expect(steps.next().done).toBe(true);
  expect(ringOf(rings)).not.toBe(ring);
  expect(ringOf(rings)).toEqual(ring);
  // Nor does it begin another stock.
  expect(ringOf(rings)).not.toBe(ringOf(rings));
});
