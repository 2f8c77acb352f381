/** Judges the answer to a DNS check: its response code, and the address that is expected among those it names. */
import { family, type IpAddress } from "@futago/hal/units/address.ts";
import type { DnsAnswer, QuestionType } from "./dns-message.ts";

/** @see RFC 1035 §4.1.1, RFC 2136 §2.2 */
const CODES: Readonly<Record<number, string>> = {
  1: "FORMERR",
  2: "SERVFAIL",
  3: "NXDOMAIN",
  4: "NOTIMP",
  5: "REFUSED",
  6: "YXDOMAIN",
  7: "YXRRSET",
  8: "NXRRSET",
  9: "NOTAUTH",
  10: "NOTZONE",
};
const SHOWN_MAX = 4;

/** AAAA where an IPv6 address is expected, else A. */
export function questionType(expected: IpAddress | undefined): QuestionType {
  return expected !== undefined && family(expected) === "ipv6" ? "AAAA" : "A";
}

export function judgeDnsAnswer(
  answer: DnsAnswer,
  expected: IpAddress | undefined,
): { readonly good: boolean; readonly sentence: string } {
  const { responseCode, truncated, addresses } = answer;
  if (responseCode !== 0) {
    return { good: false, sentence: `answered ${CODES[responseCode] ?? `response code ${responseCode}`}` };
  }
  if (expected === undefined) return { good: true, sentence: `answered ${list(addresses)}` };
  if (addresses.includes(expected)) return { good: true, sentence: `answered ${expected}` };
  const cut = truncated ? ", and the answer was cut off" : "";
  return { good: false, sentence: `answered ${list(addresses)}, expected ${expected}${cut}` };
}

function list(addresses: readonly IpAddress[]): string {
  if (addresses.length === 0) return "without an address";
  const more = addresses.length > SHOWN_MAX ? ` and ${addresses.length - SHOWN_MAX} more` : "";
  return addresses.slice(0, SHOWN_MAX).join(", ") + more;
}
