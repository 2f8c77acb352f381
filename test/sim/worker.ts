/** Simulates a range of seeds on a thread of its own and answers with the verdicts that broke a rule. */
import { parentPort, workerData } from "node:worker_threads";
import { SIMULATIONS, type Subject, type Verdict } from "./simulations.ts";

const { subject, from, count } = workerData as {
  readonly subject: Subject;
  readonly from: number;
  readonly count: number;
};
const broken: Verdict[] = [];
for (let seed = from; seed < from + count; seed++) {
  const verdict = SIMULATIONS[subject](seed);
  if (verdict.broken.length > 0) broken.push(verdict);
}
parentPort?.postMessage(broken);
