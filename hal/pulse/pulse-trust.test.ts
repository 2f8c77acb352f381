import { describe, expect, it } from "vitest";
import { instant, micros } from "../units/time.ts";
import { encodeCommand } from "./protocol.ts";
import { ANSWER, BEAT, End, FORWARD, native, Pair, pairWithActiveA } from "./pulse-pair.test-support.ts";

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

  /** Beats of b from before another b, with a nonce of its own, has met a; then that one speaks for so many beats. */
  function replaced(pair: Pair, beats: number) {
    const recorded = beatsOf(pair);
    const other = new End("b", 44, pair.now);
    for (let i = 0; i < beats; i++) {
      pair.now += BEAT;
      other.tick(pair.now);
      pair.a.tick(pair.now);
      for (let round = 0; round < 3; round++) {
        for (const { beat } of other.sent.splice(0)) pair.a.receive(beat, pair.now);
        for (const { beat } of pair.a.sent.splice(0)) other.receive(beat, pair.now);
      }
    }
    return { recorded, other };
  }

  /** Lets a go on alone for longer than the dead time. */
  function silence(pair: Pair): void {
    for (let i = 0; i < 7; i++) pair.a.tick((pair.now += BEAT));
    pair.a.sent.splice(0);
  }

  it("refuses an earlier boot of the peer after it has met a later one, also when that one has fallen silent", () => {
    const pair = new Pair();
    const { recorded, other } = replaced(pair, 3);
    expect(other.state).toBe("standby");
    for (const beat of recorded) expect(pair.a.receive(beat, pair.now)).toBe("unproven");
    silence(pair);
    for (const beat of recorded) expect(pair.a.receive(beat, pair.now)).toBe("unproven");
  });

  /** What the first b, which lives, says when it has heard a. */
  function spoken(pair: Pair): string[] {
    pair.a.order({ kind: "pet" }, pair.now);
    pair.a.tick((pair.now += BEAT));
    for (const { beat } of pair.a.sent.splice(0)) pair.b.receive(beat, pair.now);
    pair.b.tick(pair.now);
    const said = pair.b.sent.splice(0).map(({ beat }) => pair.a.receive(beat, pair.now));
    for (const { beat } of pair.a.sent.splice(0)) pair.b.receive(beat, pair.now);
    return said;
  }

  it("keeps to the box of the peer's letter that it hears, and believes the other one when that one is gone", () => {
    const pair = new Pair();
    replaced(pair, 3);
    for (let i = 0; i < 3; i++) expect(spoken(pair)).not.toContain("accepted");
    silence(pair);
    spoken(pair);
    expect(spoken(pair)).toContain("accepted");
    pair.run(4);
    expect(spoken(pair)).not.toContain("unproven");
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
