import { describe, expect, test } from "vitest";
import { parseIpAddress, parseMac } from "@futago/hal/units/address.ts";
import { after, instant, seconds } from "@futago/hal/units/time.ts";
import { activeBox, initialSpare, newer, nextTimeout, standing, step } from "./step.ts";
import type { Activation, Look, SpareAction, SpareConfig, SpareInput, SpareState, Standing } from "./types.ts";

const NOW = instant(100_000_000);
const A: SpareConfig = { box: "a", cold: true, preferred: "a" };
const B: SpareConfig = { ...A, box: "b" };
const HOT: SpareConfig = { ...A, cold: false };

const ACTIVE: Standing = { part: "active", ports: "open" };
const SHUT: Standing = { part: "spare", ports: "shut" };
const SILENT: Standing = { part: "spare", ports: "silent" };
const EITHER: Standing = { part: "either", ports: "open" };

const DARK: Look = { answers: [], unplugged: [], asked: 4 };
const ANSWERED: Look = {
  ...DARK,
  answers: [{ address: parseIpAddress("10.1.0.1")!, mac: parseMac("02:00:00:00:00:0b")!, device: "eth0" }],
};
const UNPLUGGED: Look = { answers: [], unplugged: ["eth0", "eth1"], asked: 0 };

const act = (epoch: number, active: Activation["active"]): Activation => ({ epoch, active });
const keep = (epoch: number, active: Activation["active"]) =>
  ({ kind: "keep", activation: act(epoch, active) }) as const;
const tell = (epoch: number, active: Activation["active"]) =>
  ({ kind: "tell", activation: act(epoch, active) }) as const;
const configured = (before: SpareConfig | undefined, serving: boolean): SpareInput => ({
  kind: "configured",
  before,
  serving,
});
const told = (epoch: number, active: Activation["active"]): SpareInput => ({
  kind: "told",
  activation: act(epoch, active),
});

function state(activation: Activation, more: Partial<SpareState> = {}): SpareState {
  return { ...initialSpare(activation), ...more };
}
/** A box that serves, and the spare of another one, both linked. */
const serves = state(act(3, "a"), { proven: true, serving: true, linked: true, peer: "idle" });
const spare = state(act(3, "a"), { linked: true, peer: "active" });

interface Row {
  readonly name: string;
  readonly config?: SpareConfig;
  readonly state: SpareState;
  readonly input: SpareInput;
  readonly stands: Standing;
  readonly actions?: readonly SpareAction[];
  readonly knows?: Partial<SpareState>;
}

function check({ config = A, state: before, input, stands, actions = [], knows = {} }: Row): void {
  const result = step(config, before, input, NOW);
  expect(standing(config, result.state)).toEqual(stands);
  expect(result.actions).toEqual(actions);
  expect(result.state).toMatchObject(knows);
}

const WAITS = { lookAt: after(NOW, seconds(5)) };
const ASKS_AGAIN = { lookAt: after(NOW, seconds(10)) };

