import { describe, expect, it } from "vitest";
import type { PairingShown } from "../runtime/control-pairing.ts";
import { failureRefusal, pairedSentence, renderPairing } from "./pair-words.ts";

const IDLE = { phase: "idle", code: null, secondsLeft: null, digits: null, wrongTries: 0, last: null } as const;
const ALONE: PairingShown = {
  kind: "alone",
  box: null,
  linked: false,
  configuredAlone: false,
  pairing: null,
  trouble: null,
  ceremony: IDLE,
};
const pairing = {
  since: "2026-11-29T15:00:00.000Z",
  fingerprint: "aa11",
  peerFingerprint: "bb22",
  device: "eth2",
  rotating: false,
};

describe("what `futago pair` says", () => {
  it.each<[string, PairingShown, string]>([
    ["a box alone", ALONE, "This box has no peer.\n"],
    [
      "a paired box",
      { ...ALONE, kind: "paired", box: "b", linked: true, pairing },
      "This box is b and has a peer since 2026-11-29T15:00:00.000Z, met on eth2. The two are linked.\nthis box  aa11\nits peer  bb22\n",
    ],
    [
      "an invitation somebody guessed at",
      { ...ALONE, ceremony: { ...IDLE, phase: "inviting", code: "K7QM-3XRP", secondsLeft: 77, wrongTries: 2 } },
      "This box has no peer.\nIt invites with the code K7QM-3XRP, for 77 s more.\nWrong codes so far: 2.\n",
    ],
    [
      "digits to compare",
      { ...ALONE, ceremony: { ...IDLE, phase: "comparing", digits: "041 907" } },
      "This box has no peer.\nIt shows 041 907: `futago pair yes` when the other one shows the same.\n",
    ],
    [
      "a failure",
      { ...ALONE, ceremony: { ...IDLE, last: { kind: "failed", refusal: "digits-differ", by: "there" } } },
      "This box has no peer.\nThe last pairing failed: the other box says: the digits were not the same.\n",
    ],
  ])("of %s", (_, shown, text) => {
    expect(renderPairing(shown)).toBe(text);
  });

  it("tells whose clock is wrong from two seconds on", () => {
    const paired = (clockAheadMillis: number) => pairedSentence({ kind: "paired", letter: "a", clockAheadMillis });
    expect(paired(1_999)).toBe("Paired: this box is a.\n");
    expect(paired(86_400_400)).toBe("Paired: this box is a.\nThe other box's clock is 86400 s ahead of this one's.\n");
    expect(paired(-2_000)).toBe("Paired: this box is a.\nThe other box's clock is 2 s behind this one's.\n");
  });

  it("names the box that refused", () => {
    expect(failureRefusal({ kind: "failed", refusal: "late-code", by: "there" })).toMatchObject({
      exitCode: 1,
      what: "the other box says: the code is too old: it is valid for ten minutes",
    });
    expect(failureRefusal({ kind: "failed", refusal: "went-away", by: "here" }).what).toBe("the other box went away");
  });
});
