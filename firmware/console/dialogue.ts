/**
 * The menu on a box's serial console: what a key does. It decides nothing about the box: it says what is wished, and
 * the shell around it asks the box. What can do harm is asked once more.
 */
import { parseInterfaceAddress } from "@futago/hal/units/address.ts";
import {
  ACTIVATE,
  beginMaintenance,
  CONFIRM_CHOICES,
  END_MAINTENANCE,
  otherSlot,
  PAIR_CHOICES,
  type PairChoice,
  pairHindrance,
  POWER_CHOICES,
  powerQuestion,
  RELEASE,
  REPLACE,
  ROLL_BACK,
  SWITCH_OVER,
  UNPAIR,
} from "./choices.ts";
import type { Facts, InterfaceFacts, Page, UnconfirmedFacts } from "./facts.ts";
import type { Key } from "./keys.ts";
import { ENTRIES, type EntryName, hindrance, LEAVE_KEY, titleOf } from "./menu.ts";
import { RESET_WORD } from "./reset-words.ts";
import { needsSignIn } from "./sign-in.ts";

export type State =
  | { readonly kind: "menu"; readonly at: number; readonly remark: string }
  /** `top` is the first line shown. */
  | { readonly kind: "page"; readonly page: Page; readonly top: number }
  | { readonly kind: "choose"; readonly list: List; readonly at: number }
  /** Waits for y or n. */
  | { readonly kind: "ask"; readonly question: readonly string[]; readonly wish: Wish }
  | { readonly kind: "write"; readonly field: Field; readonly text: string }
  /** The box is asked. */
  | { readonly kind: "busy" }
  /** Until any key. */
  | { readonly kind: "told"; readonly ok: boolean; readonly lines: readonly string[] };

export type List = "interfaces" | "rollback" | "pair" | "password" | "confirm" | "power" | "restore";

export type Field =
  | { readonly kind: "addresses"; readonly of: InterfaceFacts }
  | { readonly kind: "code"; readonly replace: boolean }
  | { readonly kind: "file" }
  | { readonly kind: "account" }
  /** Not shown while it is typed. */
  | { readonly kind: "secret"; readonly name: string }
  /** A word that nobody types by mistake. */
  | { readonly kind: "reset" };

/** What the box is asked for; an outcome follows. */
export type Wish =
  | { readonly kind: "switchover" }
  | { readonly kind: "rollback"; readonly to: string }
  /** `force`: somebody else committed it. */
  | { readonly kind: "confirm"; readonly revision: string; readonly force: boolean }
  | { readonly kind: "maintenance"; readonly on: boolean }
  | { readonly kind: "power"; readonly end: "reboot" | "poweroff" }
  | { readonly kind: "reset" }
  /** The machine starts anew from it. */
  | { readonly kind: "otherSlot" }
  | { readonly kind: "signIn"; readonly name: string; readonly password: string }
  | { readonly kind: "set"; readonly path: string; readonly value: string }
  /** A verb of the command line that talks by itself, on the whole screen. */
  | { readonly kind: "verb"; readonly words: readonly string[]; readonly replace?: boolean };

export type Action =
  | { readonly kind: "do"; readonly wish: Wish }
  | { readonly kind: "shell" }
  | { readonly kind: "redraw" }
  | { readonly kind: "leave" };

export type Input =
  | { readonly kind: "key"; readonly key: Key }
  /** What became of a wish; without lines whoever carried it out has told it. */
  | { readonly kind: "outcome"; readonly ok: boolean; readonly lines: readonly string[] };

export interface Step {
  readonly state: State;
  readonly actions: readonly Action[];
}

export const BEGIN: State = { kind: "menu", at: 0, remark: "" };
/** Lines of a page or of a list on the screen. */
export const BODY_LINES = 18;
const TEXT_LENGTH_MAX = 200;

export function step(state: State, input: Input, facts: Facts): Step {
  if (input.kind === "outcome") {
    if (state.kind !== "busy") return to(state);
    return to(input.lines.length === 0 ? BEGIN : { kind: "told", ok: input.ok, lines: input.lines });
  }
  const { key } = input;
  if (key.kind === "redraw") return to(state, { kind: "redraw" });
  switch (state.kind) {
    case "menu":
      return inMenu(state, key, facts);
    case "page":
      return inPage(state, key, facts);
    case "choose":
      return inList(state, key, facts);
    case "ask":
      return answered(state, key);
    case "write":
      return written(state, key, facts);
    case "busy":
      return to(state);
    case "told":
      return to(BEGIN);
  }
}

function to(state: State, ...actions: readonly Action[]): Step {
  return { state, actions };
}

