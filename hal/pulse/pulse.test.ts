import { describe, expect, it } from "vitest";
import { instant, micros } from "../units/time.ts";
import { ANSWER, BEAT, FORWARD, native, pairWithActiveA } from "./pulse-pair.test-support.ts";

describe("pulse's core, silence and lease", () => {
  it("takes over when the peer was silent for the dead time, and not a beat before", () => {
    const pair = pairWithActiveA();
    pair.aHeard = false;
    pair.run(4);
    expect(pair.b.gate(pair.now)).toBe(0);
    pair.run(1);
    expect(pair.b.gate(pair.now)).toBe(ANSWER | FORWARD);
    expect(pair.b.reports.findLast((report) => report.kind === "executed")).toMatchObject({
      plan: "takeOver",
      reason: "silence",
    });
  });

  it("does not take over when it is not armed", () => {
    const pair = pairWithActiveA();
    pair.b.order(
      { kind: "group", group: 0, id: 7, idle: "fault", armed: true, health: 255, preference: 100, asks: false },
      pair.now,
    );
    pair.aHeard = false;
    pair.run(20);
    expect(pair.b.gate(pair.now)).toBe(0);
  });

  it("counts the lease from the send time of the newest acknowledged beat", () => {
    const pair = pairWithActiveA();
    const ackedSentAt = pair.now;
    pair.aHeard = false;
    pair.run(2);
    expect(pair.a.gate(ackedSentAt + 44_999)).toBe(ANSWER | FORWARD);
    expect(pair.a.gate(ackedSentAt + 45_000)).toBe(0);
  });

  it("is silent before the other takes over when it is no longer heard", () => {
    const pair = pairWithActiveA();
    pair.aHeard = false;
    pair.run(12, () => expect(pair.bits().filter((bits) => (bits & ANSWER) !== 0).length).toBeLessThan(2));
    expect(pair.bits()).toEqual([0, ANSWER | FORWARD]);
  });

  it("never renews a lapsed lease by a beat that acknowledges what was sent before the lapse", () => {
    const pair = pairWithActiveA();
    pair.a.tick((pair.now += BEAT));
    const old = pair.a.sent.splice(0);
    for (const { beat } of old) pair.b.receive(beat, pair.now);
    const answers = pair.b.sent.splice(0);
    const thawed = pair.now + 50_000;
    pair.a.tick(thawed);
    expect(pair.a.kinds()).toContain("lapsed");
    for (const { beat } of answers) pair.a.receive(beat, thawed);
    expect(pair.a.gate(thawed)).toBe(0);
  });

  it("grants a lapsed lease anew when the peer acknowledges what was sent after it and holds nothing", () => {
    const pair = pairWithActiveA();
    pair.now += 50_000;
    pair.run(2);
    expect(pair.a.kinds()).toEqual(expect.arrayContaining(["lapsed", "granted"]));
    expect(pair.bits()).toEqual([ANSWER | FORWARD, 0]);
  });

  it("goes on without a break when the peer dies and the pair prefers availability", () => {
    const pair = pairWithActiveA();
    pair.aHeard = false;
    pair.bHeard = false;
    for (let i = 0; i < 400; i++) {
      pair.now += 1_000;
      if (i % 15 === 14) pair.a.order({ kind: "pet" }, pair.now);
      if (i % 15 === 14) pair.a.tick(pair.now);
      expect(pair.a.gate(pair.now)).toBe(ANSWER | FORWARD);
    }
  });

  it.each([0.1, 3, 7.4, 7.6, 11, 14.9])(
    "goes on without a break when the peer's last word came %s ms after a beat",
    (phaseMillis) => {
      const pair = pairWithActiveA();
      pair.a.tick((pair.now += BEAT));
      const asked = pair.a.sent.splice(0);
      for (const { beat } of asked) pair.b.receive(beat, pair.now);
      const heardAt = pair.now + phaseMillis * 1_000;
      for (const { beat } of pair.b.sent.splice(0)) pair.a.receive(beat, heardAt);
      for (pair.now = heardAt; pair.now < heardAt + 400_000; pair.now += 100) {
        pair.a.order({ kind: "pet" }, pair.now);
        pair.a.tick(pair.now);
        expect(pair.a.gate(pair.now)).toBe(ANSWER | FORWARD);
      }
      expect(pair.a.kinds()).not.toContain("lapsed");
    },
  );

  it.each([0.1, 3, 7.4, 7.6, 11, 14.9])(
    "does so also when each of its timers fires 20 ms late, and that word came %s ms after a beat",
    (phaseMillis) => {
      const pair = pairWithActiveA();
      pair.a.tick((pair.now += BEAT));
      for (const { beat } of pair.a.sent.splice(0)) pair.b.receive(beat, pair.now);
      const heardAt = pair.now + phaseMillis * 1_000;
      for (const { beat } of pair.b.sent.splice(0)) pair.a.receive(beat, heardAt);
      const late = 20_000;
      let due = pair.a.tick(heardAt) + late;
      for (pair.now = heardAt; pair.now < heardAt + 400_000; pair.now += 100) {
        pair.a.order({ kind: "pet" }, pair.now);
        if (pair.now >= due) due = pair.a.tick(pair.now) + late;
        expect(pair.a.gate(pair.now)).toBe(ANSWER | FORWARD);
      }
      expect(pair.a.kinds()).not.toContain("lapsed");
    },
  );

  it("ends what a silence granted when the peer is heard and does not acknowledge", () => {
    const pair = pairWithActiveA();
    pair.aHeard = false;
    pair.bHeard = false;
    pair.run(4);
    expect(pair.a.gate(pair.now + 44_999)).toBe(ANSWER | FORWARD);
    pair.bHeard = true;
    pair.b.tick((pair.now += BEAT));
    pair.exchange();
    expect(pair.a.gate(pair.now + 22_499)).toBe(ANSWER | FORWARD);
    expect(pair.a.gate(pair.now + 22_500)).toBe(0);
  });

  it("falls silent within the lease when it freezes while it is alone", () => {
    const pair = pairWithActiveA();
    pair.aHeard = false;
    pair.bHeard = false;
    pair.run(20);
    expect(pair.a.gate(pair.now + 45_001)).toBe(0);
  });

  it("falls silent without peer and witness when the pair prefers safety, and comes back with the witness", () => {
    const pair = pairWithActiveA(true);
    pair.aHeard = false;
    pair.bHeard = false;
    pair.run(8);
    expect(pair.bits()).toEqual([0, 0]);
    pair.a.order({ kind: "witness", at: instant(pair.now) }, pair.now);
    pair.run(1);
    expect(pair.bits()).toEqual([ANSWER | FORWARD, 0]);
  });

  it("gives the peer two more beats when it was late itself", () => {
    const pair = pairWithActiveA();
    pair.a.sent = [];
    pair.now += 200_000;
    pair.b.order({ kind: "pet" }, pair.now);
    pair.b.tick(pair.now);
    expect(pair.b.gate(pair.now)).toBe(0);
    for (let i = 0; i < 2; i++) pair.b.tick((pair.now += BEAT));
    expect(pair.b.gate(pair.now)).toBe(ANSWER | FORWARD);
  });
});

