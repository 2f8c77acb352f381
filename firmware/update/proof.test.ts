import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instant } from "@futago/hal/units/time.ts";
import { beginProof, type ProofState, proofTakes, stepProof, type Subject, SOAK } from "./proof.ts";

const at = (second: number) => instant(second * 1_000_000);
const finding = (subject: Subject) => ({ subject, sentence: `${subject} is wrong` });
const trial = { isTrial: true, canGoBack: true, soak: SOAK };
const usual = { isTrial: false, canGoBack: true, soak: SOAK };

/** "0 ports, 30, 150" is a look at each second with what is wrong; the last look's actions and state. */
function after(config: typeof trial, looks: string, isServing = false): string {
  let state = beginProof(at(0));
  let last = "";
  for (const look of looks.split(", ")) {
    const [second = "", ...wrong] = look.split(" ");
    const findings = wrong.map((subject) => finding(subject as Subject));
    const stepped = stepProof(config, state, { findings, isServing }, at(Number(second)));
    state = stepped.state;
    last = [...stepped.actions.map(({ kind }) => kind), state.kind].join(" ");
  }
  return last;
}

describe("a boot", () => {
  it.each([
    ["soaks from the first look at which nothing is wrong", "0", "soaking"],
    ["is found good after 120 seconds of that", "0, 60, 120", "markGood proven"],
    ["is not found good before", "0, 60, 119", "soaking"],
    ["waits while anything is wrong", "0 configuration, 5 units", "waiting"],
    ["soaks anew after anything was wrong", "0, 100 ports, 101, 200", "soaking"],
    ["and is found good after that", "0, 100 ports, 101, 221", "markGood proven"],
    ["is found good once", "0, 120, 121", "proven"],
    ["stays good whatever is wrong later", "0, 120, 130 verity", "proven"],
  ])("%s", (_, looks, end) => {
    expect(after(trial, looks)).toBe(end);
    expect(after(usual, looks)).toBe(end);
  });
});

describe("a trial", () => {
  it.each([
    ["is given up when something is wrong at the end of its bound", "0 units, 899 units, 900 units", "goBack givenUp"],
    ["is not given up before", "0 units, 899 units", "waiting"],
    ["that became healthy late soaks past its bound", "0 peer, 850, 960", "soaking"],
    ["and is found good", "0 peer, 850, 970", "markGood proven"],
    ["and is given up at once when something goes wrong then", "0 peer, 850, 960 pages", "goBack givenUp"],
    ["is given up once", "900 units, 901 units", "givenUp"],
  ])("%s", (_, looks, end) => expect(after(trial, looks)).toBe(end));

  it("is not given up where the loader has nothing to go back to, and may become good yet", () => {
    expect(after({ ...trial, canGoBack: false }, "0 units, 900 units, 5000 units")).toBe("waiting");
    expect(after({ ...trial, canGoBack: false }, "0 units, 900 units, 1000, 1120")).toBe("markGood proven");
  });

  it("of the only box that serves is not given up for a peer that is away", () => {
    expect(after(trial, "0 peer flows, 900 peer flows", true)).toBe("waiting");
    expect(after(trial, "0 peer, 900 peer units", true)).toBe("goBack givenUp");
    expect(after(trial, "0 peer, 900 peer", false)).toBe("goBack givenUp");
  });
});

describe("a boot that is no trial", () => {
  it("is found good without the peer, and never given up", () => {
    expect(after(usual, "0 peer, 120 peer flows")).toBe("markGood proven");
    expect(after(usual, "0 units, 900 units, 100000 units")).toBe("waiting");
  });
});

it("tells how long it still takes", () => {
  const { state } = stepProof(trial, beginProof(at(0)), { findings: [], isServing: false }, at(10));
  expect(proofTakes(state, at(40))).toBe(90_000_000);
  expect(proofTakes({ kind: "proven" }, at(40))).toBeUndefined();
});

it("says good only after 120 seconds on end in which no look found anything, and never both", () => {
  const looks = fc.array(fc.tuple(fc.integer({ min: 1, max: 100 }), fc.boolean()), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(looks, fc.boolean(), (steps, isTrial) => {
      let state: ProofState = beginProof(at(0));
      let now = 0;
      let clean: number | undefined;
      const said: string[] = [];
      for (const [seconds, isWrong] of steps) {
        now += seconds;
        const look = { findings: isWrong ? [finding("units")] : [], isServing: true };
        const { state: next, actions } = stepProof({ isTrial, canGoBack: true, soak: SOAK }, state, look, at(now));
        clean = isWrong ? undefined : (clean ?? now);
        for (const { kind } of actions) {
          said.push(kind);
          const isEarly = kind === "markGood" ? now - (clean ?? now) < 120 : now < 900;
          if (isEarly) said.push("early");
        }
        state = next;
      }
      expect(said.length).toBeLessThanOrEqual(1);
      expect(isTrial || !said.includes("goBack")).toBe(true);
    }),
  );
});
