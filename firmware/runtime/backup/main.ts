/** Backup and restore of a state directory in which no box runs. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Hal } from "@futago/hal/contract/hal.ts";
import { openHal } from "@futago/hal/linux.ts";
import type { Restored } from "../control-backup.ts";
import { NO_CONFIGURATION } from "../core/sentences.ts";
import { ExitCode, RefusalError } from "../exit-code.ts";
import { readPairing } from "../pairing-file.ts";
import { DATABASE_FILE } from "../state-files.ts";
import { Store } from "../store/store.ts";
import { lockState } from "../supervisor/state-lock.ts";
import type { Backup } from "./backup.ts";
import type { DeviceMap } from "./devices.ts";
import { makeBackup } from "./make.ts";
import { fitted, pairingFor, putDown, refuseTwin } from "./restore.ts";
import { makeStateDirectory } from "../files.ts";
import { finishReset } from "../reset.ts";

/** Undefined where there never was a box. */
export async function backUpHere(stateDirectory: string): Promise<Backup | undefined> {
  if (!existsSync(join(stateDirectory, DATABASE_FILE))) return undefined;
  return withStore(stateDirectory, async (store) => {
    const pairing = readPairing(stateDirectory);
    const backup = await makeBackup(store, { letter: pairing?.letter, devices: await devicesHere(), pairing });
    if (backup === undefined) throw new RefusalError({ exitCode: ExitCode.failed, what: NO_CONFIGURATION });
    return backup;
  });
}

export interface RestoreHere {
  readonly backup: Backup;
  readonly map: DeviceMap;
  readonly author: string;
  /** Although there is a configuration, or a pairing. */
  readonly replace: boolean;
  /** Although somebody on the network uses the box's addresses. */
  readonly force: boolean;
}

export async function restoreHere(
  stateDirectory: string,
  { backup, map, author, replace, force }: RestoreHere,
): Promise<Restored> {
  const directory = resolve(stateDirectory);
  const { letter } = backup;
  // Before anything is made there: what is refused leaves nothing behind.
  const fit = await fitted(backup, { letter, devices: await devicesHere(), map });
  if (!force) await withHal((hal) => refuseTwin(hal, fit, letter));
  const { text, ofPair } = fit;
  makeStateDirectory(directory);
  return withStore(directory, async (store) => {
    const isUsed = (await store.head()) !== undefined || readPairing(directory) !== undefined;
    if (isUsed && !replace) throw inUse(directory);
    const pairing = pairingFor(backup.pairing, map);
    const revision = await putDown(backup, { store, stateDirectory: directory, pairing, text, author });
    const needsKey = ofPair && pairing === undefined;
    const remarks = needsKey ? [`Start it with the pair's --pair-key and --box ${letter ?? "a|b"}.`] : [];
    return { revision, letter: letter ?? null, whole: true, remarks };
  });
}

async function withStore<T>(stateDirectory: string, use: (store: Store) => Promise<T>): Promise<T> {
  const lock = await lockState(stateDirectory, () => ({ pid: process.pid, children: [] }));
  try {
    finishReset(stateDirectory);
    const opened = await Store.open(stateDirectory);
    if (!opened.ok) {
      const { what, mend } = opened;
      throw new RefusalError({ exitCode: ExitCode.failed, what, where: stateDirectory, mend: `${mend}.` });
    }
    try {
      return await use(opened.store);
    } finally {
      await opened.store.close();
    }
  } finally {
    lock.release();
  }
}

function devicesHere(): Promise<readonly string[]> {
  return withHal(async ({ network }) => (await network.links()).map(({ ifname }) => ifname));
}

async function withHal<T>(use: (hal: Hal) => Promise<T>): Promise<T> {
  const hal = openHal();
  try {
    return await use(hal);
  } finally {
    hal.close();
  }
}

function inUse(directory: string): RefusalError {
  return new RefusalError({
    exitCode: ExitCode.conflict,
    what: "there is a box in this state directory already",
    where: directory,
    mend: "Say --replace to make it another one; its revisions stay in the history.",
  });
}
