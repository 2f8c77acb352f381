/** What the console menu offers, and why something of it cannot be done now. Pure. */
import type { Facts } from "./facts.ts";

export type EntryName =
  | "status"
  | "interfaces"
  | "why"
  | "switchover"
  | "spare"
  | "pair"
  | "password"
  | "rollback"
  | "slot"
  | "restore"
  | "reset"
  | "shell"
  | "leave";

export interface Entry {
  readonly name: EntryName;
  /** The key that chooses it. */
  readonly key: string;
  readonly title: string;
}

export const ENTRIES: readonly Entry[] = [
  { name: "status", key: "1", title: "Status" },
  { name: "interfaces", key: "2", title: "Interfaces and addresses" },
  { name: "why", key: "3", title: "Who is active, and why" },
  { name: "switchover", key: "4", title: "Switch over" },
  { name: "spare", key: "5", title: "Activate the spare" },
  { name: "pair", key: "6", title: "Pair with the other box" },
  { name: "password", key: "7", title: "Reset the password" },
  { name: "rollback", key: "8", title: "Roll back the configuration" },
  { name: "slot", key: "9", title: "Boot the other slot" },
  { name: "restore", key: "r", title: "Restore a backup file" },
  { name: "reset", key: "f", title: "Factory reset" },
  { name: "shell", key: "s", title: "Shell" },
  { name: "leave", key: "q", title: "Leave" },
];

const NOT_BUILT = "not in this version";

/** Why it cannot be done now; undefined when it can. */
export function hindrance(name: EntryName, facts: Facts): string | undefined {
  switch (name) {
    case "shell":
    case "leave":
      return undefined;
    case "password":
      return "there is no web UI yet that asks for one";
    case "slot":
      return "there is one system only";
    case "reset":
      return NOT_BUILT;
    case "restore":
      return facts.verbs.includes("restore") ? undefined : NOT_BUILT;
    case "pair":
      return facts.verbs.includes("pair") ? facts.trouble : NOT_BUILT;
    case "spare":
      if (!facts.verbs.includes("spare")) return NOT_BUILT;
      return facts.trouble ?? (facts.role === "spare" ? undefined : "this box is not the spare");
    case "switchover":
      if (facts.trouble !== undefined) return facts.trouble;
      if (facts.peer === null) return "this box is alone";
      return facts.peer.alive ? undefined : "the peer is not heard";
    case "interfaces":
      return facts.trouble ?? (facts.interfaces.length === 0 ? "there is no configuration" : undefined);
    case "rollback":
      return facts.trouble ?? (facts.revisions.length < 2 ? "there is no older one" : undefined);
    case "status":
    case "why":
      return facts.trouble;
  }
}
