import { describe, expect, it } from "vitest";
import { addon } from "../addon/load.ts";
import type { PulseCommand, PulseReport } from "../units/pulse.ts";
import { instant, micros } from "../units/time.ts";
import { BEAT_OUTCOMES, encodeCommand, ReportReader } from "./protocol.ts";

/**
 * Two cores of pulse on one hand-moved clock. A beat that a core sends lies in its `sent` until a test delivers it.
 * Dead time 75 ms, lease 45 ms, a beat every 15 ms.
 */
const native = addon as {
  pulseCreate(nonce: number, now: number): unknown;
  pulseCommand(core: unknown, message: Uint8Array, now: number): boolean;
  pulseReceive(core: unknown, path: number, beat: Uint8Array, now: number): number;
  pulseTick(core: unknown, now: number): number;
  pulseReleaseAll(core: unknown, now: number): void;
  pulseTake(core: unknown): Uint8Array | undefined;
  pulseGate(core: unknown, group: number, now: number): number;
};
const BEAT = 15_000;
const ANSWER = 1;
const FORWARD = 2;

class End {
  readonly core: unknown;
  sent: { readonly path: number; readonly beat: Uint8Array }[] = [];
  reports: PulseReport[] = [];

  constructor(box: "a" | "b", nonce: number, now: number, safety = false) {
    this.core = native.pulseCreate(nonce, now);
    const paths = [{ ifindex: 1 as never, id: 1 }];
    this.order(
      { kind: "configure", key: new Uint8Array(32), configId: "00000000000000aa", box, safety, port: 7405, paths },
      now,
    );
    const preference = box === "a" ? 200 : 100;
    this.order(
      { kind: "group", group: 0, id: 7, idle: "standby", armed: true, health: 255, preference, asks: false },
      now,
    );
  }

  order(command: PulseCommand, now: number): void {
    expect(native.pulseCommand(this.core, encodeCommand(command), now)).toBe(true);
    this.collect();
  }

  act(act: "takeOver" | "release" | "offer" | "ready" | "keep", now: number): void {
    this.order({ kind: "act", group: 0, act, reason: act === "offer" || act === "ready" ? "handover" : "order" }, now);
  }

  tick(now: number): void {
    native.pulseTick(this.core, now);
    this.collect();
  }

  receive(beat: Uint8Array, now: number): string {
    const result = BEAT_OUTCOMES[native.pulseReceive(this.core, 0, beat, now)]!;
    this.collect();
    return result;
  }

  gate(now: number): number {
    return native.pulseGate(this.core, 0, now);
  }

  get state(): string | undefined {
    const snapshot = this.reports.findLast((report) => report.kind === "snapshot");
    return snapshot?.kind === "snapshot" ? snapshot.groups[0]?.state : undefined;
  }

  kinds(): string[] {
    return this.reports.filter((report) => report.kind !== "snapshot").map((report) => report.kind);
  }

  collect(): void {
    const bytes = native.pulseTake(this.core);
    if (bytes === undefined) return;
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < bytes.length; at += 8 + view.getUint32(at, true)) {
      const body = bytes.slice(at + 8, at + 8 + view.getUint32(at, true));
      if (bytes[at + 4] === 1) this.sent.push({ path: 0, beat: body });
      if (bytes[at + 4] === 3) this.reports.push(...new ReportReader().push(body));
    }
  }
}

class Pair {
  now = 1_000_000;
  readonly a: End;
  readonly b: End;
  aHeard = true;
  bHeard = true;
  aPetted = true;

  constructor(safety = false) {
    this.a = new End("a", 11, this.now, safety);
    this.b = new End("b", 22, this.now, safety);
    this.run(4);
  }

  /** Lets `beats` beats pass; whatever is sent arrives at once, both ways, until nobody has anything to say. */
  run(beats: number, eachBeat: () => void = () => undefined): void {
    for (let i = 0; i < beats; i++) {
      this.now += BEAT;
      if (this.aPetted) this.a.order({ kind: "pet" }, this.now);
      this.b.order({ kind: "pet" }, this.now);
      this.a.tick(this.now);
      this.b.tick(this.now);
      this.exchange();
      eachBeat();
    }
  }

