/**
 * Reads the body of an HTTP/1.x response as it arrives, as far as a check looks at it: the first 64 KiB, with the
 * chunks of the transfer put together. Content codings are not undone; the request asks for none.
 *
 * @see RFC 9112 §6.3, §7.1
 */

export const bodyBytesMax = 64 * 1024;
/** A chunk's size with its extensions. */
const sizeLineMax = 1_024;

export interface BodyState {
  /** What has come, one character per byte, at most {@link bodyBytesMax}. */
  readonly text: string;
  readonly framing: Framing;
}

/** How the end of the body is told. */
export type Framing =
  | { readonly kind: "length"; readonly left: number }
  /** `line` is what has come of the line before the next chunk; `left` what is missing of the chunk under way. */
  | { readonly kind: "chunked"; readonly left: number; readonly line: string; readonly first: boolean }
  | { readonly kind: "untilClose" }
  | { readonly kind: "over" }
  /** A chunk's size is none. */
  | { readonly kind: "broken" };

/** Before the first byte of the body of a response with this status and these header fields. */
export function bodyStart(status: number, fields: string): BodyState {
  return { text: "", framing: framingOf(status, fields) };
}

function framingOf(status: number, fields: string): Framing {
  if (status < 200 || status === 204 || status === 304) return { kind: "over" };
  const coding = /^transfer-encoding[ \t]*:(.*)$/im.exec(fields)?.[1];
  if (coding !== undefined) {
    return /(?:^|,)\s*chunked\s*$/i.test(coding)
      ? { kind: "chunked", left: 0, line: "", first: true }
      : { kind: "untilClose" };
  }
  const length = /^content-length[ \t]*:[ \t]*([0-9]{1,15})[ \t\r]*$/im.exec(fields)?.[1];
  if (length === undefined) return { kind: "untilClose" };
  return Number(length) === 0 ? { kind: "over" } : { kind: "length", left: Number(length) };
}

/** The state after more of the body arrived, one character per byte. */
export function readBody(state: BodyState, piece: string): BodyState {
  let { text, framing } = state;
  let rest = piece;
  while (rest !== "" && text.length < bodyBytesMax) {
    switch (framing.kind) {
      case "over":
      case "broken":
        return { text, framing };
      case "untilClose":
        text += rest.slice(0, bodyBytesMax - text.length);
        return { text, framing };
      case "length": {
        const taken = rest.slice(0, framing.left);
        text += taken.slice(0, bodyBytesMax - text.length);
        rest = rest.slice(taken.length);
        const left = framing.left - taken.length;
        framing = left === 0 ? { kind: "over" } : { kind: "length", left };
        break;
      }
      case "chunked": {
        const taken = rest.slice(0, framing.left);
        text += taken.slice(0, bodyBytesMax - text.length);
        rest = rest.slice(taken.length);
        if (framing.left > taken.length) framing = { ...framing, left: framing.left - taken.length };
        else [framing, rest] = readSizeLine(framing, rest);
      }
    }
  }
  return { text, framing };
}

/** Takes the line before the next chunk off `rest`: the end of the last chunk, then the size of the next. */
function readSizeLine(
  framing: Extract<Framing, { kind: "chunked" }>,
  rest: string,
): readonly [framing: Framing, rest: string] {
  const end = rest.indexOf("\n");
  const line = framing.line + (end < 0 ? rest : rest.slice(0, end));
  if (line.length > sizeLineMax) return [{ kind: "broken" }, ""];
  if (end < 0) return [{ ...framing, left: 0, line }, ""];
  const behind = rest.slice(end + 1);
  const written = line.replace(/\r$/, "");
  // The data of every chunk ends with a line end of its own.
  if (written === "" && !framing.first) return [{ kind: "chunked", left: 0, line: "", first: true }, behind];
  const size = framing.first ? /^([0-9a-f]{1,8})[ \t]*(?:;.*)?$/i.exec(written)?.[1] : undefined;
  if (size === undefined) return [{ kind: "broken" }, ""];
  const left = Number.parseInt(size, 16);
  // What follows the last chunk are trailer fields, which no check looks at.
  if (left === 0) return [{ kind: "over" }, ""];
  return [{ kind: "chunked", left, line: "", first: false }, behind];
}