describe("a box that begins", () => {
  const rows: readonly Row[] = [
    {
      name: "waits for the peer's word, shut, although it was the active one",
      state: state(act(3, "a")),
      input: configured(undefined, false),
      stands: SHUT,
      actions: [tell(3, "a")],
      knows: WAITS,
    },
    {
      name: "goes on when its sentinel has never stopped serving",
      state: state(act(3, "a")),
      input: configured(undefined, true),
      stands: ACTIVE,
      actions: [tell(3, "a")],
    },
    {
      name: "lets go of what its sentinel still holds when the other one was activated",
      state: state(act(3, "b")),
      input: configured(undefined, true),
      stands: SHUT,
      actions: [tell(3, "b")],
      knows: { lookAt: undefined },
    },
    {
      name: "is the spare without a question when the other one was activated",
      config: B,
      state: state(act(3, "a")),
      input: configured(undefined, false),
      stands: SHUT,
      actions: [tell(3, "a")],
      knows: { lookAt: undefined },
    },
    {
      name: "is the spare when nobody was ever activated and the other one is preferred",
      config: B,
      state: initialSpare(),
      input: configured(undefined, false),
      stands: SHUT,
      actions: [tell(0, "undecided")],
      knows: { lookAt: undefined },
    },
    {
      name: "serves when the peer, too, knows it as the active one",
      state: state(act(3, "a"), WAITS),
      input: told(3, "a"),
      stands: ACTIVE,
    },
    {
      name: "serves as the preferred one when both know of nobody",
      state: state(act(0, "undecided"), WAITS),
      input: told(0, "undecided"),
      stands: ACTIVE,
    },
    {
      name: "does not take the peer's word while the peer is heard to serve",
      state: state(act(3, "a"), { ...WAITS, peer: "active" }),
      input: told(3, "a"),
      stands: SHUT,
      knows: WAITS,
    },
    {
      name: "is the spare when the peer was activated meanwhile, and remembers it",
      state: state(act(3, "a"), WAITS),
      input: told(4, "b"),
      stands: SHUT,
      actions: [keep(4, "b"), tell(4, "b")],
      knows: { lookAt: undefined },
    },
    {
      name: "asks around when the peer says nothing, with silent ports",
      state: state(act(3, "a"), WAITS),
      input: { kind: "timeout" },
      stands: SILENT,
      actions: [{ kind: "look" }],
    },
    {
      name: "serves when nobody answers",
      state: state(act(3, "a"), { looking: "boot" }),
      input: { kind: "looked", by: "boot", look: DARK },
      stands: ACTIVE,
    },
    {
      name: "does not when somebody does, and asks again",
      state: state(act(3, "a"), { looking: "boot" }),
      input: { kind: "looked", by: "boot", look: ANSWERED },
      stands: SHUT,
      knows: { doubt: ANSWERED, ...ASKS_AGAIN },
    },
    {
      name: "does not when nobody could be asked, and asks again",
      state: state(act(3, "a"), { looking: "boot" }),
      input: { kind: "looked", by: "boot", look: UNPLUGGED },
      stands: SHUT,
      knows: { doubt: UNPLUGGED, ...ASKS_AGAIN },
    },
    {
      name: "drops what it was asking when the peer says meanwhile that it was activated",
      state: state(act(3, "a"), { looking: "boot" }),
      input: told(4, "b"),
      stands: SHUT,
      actions: [keep(4, "b"), tell(4, "b")],
      knows: { looking: undefined },
    },
    {
      name: "leaves it to a person who asks meanwhile",
      state: state(act(3, "a"), { looking: "person" }),
      input: { kind: "looked", by: "boot", look: DARK },
      stands: SILENT,
    },
    {
      name: "and takes no heed of what comes of it",
      state: state(act(4, "b")),
      input: { kind: "looked", by: "boot", look: DARK },
      stands: SHUT,
    },
  ];
  test.each(rows)("$name", check);
});

describe("the active box", () => {
  const rows: readonly Row[] = [
    {
      name: "keeps it when the peer falls silent",
      state: serves,
      input: { kind: "sentinel", serving: true, peer: "silent" },
      stands: ACTIVE,
    },
    { name: "keeps it when the link breaks", state: serves, input: { kind: "link", up: false }, stands: ACTIVE },
    {
      name: "tells a peer that comes back",
      state: { ...serves, linked: false },
      input: { kind: "link", up: true },
      stands: ACTIVE,
      actions: [tell(3, "a")],
    },
    {
      name: "keeps it against a peer that knows of less",
      state: serves,
      input: told(2, "b"),
      stands: ACTIVE,
    },
    {
      name: "becomes the spare of one that was activated, and remembers it",
      state: serves,
      input: told(4, "b"),
      stands: SHUT,
      actions: [keep(4, "b"), tell(4, "b")],
      knows: { proven: false },
    },
    {
      name: "says so when it served first and nobody had decided it",
      state: state(act(0, "undecided"), { proven: true }),
      input: { kind: "sentinel", serving: true, peer: "idle" },
      stands: ACTIVE,
      actions: [keep(1, "a"), tell(1, "a")],
    },
    {
      name: "is nobody when a person releases it",
      state: serves,
      input: { kind: "decided", activation: act(4, "nobody"), forced: undefined },
      stands: SHUT,
      actions: [tell(4, "nobody")],
    },
    {
      name: "goes on when its sentinel died and the peer is linked",
      state: serves,
      input: { kind: "sentinelLost" },
      stands: ACTIVE,
    },
    {
      name: "must prove it anew when its sentinel died and nobody is linked",
      state: { ...serves, linked: false },
      input: { kind: "sentinelLost" },
      stands: SHUT,
      knows: WAITS,
    },
  ];
  test.each(rows)("$name", check);
});

