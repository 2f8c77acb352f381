import { describe, expect, it } from "vitest";
import { simulateCommits } from "./commit/run.ts";
import { simulate } from "./run.ts";
import commitSeeds from "./seeds/commits.json" with { type: "json" };
import seeds from "./seeds/seeds.json" with { type: "json" };
import { brokenAmong } from "./simulations.ts";

const SEEDS = Number(process.env["FUTAGO_SIM_SEEDS"] ?? 10_000);

describe("a simulated pair", () => {
  it("gives the same run for the same seed", () => {
    const first = simulate(4, true);
    const second = simulate(4, true);
    expect(first.trace.length).toBeGreaterThan(5);
    expect(second.trace).toEqual(first.trace);
  });

  it.each(seeds)("holds the rules for seed $seed: $story", ({ seed }) => {
    expect(simulate(seed).broken).toEqual([]);
  });

  it(`never has two actives while a path works and ends with one, over ${SEEDS} seeds`, {
    timeout: 600_000,
  }, async () => {
    expect(await brokenAmong("roles", SEEDS)).toEqual([]);
  });
});

describe("simulated commits", () => {
  it("give the same run for the same seed", () => {
    const first = simulateCommits(5, true);
    expect(first.trace.length).toBeGreaterThan(20);
    expect(simulateCommits(5, true).trace).toEqual(first.trace);
  });

  it.each(commitSeeds)("hold the rules for seed $seed: $story", ({ seed, wide }) => {
    expect(simulateCommits(seed, false, wide).broken).toEqual([]);
  });

  it(`lose no acknowledged revision and end with one configuration on both boxes, over ${SEEDS} seeds`, {
    timeout: 600_000,
  }, async () => {
    expect(await brokenAmong("commits", SEEDS)).toEqual([]);
  });
});
