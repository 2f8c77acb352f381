/** What the machine's processors did since it booted, and how much of their time a hypervisor gave to others. */
import { readFileSync } from "node:fs";

export interface CpuTimes {
  /** In ticks, of all processors together. */
  readonly stolen: number;
  readonly all: number;
}

/** user, nice, system, idle, iowait, irq, softirq, steal; what guests use is part of user. */
const FIELDS = 8;

/** @see proc_stat(5) */
export function parseCpuTimes(text: string): CpuTimes | undefined {
  const line = text.slice(0, text.indexOf("\n"));
  const ticks = /^cpu +(.*)$/.exec(line)?.[1]?.split(" ").slice(0, FIELDS).map(Number) ?? [];
  const stolen = ticks[FIELDS - 1];
  if (stolen === undefined || !ticks.every((one) => Number.isFinite(one))) return undefined;
  return { stolen, all: ticks.reduce((sum, one) => sum + one, 0) };
}

/** Undefined where the kernel does not tell. */
export function readCpuTimes(): CpuTimes | undefined {
  try {
    return parseCpuTimes(readFileSync("/proc/stat", "utf8"));
  } catch {
    // Without proc there is nothing to record; the heartbeats do not depend on it.
    return undefined;
  }
}
