import { expect, test } from "vitest";
import { judgeSilence, type Silence } from "./signs-of-life.ts";

const MINUTE = 60_000;
const silent = (sentinel: number, core: number, web: number): readonly Silence[] => [
  { name: "sentinel", millis: sentinel },
  { name: "core", millis: core },
  { name: "web", millis: web },
];

test.each<[string, readonly Silence[], readonly string[], string | undefined]>([
  ["all answer", silent(5_000, 5_000, 5_000), [], undefined],
  ["a busy core", silent(0, 30_000, 0), [], undefined],
  ["a core that hangs is started again alone", silent(0, 30_001, 0), ["core"], undefined],
  ["web process and core hang", silent(0, 30_001, 30_001), ["core", "web"], undefined],
  ["a core that cannot be killed", silent(0, 45_001, 0), ["core"], "core"],
  ["a web process that cannot be killed is not the box", silent(0, 0, 90_000), ["web"], undefined],
  ["a sentinel that hangs is the hardware's to end", silent(15_001, 0, 0), [], "sentinel"],
  ["everything hangs", silent(90_000, 90_000, 90_000), ["core", "web"], "sentinel"],
])("%s", (_, children, kill, missed) => expect(judgeSilence(children, MINUTE)).toEqual({ kill, missed }));
