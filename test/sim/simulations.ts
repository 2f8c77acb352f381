/** What can be simulated, and many seeds of it on all processors. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { simulateCommits } from "./commit/run.ts";
import { simulate } from "./run.ts";

export interface Verdict {
  readonly seed: number;
  /** Empty when every rule held. */
  readonly broken: readonly string[];
  readonly trace: readonly string[];
}

export const SIMULATIONS = { roles: simulate, commits: simulateCommits } as const satisfies Readonly<
  Record<string, (seed: number, keepTrace?: boolean) => Verdict>
>;
export type Subject = keyof typeof SIMULATIONS;

const WORKERS = Math.max(1, Math.min(availableParallelism(), 4));

/** "seed N: the rules that it broke", of seeds from 1 on. */
export async function brokenAmong(subject: Subject, seeds: number): Promise<readonly string[]> {
  const share = Math.ceil(seeds / WORKERS);
  const runs = Array.from({ length: WORKERS }, (_, i) => simulateInWorker(subject, 1 + i * share, share));
  const broken = (await Promise.all(runs)).flat();
  return broken.map(({ seed, broken: rules }) => `seed ${seed}: ${rules.join("; ")}`);
}

function simulateInWorker(subject: Subject, from: number, count: number): Promise<Verdict[]> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: { subject, from, count } });
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}
