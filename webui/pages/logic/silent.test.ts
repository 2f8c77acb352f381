import { expect, test } from "vitest";
import { box, pair, port } from "./shown.test-support.ts";
import { withSilent } from "./silent.ts";

const a = box("a", [port()]);
const b = box("b", [port({ virtualAddresses: ["10.1.0.1/24"] })]);
const both = pair(a, b);
const one = pair(a);

test("a box that says nothing any more stays, silent and without addresses", () => {
  expect(withSilent(both, one, { alive: false, role: "standby" }).boxes).toEqual([
    a,
    {
      ...b,
      role: "silent",
      ports: [port({ virtualAddresses: [], heartbeat: null })],
    },
  ]);
});

test("a box whose core alone is away has the role that its heartbeats tell", () => {
  expect(withSilent(both, one, { alive: true, role: "standby" }).boxes[1]?.role).toBe("standby");
});

test("a box that this page never saw is drawn by its letter", () => {
  expect(withSilent(undefined, one, { alive: false, role: "" }).boxes[1]).toMatchObject({ box: "b", ports: [] });
});

test("nobody is missed by a box alone, nor where both tell", () => {
  expect(withSilent(both, one, null)).toBe(one);
  expect(withSilent(one, both, { alive: true, role: "standby" })).toBe(both);
});
