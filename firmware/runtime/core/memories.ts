/** What a core reads at its start and keeps: people's orders that outlast it, and what it was started from. */
import { systemShown } from "../machine-system.ts";
import type { Configuration } from "./configuration.ts";
import type { Parts } from "./core-options.ts";
import { Drains } from "./control/drains.ts";
import { KeptDrills } from "./drill/kept-drills.ts";
import { Maintenance } from "./maintenance.ts";
import { ActivationMemory } from "./spare/activation-memory.ts";

export type Memories = Pick<Parts, "maintenance" | "drains" | "memory" | "kept" | "system">;

export async function loadMemories(configuration: Configuration): Promise<Memories> {
  const [maintenance, drains, memory, kept] = await Promise.all([
    Maintenance.load(configuration),
    Drains.load(configuration),
    ActivationMemory.load(configuration),
    KeptDrills.load(configuration),
  ]);
  return { maintenance, drains, memory, kept, system: systemShown() };
}
