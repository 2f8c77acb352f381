/** What the history of a box tells of changes that it took back by itself. */
import type { Automatic } from "@futago/firmware/runtime/control-configuration.ts";

const automatic: Automatic = "futago";

interface Entry {
  readonly id: string;
  readonly author: string;
}

export interface Since {
  /** The newest revision of that history; it may be later than what the page was told of when it asked. */
  readonly newest: string | undefined;
  /** The box itself, and no person, took back something of what was committed after the revision asked for. */
  readonly isRolledBack: boolean;
}

/** `entries` is the newest first. */
export function since(id: string, entries: readonly Entry[]): Since {
  const known = entries.findIndex((entry) => entry.id === id);
  const later = known === -1 ? entries : entries.slice(0, known);
  return { newest: entries[0]?.id, isRolledBack: later.some(({ author }) => author === automatic) };
}
