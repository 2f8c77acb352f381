/** A box of a pair that is told to stop: it hands over first, loses nothing, and leaves nothing of its own behind. */
import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Prober } from "../lab/prober.ts";
import { type Box, DEVICES, PORTS } from "../lab/topology.ts";
import { type Document, Pair, pairDocument, pause, VIP } from "./pair-fixture.ts";
import { mounts } from "./running-box.ts";

const document: Document = {
  ...pairDocument(),
  pools: [{ name: "web", backends: [{ name: "s1", address: "10.2.0.11", port: 80 }], check: { type: "none" } }],
  services: [{ name: "www", address: "front", protocol: "tcp", port: 80, pool: "web" }],
};

let pair: Pair;
let prober: Prober;

beforeAll(async () => {
  pair = await Pair.start({ document });
  await pair.settled("a");
  prober = await Prober.start(pair.client, { address: VIP, ping: true });
});
afterAll(async () => {
  await prober.stop();
  await pair.destroy();
});

/** What a box put into its kernel and must take away. */
async function traces(box: Box): Promise<readonly string[]> {
  const host = pair.hosts[box];
  const found: string[] = [];
  for (const device of PORTS.map((port) => DEVICES[port])) {
    const link = await host.ip(`-d link show dev ${device}`);
    const addresses = await host.ip(`-4 addr show dev ${device}`);
    const qdiscs = await host.run(["tc", "qdisc", "show", "dev", device]);
    if (/prog\/xdp/.test(link)) found.push(`XDP on ${device}`);
    if (/inet 10\.[12]\.0\.1\//.test(addresses)) found.push(`VIP on ${device}`);
    if (/clsact|ingress/.test(qdiscs)) found.push(`qdisc on ${device}`);
  }
  if (mounts(pair.files.state(box)).length > 0) found.push("BPF file system");
  if (execFileSync("ip", ["netns", "pids", host.fullName], { encoding: "utf8" }) !== "") found.push("process");
  return found;
}

it("leaves traces while it runs", async () => {
  expect(await traces("a")).toEqual(
    expect.arrayContaining([
      "XDP on eth0",
      "VIP on eth0",
      "VIP on eth1",
      "qdisc on eth0",
      "BPF file system",
      "process",
    ]),
  );
});

it("the active box hands over, and no probe of a thousand a second is lost", async () => {
  const { lost } = prober.tick;
  const ended = await pair.box("a").stop();
  expect(ended.code).toBe(0);
  await pair.role("b", "active");
  const took = (await pair.why("b")).findLast(({ event }) => event === "role");
  expect(took).toMatchObject({ to: "active", reason: "planned hand-over" });
  // The prober gives an echo half a second.
  await pause(700);
  expect(prober.tick.lost).toBe(lost);
  expect(await traces("a")).toEqual([]);
});

it("the standby box stops, and nothing is lost or moved", async () => {
  await pair.startBox("a");
  await pair.settled("b");
  const { lost } = prober.tick;
  const moves = async () => (await pair.why("b")).filter(({ event }) => event === "role").length;
  const before = await moves();
  expect((await pair.box("a").stop()).code).toBe(0);
  await pair.alarm("b", "peer-lost");
  await pause(700);
  expect(prober.tick.lost).toBe(lost);
  expect(await moves()).toBe(before);
  expect(await traces("a")).toEqual([]);
});

it("the last box stops, with nobody to hand over to", async () => {
  expect((await pair.box("b").stop()).code).toBe(0);
  expect(await traces("b")).toEqual([]);
});
