import { expect, it } from "vitest";
import type { DrillResult } from "../../../pair/drill/types.ts";
import { KeptDrills } from "./kept-drills.ts";

function settings() {
  const kept = new Map<string, string>();
  return {
    setting: async (key: string) => kept.get(key),
    putSetting: async (key: string, value: string | undefined) => void kept.set(key, value ?? ""),
  };
}

const vip = { group: "edge", from: "a", sent: 800, pauseMicros: 1_000 } as const;
const result = (minute: number, change: Partial<DrillResult> = {}): DrillResult => ({
  id: minute.toString(16).padStart(16, "0"),
  how: "planned",
  at: new Date(minute * 60_000).toISOString(),
  by: "alice",
  revision: "ab".repeat(32),
  tookMillis: 1,
  vips: [
    { ...vip, address: "10.1.0.1", silenceMicros: 200, lost: 1 },
    { ...vip, address: "10.2.0.1", silenceMicros: 900, lost: 2 },
  ],
  connections: { before: 0, after: 0 },
  allowed: { silenceMicros: 100_000, lost: 0 },
  worse: [],
  back: "stayed",
  boxes: { a: { hostname: "", version: "" }, b: { hostname: "", version: "" } },
  ...change,
});

it("keeps each result once, the newest first, over a restart", async () => {
  const store = settings();
  const kept = await KeptDrills.load(store);
  expect(kept.last).toBeNull();
  for (const minute of [1, 3, 2, 3]) await kept.keep(result(minute));
  expect((await KeptDrills.load(store)).results).toEqual([result(3), result(2), result(1)]);
});

it("keeps fifty of them", async () => {
  const kept = await KeptDrills.load(settings());
  for (let minute = 1; minute <= 60; minute++) await kept.keep(result(minute));
  expect(kept.results).toHaveLength(50);
  expect(kept.results.at(-1)).toEqual(result(11));
});

it("says what the newest one came to, and which one proved the fail-over", async () => {
  const kept = await KeptDrills.load(settings());
  await kept.keep(result(1));
  expect(kept.last).toMatchObject({ passed: true, lost: 3, silenceMicros: 900, provenAt: result(1).at, provenLost: 3 });
  await kept.keep(result(2, { worse: ["10.1.0.1 was not seen to change hands"], vips: [] }));
  expect(kept.last).toMatchObject({ passed: false, at: result(2).at, silenceMicros: null, provenAt: result(1).at });
});
