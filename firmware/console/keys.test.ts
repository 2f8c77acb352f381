import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Key, readKeys } from "./keys.ts";

describe("keys", () => {
  it.each<[string, readonly Key["kind"][]]>([
    ["\u001b[A\u001b[B", ["up", "down"]],
    ["\u001bOA\u001bOB", ["up", "down"]],
    ["\u001b[1;5A", ["up"]],
    ["\u001b[C\u001b[3~\u001b[15~", []],
    ["\r\n", ["enter", "enter"]],
    ["\b\u007f", ["erase", "erase"]],
    ["\u0003\u0004", ["back", "back"]],
    ["\u000c", ["redraw"]],
    ["\u0015", ["clear"]],
    ["aZ~", ["letter", "letter", "letter"]],
    ["\u0001\u00e9\u009b\u0000", []],
  ])("%j are %j", (text, kinds) => {
    const { keys, rest } = readKeys(text, false);
    expect([keys.map(({ kind }) => kind), rest]).toEqual([kinds, ""]);
  });

  it("come whole from pieces, and a lone Escape is one when nothing follows", () => {
    expect(readKeys("x\u001b", false)).toEqual({ keys: [{ kind: "letter", letter: "x" }], rest: "\u001b" });
    expect(readKeys("\u001b[", false)).toEqual({ keys: [], rest: "\u001b[" });
    expect(readKeys("\u001b", true)).toEqual({ keys: [{ kind: "back" }], rest: "" });
    fc.assert(
      fc.property(fc.string(), fc.boolean(), (text, isAll) => {
        const { rest } = readKeys(text, isAll);
        expect(text.endsWith(rest) && !(isAll && rest !== "")).toBe(true);
      }),
    );
  });
});
