/**
 * The DNS messages of a check: a question for the addresses of a name, and what its answer says. Every read is checked
 * against the end of the message; names of records are only passed over, so that no pointer can be followed in circles.
 *
 *   +------------------------------+
 *   | id            | flags, rcode |  12 bytes
 *   | QDCOUNT ANCOUNT NS.. AR..    |
 *   | question: name, type, class  |
 *   | answers: name, type, class, ttl, length, data …
 *
 * @see RFC 1035 §4.1, RFC 3596 §2.2
 */
import { addressFromBytes, type IpAddress } from "@futago/hal/units/address.ts";

export type QuestionType = "A" | "AAAA";

export interface DnsQuestion {
  /** 0 to 65535. */
  readonly id: number;
  /** Labels of 1 to 63 ASCII characters, 253 characters in all; a dot at the end changes nothing. */
  readonly name: string;
  readonly type: QuestionType;
}

export interface DnsAnswer {
  /** @see RFC 1035 §4.1.1 */
  readonly responseCode: number;
  /** The answer did not fit: more of it would come over TCP. */
  readonly truncated: boolean;
  /** The addresses of the asked type, in the message's order. */
  readonly addresses: readonly IpAddress[];
}

export type AnswerResult =
  | { readonly ok: true; readonly value: DnsAnswer }
  /** `notOurs`: the answer to another question, or none at all: whoever waits goes on waiting. */
  | { readonly ok: false; readonly reason: "notOurs" | "malformed" };

const HEADER_BYTES = 12;
const TYPES: Readonly<Record<QuestionType, number>> = { A: 1, AAAA: 28 };
const ADDRESS_BYTES: Readonly<Record<QuestionType, number>> = { A: 4, AAAA: 16 };
const CLASS_IN = 1;
const FLAG_RESPONSE = 0x8000;
const FLAG_TRUNCATED = 0x0200;
const FLAG_RECURSION_DESIRED = 0x0100;
const LABEL_MAX = 63;
const NAME_MAX = 255;
/** Type, class, TTL and length behind the name of a record. */
const RECORD_FIXED_BYTES = 10;

/** The question as one datagram; undefined for a name that is none. */
export function encodeQuestion({ id, name, type }: DnsQuestion): Uint8Array | undefined {
  const labels = name.replace(/\.$/, "").split(".");
  const nameBytes = labels.reduce((sum, label) => sum + 1 + label.length, 1);
  const wrong = labels.some((label) => label === "" || label.length > LABEL_MAX || !/^[\x21-\x7e]+$/.test(label));
  if (wrong || nameBytes > NAME_MAX) return undefined;
  const bytes = new Uint8Array(HEADER_BYTES + nameBytes + 4);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, id);
  view.setUint16(2, FLAG_RECURSION_DESIRED);
  view.setUint16(4, 1);
  let at = HEADER_BYTES;
  for (const label of labels) {
    bytes[at++] = label.length;
    for (const character of label) bytes[at++] = character.charCodeAt(0);
  }
  view.setUint16(at + 1, TYPES[type]);
  view.setUint16(at + 3, CLASS_IN);
  return bytes;
}

/** What a datagram answers to `question`, which is encoded in `asked`. */
export function decodeAnswer(bytes: Uint8Array, asked: Uint8Array, { id, type }: DnsQuestion): AnswerResult {
  // 1. A response, to this question of ours (RFC 5452 §9.1).
  if (bytes.length < HEADER_BYTES) return { ok: false, reason: "notOurs" };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint16(2);
  if (view.getUint16(0) !== id || (flags & FLAG_RESPONSE) === 0) return { ok: false, reason: "notOurs" };
  const responseCode = flags & 0x000f;
  const truncated = (flags & FLAG_TRUNCATED) !== 0;
  // 2. Servers that cannot read a question send none back with their complaint.
  if (view.getUint16(4) === 0 && responseCode !== 0) {
    return { ok: true, value: { responseCode, truncated, addresses: [] } };
  }
  if (view.getUint16(4) !== 1 || !repeatsQuestion(bytes, asked)) return { ok: false, reason: "notOurs" };
  // 3. The records of the answer section.
  const addresses: IpAddress[] = [];
  let at = asked.length;
  for (let missing = view.getUint16(6); missing > 0; missing--) {
    const fixed = skipName(bytes, at);
    if (fixed === undefined || fixed + RECORD_FIXED_BYTES > bytes.length) return brokenUnless(truncated, addresses);
    const length = view.getUint16(fixed + 8);
    const data = fixed + RECORD_FIXED_BYTES;
    if (data + length > bytes.length) return brokenUnless(truncated, addresses);
    const isAddress = view.getUint16(fixed) === TYPES[type] && view.getUint16(fixed + 2) === CLASS_IN;
    const address =
      isAddress && length === ADDRESS_BYTES[type] ? addressFromBytes(bytes.subarray(data, data + length)) : undefined;
    if (address !== undefined) addresses.push(address);
    at = data + length;
  }
  return { ok: true, value: { responseCode, truncated, addresses } };
}

/** A truncated message may end anywhere (RFC 2181 §9). */
function brokenUnless(truncated: boolean, addresses: readonly IpAddress[]): AnswerResult {
  return truncated
    ? { ok: true, value: { responseCode: 0, truncated, addresses } }
    : { ok: false, reason: "malformed" };
}

/** Whether the question stands in the message as it was asked; case does not count (RFC 1035 §2.3.3). */
function repeatsQuestion(bytes: Uint8Array, asked: Uint8Array): boolean {
  if (bytes.length < asked.length) return false;
  for (let i = HEADER_BYTES; i < asked.length; i++) {
    if (lower(bytes[i] ?? 0) !== lower(asked[i] ?? 0)) return false;
  }
  return true;
}

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}

/** Where a name ends that begins at `start`; undefined when it ends beyond the message or has a label of no known kind. */
function skipName(bytes: Uint8Array, start: number): number | undefined {
  let at = start;
  for (;;) {
    const length = bytes[at];
    if (length === undefined) return undefined;
    if (length === 0) return at + 1;
    // A pointer ends the name (RFC 1035 §4.1.4).
    if (length >= 0xc0) return at + 2;
    if (length > LABEL_MAX || at - start > NAME_MAX) return undefined;
    at += 1 + length;
  }
}