describe("the spare", () => {
  const rows: readonly Row[] = [
    {
      name: "stays the spare when the active one falls silent",
      config: B,
      state: { ...spare, linked: false },
      input: { kind: "sentinel", serving: false, peer: "silent" },
      stands: SHUT,
      knows: { lookAt: undefined },
    },
    {
      name: "opens its ports for a person's question, and keeps silent",
      config: B,
      state: spare,
      input: { kind: "look" },
      stands: SILENT,
    },
    {
      name: "shuts them when it is answered, whatever the answer: the person decides",
      config: B,
      state: { ...spare, looking: "person" },
      input: { kind: "looked", by: "person", look: DARK },
      stands: SHUT,
    },
    {
      name: "serves when a person decides it, though somebody answered",
      config: B,
      state: { ...spare, looking: "person" },
      input: { kind: "decided", activation: act(4, "b"), forced: ANSWERED },
      stands: ACTIVE,
      actions: [tell(4, "b")],
      knows: { forced: ANSWERED },
    },
    {
      name: "that was activated by force says no more of it when the peer agrees",
      config: B,
      state: { ...spare, activation: act(4, "b"), proven: true, forced: ANSWERED },
      input: told(4, "b"),
      stands: ACTIVE,
      knows: { forced: undefined },
    },
    {
      name: "stays the spare when the active one was released",
      config: B,
      state: spare,
      input: told(4, "nobody"),
      stands: SHUT,
      actions: [keep(4, "nobody"), tell(4, "nobody")],
    },
  ];
  test.each(rows)("$name", check);
});

describe("a change of the configuration", () => {
  const COLD_NOW = configured(HOT, true);
  const rows: readonly Row[] = [
    {
      name: "to cold moves no role: who serves goes on, under a new epoch",
      state: state(act(7, "b"), { serving: true }),
      input: COLD_NOW,
      stands: ACTIVE,
      actions: [keep(8, "a"), tell(8, "a")],
    },
    {
      name: "to cold makes the standby the spare, though it is preferred, until something is known",
      state: state(act(7, "undecided"), { peer: "active" }),
      input: configured(HOT, false),
      stands: SHUT,
      actions: [tell(7, "undecided")],
      knows: WAITS,
    },
    {
      name: "of other things changes nothing",
      state: serves,
      input: configured(A, true),
      stands: ACTIVE,
      actions: [tell(3, "a")],
    },
    {
      name: "of who is preferred moves no role",
      config: { ...A, preferred: "b" },
      state: serves,
      input: configured(A, true),
      stands: ACTIVE,
      actions: [tell(3, "a")],
    },
    {
      name: "to hot leaves it to the election, and forgets who was active",
      config: HOT,
      state: serves,
      input: configured(A, true),
      stands: EITHER,
      actions: [keep(3, "undecided"), tell(3, "undecided")],
    },
    {
      name: "is none where a hot pair begins",
      config: HOT,
      state: state(act(3, "a")),
      input: configured(undefined, false),
      stands: EITHER,
      actions: [tell(3, "a")],
    },
  ];
  test.each(rows)("$name", check);
});

test("of two decisions the later one counts, else the box that is preferred", () => {
  expect(newer(A, act(2, "a"), act(3, "nobody"))).toEqual(act(3, "nobody"));
  expect(newer(A, act(3, "nobody"), act(3, "b"))).toEqual(act(3, "b"));
  expect(newer(A, act(3, "b"), act(3, "a"))).toEqual(act(3, "a"));
  expect(newer(A, act(3, "a"), act(3, "b"))).toEqual(act(3, "a"));
  expect(newer(A, act(3, "undecided"), act(3, "nobody"))).toEqual(act(3, "nobody"));
  expect([A, B].map((config) => activeBox(config, act(0, "undecided")))).toEqual(["a", "a"]);
});

test("the next moment is that of asking around", () => {
  expect(nextTimeout(state(act(3, "a"), WAITS))).toBe(after(NOW, seconds(5)));
  expect(nextTimeout(serves)).toBeUndefined();
});
