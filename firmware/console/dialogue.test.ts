import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Action, BEGIN, type Input, type State, step, type Wish } from "./dialogue.ts";
import { COLUMNS, draw, LINES, wrapped } from "./draw.ts";
import type { Facts } from "./facts.ts";
import type { Key } from "./keys.ts";
import { ENTRIES, hindrance } from "./menu.ts";

const facts: Facts = {
  trouble: undefined,
  hostname: "edge-a",
  box: "a",
  role: "active",
  peer: { alive: true },
  isCold: false,
  maintenance: "off",
  unconfirmed: null,
  summary: ["Box a is ACTIVE.", "The peer is alive and standby."],
  alarms: ["the peer is not heard over wan", "another"],
  pages: { status: Array.from({ length: 40 }, (_, i) => `line ${i + 1}`), why: ["edge: standby \u2192 active"] },
  interfaces: [
    { name: "wan", device: "eth0", addresses: ["10.1.0.2/24"], path: "interfaces.wan.addresses.a" },
    { name: "lan", device: "eth1", addresses: [], path: "interfaces.lan.addresses.a" },
  ],
  revisions: [
    { id: "c".repeat(64), title: "cccc  now", whole: true },
    { id: "b".repeat(64), title: "bbbb  before", whole: true },
    { id: "a".repeat(64), title: "aaaa  long ago", whole: false },
  ],
  users: [],
  slot: null,
  isLocked: false,
  isPasswordAsked: false,
  backupFiles: [],
  verbs: ["status", "pair", "restore", "spare"],
};

const away: Facts = { ...facts, peer: { alive: false } };

/** Something waits to be confirmed. */
const pending = (isOwn: boolean): Facts => ({
  ...facts,
  unconfirmed: { revision: "c".repeat(64), author: "alice", isOwn, secondsLeft: 3_725 },
});
const cold = (role: string): Facts => ({ ...facts, isCold: true, role });

const LETTERS: Readonly<Record<string, Key>> = {
  "^": { kind: "up" },
  "|": { kind: "down" },
  "\n": { kind: "enter" },
  "<": { kind: "erase" },
  "=": { kind: "clear" },
  "~": { kind: "back" },
  "#": { kind: "redraw" },
};

/** What the keys lead to; all but the symbols above are typed. */
function typed(keys: string, from: State = BEGIN, given: Facts = facts): { state: State; actions: readonly Action[] } {
  const actions: Action[] = [];
  let state = from;
  for (const letter of keys) {
    const key = LETTERS[letter] ?? ({ kind: "letter", letter } as const);
    const next = step(state, { kind: "key", key }, given);
    state = next.state;
    actions.push(...next.actions);
  }
  return { state, actions };
}

