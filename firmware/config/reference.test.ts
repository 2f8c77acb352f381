import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { configurationReference } from "./reference.ts";
import { validate } from "./validate.ts";

const PAGE = "../../docs/configuration.md";

it("keeps docs/configuration.md as the schema says (vitest -u writes it anew)", async () => {
  await expect(configurationReference()).toMatchFileSnapshot(PAGE);
});

it.each(["a", "b"] as const)("shows a whole pair that box %s takes without a warning", (box) => {
  const page = readFileSync(new URL(PAGE, import.meta.url), "utf8");
  const [, text] = /```json\n(.*?)```/s.exec(page) ?? [];
  const result = validate(JSON.parse(text ?? ""), { box });
  expect(result).toMatchObject({ ok: true, warnings: [] });
});
