/** Who coordinates a change, and what part the other box takes in it. */
import { relationOf } from "./catch-up.ts";
import type { CommitConfig, CommitState, PeerShare } from "./types.ts";

/** Whose business a change is. */
export function coordinator({ box }: CommitConfig, state: CommitState): "here" | "peer" | "nobody" {
  const { active, peerAlive, link } = state;
  if (active) return "here";
  if (link === undefined) return peerAlive ? "nobody" : "here";
  if (link.theirs === undefined) return "nobody";
  if (link.theirs.active) return "peer";
  return box === "a" ? "here" : "peer";
}

/** What part the peer would take in a commit now; undefined while that is about to be known. */
export function share(config: CommitConfig, state: CommitState): PeerShare | undefined {
  const { link, peerAlive } = state;
  if (config.box === undefined) return "none";
  if (link === undefined) return peerAlive ? undefined : "away";
  if (state.head !== undefined && link.theirs?.cannot === state.head.id) return "behind";
  switch (relationOf(config, state, link)) {
    case "same":
      return "inForce";
    case "unknown":
    case "ahead":
    case "behind":
    case "winsOver":
    case "losesTo":
      return undefined;
  }
}
