/** Gives numbers to things that come and go, so that who stays keeps its number. */

/**
 * A number below `max` for each key: the one it had, else the lowest that nobody has or just had. Numbers just given
 * up are used last, so that a flow that still names one does not soon meet a stranger. There are at most `max` keys.
 */
export function assign(keys: readonly string[], known: ReadonlyMap<string, number>, max: number): readonly number[] {
  const wanted = new Set(keys);
  const held = new Map([...known].filter(([key, number]) => wanted.has(key) && number < max));
  const taken = new Set(held.values());
  const leaving = new Set([...known.values()].filter((number) => number < max && !taken.has(number)));
  const spare = spareNumbers(taken, leaving, max);
  return keys.map((key) => held.get(key) ?? spare.next().value ?? 0);
}

function* spareNumbers(taken: ReadonlySet<number>, leaving: ReadonlySet<number>, max: number): Generator<number> {
  for (let number = 0; number < max; number++) if (!taken.has(number) && !leaving.has(number)) yield number;
  yield* leaving;
}
