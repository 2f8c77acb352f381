import { describe, expect, it } from "vitest";
import { listInPieces, objectInPieces } from "./json-pieces.ts";

const joined = (pieces: Iterable<string>) => [...pieces].join("");

describe("JSON in pieces", () => {
  it("is the list that the items make, wherever they are cut", () => {
    expect(joined(listInPieces([[1, "a"], [], [{ b: null }]]))).toBe('[1,"a",{"b":null}]');
    expect(joined(listInPieces([[], [2]]))).toBe("[2]");
    expect(joined(listInPieces([[], []]))).toBe("[]");
    expect(joined(listInPieces([]))).toBe("[]");
  });

  it("is an object with one more field", () => {
    expect(joined(objectInPieces({ a: 1 }, "big", ["[1,", "2]"]))).toBe('{"a":1,"big":[1,2]}');
    expect(joined(objectInPieces({}, "big", ["{}"]))).toBe('{"big":{}}');
  });
});
