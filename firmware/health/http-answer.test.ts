import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answerStart, type AnswerReading, endAnswer, expectationOf, missingOf, readAnswer } from "./http-answer.ts";
import { bodyBytesMax } from "./http-body.ts";

const OK = [{ from: 200, to: 299 }];
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The reading after the pieces came one by one. */
function read(pieces: readonly Uint8Array[], body: string | undefined = "alive"): AnswerReading {
  let reading: AnswerReading = { kind: "more", state: answerStart };
  for (const piece of pieces) {
    if (reading.kind === "judged") break;
    reading = readAnswer(expectationOf(OK, body), reading.state, piece);
  }
  return reading;
}

/** How the answer is judged, its connection ended behind it. */
function judge(text: string, body?: string) {
  const judgePieces = (pieces: readonly Uint8Array[]) => {
    const reading = read(pieces, body);
    const judged = reading.kind === "judged" ? reading : endAnswer(expectationOf(OK, body ?? "alive"), reading.state);
    return [judged.good, judged.sentence];
  };
  const whole = judgePieces([utf8(text)]);
  expect(judgePieces(Array.from(utf8(text), (byte) => Uint8Array.of(byte)))).toEqual(whole);
  return whole;
}

const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

describe("the body of an answer", () => {
  it.each([
    ["holds the text", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nI'm alive", true, 'answered 200 OK, with "alive"'],
    ["holds it without a length", "HTTP/1.1 200 OK\r\n\r\nstill alive!", true, 'answered 200 OK, with "alive"'],
    [
      "holds it over two chunks",
      `${chunked}4\r\n--al\r\n3;x=y\r\nive\r\n0\r\n\r\n`,
      true,
      'answered 200 OK, with "alive"',
    ],
    [
      "is another",
      "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndeadalive",
      false,
      'answered 200 OK, but the body does not hold "alive"',
    ],
    [
      "is empty",
      "HTTP/1.1 204 No Content\r\n\r\n",
      false,
      'answered 204 No Content, but the body does not hold "alive"',
    ],
    [
      "has no byte",
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
      false,
      'answered 200 OK, but the body does not hold "alive"',
    ],
    [
      "ends with the connection",
      "HTTP/1.1 200 OK\r\n\r\ndead",
      false,
      'answered 200 OK, but the body does not hold "alive"',
    ],
    [
      "is chunked and another",
      `${chunked}5\r\nhello\r\n0\r\nX: alive\r\n\r\n`,
      false,
      'answered 200 OK, but the body does not hold "alive"',
    ],
    [
      "ends early",
      "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nI'm a",
      false,
      "answered 200 OK, but the body ended early",
    ],
    ["ends inside a chunk", `${chunked}9\r\nI'm a`, false, "answered 200 OK, but the body ended early"],
    ["has a chunk of no size", `${chunked}alive\r\n`, false, "answered 200 OK, but the chunks of the body are broken"],
    [
      "has a chunk that is too long",
      `${chunked}1\r\nxx\r\n`,
      false,
      "answered 200 OK, but the chunks of the body are broken",
    ],
    [
      "has a size line without end",
      `${chunked}1;${"x".repeat(2_000)}`,
      false,
      "answered 200 OK, but the chunks of the body are broken",
    ],
    [
      "belongs to another status",
      "HTTP/1.1 503 Service Unavailable\r\n\r\nalive",
      false,
      "answered 503 Service Unavailable, expected 200-299",
    ],
  ])("that %s", (_name, text, good, sentence) => expect(judge(text)).toEqual([good, sentence]));

  it("is searched as UTF-8", () => {
    expect(judge("HTTP/1.1 200 OK\r\n\r\n<p>läuft</p>", "läuft")).toEqual([true, 'answered 200 OK, with "läuft"']);
  });

  it("is searched over its first 64 KiB and no further", () => {
    const head = "HTTP/1.1 200 OK\r\n\r\n";
    const at = (offset: number) => read([utf8(head), utf8("x".repeat(offset)), utf8("alive and more")]);
    expect(at(bodyBytesMax - 5)).toMatchObject({ good: true });
    expect(at(bodyBytesMax - 4)).toMatchObject({
      good: false,
      sentence: 'answered 200 OK, but the first 64 KiB of the body do not hold "alive"',
    });
  });

  it("does not matter when none is expected", () => {
    const reading = readAnswer(expectationOf(OK, undefined), answerStart, utf8("HTTP/1.1 200 OK\r\n\r\n"));
    expect(reading).toEqual({ kind: "judged", good: true, sentence: "answered 200 OK" });
  });

  it("is read with bounded memory and no exception, whatever comes in whatever pieces", () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc
        .constantFrom(
          chunked,
          "HTTP/1.1 200 OK\r\n\r\n",
          "0\r\n",
          "5\r\n",
          "ffffffff\r\n",
          "\r\n",
          "ali",
          "ve",
          "x".repeat(30_000),
        )
        .map(utf8),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const reading = read([utf8(chunked), ...pieces]);
        if (reading.kind === "judged") return;
        const { state } = reading;
        expect(state.kind === "body" && state.body.text.length < bodyBytesMax).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});

it("says what is still missing", () => {
  const missing = (text: string) => {
    const reading = read([utf8(text)]);
    return reading.kind === "more" ? missingOf(reading.state) : reading.sentence;
  };
  expect(missing("")).toBe("connected, but no answer");
  expect(missing("HTTP/1.1 200")).toBe("connected, but no whole answer");
  expect(missing("HTTP/1.1 200 OK\r\n\r\nwait")).toBe("answered 200 OK, but no end of the body");
});

it("shows the other side's phrase only as far as it is short and printable", () => {
  expect(judge("HTTP/1.1 500 \u001b[2JBoom\r\n\r\n")[1]).toBe("answered 500 [2JBoom, expected 200-299");
  expect(judge(`HTTP/1.1 500 ${"y".repeat(300)}\r\n\r\n`)[1]).toBe(`answered 500 ${"y".repeat(40)}, expected 200-299`);
});
