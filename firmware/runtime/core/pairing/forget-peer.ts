/** A box gives its peer up, by a person's order or because the peer forgot everything. */
import { randomBytes } from "node:crypto";
import { type PairingFile, writePairing } from "../../pairing-file.ts";
import { keepRingSeed, type Settings } from "../balancer/ring-seed.ts";
import type { Log } from "../log.ts";
import { fingerprintOf } from "./pairing-shown.ts";

const PAIR_KEY_BYTES = 32;

export interface Parting {
  readonly stateDirectory: string;
  readonly configuration: Settings;
  readonly log: Log;
  /** The configuration in force is that of a pair: the letter stays, and a key that nobody else has. */
  readonly ofPair: boolean;
}

/** On the disk when it resolves; core knows it when it starts again. */
export async function forgetPeer(pairing: PairingFile, parting: Parting): Promise<void> {
  const { stateDirectory, configuration, log, ofPair } = parting;
  // The flows of a box that goes on alone run by the pair's rings.
  await keepRingSeed(pairing.seed, configuration);
  const pairKey = randomBytes(PAIR_KEY_BYTES).toString("hex");
  writePairing(stateDirectory, ofPair ? { ...pairing, rotation: null, pairKey, peerCertificate: null } : undefined);
  log.info("unpaired", { peer: fingerprintOf(pairing.peerCertificate) });
}