describe("the menu", () => {
  it.each<[string, State["kind"], readonly Action[]]>([
    ["1", "page", []],
    ["|\n", "choose", []],
    ["^\n", "menu", [{ kind: "shell" }]],
    ["q", "menu", [{ kind: "leave" }]],
    ["Q", "menu", [{ kind: "leave" }]],
    ["s", "menu", [{ kind: "shell" }]],
    ["#", "menu", [{ kind: "redraw" }]],
    ["4", "ask", []],
    ["4\n", "ask", []],
    ["4n", "menu", []],
    ["4~", "menu", []],
    ["4y", "busy", [{ kind: "do", wish: { kind: "switchover" } }]],
    ["5y", "menu", []],
    ["m", "ask", []],
    ["mn", "menu", []],
    ["my", "busy", [{ kind: "do", wish: { kind: "maintenance", on: true } }]],
    ["p\nn", "menu", []],
    ["p\ny", "busy", [{ kind: "do", wish: { kind: "power", end: "reboot" } }]],
    ["p|\ny", "busy", [{ kind: "do", wish: { kind: "power", end: "poweroff" } }]],
    ["fRESET\n", "busy", [{ kind: "do", wish: { kind: "reset" } }]],
    ["fedge-a\n", "busy", [{ kind: "do", wish: { kind: "reset" } }]],
    ["freset\n", "told", []],
    ["f\n", "menu", []],
    ["c", "menu", []],
    ["8\n", "choose", []],
    ["8|\n", "ask", []],
    ["8|\ny", "busy", [{ kind: "do", wish: { kind: "rollback", to: "b".repeat(64) } }]],
    ["8^\n", "choose", []],
    ["r/x y\n", "busy", [{ kind: "do", wish: { kind: "verb", words: ["restore", "/x y"] } }]],
    ["r~", "menu", []],
    ["r\n", "menu", []],
    ["2\n\n", "told", []],
    [
      "2\n<<16\ny",
      "busy",
      [{ kind: "do", wish: { kind: "set", path: "interfaces.wan.addresses.a", value: "10.1.0.2/16" } }],
    ],
    ["2|\n10.2.0.2/24\nn", "menu", []],
    [
      "2\n=10.1.0.3/24\ny",
      "busy",
      [{ kind: "do", wish: { kind: "set", path: "interfaces.wan.addresses.a", value: "10.1.0.3/24" } }],
    ],
  ])("%j leads to %s", (keys, kind, actions) => {
    const reached = typed(keys);
    expect([reached.state.kind, reached.actions]).toEqual([kind, actions]);
  });

  it.each<[string, State["kind"], readonly Action[]]>([
    ["6\n", "busy", [{ kind: "do", wish: { kind: "verb", words: ["pair", "invite"] } }]],
    ["6|\n1-2\n", "busy", [{ kind: "do", wish: { kind: "verb", words: ["pair", "join", "1-2"] } }]],
    ["6|\n\n", "menu", []],
    ["6||\n", "ask", []],
    ["6||\ny", "busy", [{ kind: "do", wish: { kind: "verb", words: ["pair", "invite"], replace: true } }]],
    ["6|||\nAB\nn", "menu", []],
    ["6^^\n", "busy", [{ kind: "do", wish: { kind: "verb", words: ["pair", "rotate"] } }]],
    ["6^\nn", "menu", []],
    ["6^\ny", "busy", [{ kind: "do", wish: { kind: "verb", words: ["pair", "unpair"] } }]],
    ["6|||\nAB\ny", "busy", [{ kind: "do", wish: { kind: "verb", words: ["pair", "join", "AB"], replace: true } }]],
  ])("%j leads to %s while the peer is away", (keys, kind, actions) => {
    const reached = typed(keys, BEGIN, away);
    expect([reached.state.kind, reached.actions]).toEqual([kind, actions]);
  });

  it("gives up no peer that is alive, and says why", () => {
    for (const keys of ["6\n", "6|\n", "6||\n", "6|||\n", "6^\n"]) {
      expect(typed(keys)).toMatchObject({ state: { kind: "choose", list: "pair" }, actions: [] });
    }
    expect(typed("6^^\n").actions).toHaveLength(1);
    const lines = draw(typed("6").state, facts).map(({ text }) => text);
    expect(lines.filter((text) => /^[> ] - .* \(the peer is alive\)$/.test(text))).toHaveLength(5);
    expect(lines).toContain("  - Replace a dead box: give up the peer, invite a new one (the peer is alive)");
  });

  it("judges addresses before it asks whether to put them into force", () => {
    const told = (text: string) => typed(`2\n=${text}\n`).state;
    expect(told("10.1.0.300/24")).toMatchObject({
      kind: "told",
      ok: false,
      lines: [expect.stringContaining('"10.1.0.300/24" is no address'), expect.any(String)],
    });
    expect(told("10.1.0.2/24, 10.1.0.3")).toMatchObject({
      kind: "told",
      lines: [expect.stringContaining('"10.1.0.3" is no'), expect.any(String)],
    });
    for (const text of ["10.1.0.2/24, fd00::2/64", "[]", "+10.1.0.9/24"]) expect(told(text).kind).toBe("ask");
  });

  const confirm = (force: boolean) => ({ kind: "confirm", revision: "c".repeat(64), force }) as const;
  it.each<[string, string, Facts, Wish]>([
    ["confirms what was committed on trial", "c\ny", pending(true), confirm(false)],
    ["confirms it for somebody else", "c\ny", pending(false), confirm(true)],
    ["rolls it back at once", "c|\ny", pending(true), { kind: "rollback", to: "b".repeat(64) }],
    ["ends maintenance", "my", { ...facts, maintenance: "on" }, { kind: "maintenance", on: false }],
    ["takes the wish for it back", "my", { ...facts, maintenance: "waits" }, { kind: "maintenance", on: false }],
    ["activates a spare", "5y", cold("spare"), { kind: "verb", words: ["spare", "activate"] }],
    ["releases the active box of a cold pair", "5y", cold("active"), { kind: "verb", words: ["spare", "release"] }],
  ])("%s", (_, keys, given, wish) => {
    expect(typed(keys, BEGIN, given).actions).toEqual([{ kind: "do", wish }]);
    expect(typed(`${keys.slice(0, -1)}n`, BEGIN, given)).toEqual({ state: BEGIN, actions: [] });
  });

  it("says whose trial it is before somebody else ends it, and what nobody takes over", () => {
    const question = (keys: string, given: Facts) =>
      (typed(keys, BEGIN, given).state as Extract<State, { kind: "ask" }>).question;
    expect(question("c\n", pending(true))).toEqual([`Revision ${"c".repeat(16)} of alice.`, "Keep it for good?"]);
    expect(question("c\n", pending(false)).join(" ")).toContain("alice knows whether it does what it should");
    expect(question("p\n", facts)).toEqual(["The peer takes over first.", "Reboot this box now?"]);
    expect(question("m", { ...facts, peer: null }).join(" ")).toContain("Nobody takes over from a box that is alone");
  });

  it("says why a thing cannot be done now, and does not do it", () => {
    expect(typed("7").state).toEqual({
      kind: "menu",
      at: 6,
      remark: "Reset the password: not now, nobody has one: Status shows the code.",
    });
    expect(typed("x").state).toMatchObject({ remark: "No line begins with x." });
    const why = (change: Partial<Facts>) => ENTRIES.map(({ name }) => hindrance(name, { ...facts, ...change }));
    expect(why({})).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      "this is no cold pair",
      undefined,
      "nobody has one: Status shows the code",
      undefined,
      "there is one system only",
      "nothing waits for that",
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    // Without the box only what needs none is left: the shell and a backup file.
    const possible = ENTRIES.filter((_, i) => why({ trouble: "no box runs" })[i] === undefined);
    expect(possible.map(({ name }) => name)).toEqual(["restore", "shell"]);
    expect(hindrance("switchover", { ...facts, peer: null })).toBe("this box is alone");
    expect(hindrance("switchover", { ...facts, peer: { alive: false } })).toBe("the peer is not heard");
    expect(hindrance("rollback", { ...facts, revisions: facts.revisions.slice(0, 1) })).toBe("there is no older one");
    expect(hindrance("switchover", cold("active"))).toContain("in a cold pair");
    expect(hindrance("spare", cold("spare"))).toBeUndefined();
    expect(hindrance("spare", cold("maintenance"))).toBe("this box is in maintenance");
    expect(hindrance("maintenance", { ...facts, revisions: [] })).toBe("there is no configuration");
    expect(hindrance("pair", { ...facts, verbs: [] })).toBe("not in this version");
  });

  it("waits for the outcome of a wish and tells it", () => {
    const busy = typed("4y").state;
    expect(typed("yq\n~", busy)).toEqual({ state: busy, actions: [] });
    const told = step(busy, { kind: "outcome", ok: false, lines: ["the peer is away"] }, facts).state;
    expect(told).toEqual({ kind: "told", ok: false, lines: ["the peer is away"] });
    expect(typed("x", told).state).toEqual(BEGIN);
    // What was told already is not told once more.
    expect(step(busy, { kind: "outcome", ok: true, lines: [] }, facts).state).toEqual(BEGIN);
    // An outcome that nobody waits for changes nothing.
    expect(step(BEGIN, { kind: "outcome", ok: true, lines: [] }, facts).state).toBe(BEGIN);
  });

  it("scrolls a page no farther than its ends", () => {
    const top = (keys: string) => (typed(keys).state as { readonly top: number }).top;
    expect([top("1^"), top("1|"), top("1 "), top("1  "), top("1   "), top("1  b")]).toEqual([0, 1, 18, 22, 22, 4]);
    expect(typed("1\n").state).toEqual(BEGIN);
  });
});

