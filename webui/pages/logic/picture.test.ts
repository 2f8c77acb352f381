import { expect, test } from "vitest";
import { pictureOf, shortened } from "./picture.ts";
import { box, pair, port } from "./shown.test-support.ts";

const wan = port({ virtualAddresses: ["10.1.0.1/24", "fe80::1/64"] });
const sync = port({ device: "eth2", interface: "sync" });

test.each([336, 760, 1_012])("at %d pixels everything stands inside, and the boxes do not touch", (width) => {
  const picture = pictureOf(pair(box("a", [wan, sync]), box("b", [port(), sync])), width);
  const [left, right] = picture.boxes;
  expect(left!.x + left!.width).toBeLessThan(right!.x);
  expect(right!.x + right!.width).toBe(width);
  for (const spot of [...picture.vips, ...picture.boxes.flatMap(({ ports }) => ports)]) {
    expect(spot.x).toBeGreaterThanOrEqual(0);
    expect(spot.x + spot.width).toBeLessThanOrEqual(width);
    expect(spot.y + spot.height).toBeLessThanOrEqual(picture.height);
  }
});

test("cables are straight, between ports of one interface, whatever order the ports come in", () => {
  const { cables } = pictureOf(pair(box("a", [wan, sync]), box("b", [sync, port({ device: "enp3s0" })])), 700);
  expect(cables.map((cable) => cable.interface)).toEqual(["wan", "sync"]);
  for (const { from, to } of cables) expect(from.y).toBe(to.y);
});

test.each([
  [{}, "alive"],
  [{ heartbeat: { alive: false, rttMicros: null } }, "silent"],
  [{ heartbeat: null }, "idle"],
  [{ carrier: false }, "unplugged"],
] as const)("a far port with %o makes a cable that is %s", (change, beat) => {
  const near = "heartbeat" in change && change.heartbeat === null ? port({ heartbeat: null }) : port();
  expect(pictureOf(pair(box("a", [near]), box("b", [port(change)])), 700).cables[0]?.beat).toBe(beat);
});

test("a virtual address stands at the port that answers for it, and the link-local one is left out", () => {
  const { vips } = pictureOf(pair(box("a", [port()]), box("b", [wan])), 700);
  expect(vips.map(({ address, box: at }) => [address, at])).toEqual([["10.1.0.1/24", "b"]]);
});

test("a box alone has the picture for itself", () => {
  const picture = pictureOf(pair(box("alone", [wan, port({ device: "eth3", interface: null })])), 336);
  expect(picture.cables).toEqual([]);
  expect(picture.boxes[0]?.ports).toHaveLength(2);
});

test("a long text keeps both ends", () => {
  expect(shortened("2001:db8:1:2:3:4:5:6", 9)).toBe("2001…:5:6");
  expect(shortened("short", 9)).toBe("short");
});
