import { describe, expect, test } from "vitest";
import { parseIpAddress, parseMac } from "@futago/hal/units/address.ts";
import { refuseActivation, refuseLook, refuseRelease, spareAlarms } from "./refusals.ts";
import { initialSpare } from "./step.ts";
import type { Look, SpareConfig, SpareState } from "./types.ts";

const A: SpareConfig = { box: "a", cold: true, preferred: "a" };
const B: SpareConfig = { ...A, box: "b" };
const state = (more: Partial<SpareState>): SpareState => ({ ...initialSpare({ epoch: 3, active: "a" }), ...more });
const serves = state({ proven: true, serving: true, linked: true, peer: "idle" });
const answer = (last: number) => ({
  address: parseIpAddress(`10.1.0.${last}`)!,
  mac: parseMac("02:00:00:00:00:0a")!,
  device: "eth0",
});
const LOOK: Look = { answers: [], unplugged: [], asked: 4 };

describe("an activation is refused", () => {
  const words = (config: SpareConfig, more: Partial<SpareState>, force = false) => {
    const refusal = refuseActivation(config, state(more), force);
    return refusal && `${refusal.exitCode} ${refusal.what}`;
  };

  test("on a hot pair, and while another one is under way, force or not", () => {
    const hot = "6 the standby of this pair is hot: it takes over by itself, and there is no spare";
    const busy = "6 somebody is activating this box already";
    for (const force of [false, true]) {
      expect(words({ ...B, cold: false }, {}, force)).toBe(hot);
      expect(words(B, { looking: "person" }, force)).toBe(busy);
    }
  });

  test("while the active one is heard or linked, unless it is forced", () => {
    expect(words(B, { peer: "active" })).toBe("6 box a is heard, and it is active");
    expect(words(B, { peer: "unknown", linked: true })).toBe("6 box a is there, and it is the active one");
    expect(words(B, { peer: "active", linked: true }, true)).toBeUndefined();
  });

  test("not when it is silent, or was released", () => {
    expect(words(B, { peer: "silent" })).toBeUndefined();
    expect(words(B, { peer: "silent", linked: true })).toBeUndefined();
    expect(words(B, { linked: true, peer: "idle", activation: { epoch: 4, active: "nobody" } })).toBeUndefined();
  });

  test("by whoever answers, and when nobody could be asked", () => {
    expect(refuseLook(LOOK)).toBeUndefined();
    expect(refuseLook({ ...LOOK, unplugged: ["eth1"] })).toBeUndefined();
    const other = { ...answer(200), mac: parseMac("02:00:00:00:00:0c")!, device: "eth1" };
    expect(refuseLook({ ...LOOK, answers: [answer(1), other, answer(2)] })).toMatchObject({
      exitCode: 6,
      what: "the other box is not dark: 02:00:00:00:00:0a on eth0 has 10.1.0.1, 10.1.0.2; 02:00:00:00:00:0c on eth1 has 10.1.0.200",
    });
    const many = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(answer);
    const machines = [1, 2, 3, 4, 5, 6].map((last) => ({ ...answer(1), mac: parseMac(`02:00:00:00:00:0${last}`)! }));
    expect(refuseLook({ ...LOOK, answers: many })?.what).toMatch(/10\.1\.0\.8 and 2 more$/);
    expect(refuseLook({ ...LOOK, answers: machines })?.what).toMatch(
      /02:00:00:00:00:04 on eth0 has 10\.1\.0\.1; and 2 more machines$/,
    );
    expect(refuseLook({ answers: [], unplugged: ["eth0", "eth1"], asked: 0 })).toMatchObject({
      exitCode: 1,
      what: "nobody could be asked whether the other box is dark: no cable is in eth0, eth1",
    });
  });
});

describe("a release is refused", () => {
  test("on a hot pair, by a spare, and while nobody could take over, unless it is forced", () => {
    expect(refuseRelease({ ...A, cold: false }, serves, true, true)?.exitCode).toBe(6);
    expect(refuseRelease(B, state({ linked: true }), true, true)?.what).toBe("this box is not the active one");
    expect(refuseRelease(A, { ...serves, linked: false }, true, false)).toMatchObject({
      exitCode: 5,
      what: "box b is not there to take over: nobody would serve",
    });
    expect(refuseRelease(A, { ...serves, peer: "silent" }, true, false)?.exitCode).toBe(5);
    expect(refuseRelease(A, serves, false, false)).toMatchObject({
      exitCode: 5,
      what: "box b has another configuration, so it cannot take over yet",
    });
    expect(refuseRelease(A, { ...serves, linked: false }, false, true)).toBeUndefined();
    expect(refuseRelease(A, serves, true, false)).toBeUndefined();
  });
});

describe("the alarms", () => {
  const alarms = (config: SpareConfig, more: Partial<SpareState>, inMaintenance = false) =>
    [...spareAlarms(config, state(more), inMaintenance)].flatMap(([kind, sentence]) =>
      sentence === undefined ? [] : [`${kind}: ${sentence}`],
    );

  test("are silent while one box serves and the other is there", () => {
    expect(alarms(A, { ...serves })).toEqual([]);
    expect(alarms(B, { linked: true, peer: "active" })).toEqual([]);
    expect(alarms(B, { peer: "unknown" })).toEqual([]);
    expect(alarms(B, { peer: "active" })).toEqual([]);
  });

  test("say on the spare that the active one is gone", () => {
    expect(alarms(B, { peer: "silent" })).toEqual([
      "active-gone: the active box a is gone: `futago spare activate` here takes over",
    ]);
    expect(alarms(B, { peer: "silent", linked: true })).toHaveLength(1);
    expect(alarms({ ...B, cold: false }, { peer: "silent" })).toEqual([]);
  });

  test("say first on a spare in maintenance what ends that, for it refuses to be activated", () => {
    expect(alarms(B, { peer: "silent" }, true)).toEqual([
      "active-gone: the active box a is gone: `futago maintenance off` and then `futago spare activate` here takes over",
    ]);
    expect(alarms(B, { linked: true, peer: "active" }, true)).toEqual([]);
  });

  test("say that nobody serves, why a box does not, and what was forced", () => {
    expect(alarms(B, { activation: { epoch: 4, active: "nobody" } })).toEqual([
      "nobody-serves: nobody serves: `futago spare activate` on the box that shall",
    ]);
    expect(alarms(A, { doubt: { ...LOOK, answers: [answer(1)] } })).toEqual([
      expect.stringContaining(
        "for the other one may have been activated meanwhile: 02:00:00:00:00:0a on eth0 has 10.1.0.1;",
      ),
    ]);
    expect(alarms(A, { doubt: { answers: [], unplugged: ["eth0"], asked: 0 } })).toEqual([
      expect.stringContaining("nobody could be asked, no cable is in eth0;"),
    ]);
    expect(alarms(A, { ...serves, forced: { ...LOOK, answers: [answer(1)] } })).toEqual([
      "forced: this box was activated by force although 02:00:00:00:00:0a on eth0 has 10.1.0.1: two boxes may answer for one address until box b is off or linked again",
    ]);
  });
});
