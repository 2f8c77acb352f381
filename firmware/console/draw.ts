/** The console menu's screen: 24 lines of at most 79 columns, in the letters of 7 bits. Pure. */
import { CONFIRM_CHOICES, PAIR_CHOICES, pairHindrance, POWER_CHOICES } from "./choices.ts";
import { BODY_LINES, type Field, type List, type State } from "./dialogue.ts";
import type { Facts, Page, UnconfirmedFacts } from "./facts.ts";
import { ENTRIES, hindrance, LEAVE_KEY, titleOf } from "./menu.ts";
import { LOST_BY_RESET, RESET_WORD } from "./reset-words.ts";
import { SIGN_IN } from "./sign-in.ts";

export interface Line {
  readonly text: string;
  readonly look: "plain" | "bold" | "reverse";
}

export const LINES = 24;
/** One less than the screen has: a letter in the last column moves some terminals on. */
export const COLUMNS = 79;

export function draw(state: State, facts: Facts): readonly Line[] {
  const { title, body, keys } = parts(state, facts);
  const who = `${facts.hostname === "" ? "Futago" : facts.hostname} (${facts.box === "alone" ? "alone" : `box ${facts.box}`})`;
  const rule = plain("-".repeat(COLUMNS));
  const head = [{ text: `${who}   ${title}`, look: "bold" } as const, rule];
  const filled = Array.from({ length: LINES - head.length - 2 }, (_, i) => body[i] ?? plain(""));
  return [...head, ...filled, rule, plain(keys)].map(({ text, look }) => ({ text: fitted(text), look }));
}

interface Parts {
  readonly title: string;
  readonly body: readonly Line[];
  /** What the keys do. */
  readonly keys: string;
}

const TITLES: Readonly<Record<Page | List, string>> = {
  status: "Status",
  why: "Who is active, and why",
  interfaces: "Interfaces and addresses",
  rollback: "Roll back the configuration",
  pair: "Pair with the other box",
  password: "Reset the password of",
  confirm: "Confirm what was committed",
  power: "Reboot or power off",
  restore: "Restore a backup file of the USB stick",
};

function parts(state: State, facts: Facts): Parts {
  switch (state.kind) {
    case "menu":
      return {
        title: "",
        body: menu(state, facts),
        keys:
          state.remark === ""
            ? `Up, Down and Enter, or the letter in front   ${LEAVE_KEY} leaves   Ctrl-L redraws`
            : state.remark,
      };
    case "page":
      return {
        title: TITLES[state.page],
        body: facts.pages[state.page].slice(state.top, state.top + BODY_LINES).map(plain),
        keys: position(state.top, facts.pages[state.page].length),
      };
    case "choose":
      return {
        title: TITLES[state.list],
        body: windowed(items(state.list, facts), state.at),
        keys: "Up, Down, Enter   any other key: back to the menu",
      };
    case "ask":
      return { title: "", body: [plain(""), ...state.question.flatMap(wrapped).map(plain)], keys: "y yes   n no" };
    case "write":
      return {
        title: "",
        body: [
          plain(""),
          ...asked(state.field, facts).map(plain),
          plain(""),
          {
            text: `> ${tail(state.field.kind === "secret" ? "*".repeat(state.text.length) : state.text)}_`,
            look: "bold",
          },
        ],
        keys: "Enter: go on   Ctrl-U: clear   Esc: back to the menu",
      };
    case "busy":
      return { title: "", body: [plain(""), plain("One moment ...")], keys: "" };
    case "told": {
      const lines = state.lines.flatMap(wrapped).slice(0, BODY_LINES - 1);
      const heading = state.ok ? [] : [{ text: "This did not work:", look: "bold" } as const];
      return { title: "", body: [plain(""), ...heading, ...lines.map(plain)], keys: "any key: back to the menu" };
    }
  }
}

function menu(state: Extract<State, { kind: "menu" }>, facts: Facts): readonly Line[] {
  const said = facts.trouble === undefined ? facts.summary : [facts.trouble];
  const [alarm, ...others] = facts.alarms;
  const more = others.length === 0 ? "" : ` (and ${others.length} more, see Status)`;
  const alarms = alarm === undefined ? [] : [`ALARM${more}: ${alarm}`];
  const pending = facts.unconfirmed === null ? [] : [{ text: pendingText(facts.unconfirmed), look: "bold" } as const];
  const words = [...said, ...alarms].flatMap(wrapped).map(plain);
  const top = [...pending, ...words].slice(0, ABOVE_MENU);
  const space = Array.from({ length: ABOVE_MENU - top.length }, () => plain(""));
  const rows = ENTRIES.map(({ name, key }, i): Line => {
    const [why, title] = [hindrance(name, facts), titleOf(name, facts)];
    const text = why === undefined ? `  ${key}  ${title}` : `  -  ${title.padEnd(28)} (${why})`;
    return { text: i === state.at ? `>${text.slice(1)}` : text, look: i === state.at ? "reverse" : "plain" };
  });
  return [...top, ...space, ...rows];
}

