/** A ratio beside what it is to be at most, or at least, in plain words. */

export type Target = ({ readonly atMost: number } | { readonly atLeast: number }) & {
  /** The peer that it names. */
  readonly of: string;
};

/** Such as "0.18, ≤ 0.20 of nftables: met". */
export function judged(ratio: number | undefined, target: Target): string {
  const limit = "atMost" in target ? target.atMost : target.atLeast;
  const bound = `${"atMost" in target ? "≤" : "≥"} ${limit.toFixed(2)} of ${target.of}`;
  if (ratio === undefined || !Number.isFinite(ratio)) return `${bound}: not measured`;
  const met = "atMost" in target ? ratio <= limit : ratio >= limit;
  return `${ratio.toFixed(2)}, ${bound}: ${met ? "met" : "missed"}`;
}
