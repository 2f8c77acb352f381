import { describe, expect, it } from "vitest";
import type { Ending, PairingShown } from "../runtime/control-pairing.ts";
import { failureRefusal, pairedSentence, releasesSentence, renderPairing } from "./pair-words.ts";

const IDLE = {
  phase: "idle",
  code: null,
  secondsLeft: null,
  digits: null,
  versions: null,
  wrongTries: 0,
  last: null,
} as const;
const ALONE: PairingShown = {
  kind: "alone",
  box: null,
  linked: false,
  configuredAlone: false,
  pairing: null,
  trouble: null,
  ceremony: IDLE,
};
type Paired = Extract<Ending, { kind: "paired" }>;
const PAIRED: Paired = {
  kind: "paired",
  role: "joiner",
  letter: "b",
  versions: { here: { protocol: 1, release: "1.2.0" }, there: { protocol: 1, release: "1.2.0" } },
  clockAheadMillis: 0,
  clockWithinMillis: 3,
  clock: "level",
};
const pairing = {
  since: "2026-11-29T15:00:00",
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
      "This box is b and has a peer since 2026-11-29 15:00:00, met on eth2. The two are linked.\nthis box  aa11\nits peer  bb22\n",
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

  const clockAheadMillis = 3 * 3_600_000 + 12 * 60_000;
  it.each<[string, Partial<Paired>, string]>([
    ["set", { clock: "set" }, "This box's clock was 3 h 12 min behind; set, to within 3 ms.\n"],
    [
      "of the other box set",
      { clock: "set", role: "inviter", clockAheadMillis: 2 * 86_400_000 + 30_000 },
      "The other box's clock was 2 d ahead; set, to within 3 ms.\n",
    ],
    [
      "kept by somebody else",
      { clock: "kept" },
      "This box's clock is 3 h 12 min behind and kept by NTP, so it was left alone: set the other one.\n",
    ],
    [
      "of the other box kept by somebody else",
      { clock: "kept", role: "inviter", clockAheadMillis: -62_400 },
      "The other box's clock is 1 min 2 s behind and kept by NTP, so it was left alone: set this one.\n",
    ],
    [
      "that cannot be set",
      { clock: "refused", clockAheadMillis: -12_345 },
      "This box's clock is 12 s ahead, and could not be set.\n",
    ],
    ["that is right", { clock: "level", clockAheadMillis: 1_900 }, ""],
  ])("tells of a clock %s", (_, clock, sentence) => {
    expect(pairedSentence({ ...PAIRED, clockAheadMillis, ...clock })).toBe(`Paired: this box is b.\n${sentence}`);
  });

  it("names both releases where they differ, and what to install where", () => {
    const versions = { here: { protocol: 1, release: "1.2.1" }, there: { protocol: 1, release: "1.2.0" } };
    const sentence = "This box is 1.2.1, the other one 1.2.0: install 1.2.0 on this box before the pair serves.\n";
    expect(releasesSentence("joiner", versions)).toBe(sentence);
    expect(pairedSentence({ ...PAIRED, versions })).toBe(`Paired: this box is b.\n${sentence}`);
    expect(releasesSentence("inviter", versions)).toBe(
      "This box is 1.2.1, the other one 1.2.0: install 1.2.1 on the other box before the pair serves.\n",
    );
    expect(releasesSentence("joiner", PAIRED.versions)).toBe("");
  });

  it.each([
    ["2.0.0", "the other one 2.0.0 with protocol 2"],
    ["", "the other one protocol 2"],
  ])("names both versions where the protocols differ, and the other one's release is %j", (release, other) => {
    const versions = { here: { protocol: 1, release: "1.2.0" }, there: { protocol: 2, release } };
    expect(failureRefusal({ kind: "failed", refusal: "other-version", by: "there", versions })).toEqual({
      exitCode: 1,
      what: `the two boxes speak different protocols of pairing: this one is 1.2.0 with protocol 1, ${other}`,
      mend: "Install the same release on both first.",
    });
  });

  it("names the box that refused", () => {
    expect(failureRefusal({ kind: "failed", refusal: "late-code", by: "there" })).toMatchObject({
      exitCode: 1,
      what: "the other box says: the code is too old: it is valid for ten minutes",
    });
    expect(failureRefusal({ kind: "failed", refusal: "went-away", by: "here" }).what).toBe("the other box went away");
  });
});
