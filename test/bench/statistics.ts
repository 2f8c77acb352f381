/** Median, 95th percentile and worst of a few measurements. */

export interface Distribution {
  readonly count: number;
  readonly median: number;
  readonly p95: number;
  readonly worst: number;
}

/** Undefined for no measurements. Percentiles by nearest rank: each is a value that was measured. */
export function distribution(values: readonly number[]): Distribution | undefined {
  const sorted = values.toSorted((one, other) => one - other);
  const worst = sorted.at(-1);
  if (worst === undefined) return undefined;
  const rank = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? worst;
  return { count: sorted.length, median: rank(0.5), p95: rank(0.95), worst };
}
