/** A ratio beside what it is to be at most, in plain words. */

export interface Target {
  /** Of the peer that it names. */
  readonly atMost: number;
  readonly of: string;
}

/** Such as "0.18, ≤ 0.20 of nftables: met". */
export function judged(ratio: number | undefined, { atMost, of }: Target): string {
  const bound = `≤ ${atMost.toFixed(2)} of ${of}`;
  if (ratio === undefined || !Number.isFinite(ratio)) return `${bound}: not measured`;
  return `${ratio.toFixed(2)}, ${bound}: ${ratio <= atMost ? "met" : "missed"}`;
}
