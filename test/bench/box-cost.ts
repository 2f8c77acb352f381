/** What a settled pair costs: memory of a whole box, and how soon a box is ready. */
import { summedPssKilobytes } from "../lab/processes.ts";
import { type Box, BOXES } from "../lab/topology.ts";
import type { Contender } from "./contender.ts";
import { Pair } from "./pair.ts";

export interface BoxMemory {
  readonly box: Box;
  readonly role: "active" | "standby";
  readonly processes: number;
  readonly pssMegabytes: number;
}

/** Summed proportional set size of all processes of each box. */
export async function memoryOf(contender: Contender): Promise<readonly BoxMemory[]> {
  const pair = await Pair.start(contender);
  try {
    const active = await pair.active();
    return BOXES.map((box) => {
      const pids = pair.pids(box);
      const role = box === active ? "active" : "standby";
      return { box, role, processes: pids.length, pssMegabytes: summedPssKilobytes(pids) / 1_024 };
    });
  } finally {
    await pair.destroy();
  }
}
