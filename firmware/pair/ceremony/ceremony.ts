/**
 * The pairing of one box, pure: an invitation that is valid once and for ten minutes, or the search for one. It decides
 * who may talk, how often a code may be guessed, and when all is over; talk.ts is what is said.
 */
import { after, between, type Instant, seconds } from "@futago/hal/units/time.ts";
import { formatCode } from "./code.ts";
import { type CeremonyMessage, type CeremonyRefusal, decodeCeremonyMessage } from "./message.ts";
import type { Primitives } from "./primitives.ts";
import type { ClockVerdict } from "./clock.ts";
import type { Role } from "./secrets.ts";
import { beginTalk, digitsOf, isProven, stepTalk, versionsOf } from "./talk.ts";
import type {
  Letter,
  Pairing,
  Party,
  Talk,
  TalkAction,
  TalkEnd,
  TalkInput,
  TalkSecrets,
  TalkStep,
} from "./talk-state.ts";
import type { Versions } from "./version.ts";

const INVITATION_VALID = seconds(600);
/** Somebody who comes too late is told so for so long. */
const SPENT_SHOWN = seconds(600);
/** Of the box that joins: an inviter answers at once. */
const SEARCH = seconds(15);
const WRONG_TRIES_MAX = 3;

/** How the last one ended. */
export type Ending =
  | {
      readonly kind: "paired";
      readonly role: Role;
      readonly letter: Letter;
      readonly versions: Versions;
      /** How far the other box's clock was ahead of this one's, before `clock` became of the joining box's. */
      readonly clockAheadMillis: number;
      readonly clockWithinMillis: number;
      readonly clock: ClockVerdict;
    }
  | {
      readonly kind: "failed";
      readonly refusal: CeremonyRefusal | "no-invitation";
      readonly by: "here" | "there";
      /** Of `other-version`. */
      readonly versions?: Versions;
    };

type SpentRefusal = Extract<CeremonyRefusal, "used-code" | "late-code" | "too-many-tries" | "cancelled">;

interface Conversation {
  readonly connection: number;
  readonly talk: Talk;
  /** Set with the order to keep it. */
  readonly pairing: Pairing | undefined;
}

export interface Idle {
  readonly kind: "idle";
  readonly last: Ending | undefined;
  /** Whoever comes with a code that was valid is told why it is not any more. */
  readonly spent: { readonly refusal: SpentRefusal; readonly tag: string; readonly until: Instant } | undefined;
}

export interface Inviting {
  readonly kind: "inviting";
  readonly party: Party;
  readonly until: Instant;
  readonly wrongTries: number;
  readonly conversation: Conversation | undefined;
}

export interface Joining {
  readonly kind: "joining";
  readonly party: Party;
  /** Of the search. */
  readonly until: Instant;
  /** Another invitation was heard, for another code. */
  readonly heardOther: boolean;
  readonly dialling: number | undefined;
  readonly conversation: Conversation | undefined;
}

export type CeremonyState = Idle | Inviting | Joining;
export const initialCeremony: CeremonyState = { kind: "idle", last: undefined, spent: undefined };

export type CeremonyInput =
  | { readonly kind: "invite"; readonly party: Party }
  | { readonly kind: "join"; readonly party: Party }
  /** The box that joins heard an inviter; `connection` is the number of what it dials then. */
  | { readonly kind: "found"; readonly tag: string; readonly place: string; readonly connection: number }
  /** Dialled, or taken by the inviter. */
  | { readonly kind: "connected"; readonly connection: number; readonly secrets: TalkSecrets }
  /** `clock`: milliseconds since 1970 by this box's. */
  | { readonly kind: "line"; readonly connection: number; readonly line: string; readonly clock: number }
  | { readonly kind: "closed"; readonly connection: number }
  | { readonly kind: "stretched"; readonly connection: number; readonly key: Uint8Array }
  | { readonly kind: "answered"; readonly yes: boolean }
  | { readonly kind: "clockTaken"; readonly verdict: ClockVerdict }
  | { readonly kind: "disk"; readonly ok: boolean }
  | { readonly kind: "cancel" }
  | { readonly kind: "timeout" };

export type CeremonyAction =
  | { readonly kind: "dial"; readonly connection: number; readonly place: string }
  | { readonly kind: "send"; readonly connection: number; readonly message: CeremonyMessage }
  | { readonly kind: "close"; readonly connection: number }
  | { readonly kind: "stretch"; readonly connection: number; readonly text: string; readonly salt: Uint8Array }
  | Extract<TalkAction, { kind: "takeClock" | "keep" | "undo" }>
  | { readonly kind: "ended"; readonly ending: Ending };

export interface CeremonyStep {
  readonly state: CeremonyState;
  readonly actions: readonly CeremonyAction[];
}

