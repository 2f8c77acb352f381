import { expect, test } from "vitest";
import { pathOf, placeOf } from "./routes.ts";

test.each([
  ["/", "overview", []],
  ["/services", "services", []],
  ["/services/www/", "services", ["www"]],
  ["/history/a%2Fb", "history", ["a/b"]],
  ["/services/50%", "services", ["50%"]],
] as const)("%s is a place", (path, page, rest) => {
  expect(placeOf(path)).toEqual({ page, rest: [...rest] });
});

test.each(["/nowhere", "/overview/more", "/Services"])("%s is no place", (path) => {
  expect(placeOf(path)).toBeUndefined();
});

test("a path leads to its page, whatever its parts are named", () => {
  expect(pathOf("overview")).toBe("/");
  expect(pathOf("services", "a/b ü")).toBe("/services/a%2Fb%20%C3%BC");
  expect(placeOf(pathOf("services", "a/b ü"))).toEqual({ page: "services", rest: ["a/b ü"] });
});
