import { afterEach, expect, it } from "vitest";
import { parseDrillTimes } from "../../../config/drill-times.ts";
import type { Resolved } from "../../../config/resolved.ts";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import { DrillTimer } from "./drill-timer.ts";

/** A Sunday. */
const due = Date.parse("2026-01-04T04:00:05.000Z");
const minute = 60_000;
const week = 7 * 24 * 60 * minute;

let timer: DrillTimer;
let begun = 0;
let skipped: string[] = [];

function timerOf(box: "a" | "b", linked: boolean, refusal?: string): DrillTimer {
  begun = 0;
  skipped = [];
  const config = { pair: { drill: parseDrillTimes("Sun 04:00") }, system: { timezone: undefined } };
  timer = new DrillTimer({
    box,
    config: () => config as unknown as Resolved,
    linked: () => linked,
    begin: async () => {
      if (refusal !== undefined) throw new RefusalError({ exitCode: ExitCode.conflict, what: refusal });
      begun += 1;
    },
    skipped: (sentence) => void skipped.push(sentence),
  });
  return timer;
}

afterEach(() => timer.close());

it("begins a drill once when it is due, and again a week later", async () => {
  const one = timerOf("a", true);
  await one.look(due - minute);
  expect(begun).toBe(0);
  for (const at of [due, due + 15_000, due + minute, due + week]) await one.look(at);
  expect(begun).toBe(2);
  expect(one.schedule).toBe("Sun 04:00 (UTC)");
});

it("leaves it to box a while that one is there", async () => {
  await timerOf("b", true).look(due);
  expect([begun, skipped]).toEqual([0, []]);
});

it("says of a drill that could not be made why", async () => {
  await timerOf("a", true, "the pair is not whole").look(due);
  expect(skipped).toEqual([
    "the drill of Sun 04:00 (UTC) was not made: the pair is not whole; `futago drill` makes it up",
  ]);
  await timerOf("b", false, "the peer is not there").look(due);
  expect(skipped[0]).toContain("the peer is not there");
});
