/** A commit given on the standby that moves the link over which the active box would have answered. */
import { expect, it, onTestFinished } from "vitest";
import { Pair, pairDocument } from "./pair-fixture.ts";

it("is told as made, waits for its confirmation, and leaves no candidate open", { timeout: 90_000 }, async () => {
  const heartbeat = { over: ["lan", "wan", "sync"], profile: "calm" };
  const pair = await Pair.start({ document: pairDocument({ standby: "hot", heartbeat }) });
  onTestFinished(async () => await pair.destroy());
  await pair.settled("a");
  // The cores link anew over a data port, which a cold pair shuts on its spare.
  await pair.setCable("b", "sync", false);
  const links = () => pair.hosts.b.run(["ss", "-tnH", "state", "established"]);
  await expect.poll(links, { timeout: 20_000 }).toMatch(/%eth[01]:/);
  await pair.setCable("b", "sync", true);
  await pair.settled("a");
  const b = pair.box("b");
  expect((await b.futago("set", "pair.standby", "cold")).code).toBe(0);
  const { code, stdout } = await b.futago("commit", "--confirm", "40");
  expect([code, stdout]).toEqual([0, expect.stringContaining("the change was made, and this box has it, too")]);
  expect((await b.futago("commit")).stderr).toContain("nothing");
  expect(await b.futago("confirm")).toMatchObject({ code: 0, stdout: expect.stringContaining("Both boxes have it.") });
});
