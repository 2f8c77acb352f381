import { expect, it } from "vitest";
import { judged } from "./target.ts";

it("says in words whether a ratio is small enough, the bound included", () => {
  expect(judged(0.18, { atMost: 0.2, of: "nftables" })).toBe("0.18, ≤ 0.20 of nftables: met");
  expect(judged(0.2, { atMost: 0.2, of: "nftables" })).toBe("0.20, ≤ 0.20 of nftables: met");
  expect(judged(0.234, { atMost: 0.2, of: "nftables" })).toBe("0.23, ≤ 0.20 of nftables: missed");
});

it("says in words whether a ratio is great enough, the bound included", () => {
  expect(judged(1.04, { atLeast: 0.9, of: "nftables" })).toBe("1.04, ≥ 0.90 of nftables: met");
  expect(judged(0.9, { atLeast: 0.9, of: "nftables" })).toBe("0.90, ≥ 0.90 of nftables: met");
  expect(judged(0.88, { atLeast: 0.9, of: "nftables" })).toBe("0.88, ≥ 0.90 of nftables: missed");
});

it("does not judge what was not measured", () => {
  expect(judged(undefined, { atMost: 0.2, of: "routing" })).toBe("≤ 0.20 of routing: not measured");
  expect(judged(1 / 0, { atMost: 0.2, of: "routing" })).toBe("≤ 0.20 of routing: not measured");
});
