import { expect, it } from "vitest";
import { Errands } from "./errands.ts";

it("does one at a time, in their order, and leaves out what is too much", async () => {
  const errands = new Errands(2);
  const log: string[] = [];
  const errand = (name: string) => async () => {
    log.push(`${name} begins`);
    await new Promise((resolve) => setTimeout(resolve, 1));
    log.push(`${name} ends`);
  };
  const done = await Promise.all(["first", "second", "third"].map((name) => errands.add(errand(name))));
  expect(done).toEqual([true, true, false]);
  expect(log).toEqual(["first begins", "first ends", "second begins", "second ends"]);
  await errands.add(errand("fourth"));
  expect(log.slice(4)).toEqual(["fourth begins", "fourth ends"]);
});