export function stepCeremony(
  primitives: Primitives,
  state: CeremonyState,
  input: CeremonyInput,
  now: Instant,
): CeremonyStep {
  switch (input.kind) {
    case "invite":
      if (state.kind !== "idle") return stay(state);
      return stay({
        kind: "inviting",
        party: input.party,
        until: after(now, INVITATION_VALID),
        wrongTries: 0,
        conversation: undefined,
      });
    case "join": {
      if (state.kind !== "idle") return stay(state);
      const none = { heardOther: false, dialling: undefined, conversation: undefined };
      return stay({ kind: "joining", party: input.party, until: after(now, SEARCH), ...none });
    }
    case "found":
      return onFound(state, input);
    case "connected":
      return onConnected(primitives, state, input, now);
    case "line":
      return onLine(primitives, state, input, now);
    case "closed":
      if (state.kind === "joining" && state.dialling === input.connection)
        return stay({ ...state, dialling: undefined });
      return talked(primitives, state, input.connection, { kind: "fail", refusal: "went-away" }, now);
    case "stretched":
      return talked(primitives, state, input.connection, { kind: "stretched", key: input.key }, now);
    case "answered":
    case "clockTaken":
    case "disk":
      return talked(primitives, state, undefined, input, now);
    case "cancel":
      return cancel(primitives, state, now);
    case "timeout":
      return onTimeout(primitives, state, now);
  }
}

export function nextTimeout(state: CeremonyState): Instant | undefined {
  if (state.kind === "idle") return state.spent?.until;
  // Whoever began to talk in time may finish.
  return state.conversation?.talk.deadline ?? state.until;
}

/** Whether inviters are answered for, and with which tag. */
export function tagHeard(state: CeremonyState): string | undefined {
  switch (state.kind) {
    case "idle":
      return state.spent?.tag;
    case "inviting":
      return state.party.code.tag;
    case "joining":
      return undefined;
  }
}

export function isSeeking(state: CeremonyState): boolean {
  return state.kind === "joining" && state.conversation === undefined && state.dialling === undefined;
}

/** What the person at this box is to know now. */
export interface CeremonyShown {
  readonly phase: "idle" | "inviting" | "joining" | "talking" | "comparing" | "waiting";
  readonly code: string | null;
  readonly secondsLeft: number | null;
  readonly digits: string | null;
  /** While the digits are there: the releases may differ. */
  readonly versions: Versions | null;
  readonly wrongTries: number;
  readonly last: Ending | null;
}

export function shown(state: CeremonyState, now: Instant): CeremonyShown {
  const none = { code: null, secondsLeft: null, digits: null, versions: null, wrongTries: 0, last: null };
  if (state.kind === "idle") return { ...none, phase: "idle", last: state.last ?? null };
  const { conversation, party } = state;
  const code = formatCode(party.code);
  const wrongTries = state.kind === "inviting" ? state.wrongTries : 0;
  const until = conversation?.talk.deadline ?? state.until;
  const secondsLeft = Math.max(0, Math.ceil(between(now, until) / seconds(1)));
  const digits = conversation === undefined ? undefined : digitsOf(conversation.talk);
  const versions = conversation === undefined ? undefined : versionsOf(conversation.talk);
  const common = { ...none, code, wrongTries, secondsLeft, digits: digits ?? null, versions: versions ?? null };
  if (conversation === undefined) return { ...common, phase: state.kind };
  if (conversation.talk.phase.kind === "compare")
    return { ...common, phase: conversation.talk.phase.yes ? "waiting" : "comparing" };
  return { ...common, phase: "talking" };
}

function onFound(state: CeremonyState, { tag, place, connection }: Extract<CeremonyInput, { kind: "found" }>) {
  if (state.kind !== "joining" || !isSeeking(state)) return stay(state);
  if (tag !== state.party.code.tag) return stay({ ...state, heardOther: true });
  return stay({ ...state, dialling: connection }, [{ kind: "dial", connection, place }]);
}

function onConnected(
  primitives: Primitives,
  state: CeremonyState,
  { connection, secrets }: Extract<CeremonyInput, { kind: "connected" }>,
  now: Instant,
): CeremonyStep {
  if (state.kind === "idle") return stay(state, turnAway(connection, state.spent?.refusal ?? "late-code"));
  if (state.conversation !== undefined) return stay(state, turnAway(connection, "busy"));
  if (state.kind === "joining" && state.dialling !== connection) return stay(state, turnAway(connection, "busy"));
  const begun = beginTalk(primitives, state.party, secrets, now);
  const fresh = { connection, talk: begun.talk, pairing: undefined };
  const next = state.kind === "joining" ? { ...state, dialling: undefined } : state;
  return settle(next, fresh, begun, now);
}

function onLine(
  primitives: Primitives,
  state: CeremonyState,
  { connection, line, clock }: Extract<CeremonyInput, { kind: "line" }>,
  now: Instant,
): CeremonyStep {
  const decoded = decodeCeremonyMessage(line);
  const input: TalkInput = decoded.ok
    ? { kind: "message", message: decoded.value, clock }
    : { kind: "fail", refusal: decoded.reason };
  return talked(primitives, state, connection, input, now);
}

