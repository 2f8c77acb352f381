import { RefusalError } from "@futago/firmware/runtime/exit-code.ts";
import { Type } from "typebox";
import { describe, expect, it } from "vitest";
import { checkQuery, checkValue } from "./check-request.ts";
import { asked, words } from "./schema-parts.ts";

function wrongs(check: () => unknown): readonly (readonly [string | undefined, string | undefined])[] {
  try {
    check();
  } catch (error) {
    if (!(error instanceof RefusalError)) throw error;
    const { also = [], ...first } = error.refusal;
    return [first, ...also].map(({ where, reason }) => [where, reason]);
  }
  return [];
}

const Body = asked({
  name: Type.String({ minLength: 1, maxLength: 3 }),
  count: Type.Optional(Type.Integer({ minimum: 1, maximum: 9 })),
  how: Type.Optional(words(["one", "two"])),
  list: Type.Optional(Type.Array(Type.String())),
});

describe("what was asked", () => {
  it("is taken as it is when it is right", () => {
    const value = { name: "a", count: 9, how: "two", list: ["x"] };
    expect(checkValue(Body, value)).toBe(value);
  });

  it.each([
    [{}, "name", "missingKey"],
    [{ name: "a", nam: 1 }, "nam", "unknownKey"],
    [{ name: 1 }, "name", "wrongType"],
    [{ name: "" }, "name", "tooShort"],
    [{ name: "abcd" }, "name", "tooLong"],
    [{ name: "a", count: 0 }, "count", "tooSmall"],
    [{ name: "a", count: 10 }, "count", "tooBig"],
    [{ name: "a", count: 1.5 }, "count", "wrongType"],
    [{ name: "a", how: "three" }, "how", "unknownWord"],
    [{ name: "a", list: ["x", 1] }, "list.1", "wrongType"],
    [[], "", "wrongType"],
    [null, "", "wrongType"],
    [{ name: "a", ["__proto__x"]: 1 }, "__proto__x", "unknownKey"],
  ])("%j is refused with the place and the reason", (value, where, reason) => {
    expect(wrongs(() => checkValue(Body, value))).toContainEqual([where, reason]);
  });

  it("tells all that is wrong in one round, but not without end", () => {
    expect(wrongs(() => checkValue(Body, { count: 0, how: "x" })).length).toBe(3);
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`k${at}`, at]));
    expect(wrongs(() => checkValue(Body, many)).length).toBeLessThanOrEqual(50);
  });
});

describe("the parameters of a URL", () => {
  const Query = asked({
    count: Type.Optional(Type.Integer({ minimum: 1 })),
    force: Type.Optional(Type.Boolean()),
    services: Type.Optional(Type.Array(Type.String())),
    text: Type.Optional(Type.String()),
  });

  it("are read as what the schema says", () => {
    expect(checkQuery(Query, { count: "12", force: "true", services: "a,b", text: "5" })).toEqual({
      count: 12,
      force: true,
      services: ["a", "b"],
      text: "5",
    });
    expect(checkQuery(Query, { services: "" })).toEqual({ services: [] });
    expect(checkQuery(undefined, {})).toEqual({});
  });

  it.each([
    [{ count: "1e3" }, "count", "wrongType"],
    [{ count: "" }, "count", "wrongType"],
    [{ count: ["1", "2"] }, "count", "wrongType"],
    [{ force: "yes" }, "force", "wrongType"],
    [{ other: "1" }, "other", "unknownKey"],
  ])("%j is refused", (query, where, reason) => {
    expect(wrongs(() => checkQuery(Query, query))).toContainEqual([where, reason]);
  });

  it("are refused where a route has none", () => {
    expect(wrongs(() => checkQuery(undefined, { a: "1" }))).toEqual([["a", "unknownKey"]]);
  });
});
