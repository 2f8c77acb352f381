import { exampleDocument } from "@futago/firmware/config/example.test-support.ts";
import { expect, test } from "vitest";
import { box, pair, port } from "./shown.test-support.ts";
import { suggestionsFor } from "./suggest.ts";

test.each([
  ["services.pool", ["web"]],
  ["services.address", ["front", "10.2.0.1"]],
  ["routes.interface", ["wan", "lan", "sync"]],
  ["interfaces.device", ["eth0", "eth9"]],
])("%s may be what the document and the boxes have", (place, words) => {
  const shown = pair(box("a", [port()]), box("b", [port(), port({ device: "eth9" })]));
  expect(suggestionsFor(place, exampleDocument, shown)?.words).toEqual(words);
});

test("a free text has no suggestions", () => {
  expect(suggestionsFor("pools.name", exampleDocument, undefined)).toBeUndefined();
});
