import { expect, test } from "vitest";
import { since } from "./roll-backs.ts";

const history = [
  { id: "c", author: "futago" },
  { id: "b", author: "alice" },
  { id: "a", author: "alice" },
];

test("tells of what was taken back after a revision, and which is the newest", () => {
  expect(since("a", history)).toEqual({ newest: "c", isRolledBack: true });
  expect(since("b", history)).toEqual({ newest: "c", isRolledBack: true });
  expect(since("c", history)).toEqual({ newest: "c", isRolledBack: false });
  expect(since("a", history.slice(1))).toEqual({ newest: "b", isRolledBack: false });
});

test("looks at all of it from a revision that is not in it any more", () => {
  expect(since("dropped", history)).toEqual({ newest: "c", isRolledBack: true });
  expect(since("dropped", [])).toEqual({ newest: undefined, isRolledBack: false });
});