/** What a conversation makes of an input that is for this connection, or for whichever there is. */
function talked(
  primitives: Primitives,
  state: CeremonyState,
  connection: number | undefined,
  input: TalkInput,
  now: Instant,
): CeremonyStep {
  if (state.kind === "idle" || state.conversation === undefined) return stay(state);
  const { conversation } = state;
  if (connection !== undefined && connection !== conversation.connection) return stay(state);
  return settle(state, conversation, stepTalk(primitives, conversation.talk, input, now), now);
}

function settle(state: Inviting | Joining, former: Conversation, made: TalkStep, now: Instant): CeremonyStep {
  const { connection } = former;
  const keep = made.actions.find((action) => action.kind === "keep");
  const conversation = { connection, talk: made.talk, pairing: keep?.pairing ?? former.pairing };
  const actions = made.actions.map((action) => onConnection(connection, action));
  if (made.end === undefined) return stay({ ...state, conversation }, actions);
  return ended(state, conversation, made.end, [...actions, { kind: "close", connection }], now);
}

function onConnection(connection: number, action: TalkAction): CeremonyAction {
  switch (action.kind) {
    case "say":
      return { kind: "send", connection, message: action.message };
    case "stretch":
      return { ...action, connection };
    case "takeClock":
    case "keep":
    case "undo":
      return action;
  }
}

/** A conversation is over. An invitation outlives one in which nobody proved to know the code. */
function ended(
  state: Inviting | Joining,
  { talk, pairing }: Conversation,
  end: TalkEnd,
  actions: readonly CeremonyAction[],
  now: Instant,
): CeremonyStep {
  if (end.kind === "paired" && pairing !== undefined) {
    const { role, letter, versions, clock } = pairing;
    const measured = {
      clockAheadMillis: clock.aheadMillis,
      clockWithinMillis: clock.withinMillis,
      clock: clock.verdict,
    };
    return over(state, { kind: "paired", role, letter, versions, ...measured }, "used-code", actions, now);
  }
  const failure: TalkEnd = end.kind === "failed" ? end : { kind: "failed", refusal: "not-kept", by: "here" };
  if (state.kind === "joining" || isProven(talk)) return over(state, failure, "used-code", actions, now);
  const wrongTries = state.wrongTries + (failure.refusal === "wrong-code" ? 1 : 0);
  if (wrongTries < WRONG_TRIES_MAX) return stay({ ...state, wrongTries, conversation: undefined }, actions);
  return over(state, { kind: "failed", refusal: "too-many-tries", by: "here" }, "too-many-tries", actions, now);
}

function over(
  state: Inviting | Joining,
  ending: Ending,
  refusal: SpentRefusal,
  actions: readonly CeremonyAction[],
  now: Instant,
): CeremonyStep {
  const { tag } = state.party.code;
  const spent = state.kind === "inviting" ? { refusal, tag, until: after(now, SPENT_SHOWN) } : undefined;
  return stay({ kind: "idle", last: ending, spent }, [...actions, { kind: "ended", ending }]);
}

function cancel(primitives: Primitives, state: CeremonyState, now: Instant): CeremonyStep {
  if (state.kind === "idle") return stay(state);
  const spoken = talked(primitives, state, undefined, { kind: "fail", refusal: "cancelled" }, now);
  if (spoken.state.kind === "idle") return spoken;
  return over(state, { kind: "failed", refusal: "cancelled", by: "here" }, "cancelled", spoken.actions, now);
}

function onTimeout(primitives: Primitives, state: CeremonyState, now: Instant): CeremonyStep {
  if (state.kind === "idle") {
    const gone = state.spent !== undefined && now >= state.spent.until;
    return stay(gone ? { ...state, spent: undefined } : state);
  }
  const { conversation } = state;
  if (conversation !== undefined && now >= conversation.talk.deadline) {
    return talked(primitives, state, undefined, { kind: "fail", refusal: "not-answered" }, now);
  }
  if (now < state.until || conversation !== undefined) return stay(state);
  if (state.kind === "inviting") {
    return over(state, { kind: "failed", refusal: "late-code", by: "here" }, "late-code", [], now);
  }
  const refusal = state.heardOther ? "wrong-code" : "no-invitation";
  const hangUp = state.dialling === undefined ? [] : [{ kind: "close", connection: state.dialling } as const];
  return over(state, { kind: "failed", refusal, by: "here" }, "late-code", hangUp, now);
}

function turnAway(connection: number, refusal: CeremonyRefusal): readonly CeremonyAction[] {
  return [
    { kind: "send", connection, message: { kind: "refused", refusal } },
    { kind: "close", connection },
  ];
}

function stay(state: CeremonyState, actions: readonly CeremonyAction[] = []): CeremonyStep {
  return { state, actions };
}
