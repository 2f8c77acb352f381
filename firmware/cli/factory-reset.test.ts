import { describe, expect, it } from "vitest";
import type { BoxStatus } from "../runtime/control.ts";
import { mustBePossible } from "./factory-reset.ts";

const status = (state: string, peer: { readonly alive: boolean } | null) =>
  ({ groups: [{ state }], peer }) as unknown as BoxStatus;

describe("whoever wants a factory reset", () => {
  it("hears before they are asked for the word that nobody can take over", () => {
    const refused = { refusal: expect.objectContaining({ exitCode: 5, mend: expect.stringMatching(/^--force/) }) };
    expect(() => mustBePossible(status("active", { alive: false }))).toThrow(expect.objectContaining(refused));
  });

  it.each([
    ["the peer takes over", status("active", { alive: true })],
    ["this box is alone", status("active", null)],
    ["this box holds nothing", status("backup", { alive: false })],
  ])("is asked for it when %s", (_, present) => {
    expect(() => mustBePossible(present)).not.toThrow();
  });
});
