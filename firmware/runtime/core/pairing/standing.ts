/** Whose peer this box is, from how it was started and from its pairing. */
import { hkdfSync } from "node:crypto";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import type { Box } from "../../messages.ts";
import { type PairingFile, readPairing } from "../../pairing-file.ts";
import { readPairKey } from "../../supervisor/pair-key.ts";
import { certificateCredentials, keyCredentials, type LinkCredentials } from "../peer-link/credentials.ts";

const SEED_BYTES = 16;

export interface Standing {
  /** "left": paired once, and still of a pair by its configuration. */
  readonly kind: "alone" | "key" | "paired" | "left";
  /** Undefined on a box that nobody gave a letter. */
  readonly box: Box | undefined;
  /** Undefined on a box without a peer. */
  readonly credentials: LinkCredentials | undefined;
  /** Of the balancer's rings, the same on both boxes; undefined on a box alone, which has one of its own. */
  readonly seed: string | undefined;
  readonly pairing: PairingFile | undefined;
}

export interface Started {
  readonly stateDirectory: string;
  readonly box: Box | undefined;
  /** Stands for the pairing. */
  readonly pairKeyFile: string | undefined;
}

/** Refuses when what the box was told contradicts its pairing. */
export function standingOf({ stateDirectory, box, pairKeyFile }: Started): Standing {
  if (pairKeyFile !== undefined) {
    const key = readPairKey(pairKeyFile);
    return { kind: "key", box, credentials: keyCredentials(key), seed: seedOf(key), pairing: undefined };
  }
  const pairing = readPairing(stateDirectory);
  if (pairing === undefined) return { kind: "alone", box, credentials: undefined, seed: undefined, pairing };
  const { letter, seed } = pairing;
  if (box !== undefined && box !== letter) {
    throw new RefusalError({
      exitCode: ExitCode.usage,
      what: `the box was started with --box ${box}, but it was paired as ${letter}`,
      where: stateDirectory,
      mend: "Leave --box out: the pairing says which box this is.",
    });
  }
  const credentials = certificateCredentials(pairing);
  return { kind: credentials === undefined ? "left" : "paired", box: letter, credentials, seed, pairing };
}

/** Names the pairing by which the box joined another one: by its own certificate, which is made for it. */
export function joinedBy({ pairing }: Pick<Standing, "pairing">): string | undefined {
  return pairing?.role === "joiner" ? pairing.certificate : undefined;
}

/** RFC 5869: another info gives another key, so the seed tells nothing of the pair's key. */
function seedOf(pairKey: Uint8Array): string {
  return Buffer.from(hkdfSync("sha256", pairKey, new Uint8Array(0), "futago ring seed", SEED_BYTES)).toString("hex");
}
