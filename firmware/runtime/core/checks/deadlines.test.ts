import { type Instant, instant } from "@futago/hal/units/time.ts";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Deadlines } from "./deadlines.ts";

interface Item {
  readonly name: number;
  due: Instant | undefined;
}

it("gives out what is due in order, each once, and nothing that has become void", () => {
  const moments = fc.array(fc.tuple(fc.nat(100), fc.option(fc.nat(100))), { maxLength: 200 });
  fc.assert(
    fc.property(moments, fc.nat(100), (given, until) => {
      const deadlines = new Deadlines<Item>((item, at) => item.due === at);
      const items = given.map(([first, second], name): Item => {
        const item: Item = { name, due: instant(first) };
        deadlines.add(instant(first), item);
        if (second === null) item.due = undefined;
        else if (second !== first) deadlines.add((item.due = instant(second)), item);
        return item;
      });
      const due = items.flatMap((item) => (item.due !== undefined && item.due <= until ? [{ ...item }] : []));
      const taken: (Instant | undefined)[] = [];
      const names = new Set<number>();
      for (let item = deadlines.take(instant(until)); item !== undefined; item = deadlines.take(instant(until))) {
        taken.push(item.due);
        names.add(item.name);
        item.due = undefined;
      }
      expect(taken).toEqual(due.map((item) => item.due).sort((a, b) => Number(a) - Number(b)));
      expect(names).toEqual(new Set(due.map((item) => item.name)));
      const left = items.flatMap((item) => item.due ?? []);
      expect(deadlines.earliest()).toBe(left.length === 0 ? undefined : Math.min(...left));
    }),
    { numRuns: 500 },
  );
});
