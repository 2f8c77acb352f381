/** The thread in which a large configuration is judged: one document, then it ends. */
import { parentPort, workerData } from "node:worker_threads";
import type { ResolvedPool } from "../../config/resolved.ts";
import { type Brief, type Finding, judge } from "./judge.ts";

if (parentPort === null) throw new Error("the thread that judges runs as a worker thread only");
const port = parentPort;
const say = (finding: Finding): void => port.postMessage(finding);

/** Backends in a message: a few milliseconds of work for whoever reads it. */
const BACKENDS_AT_A_TIME = 1_000;

const { input, context } = workerData as Brief;
const judged = judge(input, context, ({ pools, ...rest }) => {
  for (const some of slices(pools)) say({ kind: "pools", pools: some });
  say({ kind: "resolved", rest });
});
if (judged.ok) say({ kind: "done", verdict: { ok: true, text: judged.text, warnings: judged.warnings } });
else say({ kind: "done", verdict: judged });

function* slices(pools: readonly ResolvedPool[]): Iterable<readonly ResolvedPool[]> {
  let slice: ResolvedPool[] = [];
  let backends = 0;
  for (const pool of pools) {
    slice.push(pool);
    backends += pool.backends.length;
    if (backends < BACKENDS_AT_A_TIME) continue;
    yield slice;
    slice = [];
    backends = 0;
  }
  yield slice;
}
