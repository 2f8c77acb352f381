/**
 * npm run sim -- [--commits] [--seed N] [--trace] [--seeds COUNT] [--from N]
 *
 * Who is active; with --commits who holds which configuration. With --seed: one run, with --trace a line per event.
 * Without: COUNT seeds (10,000) from N (1).
 */
import { parseArgs } from "node:util";
import { SIMULATIONS } from "./simulations.ts";

const LEGEND = `time since the start, box, what happened; "answering: a-" means that a answers for the VIP and b does not,
"a → b" a message; revisions by the first six digits of their ids
`;

const { values } = parseArgs({
  options: {
    commits: { type: "boolean", default: false },
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
    seeds: { type: "string", default: "10000" },
    from: { type: "string", default: "1" },
  },
});

const simulate = values.commits ? SIMULATIONS.commits : SIMULATIONS.roles;
if (values.seed !== undefined) {
  const verdict = simulate(Number(values.seed), values.trace);
  if (values.trace) process.stdout.write(`${LEGEND}${verdict.trace.join("\n")}\n`);
  process.stdout.write(verdict.broken.length === 0 ? "every rule held\n" : `${verdict.broken.join("\n")}\n`);
  process.exitCode = verdict.broken.length === 0 ? 0 : 1;
} else {
  const from = Number(values.from);
  const count = Number(values.seeds);
  let failed = 0;
  for (let seed = from; seed < from + count; seed++) {
    const verdict = simulate(seed);
    if (verdict.broken.length === 0) continue;
    failed += 1;
    process.stdout.write(`seed ${seed}: ${verdict.broken.join("; ")}\n`);
  }
  process.stdout.write(`${count} seeds, ${failed} with a broken rule\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}
