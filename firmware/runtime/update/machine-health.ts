/** What systemd and the device mapper say of the machine, by their own programs. */
import { execFile } from "node:child_process";
import type { MachineHealth } from "./protocol.ts";

const MILLIS_MAX = 20_000;
const UNITS_MAX = 20;

export async function machineHealth(): Promise<MachineHealth> {
  const [units, targets] = await Promise.all([
    said("systemctl", ["list-units", "--state=failed", "--plain", "--no-legend", "--no-pager"]),
    said("dmsetup", ["status", "--target", "verity"]),
  ]);
  return { verity: verityOf(targets), failedUnits: unitsOf(units) };
}

/** "root: 0 524288 verity V": V is verified so far, C is corrupted. */
export function verityOf(text: string): MachineHealth["verity"] {
  const states = Array.from(text.matchAll(/\bverity ([VC])\b/g), ([, state]) => state);
  if (states.includes("C")) return "corrupt";
  return states.length === 0 ? "unknown" : "good";
}

export function unitsOf(text: string): readonly string[] {
  const names = text.split("\n").map((line) => /^\s*(?:●\s*)?(\S+)/.exec(line)?.[1] ?? "");
  return names.filter((name) => name !== "").slice(0, UNITS_MAX);
}

/** Nothing where there is no such program: what it does not tell is unknown. */
function said(program: string, words: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(program, words, { timeout: MILLIS_MAX, env: { ...process.env, LC_ALL: "C" } }, (_, out) => resolve(out));
  });
}
