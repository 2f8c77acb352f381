import { expect, test } from "vitest";
import { problemsBelow } from "./placed.ts";

test("what is wrong within an item is its own, what is wrong beside it is not", () => {
  const problems = ["pools.web", "pools.web.backends.s1.port", "pools.web2.backends", "services.www"].map((where) => ({
    what: "is wrong",
    where,
    reason: "malformed",
  }));
  expect(problemsBelow(problems, "pools.web").map(({ path }) => path)).toEqual([
    "pools.web",
    "pools.web.backends.s1.port",
  ]);
  expect(problemsBelow(problems, "pools.web")[0]).toEqual({
    path: "pools.web",
    detail: "is wrong",
    reason: "malformed",
  });
});
