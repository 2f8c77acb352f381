/**
 * JSON text to a value, stricter and more talkative than JSON.parse: it tells line and column, refuses a key that is
 * there twice, and bounds the nesting. It does not know what a configuration is.
 *
 * @see RFC 8259
 */
import { depthMax } from "./limits.ts";

export type JsonReading =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      readonly reason: "syntax" | "duplicateKey" | "tooDeep";
      /** From 1, counted in UTF-16 units. */
      readonly line: number;
      readonly column: number;
      /** What was found or missed there. */
      readonly what: string;
    };

/** Reads one JSON value that fills the text. */
export function readJson(text: string): JsonReading {
  const reader: Reader = { text, at: 0 };
  const result = readValue(reader, 0);
  if (result.ok) {
    skipSpace(reader);
    if (reader.at === text.length) return result;
    return located(text, fault(reader, "syntax", `${found(reader)} after the end of the document`));
  }
  return located(text, result);
}

interface Reader {
  readonly text: string;
  at: number;
}

interface Fault {
  readonly ok: false;
  readonly reason: "syntax" | "duplicateKey" | "tooDeep";
  readonly at: number;
  readonly what: string;
}

type Read<T> = { readonly ok: true; readonly value: T } | Fault;

function readValue(reader: Reader, depth: number): Read<unknown> {
  skipSpace(reader);
  if (depth > depthMax) return fault(reader, "tooDeep", `more than ${depthMax} objects and lists inside each other`);
  switch (reader.text[reader.at]) {
    case "{":
      return readObject(reader, depth);
    case "[":
      return readList(reader, depth);
    case '"':
      return readString(reader);
    case "t":
      return readWord(reader, "true", true);
    case "f":
      return readWord(reader, "false", false);
    case "n":
      return readWord(reader, "null", null);
    case "'":
      return fault(reader, "syntax", "a text in single quotes; JSON wants double quotes");
    case undefined:
    case "/":
      return fault(reader, "syntax", `${found(reader)} where a value should be`);
  }
  return readNumber(reader);
}

function readObject(reader: Reader, depth: number): Read<unknown> {
  const object: Record<string, unknown> = {};
  reader.at++;
  skipSpace(reader);
  if (take(reader, "}")) return { ok: true, value: {} };
  for (;;) {
    skipSpace(reader);
    const keyAt = reader.at;
    if (reader.text[keyAt] !== '"')
      return fault(reader, "syntax", `${found(reader)} where a key in double quotes should be`);
    const key = readString(reader);
    if (!key.ok) return key;
    if (Object.hasOwn(object, key.value)) {
      return {
        ok: false,
        reason: "duplicateKey",
        at: keyAt,
        what: `the key ${JSON.stringify(key.value.slice(0, 64))} a second time in one object`,
      };
    }
    skipSpace(reader);
    if (!take(reader, ":")) return fault(reader, "syntax", `${found(reader)} where a colon should follow the key`);
    const value = readValue(reader, depth + 1);
    if (!value.ok) return value;
    put(object, key.value, value.value);
    skipSpace(reader);
    if (take(reader, "}")) return { ok: true, value: object };
    if (!take(reader, ",")) return fault(reader, "syntax", `${found(reader)} where a comma or "}" should be`);
  }
}

/** An assignment to "__proto__" would not make a key of it. */
export function put(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__")
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  else object[key] = value;
}

function readList(reader: Reader, depth: number): Read<unknown> {
  const items: unknown[] = [];
  reader.at++;
  skipSpace(reader);
  if (take(reader, "]")) return { ok: true, value: items };
  for (;;) {
    const value = readValue(reader, depth + 1);
    if (!value.ok) return value;
    items.push(value.value);
    skipSpace(reader);
    if (take(reader, "]")) return { ok: true, value: items };
    if (!take(reader, ",")) return fault(reader, "syntax", `${found(reader)} where a comma or "]" should be`);
  }
}

// oxlint-disable-next-line no-control-regex -- JSON forbids them in texts.
const plainPattern = /[^"\\\u0000-\u001f]*/y;
// oxlint-disable-next-line no-control-regex -- as above.
const oddPattern = /[\\\u0000-\u001f]/;
const escapePattern = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const escapes: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

function readString(reader: Reader): Read<string> {
  const { text } = reader;
  const start = reader.at;
  const end = text.indexOf('"', start + 1);
  const between = text.slice(start + 1, end);
  // Nearly every text is without escapes.
  if (end >= 0 && !oddPattern.test(between)) {
    reader.at = end + 1;
    return { ok: true, value: between };
  }
  let value = "";
  reader.at++;
  for (;;) {
    value += matchAt(plainPattern, reader) ?? "";
    const next = text[reader.at];
    if (next === '"') {
      reader.at++;
      return { ok: true, value };
    }
    if (next !== "\\") {
      const what =
        next === undefined || next === "\n" || next === "\r"
          ? "a text without its closing quote"
          : "a control character in a text";
      return { ok: false, reason: "syntax", at: next === undefined ? start : reader.at, what };
    }
    const escape = matchAt(escapePattern, reader);
    if (escape === undefined) return fault(reader, "syntax", "an escape that JSON does not have");
    const letter = escape[1] ?? "";
    value += letter === "u" ? String.fromCharCode(Number.parseInt(escape.slice(2), 16)) : (escapes[letter] ?? letter);
  }
}

const numberPattern = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

function readNumber(reader: Reader): Read<number> {
  const start = reader.at;
  const digits = matchAt(numberPattern, reader);
  const value = Number(digits);
  if (digits === undefined || /[\w.+-]/.test(reader.text[reader.at] ?? "")) {
    reader.at = start;
    return fault(reader, "syntax", `${found(reader)} where a value should be`);
  }
  if (!Number.isFinite(value))
    return { ok: false, reason: "syntax", at: start, what: "a number too large for any use" };
  return { ok: true, value };
}

function readWord(reader: Reader, word: string, value: unknown): Read<unknown> {
  const next = reader.text[reader.at + word.length] ?? "";
  if (!reader.text.startsWith(word, reader.at) || /\w/.test(next)) {
    return fault(reader, "syntax", `${found(reader)} where a value should be`);
  }
  reader.at += word.length;
  return { ok: true, value };
}

function matchAt(pattern: RegExp, reader: Reader): string | undefined {
  pattern.lastIndex = reader.at;
  const match = pattern.exec(reader.text)?.[0];
  reader.at += match?.length ?? 0;
  return match;
}

function skipSpace(reader: Reader): void {
  for (;;) {
    const character = reader.text[reader.at];
    if (character !== " " && character !== "\n" && character !== "\t" && character !== "\r") return;
    reader.at++;
  }
}

function take(reader: Reader, character: string): boolean {
  if (reader.text[reader.at] !== character) return false;
  reader.at++;
  return true;
}

/** What stands at the reader, for a message. */
function found(reader: Reader): string {
  const rest = reader.text.slice(reader.at, reader.at + 24);
  if (rest === "") return "the end of the text";
  if (rest.startsWith("//") || rest.startsWith("/*")) return "a comment, which JSON does not have,";
  return JSON.stringify(/^\w+/.exec(rest)?.[0] ?? String.fromCodePoint(rest.codePointAt(0) ?? 0));
}

function fault(reader: Reader, reason: Fault["reason"], what: string): Fault {
  return { ok: false, reason, at: reader.at, what };
}

function located(text: string, { reason, at, what }: Fault): JsonReading {
  const before = text.slice(0, at);
  const line = before.split("\n").length;
  return { ok: false, reason, line, column: at - before.lastIndexOf("\n"), what };
}
