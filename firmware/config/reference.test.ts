import { expect, it } from "vitest";
import { configurationReference } from "./reference.ts";

it("keeps docs/configuration.md as the schema says (vitest -u writes it anew)", async () => {
  await expect(configurationReference()).toMatchFileSnapshot("../../docs/configuration.md");
});