  exchange(): void {
    while (this.a.sent.length + this.b.sent.length > 0) {
      const fromA = this.a.sent.splice(0);
      const fromB = this.b.sent.splice(0);
      for (const { beat } of fromA) if (this.aHeard) this.b.receive(beat, this.now);
      for (const { beat } of fromB) if (this.bHeard) this.a.receive(beat, this.now);
    }
  }

  bits(): [number, number] {
    return [this.a.gate(this.now), this.b.gate(this.now)];
  }
}

function pairWithActiveA(safety = false): Pair {
  const pair = new Pair(safety);
  pair.a.act("takeOver", pair.now);
  pair.run(4);
  expect(pair.bits()).toEqual([ANSWER | FORWARD, 0]);
  return pair;
}

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

  it("does not blame its sentinel for the time it was frozen itself", () => {
    const pair = pairWithActiveA();
    pair.now += 250_000 + BEAT - 1_000;
    pair.a.tick(pair.now);
    expect(pair.a.state).not.toBe("fault");
    expect(pair.a.sent.length).toBeGreaterThan(0);
  });
});

describe("pulse's core, whom it believes", () => {
  function beatsOf(pair: Pair): Uint8Array[] {
    pair.now += BEAT;
    pair.b.tick(pair.now);
    return pair.b.sent.splice(0).map(({ beat }) => beat);
  }

  it("refuses a beat that it has heard already", () => {
    const pair = new Pair();
    const [beat] = beatsOf(pair);
    expect(pair.a.receive(beat!, pair.now)).toBe("accepted");
    expect(pair.a.receive(beat!, pair.now)).toBe("replayed");
  });

  it("refuses its own beat sent back to it, and one from another path", () => {
    const pair = new Pair();
    pair.a.tick((pair.now += BEAT));
    expect(pair.a.receive(pair.a.sent[0]!.beat, pair.now)).toBe("own-box");
    const [beat] = beatsOf(pair);
    beat![4] = 9;
    expect(pair.a.receive(beat!, pair.now)).toBe("other-path");
  });

  it("refuses beats recorded before its own reboot, whatever they say", () => {
    const pair = new Pair();
    const recorded = beatsOf(pair);
    const reborn = new End("a", 33, pair.now);
    for (const beat of recorded) expect(reborn.receive(beat, pair.now)).toBe("other-boot");
  });

  it("refuses an earlier boot of the peer after it has met a later one", () => {
    const pair = new Pair();
    const recorded = beatsOf(pair);
    const reborn = new End("b", 44, pair.now);
    for (let i = 0; i < 3; i++) {
      pair.now += BEAT;
      reborn.tick(pair.now);
      pair.a.tick(pair.now);
      for (let round = 0; round < 3; round++) {
        for (const { beat } of reborn.sent.splice(0)) pair.a.receive(beat, pair.now);
        for (const { beat } of pair.a.sent.splice(0)) reborn.receive(beat, pair.now);
      }
    }
    expect(reborn.state).toBe("standby");
    for (const beat of recorded) expect(pair.a.receive(beat, pair.now)).toBe("unproven");
  });

  it("refuses commands of a wrong length, group or meaning and goes on", () => {
    const pair = pairWithActiveA();
    const wrong = [
      encodeCommand({ kind: "act", group: 16, act: "release", reason: "order" }),
      encodeCommand({ kind: "timing", dead: micros(1), lease: micros(1), beat: micros(1), wanted: micros(1) }),
      encodeCommand({ kind: "witness", at: instant(1) }).subarray(0, 15),
      Uint8Array.of(0, 0, 0, 0, 99, 0, 0, 0),
    ];
    for (const message of wrong) expect(native.pulseCommand(pair.a.core, message, pair.now)).toBe(false);
    pair.run(2);
    expect(pair.bits()).toEqual([ANSWER | FORWARD, 0]);
  });
});
