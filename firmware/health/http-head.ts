/**
 * Reads the head of an HTTP/1.x response as it arrives, in pieces of any size. Bounded: a server that never ends its
 * head is found out after 16 KiB. What follows the head is handed on for `http-body.ts`.
 *
 * @see RFC 9112 §2, §4
 */
import { latin1 } from "./latin1.ts";

export const headBytesMax = 16 * 1024;

/** What has come of the head so far, one character per byte. */
export interface HeadState {
  readonly text: string;
  /** Bytes of the whole answer so far, interim responses included. */
  readonly bytes: number;
}

export type HeadReading =
  | { readonly kind: "more"; readonly state: HeadState }
  /** The head of the final response is complete. */
  | { readonly kind: "head"; readonly head: Head }
  | { readonly kind: "malformed"; readonly reason: HeadFault };

export interface Head {
  readonly status: number;
  /** The status in words: "503 Service Unavailable", with the phrase as far as it is short and printable. */
  readonly sentence: string;
  /** The header fields, a line each. */
  readonly fields: string;
  /** What has come of the body with the end of the head, one character per byte. */
  readonly rest: string;
}

export type HeadFault = "notHttp" | "headTooLong" | "closedEarly";

/** The words for a fault, as the end of "the answer …". `closedEarly` is for the caller: the connection ended before a status was read. */
export const headFaultSentences: Readonly<Record<HeadFault, string>> = {
  notHttp: "is not HTTP/1.x",
  headTooLong: "has a head of more than 16 KiB",
  closedEarly: "ended before its head did",
};

export const headStart: HeadState = { text: "", bytes: 0 };

const statusLine = /^HTTP\/1\.[0-9] ([1-5][0-9]{2})(?: ([^\r\n]*))?\r?$/;
const PHRASE_MAX = 40;

/** The reading after more bytes arrived. Interim responses (1xx) are skipped. */
export function readHead(state: HeadState, chunk: Uint8Array): HeadReading {
  const bytes = state.bytes + chunk.length;
  let text = state.text + latin1(chunk);
  for (;;) {
    if (!couldBegin(text)) return { kind: "malformed", reason: "notHttp" };
    const lineEnd = text.indexOf("\n");
    const match = lineEnd < 0 ? null : statusLine.exec(text.slice(0, lineEnd));
    if (lineEnd >= 0 && match === null) return { kind: "malformed", reason: "notHttp" };
    const headEnd = /\r?\n\r?\n/.exec(text);
    if (headEnd === null || match === null) {
      if (bytes > headBytesMax) return { kind: "malformed", reason: "headTooLong" };
      return { kind: "more", state: { text, bytes } };
    }
    if (headEnd.index > headBytesMax) return { kind: "malformed", reason: "headTooLong" };
    const status = Number(match[1]);
    const rest = text.slice(headEnd.index + headEnd[0].length);
    if (status >= 200 || status === 101) {
      const fields = text.slice(lineEnd + 1, Math.max(lineEnd + 1, headEnd.index));
      return { kind: "head", head: { status, sentence: statusSentence(status, match[2] ?? ""), fields, rest } };
    }
    text = rest;
  }
}

/** The phrase is the other side's own words, shown to people: nothing in it may move a terminal's cursor. */
function statusSentence(status: number, phrase: string): string {
  const shown = phrase
    .replaceAll(/[^\x20-\x7e]/g, "")
    .slice(0, PHRASE_MAX)
    .trim();
  return shown === "" ? String(status) : `${status} ${shown}`;
}

/** Whether the text, however short, can be the beginning of an HTTP/1.x response. */
function couldBegin(text: string): boolean {
  const start = "HTTP/1.";
  return text.startsWith(start.slice(0, text.length));
}
