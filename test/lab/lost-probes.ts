/** Whose fault a lost probe is: the pair's, or a machine's that stood still for longer than a lease bears. */

/** Echoes in a row that nobody answered, or a time in which a CPU ran nobody; microseconds of CLOCK_MONOTONIC. */
interface Span {
  readonly start: number;
  readonly end: number;
}

export interface LostRun extends Span {
  readonly count: number;
  /** Lost since the prober began, up to the last of these. */
  readonly total: number;
}

/** The pair's dead time at a moment, in microseconds. */
type DeadAt = (at: number) => number;

/**
 * Both boxes of the lab share one machine: where it stands still longer than the pair's own bound for lateness, a third
 * of the dead time that was in force then, a lease runs out by right. Losses right after such a stall are its, as long
 * as they last no longer than the stalls beside them and a dead time; and only if the newest of all `lost` is among them.
 */
export function areOfTheMachine(
  lost: number,
  runs: readonly LostRun[],
  stalls: readonly Span[],
  deadAt: DeadAt,
): boolean {
  return (runs.at(-1)?.total ?? 0) >= lost && runs.every((run) => isOfTheMachine(run, stalls, deadAt(run.start)));
}

function isOfTheMachine(run: LostRun, stalls: readonly Span[], deadMicros: number): boolean {
  const lengths = stallsBeside(run, stalls, deadMicros).map(({ start, end }) => end - start);
  const stood = lengths.reduce((sum, length) => sum + length, 0);
  return Math.max(0, ...lengths) > deadMicros / 3 && run.end - run.start <= stood + deadMicros;
}

function stallsBeside(run: LostRun, stalls: readonly Span[], deadMicros: number): readonly Span[] {
  return stalls.filter((stall) => stall.end >= run.start - deadMicros && stall.start <= run.end);
}

/** As in "3 lost in a row beside stalls of 48 ms, 12 ms". */
export function lossSentence(run: LostRun, stalls: readonly Span[], deadAt: DeadAt): string {
  const beside = stallsBeside(run, stalls, deadAt(run.start)).map(
    ({ start, end }) => `${Math.round((end - start) / 1_000)} ms`,
  );
  const row = run.count === 1 ? "1 lost" : `${run.count} lost in a row`;
  return beside.length === 0 ? `${row} while the machine ran` : `${row} beside stalls of ${beside.join(", ")}`;
}
