import { expect, test } from "vitest";
import { movedBy } from "./moved.ts";
import { box, pair, port } from "./shown.test-support.ts";

const group = (answering: boolean) => ({
  name: "edge",
  state: answering ? ("active" as const) : ("standby" as const),
  since: "",
  reason: "",
  addresses: ["10.1.0.1/24"],
  priority: 100,
  answering,
});
const vips = (shown: ReturnType<typeof movedBy>) =>
  shown.boxes.map(({ box: letter, role, ports }) => [letter, role, ports.flatMap((one) => one.virtualAddresses)]);
const seenFromB = pair(
  box("b", [port({ device: "enp1s0" }), port({ device: "eth2", interface: "sync" })], { own: true, role: "standby" }),
  box("a", [port({ virtualAddresses: ["10.1.0.1/24", "10.9.0.1/24"] })], { own: false, role: "active" }),
);

test("an address that the own box answers now is drawn at its port of the same interface", () => {
  expect(vips(movedBy(seenFromB, { box: "b", role: "active", groups: [group(true)] }))).toEqual([
    ["b", "active", ["10.1.0.1/24"]],
    ["a", "active", ["10.9.0.1/24"]],
  ]);
});

test("an address that nobody answers yet stays where it was seen", () => {
  expect(vips(movedBy(seenFromB, { box: "b", role: "maintenance", groups: [group(false)] }))).toEqual([
    ["b", "maintenance", []],
    ["a", "active", ["10.1.0.1/24", "10.9.0.1/24"]],
  ]);
});

test("a status without a change of role changes nothing, and one of another box neither", () => {
  expect(movedBy(seenFromB, { box: "b", role: "standby", groups: [group(true)] })).toBe(seenFromB);
  expect(movedBy(seenFromB, { box: "a", role: "fault", groups: [] })).toBe(seenFromB);
});
