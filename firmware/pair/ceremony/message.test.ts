import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PaperBox, INVITER, JOINER } from "./ceremony.suite.ts";
import { formatCode, makeCode, parseCode } from "./code.ts";
import {
  CEREMONY_LINE_BYTES_MAX,
  type CeremonyMessage,
  decodeCeremonyMessage,
  encodeCeremonyMessage,
} from "./message.ts";

const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((all) => Buffer.from(all).toString("hex"));
const introduction = { share: hex(32), nonce: hex(32), certificate: hex(300) };
const protocol = fc.constant(1);
const release = fc.constantFrom("0.1.0", "1.2.3-rc.1+build_7");
const message: fc.Arbitrary<CeremonyMessage> = fc.oneof(
  fc.record({
    kind: fc.constant("hello" as const),
    protocol,
    release,
    tag: fc.constantFrom("K7", "00"),
    commitment: hex(32),
  }),
  fc.record({
    kind: fc.constant("offer" as const),
    protocol,
    release,
    letter: fc.constantFrom("a" as const, "b" as const),
    ...introduction,
  }),
  fc.record({ kind: fc.constant("open" as const), ...introduction }),
  fc.record({ kind: fc.constant("proof" as const), proof: hex(32) }),
  fc.record({ kind: fc.constant("agreed" as const), sealed: hex(48) }),
  fc.record({ kind: fc.constant("clock" as const), sealed: hex(30) }),
  fc.record({ kind: fc.constant("kept" as const), sealed: hex(16) }),
  fc.record({ kind: fc.constant("version" as const), protocol: fc.integer({ min: 1, max: 0xffff }), release }),
  fc.record({ kind: fc.constant("refused" as const), refusal: fc.constantFrom("busy" as const, "late-code" as const) }),
);

const again = (read: ReturnType<typeof decodeCeremonyMessage>) =>
  read.ok && read.value.kind !== "foreign" && encodeCeremonyMessage(read.value);

const PROOF = `{"kind":"proof","proof":"${"0a".repeat(32)}"}`;

describe("a word of the ceremony", () => {
  it("is read as it was written, and written as it was read", () => {
    fc.assert(
      fc.property(message, (one) => {
        const line = encodeCeremonyMessage(one);
        const read = decodeCeremonyMessage(line);
        expect(read).toEqual({ ok: true, value: one });
        expect(again(read)).toBe(line);
      }),
    );
  });

  it("is hashed in one order of its fields, whichever it came in", () => {
    const swapped = decodeCeremonyMessage('{"refusal":"busy","kind":"refused"}');
    expect(again(swapped)).toBe('{"kind":"refused","refusal":"busy"}');
  });

  it.each([
    ["no JSON", "{"],
    ["a list", "[]"],
    ["null", "null"],
    ["no kind", "{}"],
    ["a kind of Object's own", '{"kind":"constructor"}'],
    ["a kind that is no text", '{"kind":1}'],
    ["a field too many", PROOF.replace("}", ',"x":1}')],
    ["a field that Object has", '{"kind":"proof","toString":"00"}'],
    ["a field too few", '{"kind":"proof"}'],
    ["capital digits", PROOF.replaceAll("0a", "0A")],
    ["a digit too few", PROOF.replace("0a", "0")],
    ["a number for a text", '{"kind":"proof","proof":7}'],
    ["an unknown refusal", '{"kind":"refused","refusal":"toString"}'],
    ["half a byte of a certificate", '{"kind":"kept","sealed":"abc"}'],
    ["nothing sealed", '{"kind":"kept","sealed":""}'],
    ["too much sealed", `{"kind":"kept","sealed":"${"00".repeat(513)}"}`],
    ["a fraction", `{"kind":"hello","protocol":1.5,"release":"1","tag":"K7","commitment":"${"00".repeat(32)}"}`],
    [
      "a release for a terminal",
      `{"kind":"hello","protocol":1,"release":"\\u001b[2J","tag":"K7","commitment":"${"00".repeat(32)}"}`,
    ],
    [
      "a tag with a letter that none has",
      `{"kind":"hello","protocol":1,"release":"1","tag":"KU","commitment":"${"00".repeat(32)}"}`,
    ],
    ["a long line", `{"kind":"${" ".repeat(CEREMONY_LINE_BYTES_MAX)}"}`],
  ])("is refused as %s", (_, line) => {
    expect(decodeCeremonyMessage(line)).toEqual({ ok: false, reason: "bad-message" });
  });

  it.each([
    ["whatever else it says", '{"kind":"hello","protocol":2,"release":"0.2.0","pake":"00"}', "0.2.0"],
    ["also as an offer", '{"kind":"offer","protocol":2,"release":"0.2.0"}', "0.2.0"],
    ["without a release for a terminal", '{"kind":"hello","protocol":2,"release":"\\u001b[2J"}', ""],
  ])("of another protocol is known as that, %s", (_, line, named) => {
    expect(decodeCeremonyMessage(line)).toEqual({
      ok: true,
      value: { kind: "foreign", protocol: 2, release: named },
    });
  });

  it.each(['{"kind":"open","protocol":2,"release":"0.2.0"}', '{"kind":"hello","protocol":70000,"release":"0.2.0"}'])(
    "that is no first word of another protocol is none: %s",
    (line) => {
      expect(decodeCeremonyMessage(line)).toEqual({ ok: false, reason: "bad-message" });
    },
  );

  it("that is anything at all throws nowhere, and pairs nobody", () => {
    const mangled = fc.tuple(message, fc.nat(), fc.nat({ max: 0xff })).map(([one, at, byte]) => {
      const bytes = Buffer.from(encodeCeremonyMessage(one));
      bytes[at % bytes.length] = byte;
      return bytes.toString("utf8");
    });
    const line = fc.oneof(fc.string(), fc.json(), mangled, message.map(encodeCeremonyMessage));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), fc.boolean(), (lines, invites) => {
        const box = new PaperBox();
        if (invites) box.input({ kind: "invite", party: INVITER });
        else {
          box.input({ kind: "join", party: JOINER });
          box.input({ kind: "found", tag: "K7", place: "eth2", connection: 1 });
        }
        box.connect(1);
        box.input({ kind: "answered", yes: true });
        for (const one of lines) box.hearLine(1, one);
        expect(box.kept).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });
});

describe("a code", () => {
  it("is eight signs of 32, as the random bytes have it", () => {
    const code = makeCode(Uint8Array.from([0, 1, 31, 32, 33, 255, 10, 18]));
    expect(code).toEqual({ tag: "01", secret: "Z01ZAJ" });
    expect(formatCode(code)).toBe("01Z0-1ZAJ");
  });

  it.each(["01Z0-1ZAJ", "01z01zaj", " olz0 - 1zaj ", "0IZO1ZAJ"])("is understood as %s", (text) => {
    expect(parseCode(text)).toEqual({ ok: true, value: { tag: "01", secret: "Z01ZAJ" } });
  });

  it.each(["", "01Z0-1ZA", "01Z0-1ZAJ0", "01Z0-1ZAU", "０1Z01ZAJ"])("is none as %j", (text) => {
    expect(parseCode(text)).toEqual({ ok: false, reason: "no-code" });
  });
});
