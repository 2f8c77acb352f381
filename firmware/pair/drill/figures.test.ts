import { instant } from "@futago/hal/units/time.ts";
import { describe, expect, it } from "vitest";
import { giverFigure, takerFigure, together } from "./figures.ts";
import type { Echo, VipFigure } from "./types.ts";

/** Milliseconds. */
const at = (millis: number) => instant(millis * 1_000);
/** One request a millisecond from `from` on, each answered 0.2 ms later unless it is one of `silent`. */
const echoes = (from: number, count: number, silent: (millis: number) => boolean = () => false): readonly Echo[] =>
  Array.from({ length: count }, (_, i) => ({
    sentAt: at(from + i),
    answeredAt: silent(from + i) ? undefined : at(from + i + 0.2),
  }));

describe("the box that gave", () => {
  it("counts from when it ceased to answer to the other one's first answer", () => {
    const figure = giverFigure({ clearedAt: at(100), answeredAt: at(101.5), echoes: [], endedAt: at(1_000) });
    expect(figure).toEqual({ silenceMicros: 1_500, sent: 0, lost: 0, pauseMicros: 0 });
  });

  it("knows no silence when nobody answered, or when it never ceased to", () => {
    const nobody = { clearedAt: at(100), answeredAt: undefined, echoes: [], endedAt: at(1_000) };
    expect(giverFigure(nobody).silenceMicros).toBeNull();
    expect(giverFigure({ ...nobody, clearedAt: undefined, answeredAt: at(100) }).silenceMicros).toBeNull();
  });

  it("does not count requests that may still be answered at the end", () => {
    // Those of the last 300 ms, sent from 701 on, are not judged; of those before, two are lost.
    const sent = echoes(500, 500, (millis) => millis === 600 || millis === 650 || millis > 900);
    const figure = giverFigure({ clearedAt: at(100), answeredAt: at(101), echoes: sent, endedAt: at(1_000) });
    expect(figure).toMatchObject({ sent: 201, lost: 2, pauseMicros: 1_000 });
  });
});

describe("the box that took", () => {
  it("counts from the former holder's last answer to its own take-over", () => {
    // Answers until 100.2; the decision at 175, done at 176.
    const notes = { echoes: echoes(0, 300, (millis) => millis > 100), decidedAt: at(175), takenAt: at(176) };
    // Those sent from 101 to 175 are lost.
    expect(takerFigure("killed", notes)).toEqual({ silenceMicros: 75_800, sent: 176, lost: 75, pauseMicros: 1_000 });
  });

  it("does not count, of one that was alive, requests whose answers may have been on their way", () => {
    // Those of the last 20 ms, from 156 on, are not judged; of those before, one is lost.
    const alive = echoes(0, 300, (millis) => millis === 60 || millis > 160);
    const notes = { echoes: alive, decidedAt: at(175), takenAt: at(176) };
    expect(takerFigure("planned", notes)).toMatchObject({ sent: 156, lost: 1 });
  });

  it("does not count, of one that was slow, what was sent within its longest answer before", () => {
    // The one of 30 took 80 ms, so those from 96 on may have been on their way; of those before, the one of 50 is lost.
    const slow = echoes(0, 300, (millis) => millis === 50 || millis === 140 || millis > 160).map((echo) =>
      echo.sentAt === at(30) ? { ...echo, answeredAt: at(110) } : echo,
    );
    const notes = { echoes: slow, decidedAt: at(175), takenAt: at(176) };
    expect(takerFigure("planned", notes)).toMatchObject({ sent: 96, lost: 1 });
  });

  it("does not take its own answers for the former holder's", () => {
    const own = echoes(0, 300, (millis) => millis > 100 && millis < 175);
    expect(takerFigure("killed", { echoes: own, decidedAt: at(175), takenAt: at(176) }).silenceMicros).toBe(75_800);
  });

  it("says how far apart its probes were", () => {
    const late = [...echoes(0, 10), ...echoes(40, 10)];
    expect(takerFigure("killed", { echoes: late, decidedAt: at(60), takenAt: at(61) })).toMatchObject({
      sent: 20,
      pauseMicros: 31_000,
    });
  });

  it("knows nothing when it never took over", () => {
    const figure = takerFigure("killed", { echoes: echoes(0, 10), decidedAt: undefined, takenAt: undefined });
    expect(figure).toEqual({ silenceMicros: null, sent: 0, lost: 0, pauseMicros: 0 });
  });
});

describe("both boxes together", () => {
  const gave: VipFigure = {
    group: "edge",
    address: "10.1.0.1",
    side: "gave",
    silenceMicros: 200,
    sent: 500,
    lost: 1,
    pauseMicros: 3_000,
  };
  const took: VipFigure = { ...gave, side: "took", silenceMicros: 40_000, sent: 300, lost: 2, pauseMicros: 5_000 };
  const sum = { group: "edge", address: "10.1.0.1", sent: 800, lost: 3, pauseMicros: 5_000 };

  it("time a planned hand-over by the box that gave", () => {
    expect(together("planned", "a", [gave], [took])).toEqual([{ ...sum, from: "a", silenceMicros: 200 }]);
    expect(together("planned", "b", [took], [gave])).toEqual([{ ...sum, from: "a", silenceMicros: 200 }]);
  });

  it("time a death by the box that took", () => {
    expect(together("killed", "a", [gave], [took])).toEqual([{ ...sum, from: "a", silenceMicros: 40_000 }]);
  });

  it("say of a VIP that only one of them speaks of what that one knows", () => {
    const alone = { ...sum, from: "a", sent: 500, lost: 1, pauseMicros: 3_000 };
    expect(together("planned", "a", [gave], [])).toEqual([{ ...alone, silenceMicros: 200 }]);
    expect(together("killed", "a", [gave], [{ ...took, address: "10.1.0.9" }])).toEqual([
      { ...alone, silenceMicros: null },
    ]);
    expect(together("killed", "a", [gave], [{ ...took, side: "gave" }])).toEqual([{ ...alone, silenceMicros: null }]);
  });
});
