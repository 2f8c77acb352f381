import { expect, it } from "vitest";
import { nearest } from "./nearest.ts";

it("finds what was probably meant, and nothing where nothing is near", () => {
  const words = ["weight", "address", "port", "backup", "name"];
  expect(nearest("wieght", words)).toBe("weight");
  expect(nearest("Adress", words)).toBe("address");
  expect(nearest("prot", words)).toBe("port");
  expect(nearest("zzzz", words)).toBeUndefined();
  expect(nearest("", words)).toBeUndefined();
  expect(nearest("x".repeat(1_000), words)).toBeUndefined();
});
