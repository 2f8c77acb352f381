/**
 * Judges the answer to an HTTP check as it arrives: the status, and the body where a text is expected in it. Decides
 * as soon as it can; whoever reads then stops reading.
 */
import type { StatusRange } from "../config/resolved.ts";
import { type BodyState, bodyBytesMax, bodyStart, readBody } from "./http-body.ts";
import { type HeadFault, headFaultSentences, headStart, type HeadState, readHead } from "./http-head.ts";
import { latin1 } from "./latin1.ts";
import { formatStatusRanges, statusExpected } from "./status.ts";

export interface Expected {
  readonly status: readonly StatusRange[];
  /** What the body must hold; undefined is any body. */
  readonly body: ExpectedBody | undefined;
}

export interface ExpectedBody {
  /** The text in UTF-8, one character per byte. */
  readonly bytes: string;
  /** The text as sentences quote it. */
  readonly quoted: string;
}

export type AnswerState =
  | { readonly kind: "head"; readonly head: HeadState }
  /** `status` is the status in words. */
  | { readonly kind: "body"; readonly status: string; readonly body: BodyState };

export interface Judged {
  readonly kind: "judged";
  readonly good: boolean;
  readonly sentence: string;
}

export type AnswerReading = { readonly kind: "more"; readonly state: AnswerState } | Judged;

export const answerStart: AnswerState = { kind: "head", head: headStart };

const QUOTED_MAX = 60;

export function expectationOf(status: readonly StatusRange[], text: string | undefined): Expected {
  if (text === undefined) return { status, body: undefined };
  const shown = text.length > QUOTED_MAX ? `${text.slice(0, QUOTED_MAX)}…` : text;
  return { status, body: { bytes: latin1(new TextEncoder().encode(text)), quoted: JSON.stringify(shown) } };
}

/** The reading after more bytes arrived. */
export function readAnswer(expected: Expected, state: AnswerState, chunk: Uint8Array): AnswerReading {
  if (state.kind === "body") return judgeBody(expected, state.status, state.body, latin1(chunk));
  const reading = readHead(state.head, chunk);
  switch (reading.kind) {
    case "more":
      return { kind: "more", state: { kind: "head", head: reading.state } };
    case "malformed":
      return fault(reading.reason);
    case "head": {
      const { status, sentence, fields, rest } = reading.head;
      if (!statusExpected(expected.status, status)) {
        return bad(`answered ${sentence}, expected ${formatStatusRanges(expected.status)}`);
      }
      if (expected.body === undefined) return { kind: "judged", good: true, sentence: `answered ${sentence}` };
      return judgeBody(expected, sentence, bodyStart(status, fields), rest);
    }
  }
}

/** The judgement when the other side has ended the connection before there was one. */
export function endAnswer(expected: Expected, state: AnswerState): Judged {
  if (state.kind === "head") return fault("closedEarly");
  const early = state.body.framing.kind === "length" || state.body.framing.kind === "chunked";
  if (early) return bad(`answered ${state.status}, but the body ended early`);
  return lacking(expected, state.status, "the body does");
}

/** What is still missing, for the sentence of an attempt that takes too long. */
export function missingOf(state: AnswerState): string {
  if (state.kind === "body") return `answered ${state.status}, but no end of the body`;
  return state.head.bytes === 0 ? "connected, but no answer" : "connected, but no whole answer";
}

function judgeBody(expected: Expected, status: string, before: BodyState, piece: string): AnswerReading {
  const body = readBody(before, piece);
  const sought = expected.body?.bytes ?? "";
  // What was searched before is not searched again, but for what may span two pieces.
  if (body.text.includes(sought, Math.max(0, before.text.length - sought.length))) {
    return { kind: "judged", good: true, sentence: `answered ${status}, with ${expected.body?.quoted ?? "a body"}` };
  }
  if (body.text.length >= bodyBytesMax) return lacking(expected, status, "the first 64 KiB of the body do");
  if (body.framing.kind === "over") return lacking(expected, status, "the body does");
  if (body.framing.kind === "broken") return bad(`answered ${status}, but the chunks of the body are broken`);
  return { kind: "more", state: { kind: "body", status, body } };
}

function lacking(expected: Expected, status: string, who: string): Judged {
  return bad(`answered ${status}, but ${who} not hold ${expected.body?.quoted ?? ""}`);
}

function fault(reason: HeadFault): Judged {
  return bad(`the answer ${headFaultSentences[reason]}`);
}

function bad(sentence: string): Judged {
  return { kind: "judged", good: false, sentence };
}
