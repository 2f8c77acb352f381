import { SURVIVAL_WORDS } from "@futago/firmware/pair/survival/reasons.ts";
import { expect, test } from "vitest";
import { catalogues } from "../words/words.ts";
import { fill } from "./fill.ts";

test("values take their places, and what is missing is seen to be", () => {
  expect(fill("box {box}, {seconds} s, {toString}", { box: "b", seconds: 3 })).toBe("box b, 3 s, –");
});

test("every reason against survival is said in Japanese, with the values of the English one", () => {
  expect(Object.keys(catalogues.ja.overview.reasons).toSorted()).toEqual([...SURVIVAL_WORDS].toSorted());
});