describe("pulse's core, changing hands", () => {
  it("hands over with one box answering at a time and both forwarding for 100 ms", () => {
    const pair = pairWithActiveA();
    pair.a.act("offer", pair.now);
    pair.exchange();
    pair.b.act("ready", pair.now);
    pair.exchange();
    expect(pair.bits()).toEqual([FORWARD, ANSWER | FORWARD]);
    pair.run(5);
    expect(pair.bits()).toEqual([FORWARD, ANSWER | FORWARD]);
    pair.run(3);
    expect(pair.bits()).toEqual([0, ANSWER | FORWARD]);
    expect(pair.a.state).toBe("standby");
  });

  it("keeps the group when the peer hears the yield and does not take it", () => {
    const pair = pairWithActiveA();
    pair.a.act("offer", pair.now);
    pair.exchange();
    pair.b.act("ready", pair.now);
    const ready = pair.b.sent.splice(0);
    pair.b.order(
      { kind: "group", group: 0, id: 7, idle: "fault", armed: false, health: 255, preference: 100, asks: false },
      pair.now,
    );
    pair.b.sent = [];
    for (const { beat } of ready) pair.a.receive(beat, pair.now);
    expect(pair.a.gate(pair.now)).toBe(FORWARD);
    pair.run(1);
    expect(pair.bits()).toEqual([ANSWER | FORWARD, 0]);
    expect(pair.a.kinds()).toContain("resumed");
  });

  it("takes over at once when the peer lets go", () => {
    const pair = pairWithActiveA();
    native.pulseReleaseAll(pair.a.core, pair.now);
    pair.a.collect();
    expect(pair.a.gate(pair.now)).toBe(0);
    pair.exchange();
    expect(pair.b.gate(pair.now)).toBe(ANSWER | FORWARD);
    expect(pair.b.reports.findLast((report) => report.kind === "executed")).toMatchObject({ reason: "released" });
  });

  it("lets go when its sentinel has not petted it for 250 ms", () => {
    const pair = pairWithActiveA();
    pair.aPetted = false;
    pair.run(16);
    expect(pair.a.gate(pair.now)).toBe(ANSWER | FORWARD);
    pair.run(2);
    expect(pair.bits()).toEqual([0, ANSWER | FORWARD]);
  });

  it.each([
    [150_000, 500_000],
    [300_000, 1_000_000],
    [5_000_000, 1_000_000],
  ])("bears a sentinel that is late where the dead time is %i us: for %i us", (dead, limit) => {
    const pair = pairWithActiveA();
    const timing = { dead: micros(dead), lease: micros(BEAT * 3), beat: micros(BEAT), wanted: micros(dead) };
    for (const end of [pair.a, pair.b]) end.order({ kind: "timing", ...timing }, pair.now);
    pair.aPetted = false;
    pair.run(Math.floor(limit / BEAT) - 1);
    expect(pair.a.gate(pair.now)).toBe(ANSWER | FORWARD);
    pair.run(2);
    expect(pair.bits()).toEqual([0, ANSWER | FORWARD]);
  });

  it("leaves one holder when two claim the group: the one of higher priority", () => {
    const pair = pairWithActiveA();
    pair.b.sent = [];
    pair.aHeard = false;
    pair.bHeard = false;
    pair.run(8);
    expect(pair.bits()).toEqual([ANSWER | FORWARD, ANSWER | FORWARD]);
    pair.aHeard = true;
    pair.bHeard = true;
    pair.run(1);
    expect(pair.bits()).toEqual([ANSWER | FORWARD, 0]);
  });

  it("keeps the group when a thawed peer sends what it had to say before it was frozen", () => {
    const pair = pairWithActiveA();
    pair.now += BEAT;
    pair.a.tick(pair.now);
    const [late] = pair.a.sent.splice(0);
    for (let i = 0; i < 8; i++) {
      pair.now += BEAT;
      pair.b.order({ kind: "pet" }, pair.now);
      pair.b.tick(pair.now);
    }
    expect(pair.bits()).toEqual([0, ANSWER | FORWARD]);
    expect(pair.b.receive(late!.beat, pair.now)).toBe("accepted");
    expect(pair.b.gate(pair.now)).toBe(ANSWER | FORWARD);
    pair.run(4);
    expect(pair.bits()).toEqual([0, ANSWER | FORWARD]);
  });

  it("does not take its own freeze for the peer's silence, whatever order it finds first", () => {
    const pair = pairWithActiveA();
    pair.now += 400_000;
    pair.a.order({ kind: "witness", at: instant(pair.now) }, pair.now);
    pair.a.tick(pair.now);
    expect(pair.a.gate(pair.now)).toBe(0);
    expect(pair.a.kinds()).not.toContain("granted");
  });

  it("does not blame its sentinel for the time it was frozen itself", () => {
    const pair = pairWithActiveA();
    pair.now += 250_000 + BEAT - 1_000;
    pair.a.tick(pair.now);
    expect(pair.a.state).not.toBe("fault");
    expect(pair.a.sent.length).toBeGreaterThan(0);
  });
});

