/**
 * One conversation between two boxes, from the first word to the pairing kept on both disks; either end of it. It
 * decides what to say next and whether to believe what was heard. Who may begin one, and how often, is ceremony.ts.
 */
import { after, type Instant, seconds } from "@futago/hal/units/time.ts";
import type { Code } from "./code.ts";
import {
  CEREMONY_PROTOCOL,
  type CeremonyMessage,
  type CeremonyRefusal,
  type Hello,
  type Offer,
  type Open,
} from "./message.ts";
import type { Primitives } from "./primitives.ts";
import {
  type Agreement,
  agreementOf,
  commitmentTo,
  pairKeyOf,
  proofOf,
  type Role,
  seal,
  stretchedText,
  talkKeyOf,
  unseal,
} from "./secrets.ts";

/** What a machine answers, on a busy one. */
const ANSWER_WAIT = seconds(15);
/** What two people need to compare six digits, one of whom may have to walk. */
const PERSON_WAIT = seconds(180);

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
  readonly peerRelease: string;
  readonly seed: string;
  /** How far the peer's clock is ahead of this box's. */
  readonly clockAheadMillis: number;
}

interface Peer {
  readonly certificate: string;
  readonly release: string;
  readonly clockAheadMillis: number;
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
  /** The disk is at work. */
  | { readonly kind: "keep"; readonly talkKey: Uint8Array }
  /** The other end is to say that it has kept it; `pairing` is what the inviter keeps then. */
  | { readonly kind: "kept"; readonly talkKey: Uint8Array; readonly pairing: Pairing | undefined };

export interface Talk {
  readonly party: Party;
  readonly secrets: TalkSecrets;
  readonly phase: Phase;
  readonly deadline: Instant;
}

export type TalkInput =
  /** `clock`: milliseconds since 1970 by this box's clock. */
  | { readonly kind: "message"; readonly message: CeremonyMessage; readonly clock: number }
  | { readonly kind: "stretched"; readonly key: Uint8Array }
  | { readonly kind: "answered"; readonly yes: boolean }
  | { readonly kind: "disk"; readonly ok: boolean }
  | { readonly kind: "fail"; readonly refusal: CeremonyRefusal };

export type TalkAction =
  | { readonly kind: "say"; readonly message: CeremonyMessage }
  /** The slow hash of a text with a salt, to be answered by `stretched`. */
  | { readonly kind: "stretch"; readonly text: string; readonly salt: Uint8Array }
  /** Answered by `disk`. */
  | { readonly kind: "keep"; readonly pairing: Pairing }
  /** What was kept counts no more. */
  | { readonly kind: "undo" };

export type TalkEnd =
  | { readonly kind: "paired" }
  | { readonly kind: "failed"; readonly refusal: CeremonyRefusal; readonly by: "here" | "there" };

/** Undefined `end`: it goes on. */
export interface TalkStep {
  readonly talk: Talk;
  readonly actions: readonly TalkAction[];
  readonly end: TalkEnd | undefined;
}

/** The one that joins speaks first. */
export function beginTalk(
  primitives: Primitives,
  party: Party,
  secrets: TalkSecrets,
  clock: number,
  now: Instant,
): TalkStep {
  const deadline = after(now, ANSWER_WAIT);
  if (party.role === "inviter") return goOn({ party, secrets, phase: { kind: "hello" }, deadline });
  const { certificate, release } = party;
  const open: Open = { kind: "open", share: secrets.share, nonce: secrets.nonce, certificate, clock };
  const commitment = commitmentTo(primitives, open);
  const hello: Hello = { kind: "hello", protocol: CEREMONY_PROTOCOL, release, tag: party.code.tag, commitment };
  const phase: Phase = { kind: "offer", hello, open };
  return goOn({ party, secrets, phase, deadline }, [{ kind: "say", message: hello }]);
}

export function stepTalk(primitives: Primitives, talk: Talk, input: TalkInput, now: Instant): TalkStep {
  switch (input.kind) {
    case "message":
      return hear(primitives, talk, input.message, input.clock, now);
    case "stretched":
      return onStretched(primitives, talk, input.key, now);
    case "answered":
      return onAnswer(primitives, talk, input.yes, now);
    case "disk":
      return onDisk(primitives, talk, input.ok, now);
    case "fail":
      return failed(talk, input.refusal, "here");
  }
}

/** The digits to compare; undefined before and after. */
export function digitsOf({ phase }: Talk): string | undefined {
  return phase.kind === "compare" ? phase.digits : undefined;
}

/** From here on the code has served, whatever comes of it. */
export function isProven({ phase }: Talk): boolean {
  return phase.kind === "compare" || phase.kind === "keep" || phase.kind === "kept";
}

function hear(primitives: Primitives, talk: Talk, message: CeremonyMessage, clock: number, now: Instant): TalkStep {
  const { phase } = talk;
  switch (message.kind) {
    case "refused":
      return failed(talk, message.refusal, "there");
    case "hello":
      return phase.kind === "hello" ? onHello(talk, message, clock, now) : unexpected(talk);
    case "offer":
      return phase.kind === "offer" ? onOffer(primitives, talk, phase, message, clock, now) : unexpected(talk);
    case "open":
      return phase.kind === "open" ? onOpen(primitives, talk, phase, message, clock, now) : unexpected(talk);
    case "proof":
      if (phase.kind === "proof") return onProof(primitives, talk, phase, message.proof, now);
      return phase.kind === "stretch" && phase.early === undefined && talk.party.role === "inviter"
        ? goOn({ ...talk, phase: { ...phase, early: message.proof } })
        : unexpected(talk);
    case "agreed":
      return phase.kind === "compare" && phase.theirs === undefined
        ? onAgreed(primitives, talk, phase, message.sealed, now)
        : unexpected(talk);
    case "kept":
      return phase.kind === "kept" ? onKept(primitives, talk, phase, message.sealed, now) : unexpected(talk);
  }
}

function onHello(talk: Talk, hello: Hello, clock: number, now: Instant): TalkStep {
  const { release, certificate, letter, code } = talk.party;
  if (hello.protocol !== CEREMONY_PROTOCOL) return failed(talk, "other-version", "here");
  if (hello.tag !== code.tag) return failed(talk, "wrong-code", "here");
  const { share, nonce } = talk.secrets;
  const offer: Offer = {
    kind: "offer",
    protocol: CEREMONY_PROTOCOL,
    release,
    letter,
    share,
    nonce,
    certificate,
    clock,
  };
  return wait(talk, { kind: "open", hello, offer }, now, [{ kind: "say", message: offer }]);
}

type Of<Kind extends Phase["kind"]> = Extract<Phase, { kind: Kind }>;

function onOffer(
  primitives: Primitives,
  talk: Talk,
  { hello, open }: Of<"offer">,
  offer: Offer,
  clock: number,
  now: Instant,
): TalkStep {
  if (offer.protocol !== CEREMONY_PROTOCOL) return failed(talk, "other-version", "here");
  const mine = { privateKey: talk.secrets.privateKey, theirShare: offer.share };
  const agreement = agreementOf(primitives, { hello, offer, open }, mine);
  if (agreement === undefined) return failed(talk, "bad-message", "here");
  const { certificate, release, letter } = offer;
  const peer = { certificate, release, letter, clockAheadMillis: offer.clock - clock };
  return stretch(talk, { agreement, peer }, now, [{ kind: "say", message: open }]);
}

function onOpen(
  primitives: Primitives,
  talk: Talk,
  { hello, offer }: Of<"open">,
  open: Open,
  clock: number,
  now: Instant,
): TalkStep {
  if (commitmentTo(primitives, open) !== hello.commitment) return failed(talk, "broken-commitment", "here");
  const mine = { privateKey: talk.secrets.privateKey, theirShare: open.share };
  const agreement = agreementOf(primitives, { hello, offer, open }, mine);
  if (agreement === undefined) return failed(talk, "bad-message", "here");
  const { certificate } = open;
  // It said its time with the first word, a moment ago.
  const peer = { certificate, release: hello.release, letter: offer.letter, clockAheadMillis: open.clock - clock };
  return stretch(talk, { agreement, peer }, now, []);
}

/** The salt is of both ends' random numbers, so that nobody can have worked out anything beforehand. */
function stretch(
  talk: Talk,
  { agreement, peer }: { readonly agreement: Agreement; readonly peer: Peer },
  now: Instant,
  actions: readonly TalkAction[],
): TalkStep {
  const phase: Phase = { kind: "stretch", agreement, peer, early: undefined };
  const order: TalkAction = { kind: "stretch", text: stretchedText(talk.party.code), salt: agreement.transcript };
  return wait(talk, phase, now, [...actions, order]);
}

function onStretched(primitives: Primitives, talk: Talk, stretched: Uint8Array, now: Instant): TalkStep {
  const { phase, party } = talk;
  if (phase.kind !== "stretch") return goOn(talk);
  const { agreement, peer, early } = phase;
  const talkKey = talkKeyOf(primitives, agreement, stretched);
  const next: Of<"proof"> = { kind: "proof", digits: agreement.digits, talkKey, peer };
  // Whoever has to guess the code must not learn from the inviter whether it guessed right.
  const proof = proofOf(primitives, talkKey, "joiner");
  if (party.role === "joiner") return wait(talk, next, now, [{ kind: "say", message: { kind: "proof", proof } }]);
  return early === undefined ? wait(talk, next, now) : onProof(primitives, talk, next, early, now);
}

function onProof(primitives: Primitives, talk: Talk, phase: Of<"proof">, proof: string, now: Instant): TalkStep {
  const { digits, talkKey, peer } = phase;
  const { role } = talk.party;
  if (proof !== proofOf(primitives, talkKey, otherRole(role))) {
    return failed(talk, role === "inviter" ? "wrong-code" : "not-the-inviter", "here");
  }
  const next: Phase = { kind: "compare", digits, talkKey, peer, yes: false, theirs: undefined };
  const answer: TalkAction = { kind: "say", message: { kind: "proof", proof: proofOf(primitives, talkKey, role) } };
  const compared = { ...talk, phase: next, deadline: after(now, PERSON_WAIT) };
  return goOn(compared, role === "inviter" ? [answer] : []);
}

function onAnswer(primitives: Primitives, talk: Talk, yes: boolean, now: Instant): TalkStep {
  const { phase, party } = talk;
  if (phase.kind !== "compare" || phase.yes) return goOn(talk);
  if (!yes) return failed(talk, "digits-differ", "here");
  const sealed = seal(primitives, phase.talkKey, party.role, "agreed", party.seed);
  const say: TalkAction = { kind: "say", message: { kind: "agreed", sealed } };
  return bothAgreed(primitives, talk, { ...phase, yes }, now, [say]);
}

function onAgreed(primitives: Primitives, talk: Talk, phase: Of<"compare">, sealed: string, now: Instant): TalkStep {
  const theirs = unseal(primitives, phase.talkKey, otherRole(talk.party.role), "agreed", sealed);
  const wanted = talk.party.role === "joiner" ? /^[0-9a-f]{32}$/ : /^$/;
  if (theirs === undefined || !wanted.test(theirs)) return failed(talk, "bad-message", "here");
  return bothAgreed(primitives, talk, { ...phase, theirs }, now, []);
}

/** The one that joins keeps the pairing first: the inviter may be a box that serves, and changes last. */
function bothAgreed(
  primitives: Primitives,
  talk: Talk,
  phase: Of<"compare">,
  now: Instant,
  actions: readonly TalkAction[],
): TalkStep {
  const { party } = talk;
  if (!phase.yes || phase.theirs === undefined) return goOn({ ...talk, phase }, actions);
  const { talkKey, peer } = phase;
  const pairing: Pairing = {
    role: party.role,
    letter: party.role === "inviter" ? party.letter : otherLetter(peer.letter),
    pairKey: pairKeyOf(primitives, talkKey),
    certificate: party.certificate,
    peerCertificate: peer.certificate,
    peerRelease: peer.release,
    seed: party.role === "inviter" ? party.seed : phase.theirs,
    clockAheadMillis: peer.clockAheadMillis,
  };
  if (party.role === "inviter") return wait(talk, { kind: "kept", talkKey, pairing }, now, actions);
  return wait(talk, { kind: "keep", talkKey }, now, [...actions, { kind: "keep", pairing }]);
}

function onDisk(primitives: Primitives, talk: Talk, ok: boolean, now: Instant): TalkStep {
  const { phase, party } = talk;
  if (phase.kind !== "keep") return goOn(talk);
  if (!ok) return failed(talk, "not-kept", "here");
  const sealed = seal(primitives, phase.talkKey, party.role, "kept", "");
  const say: TalkAction = { kind: "say", message: { kind: "kept", sealed } };
  if (party.role === "inviter") return { talk, actions: [say], end: { kind: "paired" } };
  return wait(talk, { kind: "kept", talkKey: phase.talkKey, pairing: undefined }, now, [say]);
}

function onKept(primitives: Primitives, talk: Talk, phase: Of<"kept">, sealed: string, now: Instant): TalkStep {
  const { talkKey, pairing } = phase;
  if (unseal(primitives, talkKey, otherRole(talk.party.role), "kept", sealed) === undefined) {
    return failed(talk, "bad-message", "here");
  }
  if (pairing === undefined) return { talk, actions: [], end: { kind: "paired" } };
  return wait(talk, { kind: "keep", talkKey }, now, [{ kind: "keep", pairing }]);
}

/** What the box that joins has kept already is undone: the inviter did not say that it has kept it, too. */
function failed(talk: Talk, refusal: CeremonyRefusal, by: "here" | "there"): TalkStep {
  const { phase, party } = talk;
  const said: readonly TalkAction[] = by === "here" ? [{ kind: "say", message: { kind: "refused", refusal } }] : [];
  const kept = phase.kind === "keep" || (phase.kind === "kept" && party.role === "joiner");
  return {
    talk,
    actions: [...said, ...(kept ? [{ kind: "undo" } as const] : [])],
    end: { kind: "failed", refusal, by },
  };
}

function unexpected(talk: Talk): TalkStep {
  return failed(talk, "bad-message", "here");
}

function wait(talk: Talk, phase: Phase, now: Instant, actions: readonly TalkAction[] = []): TalkStep {
  return goOn({ ...talk, phase, deadline: after(now, ANSWER_WAIT) }, actions);
}

function goOn(talk: Talk, actions: readonly TalkAction[] = []): TalkStep {
  return { talk, actions, end: undefined };
}

function otherRole(role: Role): Role {
  return role === "inviter" ? "joiner" : "inviter";
}

function otherLetter(letter: Letter): Letter {
  return letter === "a" ? "b" : "a";
}
