import type { StatusRange } from "../config/resolved.ts";

/** Whether the status code lies in one of the ranges. */
export function statusExpected(ranges: readonly StatusRange[], status: number): boolean {
  return ranges.some(({ from, to }) => status >= from && status <= to);
}

/** The ranges as the configuration writes them: "200-399,404". */
export function formatStatusRanges(ranges: readonly StatusRange[]): string {
  return ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(",");
}