describe("what pulse's core tells of a path", () => {
  it("is, when a plan was carried out, when the newest beat had come until then", () => {
    const pair = pairWithActiveA();
    const heardAt = pair.now;
    pair.aHeard = false;
    pair.run(6);
    const executed = pair.b.reports.findLast((report) => report.kind === "executed");
    expect(executed).toMatchObject({ heardAt, decidedAt: heardAt + 5 * BEAT, paths: [{ id: 1, heardAt }] });
  });

  it("is how many beats came since the snapshot before, and the longest pause that one of them ended", () => {
    const pair = pairWithActiveA();
    const told = () =>
      pair.b.reports.flatMap((report) => {
        return report.kind === "snapshot" ? [{ ...report.paths[0]!, accepted: report.counters["accepted"]! }] : [];
      });
    const before = told();
    pair.run(2);
    pair.aHeard = false;
    pair.run(2);
    pair.aHeard = true;
    pair.run(70);
    const since = told().slice(before.length);
    expect(since.length).toBeGreaterThan(1);
    const beats = since.reduce((sum, path) => sum + path.beats, 0);
    expect(beats).toBe(since.at(-1)!.accepted - before.at(-1)!.accepted);
    expect(since.map(({ longestPause }) => longestPause).toSorted((a, b) => b - a)).toEqual([
      3 * BEAT,
      ...since.slice(1).map(() => BEAT),
    ]);
    // Nothing came between two snapshots of one moment.
    pair.b.act("keep", pair.now);
    pair.b.tick(pair.now);
    pair.b.act("keep", pair.now);
    pair.b.tick(pair.now);
    expect(told().at(-1)).toMatchObject({ beats: 0, longestPause: 0, heardAt: pair.now });
  });
});
