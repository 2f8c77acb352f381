import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BootState, defaultBootState, otherSlot, type Slot, type SlotVerdict } from "./boot-state.ts";
import { beginTrial, fellBack, loaderBoots, markBad, markGood, setPrimary } from "./boot-steps.ts";

/** "b: good 8, trial 3" is primary b with these two slots; the generation is 5. */
function state(text: string): BootState {
  const [, primary, ...rest] = /^([ab]): (\w+) (\d), (\w+) (\d)$/.exec(text) ?? [];
  const [a, aTries, b, bTries] = rest;
  const slot = (verdict?: string, tries?: string) => ({ verdict: verdict as SlotVerdict, tries: Number(tries) });
  return { generation: 5, primary: primary as Slot, slots: { a: slot(a, aTries), b: slot(b, bTries) } };
}

function words({ primary, slots: { a, b } }: BootState): string {
  return `${primary}: ${a.verdict} ${a.tries}, ${b.verdict} ${b.tries}`;
}

describe("a step", () => {
  it.each([
    ["a trial of b", beginTrial, "a: good 8, good 8", "b", "b: good 8, trial 3"],
    ["a trial of b that was bad", beginTrial, "a: good 7, bad 0", "b", "b: good 7, trial 3"],
    ["b found good", markGood, "b: good 8, trial 2", "b", "b: good 8, good 8"],
    ["a found good after some boots", markGood, "a: good 5, good 8", "a", "a: good 8, good 8"],
    ["b found good keeps a bad a bad", markGood, "b: bad 0, trial 2", "b", "b: bad 0, good 8"],
    ["b found good after power cuts used up a", markGood, "a: good 0, good 7", "b", "b: good 3, good 8"],
    ["b found bad", markBad, "b: good 8, trial 2", "b", "a: good 8, bad 0"],
    ["b first, which is good", setPrimary, "a: good 8, good 8", "b", "b: good 8, good 8"],
    ["b first, which was bad", setPrimary, "a: good 8, bad 0", "b", "b: good 8, trial 3"],
    ["b first, which has no try left", setPrimary, "a: good 8, good 0", "b", "b: good 8, trial 3"],
  ] as const)("%s", (_, step, from, slot, to) => {
    const after = step(state(from), slot);
    expect(words(after)).toBe(to);
    expect(after.generation).toBe(6);
  });

  it("starts the generation anew after its last one", () => {
    expect(markGood({ ...defaultBootState, generation: 999_999_999 }, "a").generation).toBe(0);
  });
});

describe("a boot", () => {
  it.each([
    ["takes the primary", "a: good 8, good 8", "a", "a: good 7, good 8"],
    ["takes the primary on trial", "b: good 8, trial 1", "b", "b: good 8, trial 0"],
    ["takes the other one when the tries have run out", "b: good 8, trial 0", "a", "b: good 7, trial 0"],
    ["takes the other one when the primary is bad", "b: good 8, bad 3", "a", "b: good 7, bad 3"],
    ["takes the other one when it is on trial", "a: bad 0, trial 2", "b", "a: bad 0, trial 1"],
  ] as const)("%s", (_, from, slot, saved) => {
    const boot = loaderBoots(state(from));
    expect(boot.slot).toBe(slot);
    expect(boot.slot === undefined ? "" : words(boot.saved)).toBe(saved);
    expect(boot.slot === undefined ? 0 : boot.saved.generation).toBe(5);
  });

  it("ends in the rescue mode when no slot is left", () => {
    expect(loaderBoots(state("a: good 0, bad 3")).slot).toBeUndefined();
  });

  it("that ended in the other slot tells that the trial failed", () => {
    const said = fellBack(state("b: good 7, trial 0"), "a");
    expect(said && words(said)).toBe("a: good 7, bad 0");
  });

  it("of a slot that power cuts used up is no verdict on it", () => {
    const said = fellBack(state("b: good 7, good 0"), "a");
    expect(said && words(said)).toBe("a: good 7, good 0");
  });

  it.each([
    ["the primary", "b: good 8, trial 2", "b"],
    ["the other one, chosen at the boot menu", "b: good 8, good 7", "a"],
  ] as const)("of %s says nothing", (_, from, running) => expect(fellBack(state(from), running)).toBeUndefined());
});

describe("a new version that never comes up", () => {
  /** The slots that the loader takes, one boot after the other, with nobody marking anything. */
  function boots(from: BootState, count: number): string {
    let now = from;
    let slots = "";
    for (let n = 0; n < count; n++) {
      const boot = loaderBoots(now);
      slots += boot.slot ?? "-";
      if (boot.slot !== undefined) now = boot.saved;
    }
    return slots;
  }

  it("is tried three times, then the old one eight times, then the rescue mode", () => {
    expect(boots(beginTrial(defaultBootState, "b"), 13)).toBe("bbbaaaaaaaa--");
  });

  it("leaves the old one as it was, whatever was cut in between", () => {
    fc.assert(
      fc.property(fc.constantFrom<Slot>("a", "b"), fc.array(fc.boolean(), { maxLength: 12 }), (running, lives) => {
        let now = beginTrial(markGood(defaultBootState, running), otherSlot(running));
        for (const sees of lives) {
          const boot = loaderBoots(now);
          if (boot.slot === undefined) throw new Error("a good slot was lost");
          now = boot.saved;
          // The old version comes up well each time; only now and then it lives long enough to say so.
          if (boot.slot !== running) continue;
          now = sees || now.slots[running].tries < 2 ? markGood(fellBack(now, running) ?? now, running) : now;
        }
        expect(now.slots[running].verdict).toBe("good");
        expect(now.slots[running].tries).toBeGreaterThan(0);
      }),
    );
  });
});
