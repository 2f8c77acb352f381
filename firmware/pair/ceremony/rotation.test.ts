import { describe, expect, it } from "vitest";
import { primitives, talkSecrets } from "../../runtime/core/pairing/primitives.ts";
import { decodeRotationMessage, encodeRotationMessage, type RotationIntroduction } from "./message.ts";
import { decideRotation, type HeldKeys, keyId, nextPairKey } from "./rotation.ts";

const held = (current: string, next: string | null = null, former: string | null = null): HeldKeys => ({
  current,
  next,
  former,
});
const [OLD, NEW, OTHER] = ["0123456789abcdef", "fedcba9876543210", "00000000000000ff"] as const;

describe("a change of keys", () => {
  it.each<[string, HeldKeys, HeldKeys, string]>([
    ["waits while there is none", held(OLD), held(OLD), "wait"],
    ["switches when both have kept the next key", held(OLD, NEW), held(OLD, NEW), "switch"],
    ["switches when the other one has", held(OLD, NEW), held(NEW, null, OLD), "switch"],
    ["switches when the other one has finished", held(OLD, NEW), held(NEW), "switch"],
    ["gives up when the other one has not kept it", held(OLD, NEW), held(OLD), "giveUp"],
    ["gives up when the other one has kept another", held(OLD, NEW), held(OLD, OTHER), "giveUp"],
    ["waits for one that has not switched", held(NEW, null, OLD), held(OLD, NEW), "wait"],
    ["finishes when both have switched", held(NEW, null, OLD), held(NEW, null, OLD), "finish"],
    ["finishes when the other one has", held(NEW, null, OLD), held(NEW), "finish"],
  ])("%s", (_, mine, theirs, decision) => {
    expect(decideRotation(mine, theirs)).toBe(decision);
  });

  it("leaves two boxes that know each other at every step, whichever dies in between", () => {
    // Each box believes all keys that it holds, and signs with its current one.
    const knows = (one: HeldKeys, other: HeldKeys) => [one.current, one.next, one.former].includes(other.current);
    const after = (keys: HeldKeys, decision: string): HeldKeys => {
      if (decision === "switch") return held(keys.next ?? "", null, keys.current);
      return decision === "wait" ? keys : held(keys.current);
    };
    const seen = new Set<string>();
    const explore = (a: HeldKeys, b: HeldKeys): void => {
      const name = JSON.stringify([a, b]);
      if (seen.has(name)) return;
      seen.add(name);
      expect([knows(a, b), knows(b, a)]).toEqual([true, true]);
      explore(after(a, decideRotation(a, b)), b);
      explore(a, after(b, decideRotation(b, a)));
    };
    // The one that answered has kept the next key; the one that offered has, or died before.
    explore(held(OLD, NEW), held(OLD, NEW));
    explore(held(OLD, NEW), held(OLD));
    expect(seen.size).toBeGreaterThan(8);
    expect(seen).toContain(JSON.stringify([held(NEW), held(NEW)]));
  });

  it("leads both ends to one key, of both shares and of the former key", () => {
    const [one, other] = [talkSecrets(), talkSecrets()];
    const introduction = (kind: "offer" | "answer", { share, nonce }: typeof one): RotationIntroduction => ({
      kind,
      share,
      nonce,
      certificate: "30aa",
    });
    const said = { offer: introduction("offer", one), answer: introduction("answer", other) };
    const pairKey = "0f".repeat(32);
    const mine = nextPairKey(primitives, said, { privateKey: one.privateKey, theirShare: other.share, pairKey });
    const theirs = { privateKey: other.privateKey, theirShare: one.share };
    expect(mine).toMatch(/^[0-9a-f]{64}$/);
    expect(nextPairKey(primitives, said, { ...theirs, pairKey })).toBe(mine);
    expect(nextPairKey(primitives, said, { ...theirs, pairKey: "f0".repeat(32) })).not.toBe(mine);
    expect(nextPairKey(primitives, said, { ...theirs, theirShare: "00".repeat(32), pairKey })).toBeUndefined();
    expect(keyId(primitives, pairKey)).toMatch(/^[0-9a-f]{16}$/);
    expect(pairKey).not.toContain(keyId(primitives, pairKey));
  });

  it("is told in words that are read as hostile input", () => {
    const state = { kind: "state", current: OLD, next: null, former: NEW } as const;
    expect(decodeRotationMessage(encodeRotationMessage(state))).toEqual({ ok: true, value: state });
    for (const text of ["", "{}", '{"kind":"state"}', '{"kind":"state","current":"x","next":null,"former":null}']) {
      expect(decodeRotationMessage(text)).toEqual({ ok: false, reason: "bad-message" });
    }
  });
});
