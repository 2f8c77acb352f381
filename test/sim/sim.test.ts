import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { simulate, type Verdict } from "./run.ts";
import seeds from "./seeds/seeds.json" with { type: "json" };

const SEEDS = Number(process.env["FUTAGO_SIM_SEEDS"] ?? 10_000);
const WORKERS = Math.max(1, Math.min(availableParallelism(), 4));

function simulateInWorker(from: number, count: number): Promise<Verdict[]> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: { from, count } });
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

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
    const share = Math.ceil(SEEDS / WORKERS);
    const runs = Array.from({ length: WORKERS }, (_, i) => simulateInWorker(1 + i * share, share));
    const broken = (await Promise.all(runs)).flat();
    expect(broken.map(({ seed, broken: rules }) => `seed ${seed}: ${rules.join("; ")}`)).toEqual([]);
  });
});
