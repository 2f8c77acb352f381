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
  | "confirm"
  | "maintenance"
  | "restore"
  | "reset"
  | "power"
  | "shell";

export interface Entry {
  readonly name: EntryName;
  /** The key that chooses it. */
  readonly key: string;
}

export const ENTRIES: readonly Entry[] = [
  { name: "status", key: "1" },
  { name: "interfaces", key: "2" },
  { name: "why", key: "3" },
  { name: "switchover", key: "4" },
  { name: "spare", key: "5" },
  { name: "pair", key: "6" },
  { name: "password", key: "7" },
  { name: "rollback", key: "8" },
  { name: "slot", key: "9" },
  { name: "confirm", key: "c" },
  { name: "maintenance", key: "m" },
  { name: "restore", key: "r" },
  { name: "reset", key: "f" },
  { name: "power", key: "p" },
  { name: "shell", key: "s" },
];

/** Leaves the menu. */
export const LEAVE_KEY = "q";

const TITLES: Readonly<Record<EntryName, string>> = {
  status: "Status",
  interfaces: "Interfaces and addresses",
  why: "Who is active, and why",
  switchover: "Switch over",
  spare: "Activate the spare",
  pair: "Pair with the other box",
  password: "Reset the password",
  rollback: "Roll back the configuration",
  slot: "Boot the other slot",
  confirm: "Confirm what was committed",
  maintenance: "Maintenance",
  restore: "Restore a backup file",
  reset: "Factory reset",
  power: "Reboot or power off",
  shell: "Shell",
};

const OF_MAINTENANCE: Readonly<Record<Facts["maintenance"], string>> = {
  off: "Maintenance: switch it on",
  on: "Maintenance: end it",
  waits: "Maintenance: take the wish back",
};

export function titleOf(name: EntryName, facts: Facts): string {
  if (name === "maintenance" && facts.trouble === undefined) return OF_MAINTENANCE[facts.maintenance];
  if (name === "spare" && facts.isCold && facts.role === "active") return "Release this box";
  return TITLES[name];
}

const NOT_BUILT = "not in this version";

/** Why it cannot be done now; undefined when it can. */
export function hindrance(name: EntryName, facts: Facts): string | undefined {
  const { trouble, verbs } = facts;
  switch (name) {
    case "shell":
      return undefined;
    case "password":
      return trouble ?? (facts.users.length === 0 ? "nobody has one: Status shows the code" : undefined);
    case "slot":
      return trouble ?? (facts.slot === null ? "there is one system only" : undefined);
    case "restore":
      return verbs.includes("restore") ? undefined : NOT_BUILT;
    case "pair":
      return verbs.includes("pair") ? trouble : NOT_BUILT;
    case "spare":
      return verbs.includes("spare") ? (trouble ?? notSpare(facts)) : NOT_BUILT;
    case "switchover":
      return trouble ?? notSwitched(facts);
    case "interfaces":
      return trouble ?? (facts.interfaces.length === 0 ? "there is no configuration" : undefined);
    case "maintenance":
      return trouble ?? (facts.revisions.length === 0 ? "there is no configuration" : undefined);
    case "rollback":
      return trouble ?? (facts.revisions.length < 2 ? "there is no older one" : undefined);
    case "confirm":
      return trouble ?? (facts.unconfirmed === null ? "nothing waits for that" : undefined);
    case "status":
    case "why":
    case "reset":
    case "power":
      return trouble;
  }
}

function notSpare({ isCold, role }: Facts): string | undefined {
  if (!isCold) return "this is no cold pair";
  return role === "spare" || role === "active" ? undefined : `this box is in ${role}`;
}

function notSwitched({ peer, isCold }: Facts): string | undefined {
  if (peer === null) return "this box is alone";
  if (!peer.alive) return "the peer is not heard";
  return isCold ? "in a cold pair: release one, activate one" : undefined;
}
