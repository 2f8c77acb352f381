import { expect, it } from "vitest";
import { localTime } from "./local-time.ts";

it("is the box's own time, to the second, and nothing for what is no time", () => {
  // Without a zone it is local already.
  expect(localTime("2026-01-05T02:03:04.567")).toBe("2026-01-05 02:03:04");
  expect(localTime("2026-01-05T02:03:04Z")).toMatch(/^2026-01-0[456] \d\d:\d\d:04$/);
  expect(localTime("soon")).toBeUndefined();
});
