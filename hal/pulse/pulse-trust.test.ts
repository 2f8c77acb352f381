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