function inMenu(state: Extract<State, { kind: "menu" }>, key: Key, facts: Facts): Step {
  switch (key.kind) {
    case "up":
    case "down":
      return to({ kind: "menu", at: moved(state.at, key, ENTRIES.length), remark: "" });
    case "enter":
      return choose(state.at, facts);
    case "letter": {
      if (key.letter.toLowerCase() === LEAVE_KEY) return to(BEGIN, { kind: "leave" });
      const at = ENTRIES.findIndex((entry) => entry.key === key.letter.toLowerCase());
      return at < 0 ? to({ ...state, remark: `No line begins with ${key.letter}.` }) : choose(at, facts);
    }
    case "erase":
    case "clear":
    case "back":
    case "redraw":
      return to({ ...state, remark: "" });
  }
}

function choose(at: number, facts: Facts): Step {
  const entry = ENTRIES[at];
  if (entry === undefined) return to(BEGIN);
  const why = hindrance(entry.name, facts);
  if (why !== undefined) return to({ kind: "menu", at, remark: `${titleOf(entry.name, facts)}: not now, ${why}.` });
  if (needsSignIn(entry.name, facts)) return to({ kind: "write", field: { kind: "account" }, text: "" });
  return entered(entry.name, facts);
}

function entered(name: EntryName, facts: Facts): Step {
  switch (name) {
    case "status":
    case "why":
      return to({ kind: "page", page: name, top: 0 });
    case "interfaces":
    case "rollback":
    case "pair":
    case "password":
    case "confirm":
    case "power":
      return to({ kind: "choose", list: name, at: 0 });
    case "switchover":
      return asked({ kind: "switchover" }, ...SWITCH_OVER);
    case "spare":
      return facts.role === "spare"
        ? asked({ kind: "verb", words: ["spare", "activate"] }, ...ACTIVATE)
        : asked({ kind: "verb", words: ["spare", "release"] }, ...RELEASE);
    case "maintenance": {
      const on = facts.maintenance === "off";
      return asked({ kind: "maintenance", on }, ...(on ? beginMaintenance(facts) : END_MAINTENANCE));
    }
    case "reset":
      return to({ kind: "write", field: { kind: "reset" }, text: "" });
    case "restore":
      if (facts.backupFiles.length > 0) return to({ kind: "choose", list: name, at: 0 });
      return to({ kind: "write", field: { kind: "file" }, text: "" });
    case "shell":
      return to(BEGIN, { kind: "shell" });
    case "slot":
      return asked({ kind: "otherSlot" }, ...otherSlot(facts));
  }
}

function asked(wish: Wish, ...question: readonly string[]): Step {
  return to({ kind: "ask", question, wish });
}

function inPage(state: Extract<State, { kind: "page" }>, key: Key, facts: Facts): Step {
  const last = Math.max(0, facts.pages[state.page].length - BODY_LINES);
  const scrolled = (by: number) => to({ ...state, top: Math.min(last, Math.max(0, state.top + by)) });
  switch (key.kind) {
    case "up":
      return scrolled(-1);
    case "down":
      return scrolled(1);
    case "letter":
      if (key.letter === " ") return scrolled(BODY_LINES);
      return key.letter === "b" ? scrolled(-BODY_LINES) : to(BEGIN);
    case "enter":
    case "erase":
    case "clear":
    case "back":
    case "redraw":
      return to(BEGIN);
  }
}

/** How many items a list has. */
export function lengthOf(list: List, facts: Facts): number {
  switch (list) {
    case "interfaces":
      return facts.interfaces.length;
    case "rollback":
      return facts.revisions.length;
    case "password":
      return facts.users.length;
    case "pair":
      return PAIR_CHOICES.length;
    case "confirm":
      return CONFIRM_CHOICES.length;
    case "power":
      return POWER_CHOICES.length;
    case "restore":
      // Behind them: another file.
      return facts.backupFiles.length + 1;
  }
}

function inList(state: Extract<State, { kind: "choose" }>, key: Key, facts: Facts): Step {
  switch (key.kind) {
    case "up":
    case "down":
      return to({ ...state, at: moved(state.at, key, lengthOf(state.list, facts)) });
    case "enter":
      return taken(state, facts);
    case "letter":
    case "erase":
    case "clear":
    case "back":
    case "redraw":
      return to(BEGIN);
  }
}

function taken(state: Extract<State, { kind: "choose" }>, facts: Facts): Step {
  switch (state.list) {
    case "interfaces": {
      const of = facts.interfaces[state.at];
      if (of === undefined) return to(BEGIN);
      return to({ kind: "write", field: { kind: "addresses", of }, text: of.addresses.join(",") });
    }
    case "rollback": {
      const revision = facts.revisions[state.at];
      // The one in force is no way back, and what is not kept cannot be had.
      if (revision === undefined || state.at === 0 || !revision.whole) return to(state);
      return asked({ kind: "rollback", to: revision.id }, revision.title, ROLL_BACK);
    }
    case "pair": {
      const choice = PAIR_CHOICES[state.at];
      return choice !== undefined && pairHindrance(choice, facts) !== undefined ? to(state) : pairing(choice);
    }
    case "password": {
      const user = facts.users[state.at];
      return user === undefined ? to(BEGIN) : wished({ kind: "verb", words: ["user", "set", user.name] });
    }
    case "restore": {
      const file = facts.backupFiles[state.at];
      if (file === undefined) return to({ kind: "write", field: { kind: "file" }, text: "" });
      return wished({ kind: "verb", words: ["restore", file] });
    }
    case "confirm":
      return facts.unconfirmed === null ? to(BEGIN) : judged(state.at, facts.unconfirmed, facts);
    case "power": {
      const choice = POWER_CHOICES[state.at];
      if (choice === undefined) return to(BEGIN);
      return asked({ kind: "power", end: choice.end }, ...powerQuestion(choice.title, facts));
    }
  }
}

