import type { DrillResult } from "@futago/firmware/runtime/control-drill.ts";
import { describe, expect, it } from "vitest";
import { drillAgreement, type Seen } from "./drill-agreement.ts";

const vip = { address: "10.1.0.1", silenceMicros: 70_000 as number | null, sent: 400, lost: 0, pauseMicros: 2_000 };
const drill = (how: "planned" | "killed", ...vips: readonly (typeof vip)[]) =>
  ({ how, vips }) as unknown as DrillResult;
const nothing: Seen = { lost: 0, isExcused: true, silence: undefined };

describe("a planned drill", () => {
  it.each<[string, boolean, number, Partial<Seen>]>([
    ["lost nothing, and neither did the client", true, 0, {}],
    ["lost one, and the client none", false, 1, {}],
    ["lost nothing, and the client two", false, 0, { lost: 2, isExcused: false }],
    ["lost nothing, and the client two while the machine stood still", true, 0, { lost: 2 }],
    ["lost as many as the client, while nothing stood still", false, 2, { lost: 2, isExcused: false }],
  ])("that %s: %s", (_name, holds, lost, seen) => {
    expect(drillAgreement(drill("planned", vip, { ...vip, lost }), { ...nothing, ...seen }).holds).toBe(holds);
  });

  it("that sent no probe shows nothing", () => {
    expect(drillAgreement(drill("planned", { ...vip, sent: 0 }), nothing).holds).toBe(false);
    expect(drillAgreement(drill("planned"), nothing).holds).toBe(false);
  });
});

describe("a drill by killing", () => {
  const silence = (micros: number, stallMicros = 0) => ({ ...nothing, lost: 70, silence: { micros, stallMicros } });

  // Two ends of 3 ms and a pause of 2 ms: within 8 ms.
  it.each<[number, number, boolean]>([
    [70_000, 0, true],
    [62_000, 0, true],
    [78_000, 0, true],
    [78_001, 0, false],
    [61_999, 0, false],
    [81_000, 3_000, true],
    [81_001, 3_000, false],
  ])("of 70 ms beside a client that saw %i us, with a stall of %i us: %s", (micros, stall, holds) => {
    expect(drillAgreement(drill("killed", vip), silence(micros, stall)).holds).toBe(holds);
  });

  it("must agree on each VIP, and know how long it was silent", () => {
    const other = { ...vip, address: "10.2.0.1" };
    expect(drillAgreement(drill("killed", vip, { ...other, silenceMicros: 40_000 }), silence(70_000)).holds).toBe(
      false,
    );
    expect(drillAgreement(drill("killed", vip, { ...other, silenceMicros: null }), silence(70_000))).toEqual({
      holds: false,
      seen: "the client saw 70 ms; the drill 10.1.0.1 70 ms within 8.0 ms, 10.2.0.1 not known within 8.0 ms",
    });
  });

  it("shows nothing beside a client that saw no silence, or of no VIP", () => {
    expect(drillAgreement(drill("killed", vip), nothing).holds).toBe(false);
    expect(drillAgreement(drill("killed"), silence(70_000)).holds).toBe(false);
  });
});
