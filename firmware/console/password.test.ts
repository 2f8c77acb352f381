import { expect, it } from "vitest";
import { NO_FACTS } from "../cli/console-facts.ts";
import { BEGIN, step } from "./dialogue.ts";
import { draw } from "./draw.ts";
import type { Facts } from "./facts.ts";
import type { Key } from "./keys.ts";

const users = [
  { name: "anna", role: "admin" },
  { name: "bob", role: "viewer" },
];
const facts: Facts = { ...NO_FACTS, trouble: undefined, users };
const press = (from: typeof BEGIN, key: Key) => step(from, { kind: "key", key }, facts);

it("the terminal asks for another password of the user who was chosen", () => {
  const { state: list } = press(BEGIN, { kind: "letter", letter: "7" });
  const lines = draw(list, facts).map(({ text }) => text);
  expect(lines.slice(2, 4)).toEqual([
    "> anna                             admin",
    "  bob                              viewer",
  ]);
  const { state, actions } = press(press(list, { kind: "down" }).state, { kind: "enter" });
  expect(state).toEqual({ kind: "busy" });
  expect(actions).toEqual([{ kind: "do", wish: { kind: "verb", words: ["user", "set", "bob"] } }]);
});