function pairing(choice: PairChoice | undefined): Step {
  switch (choice?.word) {
    case undefined:
      return to(BEGIN);
    case "invite":
      return paired(["pair", "invite"], choice.replace);
    case "join":
      return to({ kind: "write", field: { kind: "code", replace: choice.replace }, text: "" });
    case "rotate":
      return wished({ kind: "verb", words: ["pair", "rotate"] });
    case "unpair":
      return asked({ kind: "verb", words: ["pair", "unpair"] }, ...UNPAIR);
  }
}

/** What was committed on trial. */
function judged(at: number, { revision, author, isOwn }: UnconfirmedFacts, facts: Facts): Step {
  const what = `Revision ${revision.slice(0, 16)} of ${author}.`;
  if (at === 0) {
    const others = isOwn ? [] : [`${author} knows whether it does what it should; it may have cut them off.`];
    return asked({ kind: "confirm", revision, force: !isOwn }, what, ...others, "Keep it for good?");
  }
  const before = facts.revisions[1];
  if (before === undefined) return to(BEGIN);
  return asked({ kind: "rollback", to: before.id }, what, "Put what was before it into force again?");
}

/** What is given up is asked for once more. */
function paired(words: readonly string[], replace: boolean): Step {
  if (!replace) return wished({ kind: "verb", words });
  return asked({ kind: "verb", words, replace }, ...REPLACE);
}

function answered(state: Extract<State, { kind: "ask" }>, key: Key): Step {
  if (key.kind !== "letter") return key.kind === "back" ? to(BEGIN) : to(state);
  switch (key.letter.toLowerCase()) {
    case "y":
      return wished(state.wish);
    case "n":
      return to(BEGIN);
  }
  return to(state);
}

function written(state: Extract<State, { kind: "write" }>, key: Key, facts: Facts): Step {
  switch (key.kind) {
    case "letter":
      return to(state.text.length < TEXT_LENGTH_MAX ? { ...state, text: state.text + key.letter } : state);
    case "erase":
      return to({ ...state, text: state.text.slice(0, -1) });
    case "clear":
      return to({ ...state, text: "" });
    case "back":
      return to(BEGIN);
    case "enter":
      if (state.field.kind === "secret") return signedIn(state.field.name, state.text);
      return submitted(state.field, state.text.trim(), facts);
    case "up":
    case "down":
    case "redraw":
      return to(state);
  }
}

function signedIn(name: string, password: string): Step {
  return password === "" ? to(BEGIN) : wished({ kind: "signIn", name, password });
}

function submitted(field: Exclude<Field, { kind: "secret" }>, text: string, { hostname }: Facts): Step {
  if (text === "") return to(BEGIN);
  switch (field.kind) {
    case "addresses": {
      const { name, addresses, path } = field.of;
      if (text === addresses.join(",")) return to({ kind: "told", ok: true, lines: ["Nothing changed."] });
      const wrong = wrongAddress(text);
      if (wrong !== undefined) {
        const mend = "Write it with the prefix length of its subnet, such as 10.1.0.2/24 or fd00::2/64.";
        return to({ kind: "told", ok: false, lines: [`"${wrong}" is no address of an interface.`, mend] });
      }
      const now = `Addresses of ${name} now:    ${addresses.join(", ") || "none"}`;
      const then = `Addresses of ${name} then:   ${text}`;
      return asked({ kind: "set", path, value: text }, now, then, "Put this into force?");
    }
    case "code":
      return paired(["pair", "join", text], field.replace);
    case "file":
      return wished({ kind: "verb", words: ["restore", text] });
    case "account":
      return to({ kind: "write", field: { kind: "secret", name: text }, text: "" });
    case "reset":
      if (text === RESET_WORD || text === hostname) return wished({ kind: "reset" });
      return to({ kind: "told", ok: true, lines: ["The word was another one: nothing was done."] });
  }
}

/** What is no address among what is written with commas between it; other forms of a value are the box's to judge. */
function wrongAddress(text: string): string | undefined {
  if (/^[[+]/.test(text)) return undefined;
  return text
    .split(",")
    .map((each) => each.trim())
    .find((each) => parseInterfaceAddress(each) === undefined);
}

function wished(wish: Wish): Step {
  return to({ kind: "busy" }, { kind: "do", wish });
}

function moved(at: number, key: Key, length: number): number {
  if (length === 0) return 0;
  return (at + (key.kind === "up" ? -1 : 1) + length) % length;
}
