/**
 * npm run sim -- [--seed N] [--trace] [--seeds COUNT] [--from N]
 *
 * With --seed: one run, with --trace a line per event. Without: COUNT seeds (10,000) from N (1).
 */
import { parseArgs } from "node:util";
import { simulate } from "./run.ts";

const LEGEND = `time since the start, box, what happened; "answering: a-" means that a answers for the VIP and b does not
`;

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
    seeds: { type: "string", default: "10000" },
    from: { type: "string", default: "1" },
  },
});

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
