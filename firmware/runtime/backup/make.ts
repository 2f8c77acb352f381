/** What a backup file is to hold of a box, from its store. */
import type { Box } from "../messages.ts";
import type { PairingFile } from "../pairing-file.ts";
import { releaseOf } from "../release.ts";
import type { Store } from "../store/store.ts";
import { type Backup, BACKUP_LINEAGE_MAX, SETTINGS } from "./backup.ts";

export interface Origin {
  readonly letter: Box | undefined;
  readonly devices: readonly string[];
  readonly pairing: PairingFile | undefined;
}

/** Undefined of a box without a configuration. */
export async function makeBackup(
  store: Pick<Store, "head" | "lineage" | "setting">,
  origin: Origin,
): Promise<Backup | undefined> {
  const head = await store.head();
  if (head === undefined) return undefined;
  const [, ...lineage] = await store.lineage(BACKUP_LINEAGE_MAX + 1);
  const settings: Record<string, string> = {};
  for (const key of Object.keys(SETTINGS)) {
    const value = await store.setting(key);
    if (value !== undefined) settings[key] = value;
  }
  return { release: releaseOf(), made: new Date().toISOString(), ...origin, settings, head, lineage };
}
