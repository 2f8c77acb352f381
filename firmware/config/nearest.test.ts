import { expect, it } from "vitest";
import { meantOr, mendSentence, nearest } from "./nearest.ts";

it("finds what was probably meant, and nothing where nothing is near", () => {
  const words = ["weight", "address", "port", "backup", "name"];
  expect(nearest("wieght", words)).toBe("weight");
  expect(nearest("Adress", words)).toBe("address");
  expect(nearest("prot", words)).toBe("port");
  expect(nearest("zzzz", words)).toBeUndefined();
  expect(nearest("", words)).toBeUndefined();
  expect(nearest("x".repeat(1_000), words)).toBeUndefined();
});

it("makes a question of what was probably meant, and a sentence of anything else", () => {
  expect(mendSentence(meantOr("wieght", ["weight"], "take it out"))).toBe('Did you mean "weight"?');
  expect(mendSentence(meantOr("zzzz", ["weight"], "take it out"))).toBe("take it out.");
  expect(mendSentence('did you mean "web"; a new one is set as a whole')).toBe(
    'did you mean "web"; a new one is set as a whole.',
  );
});
