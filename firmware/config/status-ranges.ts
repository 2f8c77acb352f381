import type { StatusRange } from "./resolved.ts";

const rangesMax = 32;

/** "200-399,404" as ranges; undefined for anything else. Status codes are 100 to 599 (RFC 9110 §15). */
export function parseStatusRanges(text: string): readonly StatusRange[] | undefined {
  const ranges: StatusRange[] = [];
  for (const part of text.split(",", rangesMax + 1)) {
    const match = /^\s*([1-5][0-9]{2})\s*(?:-\s*([1-5][0-9]{2})\s*)?$/.exec(part);
    if (match === null || ranges.length === rangesMax) return undefined;
    const from = Number(match[1]);
    const to = Number(match[2] ?? match[1]);
    if (to < from) return undefined;
    ranges.push({ from, to });
  }
  return ranges;
}
