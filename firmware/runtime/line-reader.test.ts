import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LineReader, parseObject } from "./line-reader.ts";

const bytes = (text: string) => Buffer.from(text, "utf8");

describe("cutting a stream into lines", () => {
  it("puts a line together that came in pieces, even inside a letter", () => {
    const reader = new LineReader(100);
    const whole = bytes("{双子}\nnext\n");
    expect(reader.push(whole.subarray(0, 2))).toEqual([]);
    expect(reader.push(whole.subarray(2, 9))).toEqual(["{双子}"]);
    expect(reader.push(whole.subarray(9))).toEqual(["next"]);
  });

  it("takes a line of exactly the longest length and refuses one more", () => {
    expect(new LineReader(4).push(bytes("abcd\n"))).toEqual(["abcd"]);
    const reader = new LineReader(4);
    expect(reader.push(bytes("ok\nabcde"))).toEqual(["ok"]);
    expect(reader.overflow).toBe(true);
    expect(reader.push(bytes("\nx\n"))).toEqual([]);
  });

  it("refuses a long line that trickles in", () => {
    const reader = new LineReader(4);
    for (const letter of "abcd") reader.push(bytes(letter));
    expect(reader.overflow).toBe(false);
    reader.push(bytes("e"));
    expect(reader.overflow).toBe(true);
  });

  it("gives the same lines however the stream is cut", () => {
    const line = fc.string({ unit: fc.constantFrom("a", "ä", "双", " "), minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }), (lines, cuts) => {
        const reader = new LineReader(1_000);
        const stream = bytes(lines.map((text) => `${text}\n`).join(""));
        const got: string[] = [];
        for (let at = 0, i = 0; at < stream.length; i++) {
          const step = cuts[i % cuts.length] ?? 1;
          got.push(...reader.push(stream.subarray(at, at + step)));
          at += step;
        }
        expect(got).toEqual(lines);
      }),
    );
  });
});

describe("reading a line as an object", () => {
  it.each(["", "1", "null", "[]", '"x"', "{", "{}x"])("refuses %j", (line) => {
    expect(parseObject(line)).toBeUndefined();
  });

  it("reads an object", () => {
    expect(parseObject('{"a":1}')).toEqual({ a: 1 });
  });
});
