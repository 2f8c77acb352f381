/**
 * One conversation between two boxes, from the first word to the pairing kept on both disks; either end of it. It
 * decides what to say next and whether to believe what was heard. Who may begin one, and how often, is ceremony.ts.
 */
import { after, type Instant, seconds } from "@futago/hal/units/time.ts";
import {
  clockDifference,
  formatClock,
  formatClockReport,
  parseClock,
  parseClockReport,
  seenFromThere,
  type ClockVerdict,
} from "./clock.ts";
import {
  CEREMONY_PROTOCOL,
  type CeremonyMessage,
  type CeremonyRefusal,
  type Foreign,
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
import type {
  Agreed,
  Letter,
  Party,
  Peer,
  Phase,
  Talk,
  TalkAction,
  TalkInput,
  TalkSecrets,
  TalkStep,
} from "./talk-state.ts";
import type { Version, Versions } from "./version.ts";

/** What a machine answers, on a busy one. */
const ANSWER_WAIT = seconds(15);
/** What two people need to compare six digits, one of whom may have to walk. */
const PERSON_WAIT = seconds(180);

/** The one that joins speaks first. */
export function beginTalk(primitives: Primitives, party: Party, secrets: TalkSecrets, now: Instant): TalkStep {
  const deadline = after(now, ANSWER_WAIT);
  if (party.role === "inviter") return goOn({ party, secrets, phase: { kind: "hello" }, deadline });
  const { certificate, release } = party;
  const open: Open = { kind: "open", share: secrets.share, nonce: secrets.nonce, certificate };
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
    case "clockTaken":
      return onClockTaken(talk, input.verdict, now);
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

/** While the digits are compared. */
export function versionsOf({ phase, party }: Talk): Versions | undefined {
  return phase.kind === "compare" ? versions(party, { protocol: CEREMONY_PROTOCOL, ...phase.peer }) : undefined;
}

/** From here on the code has served, whatever comes of it. */
export function isProven({ phase }: Talk): boolean {
  return (
    phase.kind === "compare" ||
    phase.kind === "clock" ||
    phase.kind === "serve" ||
    phase.kind === "keep" ||
    phase.kind === "kept"
  );
}

function hear(
  primitives: Primitives,
  talk: Talk,
  message: CeremonyMessage | Foreign,
  clock: number,
  now: Instant,
): TalkStep {
  const { phase } = talk;
  switch (message.kind) {
    case "refused":
      return failed(talk, message.refusal, "there");
    case "foreign":
      return phase.kind === "hello" || phase.kind === "offer" ? otherVersion(talk, message, "here") : unexpected(talk);
    case "version":
      return phase.kind === "offer" || phase.kind === "open" ? otherVersion(talk, message, "there") : unexpected(talk);
    case "hello":
      return phase.kind === "hello" ? onHello(talk, message, now) : unexpected(talk);
    case "offer":
      return phase.kind === "offer" ? onOffer(primitives, talk, phase, message, now) : unexpected(talk);
    case "open":
      return phase.kind === "open" ? onOpen(primitives, talk, phase, message, now) : unexpected(talk);
    case "proof":
      if (phase.kind === "proof") return onProof(primitives, talk, phase, message.proof, now);
      return phase.kind === "stretch" && phase.early === undefined && talk.party.role === "inviter"
        ? goOn({ ...talk, phase: { ...phase, early: message.proof } })
        : unexpected(talk);
    case "agreed":
      return phase.kind === "compare" && phase.theirs === undefined
        ? onAgreed(primitives, talk, phase, message.sealed, now)
        : unexpected(talk);
    case "clock":
      if (phase.kind === "clock" && phase.difference === undefined)
        return onClock(primitives, talk, phase, { sealed: message.sealed, clock }, now);
      return phase.kind === "serve" && !phase.asked
        ? onClockAsked(primitives, talk, phase, { sealed: message.sealed, clock }, now)
        : unexpected(talk);
    case "kept":
      if (phase.kind === "serve") return onKeptThere(primitives, talk, phase, message.sealed, now);
      return phase.kind === "kept" ? onKeptByInviter(primitives, talk, phase, message.sealed) : unexpected(talk);
  }
}

function onHello(talk: Talk, hello: Hello, now: Instant): TalkStep {
  const { release, certificate, letter, code } = talk.party;
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
  };
  return wait(talk, { kind: "open", hello, offer }, now, [{ kind: "say", message: offer }]);
}

type Of<Kind extends Phase["kind"]> = Extract<Phase, { kind: Kind }>;

function onOffer(
  primitives: Primitives,
  talk: Talk,
  { hello, open }: Of<"offer">,
  offer: Offer,
  now: Instant,
): TalkStep {
  const mine = { privateKey: talk.secrets.privateKey, theirShare: offer.share };
  const agreement = agreementOf(primitives, { hello, offer, open }, mine);
  if (agreement === undefined) return failed(talk, "bad-message", "here");
  const { certificate, release, letter } = offer;
  const peer = { certificate, release, letter };
  return stretch(talk, { agreement, peer }, now, [{ kind: "say", message: open }]);
}

function onOpen(primitives: Primitives, talk: Talk, { hello, offer }: Of<"open">, open: Open, now: Instant): TalkStep {
  if (commitmentTo(primitives, open) !== hello.commitment) return failed(talk, "broken-commitment", "here");
  const mine = { privateKey: talk.secrets.privateKey, theirShare: open.share };
  const agreement = agreementOf(primitives, { hello, offer, open }, mine);
  if (agreement === undefined) return failed(talk, "bad-message", "here");
  const peer = { certificate: open.certificate, release: hello.release, letter: offer.letter };
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
  const agreed: Agreed = {
    role: party.role,
    letter: party.role === "inviter" ? party.letter : otherLetter(peer.letter),
    pairKey: pairKeyOf(primitives, talkKey),
    certificate: party.certificate,
    peerCertificate: peer.certificate,
    versions: versions(party, { protocol: CEREMONY_PROTOCOL, release: peer.release }),
    seed: party.role === "inviter" ? party.seed : phase.theirs,
  };
  if (party.role === "inviter") return wait(talk, { kind: "serve", talkKey, agreed, asked: false }, now, actions);
  const sealed = seal(primitives, talkKey, party.role, "clock", "");
  const asking: Phase = { kind: "clock", talkKey, agreed, askedAt: now, difference: undefined };
  return wait(talk, asking, now, [...actions, { kind: "say", message: { kind: "clock", sealed } }]);
}

interface ClockWord {
  readonly sealed: string;
  /** This box's when it came. */
  readonly clock: number;
}

function onClockAsked(
  primitives: Primitives,
  talk: Talk,
  phase: Of<"serve">,
  { sealed, clock }: ClockWord,
  now: Instant,
): TalkStep {
  const { talkKey } = phase;
  if (unseal(primitives, talkKey, "joiner", "clock", sealed) !== "") return failed(talk, "bad-message", "here");
  const answer = seal(primitives, talkKey, "inviter", "clock", formatClock(clock));
  return wait(talk, { ...phase, asked: true }, now, [{ kind: "say", message: { kind: "clock", sealed: answer } }]);
}

function onClock(
  primitives: Primitives,
  talk: Talk,
  phase: Of<"clock">,
  { sealed, clock: mine }: ClockWord,
  now: Instant,
): TalkStep {
  const theirs = parseClock(unseal(primitives, phase.talkKey, "inviter", "clock", sealed) ?? "");
  if (theirs === undefined) return failed(talk, "bad-message", "here");
  const difference = clockDifference({ askedAt: phase.askedAt, answeredAt: now }, { mine, theirs });
  return goOn({ ...talk, phase: { ...phase, difference } }, [{ kind: "takeClock", difference }]);
}

function onClockTaken(talk: Talk, verdict: ClockVerdict, now: Instant): TalkStep {
  const { phase } = talk;
  if (phase.kind !== "clock" || phase.difference === undefined) return goOn(talk);
  const { talkKey, agreed, difference } = phase;
  const clock = { ...difference, verdict };
  return wait(talk, { kind: "keep", talkKey, clock }, now, [{ kind: "keep", pairing: { ...agreed, clock } }]);
}

function onDisk(primitives: Primitives, talk: Talk, ok: boolean, now: Instant): TalkStep {
  const { phase, party } = talk;
  if (phase.kind !== "keep") return goOn(talk);
  if (!ok) return failed(talk, "not-kept", "here");
  const { talkKey, clock } = phase;
  const told = party.role === "joiner" ? formatClockReport(clock) : "";
  const sealed = seal(primitives, talkKey, party.role, "kept", told);
  const say: TalkAction = { kind: "say", message: { kind: "kept", sealed } };
  if (party.role === "inviter") return { talk, actions: [say], end: { kind: "paired" } };
  return wait(talk, { kind: "kept", talkKey }, now, [say]);
}

/** At the inviter. */
function onKeptThere(
  primitives: Primitives,
  talk: Talk,
  { talkKey, agreed }: Of<"serve">,
  sealed: string,
  now: Instant,
): TalkStep {
  const told = parseClockReport(unseal(primitives, talkKey, "joiner", "kept", sealed) ?? "");
  if (told === undefined) return failed(talk, "bad-message", "here");
  const clock = seenFromThere(told);
  return wait(talk, { kind: "keep", talkKey, clock }, now, [{ kind: "keep", pairing: { ...agreed, clock } }]);
}

function onKeptByInviter(primitives: Primitives, talk: Talk, { talkKey }: Of<"kept">, sealed: string): TalkStep {
  if (unseal(primitives, talkKey, "inviter", "kept", sealed) !== "") return failed(talk, "bad-message", "here");
  return { talk, actions: [], end: { kind: "paired" } };
}

function otherVersion(talk: Talk, { protocol, release }: Version, by: "here" | "there"): TalkStep {
  const known = versions(talk.party, { protocol, release });
  const message: CeremonyMessage = { kind: "version", ...known.here };
  const actions: readonly TalkAction[] = by === "here" ? [{ kind: "say", message }] : [];
  return { talk, actions, end: { kind: "failed", refusal: "other-version", by, versions: known } };
}

function versions({ release }: Party, { protocol, release: theirs }: Version): Versions {
  return { here: { protocol: CEREMONY_PROTOCOL, release }, there: { protocol, release: theirs } };
}

/** What the box that joins has kept already is undone: the inviter did not say that it has kept it, too. */
function failed(talk: Talk, refusal: CeremonyRefusal, by: "here" | "there"): TalkStep {
  const { phase } = talk;
  const said: readonly TalkAction[] = by === "here" ? [{ kind: "say", message: { kind: "refused", refusal } }] : [];
  const kept = phase.kind === "keep" || phase.kind === "kept";
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
