/** Which software the two boxes of a ceremony run. Pure. */
import type { Role } from "./secrets.ts";

export interface Version {
  /** Of the ceremony: only boxes that speak the same can hold one. */
  readonly protocol: number;
  /** Empty where a box of another protocol did not say it readably. */
  readonly release: string;
}

export interface Versions {
  readonly here: Version;
  readonly there: Version;
}

/** The release that the box which joins would have to take, to run what the pair runs; undefined when it does already. */
export function releaseToTake(role: Role, { here, there }: Versions): string | undefined {
  if (here.release === there.release) return undefined;
  return role === "inviter" ? here.release : there.release;
}
