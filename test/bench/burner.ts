/**
 * Keeps one thread busy for a bounded time, so that the machine is overloaded and recovers by itself.
 *
 *   node burner.ts SECONDS
 */
const until = performance.now() + Number(process.argv[2]) * 1_000;
let spun = 0;
while (performance.now() < until) spun += 1;
process.exitCode = spun > 0 ? 0 : 1;
