/** What is not as it must be before a version is found good, from what core and the updater see. Pure. */
import type { Finding, Subject } from "../../../update/proof.ts";
import type { MachineHealth } from "../../update/protocol.ts";

export interface Sights {
  /** Undefined when the updater could not be asked. */
  readonly machine: MachineHealth | undefined;
  /** Why the data could not be written; undefined when they were. */
  readonly dataTrouble: string | undefined;
  /** What was wrong with the store when it was opened. */
  readonly storeTroubles: readonly string[];
  /** What the kernel does not hold as the configuration says. */
  readonly networkTroubles: readonly string[];
  readonly missingDevices: readonly string[];
  /** Ports that had a cable's other end before the update, and have none. */
  readonly deadPorts: readonly string[];
  readonly sentinelIsThere: boolean;
  /** Undefined on a box alone. */
  readonly peer: { readonly isHeard: boolean; readonly isLinked: boolean; readonly hasCaughtUp: boolean } | undefined;
  /** Why the pages do not answer; undefined when they do, or are not wanted. */
  readonly pagesTrouble: string | undefined;
}

export function findingsOf(sights: Sights): readonly Finding[] {
  return [
    ...machineFindings(sights.machine),
    ...told("data", sights.dataTrouble, (why) => `the data cannot be written: ${why}`),
    ...sights.storeTroubles.map((sentence) => ({ subject: "store" as const, sentence })),
    ...sights.networkTroubles.map((sentence) => ({ subject: "configuration" as const, sentence })),
    ...sights.missingDevices.map((device) => found("ports", `there is no port ${device}`)),
    ...sights.deadPorts.map((port) => found("ports", `port ${port} had a link before the update, and has none now`)),
    ...(sights.sentinelIsThere ? [] : [found("configuration", "the sentinel does not run")]),
    ...peerFindings(sights.peer),
    ...told("pages", sights.pagesTrouble, (why) => `the web UI does not answer: ${why}`),
  ];
}

function machineFindings(machine: MachineHealth | undefined): readonly Finding[] {
  if (machine === undefined) return [found("updater", "the updater does not answer")];
  const { verity, failedUnits } = machine;
  return [
    ...(verity === "good" ? [] : [found("verity", `the root file system's check says: ${verity}`)]),
    ...failedUnits.map((unit) => found("units", `${unit} has failed`)),
  ];
}

function peerFindings(peer: Sights["peer"]): readonly Finding[] {
  if (peer === undefined) return [];
  if (!peer.isHeard) return [found("peer", "the peer is not heard")];
  if (!peer.isLinked) return [found("peer", "the link to the peer's core does not stand")];
  return peer.hasCaughtUp ? [] : [found("flows", "the two boxes do not hold each other's connections yet")];
}

function found(subject: Subject, sentence: string): Finding {
  return { subject, sentence };
}

function told(subject: Subject, why: string | undefined, words: (why: string) => string): readonly Finding[] {
  return why === undefined ? [] : [found(subject, words(why))];
}
