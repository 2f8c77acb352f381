import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type BootState,
  chooseBootState,
  decodeBootState,
  defaultBootState,
  encodeBootState,
  encodeBootStateFile,
  isSame,
} from "./boot-state.ts";

const HEADER = "# GRUB Environment Block\n";

/** A sector with this text, filled up as the format says. */
function sector(text: string): Uint8Array {
  const bytes = new Uint8Array(512).fill(0x23);
  bytes.set(new TextEncoder().encode(text));
  return bytes;
}

const trialOfB = `${HEADER}futago=1
generation=41
primary=b
a_state=good
a_tries=8
b_state=trial
b_tries=3
end=1
`;

const bootState: fc.Arbitrary<BootState> = fc.record({
  generation: fc.integer({ min: 0, max: 999_999_999 }),
  primary: fc.constantFrom("a" as const, "b" as const),
  slots: fc.record({ a: slotState(), b: slotState() }),
});

function slotState() {
  return fc.record({
    verdict: fc.constantFrom("good" as const, "trial" as const, "bad" as const),
    tries: fc.integer({ min: 0, max: 8 }),
  });
}

describe("the block", () => {
  it("is written as the boot loader's script expects it, byte for byte", () => {
    const state: BootState = {
      generation: 41,
      primary: "b",
      slots: { a: { verdict: "good", tries: 8 }, b: { verdict: "trial", tries: 3 } },
    };
    expect(encodeBootState(state)).toEqual(sector(trialOfB));
    const file = encodeBootStateFile(state);
    expect(file).toHaveLength(1_024);
    expect(file.subarray(0, 512)).toEqual(sector(trialOfB));
    expect(file.subarray(512)).toEqual(new Uint8Array(512).fill(0x23));
  });

  it("of a new image boots slot a, and both slots are good", () => {
    const text = `futago=1\ngeneration=0\nprimary=a\na_state=good\na_tries=8\nb_state=good\nb_tries=8\nend=1\n`;
    expect(encodeBootState(defaultBootState)).toEqual(sector(HEADER + text));
  });

  it("is read after GRUB lowered the tries", () => {
    const lowered = sector(trialOfB.replace("b_tries=3", "b_tries=2"));
    expect(decodeBootState(lowered)).toEqual({
      ok: true,
      value: {
        generation: 41,
        primary: "b",
        slots: { a: { verdict: "good", tries: 8 }, b: { verdict: "trial", tries: 2 } },
      },
    });
  });

  it.each([
    ["no header", "futago=1\nend=1\n", "notABlock"],
    ["another program's", `${HEADER}saved_entry=0\nend=1\n`, "notFutago"],
    ["an older format's", `${HEADER}futago=0\nend=1\n`, "notFutago"],
    ["cut before its last line", trialOfB.replace("end=1\n", ""), "noEnd"],
    ["cut within its last line", trialOfB.replace("end=1\n", "end="), "noEnd"],
  ])("does not count when it is %s", (_, text, reason) => {
    expect(decodeBootState(sector(text))).toEqual({ ok: false, reason });
  });

  it.each([
    ["a state of no name", "a_state=good", "a_state=fine", { a: { verdict: "good", tries: 8 } }],
    ["tries that are no number", "a_tries=8", "a_tries=x", { a: { verdict: "good", tries: 0 } }],
    ["tries beyond the highest", "a_tries=8", "a_tries=12x", { a: { verdict: "good", tries: 8 } }],
    ["tries written in another way", "a_tries=8", "a_tries=08", { a: { verdict: "good", tries: 0 } }],
    ["no tries", "a_tries=8\n", "", { a: { verdict: "good", tries: 0 } }],
    ["a backslash", "a_state=good", "a_state=b\\ad", { a: { verdict: "bad", tries: 8 } }],
    ["a second line of a name", "a_tries=8", "a_tries=8\na_tries=1", { a: { verdict: "good", tries: 1 } }],
  ])("with %s is read as the loader reads it", (_, from, to, slots) => {
    expect(decodeBootState(sector(trialOfB.replace(from, to)))).toMatchObject({ ok: true, value: { slots } });
  });

  it("comes back from its bytes, whatever the state", () => {
    fc.assert(
      fc.property(bootState, (state) => {
        expect(decodeBootState(encodeBootState(state))).toEqual({ ok: true, value: state });
        expect(decodeBootState(encodeBootStateFile(state))).toEqual({ ok: true, value: state });
      }),
    );
  });

  it("is refused by a value, never by an exception, whatever the bytes", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 1_024 }),
      fc
        .string({ unit: fc.constantFrom("=", "\n", "\\", "#", "futago", "end", "1", "a_tries"), maxLength: 200 })
        .map((text) => new TextEncoder().encode(HEADER + text)),
    );
    fc.assert(fc.property(bytes, (block) => void decodeBootState(block)));
  });

  it("cannot be written with a number that it has no room for", () => {
    const slots = { ...defaultBootState.slots, a: { verdict: "good" as const, tries: 9 } };
    expect(() => encodeBootState({ ...defaultBootState, slots })).toThrow(RangeError);
    expect(() => encodeBootState({ ...defaultBootState, generation: 1e9 })).toThrow(RangeError);
  });
});

describe("of two copies", () => {
  const older = encodeBootState({ ...defaultBootState, generation: 6, primary: "b" });
  const newer = encodeBootState({ ...defaultBootState, generation: 7 });
  const garbage = new Uint8Array(512);

  it.each([
    ["the first counts, also when the second is newer", [older, newer], "bs0", 6, false],
    ["the second counts when the first is garbage", [garbage, newer], "bs1", 7, false],
    ["the second counts when the first cannot be read", [undefined, newer], "bs1", 7, false],
    ["the first counts when the second is garbage", [newer, garbage], "bs0", 7, false],
    ["the defaults count when both are garbage", [garbage, undefined], "defaults", 0, false],
    ["two that say the same are whole", [newer, newer], "bs0", 7, true],
  ] as const)("%s", (_, copies, from, generation, isWhole) => {
    const chosen = chooseBootState(copies);
    expect({ from: chosen.from, generation: chosen.state.generation, isWhole: chosen.isWhole }).toEqual({
      from,
      generation,
      isWhole,
    });
  });

  it("cut off at any moment of writing bs0 and then bs1, what counts is the old state or the new one", () => {
    const bytesOf = encodeBootState;
    fc.assert(
      fc.property(bootState, bootState, fc.uint8Array({ minLength: 512, maxLength: 512 }), (old, fresh, torn) => {
        const moments = [
          [bytesOf(old), bytesOf(old), old],
          [torn, bytesOf(old), old],
          [undefined, bytesOf(old), old],
          [bytesOf(fresh), bytesOf(old), fresh],
          [bytesOf(fresh), torn, fresh],
          [bytesOf(fresh), bytesOf(fresh), fresh],
        ] as const;
        for (const [bs0, bs1, counts] of moments) expect(chooseBootState([bs0, bs1]).state).toEqual(counts);
      }),
    );
  });

  it("a difference in tries makes them two", () => {
    const slots = { ...defaultBootState.slots, b: { verdict: "good" as const, tries: 7 } };
    expect(isSame(defaultBootState, { ...defaultBootState, slots })).toBe(false);
  });
});
