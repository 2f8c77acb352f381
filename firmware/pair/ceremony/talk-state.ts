/**
 * What one conversation is made of, at either end: who talks, what is known so far, what may come and what is to be done.
 * talk.ts decides.
 */
import type { Instant } from "@futago/hal/units/time.ts";
import type { ClockDifference, ClockReport, ClockVerdict } from "./clock.ts";
import type { Code } from "./code.ts";
import type { CeremonyMessage, CeremonyRefusal, Foreign, Hello, Offer, Open } from "./message.ts";
import type { Agreement, Role } from "./secrets.ts";
import type { Versions } from "./version.ts";

export type Letter = "a" | "b";

/** This end, the same in every conversation of one invitation. */
export interface Party {
  readonly role: Role;
  readonly code: Code;
  readonly release: string;
  /** This box's, DER in hexadecimal. */
  readonly certificate: string;
  /** The inviter's letter; the one that joins learns it. */
  readonly letter: Letter;
  /** 32 hex digits: of the balancer's rings, which the box that joins takes over. Empty on that box. */
  readonly seed: string;
}

/** Random, of one conversation. */
export interface TalkSecrets {
  /** X25519. */
  readonly privateKey: Uint8Array;
  readonly share: string;
  readonly nonce: string;
}

/** What is kept on the disk when both have agreed. */
export interface Pairing {
  readonly role: Role;
  /** This box's. */
  readonly letter: Letter;
  readonly pairKey: Uint8Array;
  readonly certificate: string;
  readonly peerCertificate: string;
  readonly versions: Versions;
  readonly seed: string;
  readonly clock: ClockReport;
}

/** Before the clocks were compared. */
export type Agreed = Omit<Pairing, "clock">;

export interface Peer {
  readonly certificate: string;
  readonly release: string;
  /** The inviter's letter. */
  readonly letter: Letter;
}

export type Phase =
  | { readonly kind: "hello" }
  | { readonly kind: "offer"; readonly hello: Hello; readonly open: Open }
  | { readonly kind: "open"; readonly hello: Hello; readonly offer: Offer }
  /** The other end's proof may come while this one still stretches the code. */
  | { readonly kind: "stretch"; readonly agreement: Agreement; readonly peer: Peer; readonly early: string | undefined }
  | { readonly kind: "proof"; readonly digits: string; readonly talkKey: Uint8Array; readonly peer: Peer }
  | {
      readonly kind: "compare";
      readonly digits: string;
      readonly talkKey: Uint8Array;
      readonly peer: Peer;
      /** This box's person said yes. */
      readonly yes: boolean;
      /** The seed that came with the other's yes; undefined: no yes yet. */
      readonly theirs: string | undefined;
    }
  /** The box that joins has asked for the time; `difference`: and is about to take it. */
  | {
      readonly kind: "clock";
      readonly talkKey: Uint8Array;
      readonly agreed: Agreed;
      readonly askedAt: Instant;
      readonly difference: ClockDifference | undefined;
    }
  /** The inviter waits for the other end to keep it; `asked`: that one has asked for the time. */
  | { readonly kind: "serve"; readonly talkKey: Uint8Array; readonly agreed: Agreed; readonly asked: boolean }
  /** The disk is at work. */
  | { readonly kind: "keep"; readonly talkKey: Uint8Array; readonly clock: ClockReport }
  /** The box that joins waits for the inviter to keep it. */
  | { readonly kind: "kept"; readonly talkKey: Uint8Array };

export interface Talk {
  readonly party: Party;
  readonly secrets: TalkSecrets;
  readonly phase: Phase;
  readonly deadline: Instant;
}

export type TalkInput =
  /** `clock`: milliseconds since 1970 by this box's clock. */
  | { readonly kind: "message"; readonly message: CeremonyMessage | Foreign; readonly clock: number }
  | { readonly kind: "stretched"; readonly key: Uint8Array }
  | { readonly kind: "answered"; readonly yes: boolean }
  | { readonly kind: "clockTaken"; readonly verdict: ClockVerdict }
  | { readonly kind: "disk"; readonly ok: boolean }
  | { readonly kind: "fail"; readonly refusal: CeremonyRefusal };

export type TalkAction =
  | { readonly kind: "say"; readonly message: CeremonyMessage }
  /** The slow hash of a text with a salt, to be answered by `stretched`. */
  | { readonly kind: "stretch"; readonly text: string; readonly salt: Uint8Array }
  /** The inviter's clock, to be taken if this one is wrong and nobody keeps it; answered by `clockTaken`. */
  | { readonly kind: "takeClock"; readonly difference: ClockDifference }
  /** Answered by `disk`. */
  | { readonly kind: "keep"; readonly pairing: Pairing }
  /** What was kept counts no more. */
  | { readonly kind: "undo" };

export type TalkEnd =
  | { readonly kind: "paired" }
  | {
      readonly kind: "failed";
      readonly refusal: CeremonyRefusal;
      readonly by: "here" | "there";
      /** Of `other-version`. */
      readonly versions?: Versions;
    };

/** Undefined `end`: it goes on. */
export interface TalkStep {
  readonly talk: Talk;
  readonly actions: readonly TalkAction[];
  readonly end: TalkEnd | undefined;
}
