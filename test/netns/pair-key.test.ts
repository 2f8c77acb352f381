/** Two boxes that are no pair by mistake: with different keys, or started as the same letter. */
import { afterEach, expect, it } from "vitest";
import { BOXES } from "../lab/topology.ts";
import { Pair, VIP } from "./pair-fixture.ts";

let pair: Pair;
afterEach(() => pair.destroy());

it("boxes with different keys do not believe each other, say so, and show what comes of it", async () => {
  pair = await Pair.start({ differentKeys: true });
  // Each is alone to itself, and a box that is alone serves: that two serve cannot be helped, only shown.
  for (const box of BOXES) {
    await pair.role(box, "active");
    const sentence = await pair.alarm(box, "wrong-key");
    expect(sentence).toContain("signed with another key");
    expect(sentence).toContain("give both boxes the same pair key");
    await pair.alarm(box, "peer-lost");
    const status = await pair.until(box, "conflict", ({ alarms }) =>
      alarms.some((alarm) => alarm.kind === "address-conflict" && alarm.sentence.includes(VIP)),
    );
    expect(status.peer).toMatchObject({ alive: false, role: "unknown", revision: "" });
    expect(status.heartbeat?.counters).toMatchObject({ accepted: 0 });
    expect(status.heartbeat?.counters["bad-mac"]).toBeGreaterThan(0);
    const refused = await pair.box(box).futago("switchover");
    expect(refused.code).toBe(5);
    expect(refused.stderr).toContain("the peer is not there");
    // The cores do not believe each other either.
    expect(status.alarms.map(({ kind }) => kind)).not.toContain("revision-differs");
  }
  expect((await pair.status("a")).counters["peerLinkWrongKey"] ?? 0).toBe(0);
});

it("boxes that were both started as a do not believe each other, and say how to mend it", async () => {
  pair = await Pair.start({ sameLetter: true });
  for (const box of BOXES) {
    await pair.role(box, "active");
    expect(await pair.alarm(box, "same-box")).toContain("was started as a, too; start one of them with --box b");
    expect((await pair.counters(box))["accepted"]).toBe(0);
  }
  // When the other one is gone nothing is left to mend.
  await pair.box("b").stop();
  await pair.noAlarm("a", "same-box");
  await pair.alarm("a", "peer-lost");
});
