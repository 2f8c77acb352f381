/** Reads who serves, from the disk or from the peer: a value of any shape becomes an activation or nothing. */
import type { Activation } from "./types.ts";

/** Half of what can be told apart: a peer must not be able to make every later decision of ours an old one. */
const EPOCH_MAX = 2 ** 52;
const ACTIVE: readonly unknown[] = ["a", "b", "nobody", "undecided"] satisfies readonly Activation["active"][];

export function readActivation(value: unknown, epochMax = EPOCH_MAX): Activation | undefined {
  if (typeof value !== "object" || value === null || Object.keys(value).length !== 2) return undefined;
  const { epoch, active } = value as Readonly<Record<string, unknown>>;
  if (typeof epoch !== "number" || !Number.isInteger(epoch) || epoch < 0 || epoch > epochMax) return undefined;
  return ACTIVE.includes(active) ? { epoch, active: active as Activation["active"] } : undefined;
}

/** As it is kept on the disk, and in a backup file. Never throws. */
export function parseActivation(text: string): Activation | undefined {
  try {
    return readActivation(JSON.parse(text), Number.MAX_SAFE_INTEGER);
  } catch {
    return undefined;
  }
}
