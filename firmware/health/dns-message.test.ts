import { type IpAddress, parseIpAddress } from "@futago/hal/units/address.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judgeDnsAnswer, questionType } from "./dns-answer.ts";
import { decodeAnswer, type DnsAnswer, type DnsQuestion, encodeQuestion } from "./dns-message.ts";

const hex = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/[0-9a-f]{2}/g) ?? [], (byte) => Number.parseInt(byte, 16));
const address = (text: string) => parseIpAddress(text) as IpAddress;

const question: DnsQuestion = { id: 0xbeef, name: "www.a.test", type: "A" };
/** Written down by hand from RFC 1035 §4.1. */
const ASKED = "beef 0100 0001 0000 0000 0000 03777777 0161 0474657374 00 0001 0001";
const asked = hex(ASKED);
const QUESTION = "03777777 0161 0474657374 00 0001 0001";
const A = "c00c 0001 0001 0000003c 0004 0a02000b";
const CNAME = "c00c 0005 0001 0000003c 0006 03776562 c010";

describe("the question", () => {
  it("is encoded as RFC 1035 has it", () => {
    expect(encodeQuestion(question)).toEqual(asked);
    expect(encodeQuestion({ ...question, name: "www.a.test." })).toEqual(asked);
    expect(encodeQuestion({ ...question, type: "AAAA" })?.subarray(-4)).toEqual(hex("001c0001"));
  });

  it("is for names only", () => {
    for (const name of ["", ".", "a..b", `${"x".repeat(64)}.test`, "a b", "ä.test", Array(129).fill("a").join(".")]) {
      expect(encodeQuestion({ ...question, name })).toBeUndefined();
    }
    expect(encodeQuestion({ ...question, name: Array(127).fill("a").join(".") })).toBeDefined();
  });
});

describe("the answer", () => {
  const decode = (text: string) => decodeAnswer(hex(text), asked, question);
  const ok = (value: Partial<DnsAnswer>) => ({
    ok: true,
    value: { responseCode: 0, truncated: false, addresses: [], ...value },
  });

  it.each([
    ["one address", `beef 8180 0001 0001 0000 0000 ${QUESTION} ${A}`, ok({ addresses: [address("10.2.0.11")] })],
    [
      "an alias and its address",
      `beef 8180 0001 0002 0000 0000 ${QUESTION} ${CNAME} ${A}`,
      ok({ addresses: [address("10.2.0.11")] }),
    ],
    [
      "other letters' case",
      `beef 8180 0001 0001 0000 0000 03575757 0141 0454455354 00 0001 0001 ${A}`,
      ok({ addresses: [address("10.2.0.11")] }),
    ],
    ["no address", `beef 8180 0001 0000 0000 0000 ${QUESTION}`, ok({})],
    ["no such name", `beef 8183 0001 0000 0000 0000 ${QUESTION}`, ok({ responseCode: 3 })],
    ["a complaint without the question", "beef 8181 0000 0000 0000 0000", ok({ responseCode: 1 })],
    [
      "a cut record of a truncated message",
      `beef 8380 0001 0002 0000 0000 ${QUESTION} ${A} c00c 0001`,
      ok({ truncated: true, addresses: [address("10.2.0.11")] }),
    ],
    ["another id", `beee 8180 0001 0001 0000 0000 ${QUESTION} ${A}`, { ok: false, reason: "notOurs" }],
    ["a question", ASKED, { ok: false, reason: "notOurs" }],
    [
      "another name",
      `beef 8180 0001 0001 0000 0000 03777778 0161 0474657374 00 0001 0001 ${A}`,
      { ok: false, reason: "notOurs" },
    ],
    [
      "another type",
      `beef 8180 0001 0001 0000 0000 03777777 0161 0474657374 00 001c 0001 ${A}`,
      { ok: false, reason: "notOurs" },
    ],
    ["too little", "beef 8180 0001", { ok: false, reason: "notOurs" }],
    [
      "a record beyond the end",
      `beef 8180 0001 0001 0000 0000 ${QUESTION} c00c 0001 0001 0000003c 0005 0a02000b`,
      { ok: false, reason: "malformed" },
    ],
    [
      "fewer records than promised",
      `beef 8180 0001 0002 0000 0000 ${QUESTION} ${A}`,
      { ok: false, reason: "malformed" },
    ],
    ["a label of no known kind", `beef 8180 0001 0001 0000 0000 ${QUESTION} 4c`, { ok: false, reason: "malformed" }],
    [
      "an address of five bytes",
      `beef 8180 0001 0001 0000 0000 ${QUESTION} c00c 0001 0001 0000003c 0005 0a02000b00`,
      ok({}),
    ],
  ])("with %s", (_name, text, expected) => expect(decode(text)).toEqual(expected));

  it("is decoded without an exception, whatever the bytes", () => {
    const valid = hex(`beef 8180 0001 0003 0000 0000 ${QUESTION} ${CNAME} ${A} ${A}`);
    const changed = fc
      .tuple(fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 8 }), fc.nat(valid.length))
      .map(([changes, length]) => {
        const bytes = Uint8Array.from(valid);
        for (const [at, byte] of changes) bytes[at] = byte;
        return bytes.subarray(0, length);
      });
    const random = fc
      .uint8Array({ maxLength: 200 })
      .map((tail) => Uint8Array.from([...valid.subarray(0, 28), ...tail]));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 600 }), changed, random), (bytes) => {
        const result = decodeAnswer(bytes, asked, question);
        expect(result.ok ? result.value.addresses.length : 0).toBeLessThanOrEqual(bytes.length / 15);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe("the judgement", () => {
  const [one, other] = [address("10.2.0.11"), address("2001:db8::5")];
  const answer = (value: Partial<DnsAnswer>): DnsAnswer => ({
    responseCode: 0,
    truncated: false,
    addresses: [],
    ...value,
  });

  it.each([
    ["any address will do", answer({ addresses: [one] }), undefined, true, "answered 10.2.0.11"],
    ["none will do where none is expected", answer({}), undefined, true, "answered without an address"],
    ["the expected one is among them", answer({ addresses: [one, other] }), other, true, "answered 2001:db8::5"],
    ["it is not", answer({ addresses: [one] }), other, false, "answered 10.2.0.11, expected 2001:db8::5"],
    ["there is none", answer({}), one, false, "answered without an address, expected 10.2.0.11"],
    [
      "it was cut off",
      answer({ truncated: true }),
      one,
      false,
      "answered without an address, expected 10.2.0.11, and the answer was cut off",
    ],
    [
      "there are many others",
      answer({ addresses: Array(6).fill(one) }),
      other,
      false,
      "answered 10.2.0.11, 10.2.0.11, 10.2.0.11, 10.2.0.11 and 2 more, expected 2001:db8::5",
    ],
    ["the name does not exist", answer({ responseCode: 3 }), undefined, false, "answered NXDOMAIN"],
    ["the server fails", answer({ responseCode: 2 }), one, false, "answered SERVFAIL"],
    ["the code has no name", answer({ responseCode: 13 }), one, false, "answered response code 13"],
  ])("when %s", (_name, given, expected, good, sentence) => {
    expect(judgeDnsAnswer(given, expected)).toEqual({ good, sentence });
  });

  it("asks for the family that is expected", () => {
    expect([undefined, one, other].map(questionType)).toEqual(["A", "A", "AAAA"]);
  });
});
