/** Bytes or text to a JSON value, with what is wrong in words. */
import { readJson } from "./json-text.ts";
import { documentBytesMax } from "./limits.ts";
import type { Problem } from "./problem.ts";

export type DocumentReading = { readonly ok: true; readonly value: unknown } | Refused;

interface Refused {
  readonly ok: false;
  readonly problem: Problem;
}

/** Reads a configuration file. A byte order mark in front, which some editors write, is skipped. */
export function readDocument(input: string | Uint8Array): DocumentReading {
  if (input.length > documentBytesMax) {
    return refuse(
      "tooLarge",
      `the document has ${input.length} bytes, at most ${documentBytesMax} are possible`,
      "make it smaller",
    );
  }
  const decoded = typeof input === "string" ? { ok: true as const, text: input } : documentText(input);
  if (!decoded.ok) return decoded;
  const { text } = decoded;
  const reading = readJson(text.startsWith("\ufeff") ? text.slice(1) : text);
  if (reading.ok) return reading;
  const what = `line ${reading.line}, column ${reading.column}: ${reading.what}`;
  switch (reading.reason) {
    case "syntax":
      return refuse("syntax", what, "mend the JSON there");
    case "duplicateKey":
      return refuse("duplicateKey", what, "keep one of them");
    case "tooDeep":
      return refuse("tooDeep", what, "remove the nesting; no part of a configuration is that deep");
  }
}

/** The text that the bytes of a file are. */
export function documentText(bytes: Uint8Array): { readonly ok: true; readonly text: string } | Refused {
  try {
    return { ok: true, text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    // The decoder has no way to ask first; it throws on the first byte that is not UTF-8.
    return refuse("encoding", "the document is not UTF-8 text", `save it as UTF-8${hint(bytes)}`);
  }
}

function hint(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const utf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  if (utf16) return "; it looks like UTF-16";
  return first === 0x1f && second === 0x8b ? "; it looks like a gzip file" : "";
}

function refuse(code: Problem["code"], what: string, mend: string): Refused {
  return { ok: false, problem: { path: "", what, mend, code } };
}
