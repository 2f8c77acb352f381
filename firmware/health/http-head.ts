/**
 * Reads the head of an HTTP/1.x response as it arrives, in pieces of any size. Bounded: a server that never ends its
 * head is found out after 16 KiB. The body is nobody's business here.
 *
 * @see RFC 9112 §2, §4
 */

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
  | { readonly kind: "status"; readonly status: number }
  | { readonly kind: "malformed"; readonly reason: HeadFault };

export type HeadFault = "notHttp" | "headTooLong" | "closedEarly";

/** The words for a fault, as the end of "the answer …". `closedEarly` is for the caller: the connection ended before a status was read. */
export const headFaultSentences: Readonly<Record<HeadFault, string>> = {
  notHttp: "is not HTTP/1.x",
  headTooLong: "has a head of more than 16 KiB",
  closedEarly: "ended before its head did",
};

export const headStart: HeadState = { text: "", bytes: 0 };

const statusLine = /^HTTP\/1\.[0-9] ([1-5][0-9]{2})(?: [^\r\n]*)?\r?$/;

/** The reading after more bytes arrived. Interim responses (1xx) are skipped. */
export function readHead(state: HeadState, chunk: Uint8Array): HeadReading {
  const bytes = state.bytes + chunk.length;
  let text = state.text + latin1(chunk.subarray(0, headBytesMax + 1));
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
    if (status >= 200 || status === 101) return { kind: "status", status };
    text = text.slice(headEnd.index + headEnd[0].length);
  }
}

/** Whether the text, however short, can be the beginning of an HTTP/1.x response. */
function couldBegin(text: string): boolean {
  const start = "HTTP/1.";
  return text.startsWith(start.slice(0, text.length));
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
