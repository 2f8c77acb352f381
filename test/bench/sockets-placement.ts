/** Which processors the two ends and the box of the row `sockets` may use. */
import { cpus } from "node:os";

export interface Placement {
  readonly name: string;
  /** Undefined: any. */
  readonly ends: number | undefined;
  readonly box: number | undefined;
}

export const PLACEMENTS: readonly Placement[] = [
  { name: "both ends on one processor, the box on another", ends: 0, box: 1 },
  { name: "ends and box on any processor", ends: undefined, box: undefined },
];

export function processorsOf(processor: number | undefined): number {
  return processor === undefined ? cpus().length : 1;
}

/** The command, kept there. */
export function onProcessors(processor: number | undefined, argv: readonly string[]): readonly string[] {
  return processor === undefined ? argv : ["taskset", "-c", String(processor), ...argv];
}
