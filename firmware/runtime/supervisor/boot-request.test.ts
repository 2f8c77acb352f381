import { expect, it } from "vitest";
import { bootRequest, bootWord } from "./boot-request.ts";

it.each([
  ["console=ttyS0 futago.slot=a futago.request=reset-password panic=10\n", "reset-password"],
  ["futago.request=reset-password futago.request=factory-reset", "factory-reset"],
  ["futago.request=factory-reset futago.request=none", undefined],
  ["futago.requests=factory-reset xfutago.request=factory-reset", undefined],
  ["quiet -- futago.request=factory-reset", undefined],
  ["futago.request=rm", undefined],
  ["", undefined],
])("%j asks for %s", (line, request) => {
  expect(bootRequest(line)).toBe(request);
});

it("finds a word's last value, and none where there is none", () => {
  expect(bootWord("futago.slot=a quiet futago.slot=b", "futago.slot")).toBe("b");
  expect(bootWord("quiet", "futago.slot")).toBe("");
});
