import { expect, test } from "vitest";
import { changeKind, valueText } from "./diff-words.ts";

test("what was not there before is new", () => {
  expect(changeKind({ kind: "set" })).toBe("add");
  expect(changeKind({ kind: "set", before: 1 })).toBe("set");
  expect(changeKind({ kind: "remove", before: 1 })).toBe("remove");
  expect(changeKind({ kind: "order" })).toBe("order");
});

test("values are told in one line", () => {
  expect(valueText("10.1.0.1/24")).toBe("10.1.0.1/24");
  expect(valueText(["a", "b"])).toBe("a, b");
  expect(valueText({ name: "s1", check: { type: "tcp" }, port: 80 })).toBe("name: s1, check: (type: tcp), port: 80");
  expect(valueText("x".repeat(1_000)).length).toBeLessThan(500);
});
