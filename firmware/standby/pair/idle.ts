/** What a group is on a box that does not hold it, and why. */
import type { GroupMemory, PairConfig, PairState, RoleState } from "./types.ts";

export function idleRole(config: PairConfig, state: PairState): RoleState {
  if (state.maintenance) return "maintenance";
  if (config.spare) return "spare";
  return state.booting ? "initialize" : "standby";
}

export function idleReason(config: PairConfig, state: PairState, memory: GroupMemory): string {
  if (state.maintenance) return "maintenance was switched on";
  if (memory.state === "maintenance") return "maintenance was switched off";
  if (config.spare) return "this box is the spare of a cold pair";
  if (memory.state === "spare") return "this box is the spare no longer";
  return state.snapshot?.peerAlive === true ? "the peer was met" : "the boot time is over";
}
