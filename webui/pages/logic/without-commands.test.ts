import { expect, test } from "vitest";
import { withoutCommands } from "./without-commands.ts";

test("sentences that name commands are left out, the others stay", () => {
  expect(withoutCommands("Let them confirm it, or use --force.")).toBeUndefined();
  expect(withoutCommands("Plug the cable in. `futago status` tells more.")).toBe("Plug the cable in.");
  expect(withoutCommands(undefined)).toBeUndefined();
});
