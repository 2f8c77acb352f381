/**
 * Makes of a backup file what this box is to be: names its devices, judges the document as any other, and puts everything
 * down. Whether the box may forget what it is now is asked by who calls.
 */
import type { Hal } from "@futago/hal/contract/hal.ts";
import type { Ifname, IpAddress } from "@futago/hal/units/address.ts";
import { canonicalJson } from "../../config/canonical.ts";
import { readDocument } from "../../config/document-text.ts";
import { ExitCode, RefusalError } from "../exit-code.ts";
import { judgeAside } from "../core/judge.ts";
import { problemsRefusal } from "../core/configuration.ts";
import { askAround } from "../core/spare/dark-probe.ts";
import type { Box } from "../messages.ts";
import { type PairingFile, writePairing } from "../pairing-file.ts";
import { refusalOf } from "../store/refusal.ts";
import type { Store } from "../store/store.ts";
import type { Backup, BackupReading, BackupRefusal } from "./backup.ts";
import { type DeviceMap, devicesNamed, withDevices } from "./devices.ts";

/** The box that is to run what a backup file holds. */
export interface Target {
  readonly letter: Box | undefined;
  readonly devices: readonly string[];
  readonly map: DeviceMap;
}

export interface Fitted {
  /** The document for this box as canonical JSON. */
  readonly text: string;
  /** It describes a pair. */
  readonly ofPair: boolean;
  /** The box's own addresses, by device. */
  readonly addresses: ReadonlyMap<Ifname, readonly IpAddress[]>;
}

/** Throws RefusalError. */
export async function fitted({ head }: Backup, { letter, devices, map }: Target): Promise<Fitted> {
  const reading = readDocument(head.text);
  if (!reading.ok) throw new RefusalError(problemsRefusal([reading.problem], "the backup file's document"));
  checkMap(map, devicesNamed(reading.value, letter), devices);
  const document = withDevices(reading.value, letter, map);
  const missing = devicesNamed(document, letter).filter((name) => !devices.includes(name));
  if (missing.length > 0) throw devicesMissing(missing, devices);
  // What nobody renamed stays as it is, and so does its revision's id.
  const text = map.size === 0 ? head.text : canonicalJson(document);
  const judged = await judgeAside(text, { box: letter, devices }, undefined);
  if (!judged.ok) throw new RefusalError(problemsRefusal(judged.problems, "the backup file's document"));
  const { interfaces, pair } = judged.resolved;
  const addresses = new Map(interfaces.map((one) => [one.device, one.addresses.map(({ address }) => address)]));
  return { text: judged.text, ofPair: pair !== undefined, addresses };
}

/** Throws RefusalError for what is no backup file. */
export function accepted(reading: BackupReading, where: string): Backup {
  if (reading.ok) return reading.backup;
  throw new RefusalError({ exitCode: ExitCode.failed, where, ...refusals[reading.reason](reading.field) });
}

const refusals: Readonly<Record<BackupRefusal, (field: string) => { readonly what: string; readonly mend: string }>> = {
  notABackup: () => ({ what: "this is no backup", mend: "Give a file that `futago backup` wrote." }),
  newerVersion: () => ({ what: "the backup was made by a newer version", mend: "Restore it with that version." }),
  badField: (field) => ({
    what: `the backup file's ${field} is not what it should be`,
    mend: "Take another backup file.",
  }),
  badDocument: () => ({
    what: "the backup file's document is not that of its revision",
    mend: "Somebody changed it; take another backup file.",
  }),
};

/**
 * Resolves to the revision in force from now on; throws RefusalError when the disk refuses. The pairing is put down first: a box of a pair without a
 * configuration is a box that waits for one, and a configuration of a pair without a pairing could not start.
 */
export async function putDown(backup: Backup, into: Into): Promise<string> {
  try {
    return await putDownWhole(backup, into);
  } catch (error) {
    const refused = refusalOf(error, into.stateDirectory);
    if (refused === undefined) throw error;
    const { what, mend } = refused;
    throw new RefusalError({ exitCode: ExitCode.failed, what, mend: `${mend}, and restore again.` });
  }
}

export interface Into {
  readonly store: Pick<Store, "adopt" | "append" | "putSetting">;
  readonly stateDirectory: string;
  readonly pairing: PairingFile | undefined;
  readonly text: string;
  readonly author: string;
}

async function putDownWhole({ head, lineage, settings }: Backup, into: Into): Promise<string> {
  const { store, stateDirectory, pairing, text, author } = into;
  if (pairing !== undefined) writePairing(stateDirectory, pairing);
  await store.adopt(lineage, head);
  for (const [key, value] of Object.entries(settings)) await store.putSetting(key, value);
  if (text === head.text) return head.id;
  const comment = "restored with other devices";
  const appended = await store.append({ text, parent: head.id, author, comment, time: new Date().toISOString() });
  if (!appended.ok) throw new Error("somebody else committed to a box that has no configuration");
  return appended.revision.id;
}

/**
 * Throws RefusalError when somebody uses the box's own addresses: a box that is thought dead and is not would be there
 * twice, with the same letter and the same keys.
 */
export async function refuseTwin(
  machine: Pick<Hal, "frames" | "network">,
  { addresses }: Fitted,
  letter: Box | undefined,
): Promise<void> {
  const [answer] = (await askAround(machine, addresses)).answers;
  if (answer === undefined) return;
  const { address, mac, device } = answer;
  const which = letter === undefined ? "the box" : `box ${letter}`;
  throw new RefusalError({
    exitCode: ExitCode.conflict,
    what: `somebody uses ${address}, which this box would have: ${mac} on ${device}`,
    mend: `Is ${which} still there? Switch it off, and restore again; or say --force.`,
  });
}

/** The pairing as this box has it: the cable may be on another device. */
export function pairingFor(pairing: PairingFile | undefined, map: DeviceMap): PairingFile | undefined {
  if (pairing === undefined) return undefined;
  const { met } = pairing;
  return { ...pairing, met: { ...met, device: map.get(met.device) ?? met.device } };
}

function checkMap(map: DeviceMap, named: readonly string[], devices: readonly string[]): void {
  const targets = [...map.values()];
  for (const [from, to] of map) {
    if (!named.includes(from))
      throw usage(`the backup file's document names no device ${from}`, `It names ${named.join(", ")}.`);
    if (!devices.includes(to)) throw usage(`this box has no device ${to}`, `It has ${devices.join(", ")}.`);
    if (targets.indexOf(to) !== targets.lastIndexOf(to))
      throw usage(`two devices are to be ${to}`, "Give each its own.");
  }
}

function devicesMissing(missing: readonly string[], devices: readonly string[]): RefusalError {
  const free = devices.find((name) => name !== "lo") ?? "eth0";
  return new RefusalError({
    exitCode: ExitCode.invalidConfiguration,
    what: `this box has no ${missing.join(", ")}, which the backup file's document names`,
    mend: `It has ${devices.join(", ")}. Say which is which: --map ${missing[0]}=${free}, once for each.`,
  });
}

function usage(what: string, mend: string): RefusalError {
  return new RefusalError({ exitCode: ExitCode.usage, what, mend });
}
