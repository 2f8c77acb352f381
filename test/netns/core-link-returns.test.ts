/** The link between the cores of a pair goes over the cable that only the two boxes have, which is pulled for a while. */
import { expect, it, onTestFinished } from "vitest";
import { Pair, pairDocument } from "./pair-fixture.ts";

it("goes back to the best path when that is well again, with the flows, and a commit goes over it", {
  timeout: 120_000,
}, async () => {
  const heartbeat = { over: ["wan", "lan", "sync"], profile: "calm" };
  const pair = await Pair.start({ document: pairDocument({ standby: "hot", heartbeat }) });
  onTestFinished(async () => await pair.destroy());
  await pair.settled("a");
  const devices = async () => {
    const connections = await pair.hosts.b.run(["ss", "-tnH", "state", "established", "dport", "=", ":7405"]);
    return connections.split("\n").flatMap((line) => /%(\w+)\]?:\d+\s+\S+:7405/.exec(line)?.[1] ?? []);
  };
  const sync = ["eth2", "eth2"];
  await expect.poll(devices, { timeout: 20_000 }).toEqual(sync);
  await pair.setCable("b", "sync", false);
  await expect.poll(devices, { timeout: 20_000 }).not.toContain("eth2");
  await expect.poll(devices, { timeout: 20_000 }).toHaveLength(2);
  await pair.setCable("b", "sync", true);
  await expect.poll(devices, { timeout: 40_000 }).toEqual(sync);
  await pair.settled("a");
  expect((await pair.box("b").futago("set", "system.hostname", "twins")).code).toBe(0);
  expect(await pair.box("b").futago("commit")).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("Both boxes have it."),
  });
});
