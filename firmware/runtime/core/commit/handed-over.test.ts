import { after, instant, seconds } from "@futago/hal/units/time.ts";
import { expect, it } from "vitest";
import { HandOvers, SIBLINGS_MAX } from "./handed-over.ts";

const NOW = instant(1_000_000);
const named = (id: string, length = 1) => ({ id, text: "x".repeat(length) });

it("takes what was asked for, each once, and of siblings so many", () => {
  const handOvers = new HandOvers();
  handOvers.ask(Array.from({ length: 50 }, (_, i) => `wanted ${i}`));
  const take = (id: string) => {
    const takes = handOvers.take(named(id), NOW);
    if (takes) handOvers.done(named(id));
    return takes;
  };
  for (let i = 0; i < 50; i++) expect(take(`wanted ${i}`)).toBe(true);
  const taken = Array.from({ length: 30 }, (_, i) => take(`sibling ${i}`));
  expect(taken).toEqual(taken.map((_, i) => i < SIBLINGS_MAX));
  expect(take("wanted 3")).toBe(false);
  // Who cannot take the winner hands the same over again and again.
  expect(take("sibling 2")).toBe(true);
});

it("forgets what was asked for before", () => {
  const handOvers = new HandOvers();
  handOvers.ask(["former"]);
  handOvers.ask(["wanted"]);
  for (let i = 0; i < SIBLINGS_MAX; i++) handOvers.take(named(`sibling ${i}`), NOW);
  expect(handOvers.take(named("former"), NOW)).toBe(false);
  expect(handOvers.take(named("wanted"), NOW)).toBe(true);
});

it("takes further siblings some time after the first ones", () => {
  const handOvers = new HandOvers();
  const late = after(NOW, seconds(300));
  for (let i = 0; i < SIBLINGS_MAX; i++) handOvers.take(named(`sibling ${i}`), i < 2 ? NOW : late);
  const taken = (at: typeof NOW) => ["x", "y", "z"].map((id) => handOvers.take(named(id), at));
  expect(taken(after(NOW, seconds(599)))).toEqual([false, false, false]);
  expect(taken(after(NOW, seconds(600)))).toEqual([true, true, false]);
});

it("holds no more for a slow disk than fits into the memory, but one document of any size", () => {
  const large = (id: string) => named(id, 24 << 20);
  const handOvers = new HandOvers();
  handOvers.ask(["1", "2", "3", "4"]);
  expect(["1", "2", "3"].map((id) => handOvers.take(large(id), NOW))).toEqual([true, true, false]);
  handOvers.done(large("1"));
  expect(handOvers.take(large("3"), NOW)).toBe(true);
  const alone = new HandOvers();
  alone.ask(["whole"]);
  expect(alone.take(named("whole", 100 << 20), NOW)).toBe(true);
});

it("holds no more small ones either, though it has them already", () => {
  const handOvers = new HandOvers();
  const taken = Array.from({ length: 200 }, () => handOvers.take(named("sibling"), NOW));
  expect(taken.filter((one) => one)).toHaveLength(128);
});
