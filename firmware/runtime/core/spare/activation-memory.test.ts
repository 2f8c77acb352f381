import { expect, it } from "vitest";
import { ActivationMemory } from "./activation-memory.ts";

function settings(text: string | undefined) {
  const kept = new Map(text === undefined ? [] : [["activation", text]]);
  return {
    setting: (key: string) => Promise.resolve(kept.get(key)),
    putSetting: (key: string, value: string | undefined) => Promise.resolve(void kept.set(key, value ?? "")),
  };
}

it("remembers over a restart who was activated", async () => {
  const disk = settings(undefined);
  const first = await ActivationMemory.load(disk);
  expect(first.activation).toEqual({ epoch: 0, active: "undecided" });
  await first.keep({ epoch: 4, active: "b" });
  expect((await ActivationMemory.load(disk)).activation).toEqual({ epoch: 4, active: "b" });
});

it.each([
  "",
  "{",
  "null",
  "[]",
  '{"epoch":1}',
  '{"epoch":-1,"active":"a"}',
  '{"epoch":1,"active":"c"}',
  '{"epoch":1,"active":"a","x":1}',
])("takes %j for no decision at all", async (text) => {
  expect((await ActivationMemory.load(settings(text))).activation).toEqual({ epoch: 0, active: "undecided" });
});
