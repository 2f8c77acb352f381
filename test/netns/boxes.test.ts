/** Both boxes as things with ports, seen from either; and whether the pair would survive, as things go wrong. */
import { ask } from "@futago/firmware/cli/client.ts";
import type { BoxesShown } from "@futago/firmware/runtime/control-ports.ts";
import type { Box } from "../lab/topology.ts";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Pair } from "./pair-fixture.ts";

const PATIENCE = { timeout: 20_000, interval: 50 };

let pair: Pair;
beforeEach(async () => {
  pair = await Pair.start();
  await pair.settled("a");
});
afterEach(() => pair.destroy());

const boxes = (name: Box): Promise<BoxesShown> => ask(pair.files.state(name), "boxes", {});
/** "no peerLost b": what either box says of it, the remarks left out. */
async function verdict(name: Box): Promise<string> {
  const { survives, reasons } = (await pair.status(name)).survival;
  const grave = reasons.filter(({ weight }) => weight !== "remark");
  return [survives, ...grave.map(({ reason, parameters }) => [reason, ...Object.values(parameters)].join(" "))].join(
    "; ",
  );
}
const becomes = (name: Box, expected: string) =>
  vi.waitFor(async () => expect(await verdict(name)).toBe(expected), PATIENCE);

it("are shown by either box, with cables, addresses and what was carried", async () => {
  await becomes("a", "yes");
  await becomes("b", "yes");
  // The other box's ports are as it told them last.
  const shown = await vi.waitFor(async () => {
    const answer = await boxes("b");
    expect(answer.boxes[1]?.ports[0]).toMatchObject({ addresses: ["10.1.0.2/24"], virtualAddresses: ["10.1.0.1/24"] });
    return answer;
  }, PATIENCE);
  expect(shown.boxes.map(({ box, own, role }) => `${box} ${own} ${role}`)).toEqual([
    "b true standby",
    "a false active",
  ]);
  expect(shown.boxes.map(({ ports }) => ports.map(({ device, interface: name }) => `${device} ${name}`))).toEqual(
    Array.from({ length: 2 }, () => ["eth0 wan", "eth1 lan", "eth2 sync"]),
  );
  const [wanOfB, wanOfA] = shown.boxes.map(({ ports }) => ports[0]!);
  expect(wanOfB).toMatchObject({ addresses: ["10.1.0.3/24"], virtualAddresses: [], carrier: true, speedMbps: 10_000 });
  expect(wanOfA!.troubles).toBe(0);
  expect(wanOfA!.heartbeat).toEqual({ alive: true, rttMicros: expect.any(Number) });
  expect(wanOfA!.mac).toBe(await pair.mac(pair.hosts.a));
  expect(wanOfA!.sentPackets).toBeGreaterThan(0);
  const text = (await pair.box("a").futago("show", "boxes")).stdout;
  expect(text).toContain("Box a (this one)");
  expect(text).toContain("10.1.0.1/24 (virtual)");
  expect(text).toContain("The pair would survive the next failure.");
});

it("tell why the pair would not survive: a cable, a core, a box", async () => {
  await pair.setCable("b", "lan", false);
  await becomes("a", "no; noCarrier b lan edge");
  await becomes("b", "no; noCarrier b lan edge");
  // The carrier is told at once, the heartbeat's end with the next word of its box.
  const port = { interface: "lan", carrier: false, heartbeat: { alive: false } };
  await vi.waitFor(async () => expect((await boxes("a")).boxes[1]?.ports[1]).toMatchObject(port), PATIENCE);
  await pair.setCable("b", "lan", true);
  await becomes("a", "yes");

  process.kill(pair.box("b").pid("core"), "SIGSTOP");
  await becomes("a", "partly; coreAway b");
  expect((await boxes("a")).boxes.map(({ box }) => box)).toEqual(["a"]);
  process.kill(pair.box("b").pid("core"), "SIGCONT");
  await becomes("a", "yes");

  await pair.powerOff("b");
  await becomes("a", "no; peerLost b");
  expect((await boxes("a")).boxes.map(({ box }) => box)).toEqual(["a"]);
});

it("tell that maintenance leaves the other box alone", async () => {
  await pair.box("b").futago("maintenance", "on");
  for (const name of ["a", "b"] as const)
    await vi.waitFor(async () => expect(await verdict(name)).toBe("no; maintenance b"), PATIENCE);
});
