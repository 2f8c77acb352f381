import { describe, expect, it } from "vitest";
import { NO_FACTS } from "../cli/console-facts.ts";
import { type Action, BEGIN, type State, step } from "./dialogue.ts";
import { draw } from "./draw.ts";
import type { Facts } from "./facts.ts";
import type { Key } from "./keys.ts";
import { ENTRIES } from "./menu.ts";

const facts: Facts = {
  ...NO_FACTS,
  trouble: undefined,
  isLocked: true,
  users: [{ name: "anna", role: "admin" }],
};
const letters = (text: string): readonly Key[] => Array.from(text, (letter) => ({ kind: "letter", letter }));
const ENTER: Key = { kind: "enter" };

function typed(keys: readonly Key[], given: Facts = facts): { state: State; actions: readonly Action[] } {
  let state: State = BEGIN;
  const actions: Action[] = [];
  for (const key of keys) {
    const next = step(state, { kind: "key", key }, given);
    state = next.state;
    actions.push(...next.actions);
  }
  return { state, actions };
}

describe("a console whose box has an owner", () => {
  it("shows what it shows, and asks for an account before anything else", () => {
    const reached = ENTRIES.map(({ name, key }) => {
      const { state, actions } = typed(letters(key));
      expect(actions).toEqual([]);
      return [name, state.kind === "write" ? state.field.kind : state.kind];
    });
    // What cannot be done now says why in the menu, as ever.
    expect(Object.fromEntries(reached)).toEqual({
      status: "page",
      interfaces: "menu",
      why: "page",
      switchover: "menu",
      spare: "menu",
      pair: "account",
      password: "account",
      rollback: "menu",
      slot: "menu",
      confirm: "menu",
      maintenance: "menu",
      restore: "account",
      reset: "account",
      power: "account",
      shell: "account",
    });
    expect(typed(letters("s")).state).toMatchObject({ kind: "write" });
    expect(typed(letters("s"), { ...facts, isLocked: false }).actions).toEqual([{ kind: "shell" }]);
  });

  it("asks for name and password, shows the password as stars, and takes it with its blanks", () => {
    const before = typed([...letters("s"), ...letters(" anna "), ENTER, ...letters(" a b ")]).state;
    const screen = draw(before, facts).map(({ text }) => text);
    expect(screen).toContain("The password of anna:");
    expect(screen).toContain("> *****_");
    const { state, actions } = typed([...letters("s"), ...letters("anna"), ENTER, ...letters(" a b "), ENTER]);
    expect(state).toEqual({ kind: "busy" });
    expect(actions).toEqual([{ kind: "do", wish: { kind: "signIn", name: "anna", password: " a b " } }]);
  });

  it("goes back to the menu from an empty name or password", () => {
    expect(typed([...letters("s"), ENTER]).state).toEqual(BEGIN);
    expect(typed([...letters("s"), ...letters("anna"), ENTER, ENTER]).state).toEqual(BEGIN);
  });

  it("lets somebody who chose it at the boot menu set a password, and nothing else", () => {
    const asked = { ...facts, isPasswordAsked: true };
    expect(typed(letters("7"), asked).state).toMatchObject({ kind: "choose", list: "password" });
    expect(typed(letters("s"), asked).state).toMatchObject({ kind: "write", field: { kind: "account" } });
  });
});

describe("backup files on a USB stick", () => {
  const found = {
    ...facts,
    isLocked: false,
    backupFiles: ["/run/futago/stick/1-home.age", "/run/futago/stick/2-b.age"],
  };

  it("are offered by their names, with a way to any other file", () => {
    const { state } = typed(letters("r"), found);
    expect(
      draw(state, found)
        .map(({ text }) => text)
        .slice(2, 5),
    ).toEqual(["> 1-home.age", "  2-b.age", "  Another file"]);
    expect(typed([...letters("r"), { kind: "down" }, ENTER], found).actions).toEqual([
      { kind: "do", wish: { kind: "verb", words: ["restore", "/run/futago/stick/2-b.age"] } },
    ]);
    expect(typed([...letters("r"), { kind: "up" }, ENTER], found).state).toMatchObject({ field: { kind: "file" } });
  });

  it("are no step of their own where there are none", () => {
    expect(typed(letters("r"), { ...found, backupFiles: [] }).state).toMatchObject({ field: { kind: "file" } });
  });
});

describe("the other slot", () => {
  const slotted: Facts = { ...facts, isLocked: false, slot: "a" };

  it("is booted after a question that names it and who takes over", () => {
    const { state } = typed(letters("9"), slotted);
    expect(state).toMatchObject({
      question: [
        "The box starts anew from slot B, on trial. Nobody takes over from a box that is alone.",
        "Boot slot B now?",
      ],
    });
    expect(typed(letters("9y"), slotted).actions).toEqual([{ kind: "do", wish: { kind: "otherSlot" } }]);
    expect(typed(letters("9n"), slotted)).toEqual({ state: BEGIN, actions: [] });
  });

  it("is none where the system has no slots", () => {
    expect(typed(letters("9"), { ...slotted, slot: null }).state).toMatchObject({
      remark: "Boot the other slot: not now, there is one system only.",
    });
  });
});