/** What is left of the time first: of a long name its end is cut off. */
function pendingText({ revision, author, secondsLeft }: UnconfirmedFacts): string {
  return `ROLLED BACK IN ${clock(secondsLeft)} unless confirmed (c): revision ${revision.slice(0, 16)} of ${author}`;
}

/** "1:02:09", "0:42". */
function clock(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  return `${hours === 0 ? minutes : `${hours}:${two(minutes)}`}:${two(seconds % 60)}`;
}

const ABOVE_MENU = 5;

function items(list: List, facts: Facts): readonly string[] {
  switch (list) {
    case "interfaces":
      return facts.interfaces.map(
        ({ name, device, addresses }) =>
          `${name.padEnd(12)} ${device.padEnd(15)} ${addresses.join(", ") || "no address"}`,
      );
    case "rollback":
      return facts.revisions.map(({ title, whole }, i) => {
        const state = whole ? "" : "not kept";
        return `${String(i).padStart(3)}  ${(i === 0 ? "in force" : state).padEnd(8)}  ${title}`;
      });
    case "pair":
      return PAIR_CHOICES.map((choice) => {
        const why = pairHindrance(choice, facts);
        return why === undefined ? choice.title : `- ${choice.title} (${why})`;
      });
    case "password":
      return facts.users.map(({ name, role }) => `${name.padEnd(32)} ${role}`);
    case "confirm":
      return CONFIRM_CHOICES;
    case "power":
      return POWER_CHOICES.map(({ title }) => title);
    case "restore":
      return [...facts.backupFiles.map((path) => path.slice(path.lastIndexOf("/") + 1)), "Another file"];
  }
}

function asked(field: Field, { hostname }: Facts): readonly string[] {
  switch (field.kind) {
    case "addresses":
      return [`Addresses of ${field.of.name} on this box, such as 10.1.0.2/24, with commas between them:`];
    case "code":
      return ["The code that the other box shows:"];
    case "file":
      return ["The path of the backup file:"];
    case "account":
      return [...SIGN_IN, "", "The name of the account:"];
    case "secret":
      return [`The password of ${field.name}:`];
    case "reset": {
      const or = hostname === "" ? "" : ` or the box's name, ${hostname},`;
      return [...LOST_BY_RESET, "An active box hands over first.", "", `Type ${RESET_WORD}${or} to go on:`];
    }
  }
}

/** The part of a list around the chosen item. */
function windowed(all: readonly string[], at: number): readonly Line[] {
  const from = Math.max(0, Math.min(at - BODY_LINES + 2, all.length - BODY_LINES));
  return all.slice(from, from + BODY_LINES).map((text, i): Line => {
    const isChosen = from + i === at;
    return { text: `${isChosen ? ">" : " "} ${text}`, look: isChosen ? "reverse" : "plain" };
  });
}

function position(top: number, length: number): string {
  if (length <= BODY_LINES) return "any key: back to the menu";
  const last = Math.min(length, top + BODY_LINES);
  return `lines ${top + 1}-${last} of ${length}   Up, Down, Space, b   any other key: back to the menu`;
}

/** Of a long text its end, where somebody is writing. */
function tail(text: string): string {
  return text.slice(-(COLUMNS - 4));
}

function plain(text: string): Line {
  return { text, look: "plain" };
}

function fitted(text: string): string {
  return sevenBits(text).slice(0, COLUMNS).trimEnd();
}

/** Lines that fit, broken at blanks where there are any; what follows is set in as far as the beginning. */
export function wrapped(text: string): readonly string[] {
  const clean = sevenBits(text);
  const indent = (/^ */.exec(clean)?.[0] ?? "").slice(0, COLUMNS / 2);
  const lines: string[] = [];
  let rest = clean;
  while (rest.length > COLUMNS) {
    const blank = rest.lastIndexOf(" ", COLUMNS);
    const at = blank > indent.length ? blank : COLUMNS;
    lines.push(rest.slice(0, at));
    rest = indent + rest.slice(at).trimStart();
  }
  return [...lines, rest];
}

/** A stranger's letters must not move the cursor, and a vt100 has no others. */
function sevenBits(text: string): string {
  return text.replaceAll("\u2192", "->").replace(/[^ -~]/gu, "?");
}