describe("the screen", () => {
  it("shows the menu with what the box does, what is wrong, and what cannot be done", () => {
    const lines = draw(typed("|7").state, facts);
    expect(lines.map(({ text }) => text)).toEqual([
      "edge-a (box a)",
      "-".repeat(79),
      "Box a is ACTIVE.",
      "The peer is alive and standby.",
      "ALARM (and 1 more, see Status): the peer is not heard over wan",
      "",
      "",
      "  1  Status",
      "  2  Interfaces and addresses",
      "  3  Who is active, and why",
      "  4  Switch over",
      "  -  Activate the spare           (this is no cold pair)",
      "  6  Pair with the other box",
      "> -  Reset the password           (nobody has one: Status shows the code)",
      "  8  Roll back the configuration",
      "  -  Boot the other slot          (there is one system only)",
      "  -  Confirm what was committed   (nothing waits for that)",
      "  m  Maintenance: switch it on",
      "  r  Restore a backup file",
      "  f  Factory reset",
      "  p  Reboot or power off",
      "  s  Shell",
      "-".repeat(79),
      "Reset the password: not now, nobody has one: Status shows the code.",
    ]);
    expect(lines.map(({ look }) => look).filter((look) => look === "reverse")).toHaveLength(1);
  });

  it("counts down what is rolled back, whatever else there is to tell, and names what each line does now", () => {
    const long = Array.from({ length: 9 }, (_, i) => `sentence ${i}`);
    const shown = (given: Facts) => draw(BEGIN, given).map(({ text }) => text);
    const lines = shown({ ...pending(true), summary: long, maintenance: "on" });
    expect(lines[2]).toBe(`ROLLED BACK IN 1:02:05 unless confirmed (c): revision ${"c".repeat(16)} of alice`);
    expect(lines.slice(3, 8)).toEqual(["sentence 0", "sentence 1", "sentence 2", "sentence 3", "> 1  Status"]);
    expect(lines).toEqual(expect.arrayContaining(["  c  Confirm what was committed", "  m  Maintenance: end it"]));
    expect(shown(cold("active"))).toContain("  5  Release this box");
    expect(shown(cold("spare"))).toContain("  5  Activate the spare");
  });

  it("says what a factory reset costs before it asks for the word", () => {
    const text = draw(typed("fRES").state, facts)
      .map((line) => line.text)
      .join("\n");
    expect(text).toMatch(/forgets its configuration[\s\S]*Only a backup file[\s\S]*Type RESET or .* edge-a, to go on:/);
    expect(text).toContain("> RES_");
  });

  it("has room for every reason", () => {
    const reasons = [
      facts,
      cold("active"),
      cold("maintenance"),
      { ...facts, peer: null, revisions: [], interfaces: [] },
    ];
    const shown = reasons.flatMap((given) => draw(BEGIN, given).map(({ text }) => text));
    for (const text of shown.filter((line) => line.startsWith("  -  "))) expect(text).toMatch(/\)$/);
  });

  it("keeps the chosen item of a long list in sight, and the end of a long text", () => {
    const many = {
      ...facts,
      revisions: Array.from({ length: 50 }, (_, i) => ({ id: `${i}`, title: `r${i}`, whole: true })),
    };
    const shown = draw({ kind: "choose", list: "rollback", at: 40 }, many).map(({ text }) => text);
    expect(shown).toContain(">  40            r40");
    expect(shown.filter((text) => /^[> ] +\d+ .* r/.test(text))).toHaveLength(18);
    const text = "x".repeat(150) + "end";
    expect(
      draw({ kind: "write", field: { kind: "file" }, text }, facts).some((line) => line.text.endsWith("end_")),
    ).toBe(true);
  });

  it("breaks lines at blanks, and sets in what follows", () => {
    expect(wrapped(`  ${"word ".repeat(20)}`.trimEnd())).toEqual([
      `  ${"word ".repeat(15)}`.trimEnd(),
      `  ${"word ".repeat(5)}`.trimEnd(),
    ]);
    expect(wrapped("x".repeat(100))).toEqual(["x".repeat(79), "x".repeat(21)]);
  });

  it("has 24 lines of 7-bit letters that fit, and never throws, whatever is pressed and whatever the box says", () => {
    const text = fc.oneof(fc.string({ unit: "binary", maxLength: 200 }), fc.constant("\u001b[2J\u009b\u202e東京"));
    const texts = fc.array(text, { maxLength: 30 });
    const strange: fc.Arbitrary<Facts> = fc.record({
      trouble: fc.option(text, { nil: undefined }),
      hostname: text,
      box: text,
      role: text,
      peer: fc.option(fc.record({ alive: fc.boolean() })),
      isCold: fc.boolean(),
      maintenance: fc.constantFrom("off", "on", "waits"),
      unconfirmed: fc.option(
        fc.record({ revision: text, author: text, isOwn: fc.boolean(), secondsLeft: fc.nat(90_000) }),
      ),
      summary: texts,
      alarms: texts,
      pages: fc.record({ status: texts, why: texts }),
      interfaces: fc.array(fc.record({ name: text, device: text, addresses: texts, path: text }), { maxLength: 3 }),
      revisions: fc.array(fc.record({ id: text, title: text, whole: fc.boolean() }), { maxLength: 30 }),
      users: fc.array(fc.record({ name: text, role: text }), { maxLength: 30 }),
      slot: fc.constantFrom("a", "b", null),
      isLocked: fc.boolean(),
      isPasswordAsked: fc.boolean(),
      backupFiles: fc.array(text, { maxLength: 3 }),
      verbs: fc.constant(facts.verbs),
    });
    const input: fc.Arbitrary<Input> = fc.oneof(
      {
        weight: 9,
        arbitrary: fc
          .constantFrom(..."^|\n<=~#12345678rsfcmpqynx".split(""))
          .map((l) => ({ kind: "key" as const, key: LETTERS[l] ?? { kind: "letter" as const, letter: l } })),
      },
      fc.record({ kind: fc.constant("outcome" as const), ok: fc.boolean(), lines: texts }),
    );
    fc.assert(
      fc.property(strange, fc.array(input, { maxLength: 30 }), (given, inputs) => {
        let state = BEGIN;
        for (const one of inputs) {
          state = step(state, one, given).state;
          const lines = draw(state, given);
          expect(lines).toHaveLength(LINES);
          for (const line of lines) expect(line.text).toMatch(new RegExp(`^[ -~]{0,${COLUMNS}}$`));
        }
      }),
    );
  });
});
