/**
 * Changes the pair's keys over the link, while both boxes serve: writes what pair/ceremony/rotation.ts decides, and lets
 * core start again after each step. Both boxes tell each other which keys they hold whenever the link comes up.
 */
import {
  decodeRotationMessage,
  encodeRotationMessage,
  type RotationIntroduction,
  type RotationMessage,
} from "../../../pair/ceremony/message.ts";
import { decideRotation, type HeldKeys, keyId, nextPairKey } from "../../../pair/ceremony/rotation.ts";
import type { TalkSecrets } from "../../../pair/ceremony/talk-state.ts";
import { type PairKeys, type PairingFile, type Rotation, writePairing } from "../../pairing-file.ts";
import type { Log } from "../log.ts";
import { type Identity, makeIdentity } from "./identity.ts";
import { primitives, talkSecrets } from "./primitives.ts";

export interface RotationOptions {
  readonly log: Log;
  readonly stateDirectory: string;
  readonly pairing: PairingFile;
  readonly send: (text: string) => void;
  /** Other keys are on the disk. */
  readonly onChanged: (reason: string) => void;
}

interface Begun {
  readonly identity: Identity;
  readonly secrets: TalkSecrets;
  readonly introduction: RotationIntroduction;
}

export class RotationRoom {
  readonly #options: RotationOptions;
  /** This box asked for it. */
  #begun: Begun | undefined;
  /** The next keys are read when core starts again; what is said until then is of no account. */
  #written = false;

  constructor(options: RotationOptions) {
    this.#options = options;
  }

  async begin(): Promise<void> {
    this.#begun = await introduce("offer");
    this.#say(this.#begun.introduction);
  }

  /** The link stands, and the sentinel knows the keys. */
  announce(): void {
    if (!this.#written) this.#say({ kind: "state", ...held(this.#options.pairing) });
  }

  /** Undefined, or why the peer is not to be believed. */
  async hear(text: string): Promise<"bad-message" | undefined> {
    const decoded = decodeRotationMessage(text);
    if (!decoded.ok) return decoded.reason;
    const message = decoded.value;
    const { pairing } = this.#options;
    if (this.#written) return undefined;
    switch (message.kind) {
      case "offer":
        // Of two that ask at the same time a is the one that is answered.
        if (pairing.rotation === null && (this.#begun === undefined || pairing.letter === "b"))
          await this.#answer(message);
        return undefined;
      case "answer":
        if (this.#begun !== undefined && pairing.rotation === null) this.#keepNext(this.#begun, message);
        return undefined;
      case "state":
        this.#follow(message);
        return undefined;
    }
  }

  async #answer(offer: RotationIntroduction): Promise<void> {
    const answer = await introduce("answer");
    if (this.#keepNext(answer, offer)) this.#say(answer.introduction);
  }

  #keepNext({ identity, secrets, introduction }: Begun, theirs: RotationIntroduction): boolean {
    const { pairing } = this.#options;
    const [offer, answer] = theirs.kind === "offer" ? [theirs, introduction] : [introduction, theirs];
    const mine = { privateKey: secrets.privateKey, theirShare: theirs.share, pairKey: pairing.pairKey };
    const pairKey = nextPairKey(primitives, { offer, answer }, mine);
    if (pairKey === undefined) return false;
    const rotation: Rotation = { kind: "next", pairKey, ...identity, peerCertificate: theirs.certificate };
    return this.#write({ ...pairing, rotation }, "next-keys-kept");
  }

  #follow(theirs: HeldKeys): void {
    const { pairing } = this.#options;
    const { rotation } = pairing;
    switch (decideRotation(held(pairing), theirs)) {
      case "switch":
        if (rotation !== null) this.#write(switched(pairing, rotation), "keys-switched");
        return;
      case "giveUp":
        this.#write({ ...pairing, rotation: null }, "next-keys-given-up");
        return;
      case "finish":
        this.#write({ ...pairing, rotation: null }, "former-keys-forgotten");
        return;
      case "wait":
        return;
    }
  }

  #write(pairing: PairingFile, reason: string): boolean {
    const { stateDirectory, log, onChanged } = this.#options;
    try {
      writePairing(stateDirectory, pairing);
    } catch (error) {
      // The former keys stay; the peer gives up, or this box is asked again when the link comes up.
      log.error("keys-not-kept", { reason, error: String(error) });
      return false;
    }
    this.#written = true;
    onChanged(reason);
    return true;
  }

  #say(message: RotationMessage): void {
    this.#options.send(encodeRotationMessage(message));
  }
}

async function introduce(kind: RotationIntroduction["kind"]): Promise<Begun> {
  const identity = await makeIdentity();
  const secrets = talkSecrets();
  const { share, nonce } = secrets;
  return { identity, secrets, introduction: { kind, share, nonce, certificate: identity.certificate } };
}

function held({ pairKey, rotation }: PairingFile): HeldKeys {
  const other = rotation === null ? null : keyId(primitives, rotation.pairKey);
  return {
    current: keyId(primitives, pairKey),
    next: rotation?.kind === "next" ? other : null,
    former: rotation?.kind === "former" ? other : null,
  };
}

function switched(pairing: PairingFile, next: PairKeys): PairingFile {
  const { pairKey, certificate, privateKey, peerCertificate } = pairing;
  const former: Rotation = { kind: "former", pairKey, certificate, privateKey, peerCertificate: peerCertificate ?? "" };
  return {
    ...pairing,
    pairKey: next.pairKey,
    certificate: next.certificate,
    privateKey: next.privateKey,
    peerCertificate: next.peerCertificate,
    rotation: former,
  };
}
