import { describe, expect, it } from "vitest";
import { type BootState, defaultBootState } from "../../update/boot-state.ts";
import { beginTrial, loaderBoots } from "../../update/boot-steps.ts";
import { answerBackend } from "./boot-state-backend.ts";
import type { BootStateStore } from "./boot-state-store.ts";

function storeOf(state: BootState): BootStateStore & { now: BootState } {
  const store = {
    now: state,
    read: () => ({ state: store.now, from: "bs0" as const, isWhole: true }),
    write: (fresh: BootState) => {
      store.now = fresh;
      return [];
    },
  };
  return store;
}

const ask = (store: BootStateStore, words: string) => answerBackend(words.split(" "), store, "a");

describe("RAUC", () => {
  it.each([
    ["get-primary", "b\n"],
    ["get-current", "a\n"],
    ["get-state a", "good\n"],
    ["get-state b", "good\n"],
  ])("asks %s", (words, out) => {
    expect(ask(storeOf(beginTrial(defaultBootState, "b")), words)).toEqual({ code: 0, out, said: "" });
  });

  it("writes into a slot that no boot takes, and the running one stays first", () => {
    const store = storeOf(beginTrial(defaultBootState, "b"));
    expect(ask(store, "set-state b bad").code).toBe(0);
    expect(store.now).toMatchObject({ primary: "a", slots: { b: { verdict: "bad", tries: 0 } } });
    expect(ask(store, "get-state b").out).toBe("bad\n");
    expect(loaderBoots(store.now).slot).toBe("a");
  });

  it("makes the other slot first on trial only, the running one as what it is", () => {
    const store = storeOf(defaultBootState);
    ask(store, "set-primary b");
    expect(store.now).toMatchObject({ primary: "b", slots: { b: { verdict: "trial", tries: 3 } } });
    ask(store, "set-primary a");
    expect(store.now).toMatchObject({ primary: "a", slots: { a: { verdict: "good", tries: 8 } } });
  });

  it("marks a slot good", () => {
    const store = storeOf(beginTrial(defaultBootState, "b"));
    ask(store, "set-state b good");
    expect(store.now.slots.b).toEqual({ verdict: "good", tries: 8 });
  });

  it.each(["", "get-state", "get-state c", "set-state a fine", "set-primary", "set-state c good", "reboot"])(
    "is told when it asks %j",
    (words) => {
      const store = storeOf(defaultBootState);
      expect(ask(store, words)).toMatchObject({ code: 1, out: "" });
      expect(store.now).toBe(defaultBootState);
    },
  );

  it("has no current slot where the box runs from elsewhere", () => {
    expect(answerBackend(["get-current"], storeOf(defaultBootState), undefined).code).toBe(1);
  });
});
