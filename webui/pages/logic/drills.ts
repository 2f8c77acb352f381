/** What a drill came to, in few figures. */
import type { DrillResult } from "@futago/firmware/runtime/control-drill.ts";

export interface DrillFigures {
  /** Of any VIP; null: none was seen to change hands. */
  readonly longestMicros: number | null;
  readonly lost: number;
}

export function figuresOf({ vips }: Pick<DrillResult, "vips">): DrillFigures {
  const silences = vips.flatMap(({ silenceMicros }) => (silenceMicros === null ? [] : [silenceMicros]));
  return {
    longestMicros: silences.length === 0 ? null : Math.max(...silences),
    lost: vips.reduce((sum, vip) => sum + vip.lost, 0),
  };
}

/** The oldest first, as a chart wants them. */
export function byTime(results: readonly DrillResult[]): readonly DrillResult[] {
  return results.toSorted((one, other) => Date.parse(one.at) - Date.parse(other.at));
}
