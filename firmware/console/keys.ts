/** The keys of a vt100, read from what it sends. Pure. */

export type Key =
  | { readonly kind: "up" }
  | { readonly kind: "down" }
  | { readonly kind: "enter" }
  | { readonly kind: "erase" }
  /** Ctrl-U: all that was written. */
  | { readonly kind: "clear" }
  /** Escape, Ctrl-C or Ctrl-D. */
  | { readonly kind: "back" }
  /** Ctrl-L: the line was disturbed. */
  | { readonly kind: "redraw" }
  | { readonly kind: "letter"; readonly letter: string };

export interface KeysRead {
  readonly keys: readonly Key[];
  /** The beginning of a key, of which more may come. */
  readonly rest: string;
}

/** Cursor keys as in both modes of a vt100, with the modifiers that later terminals put in between. */
// oxlint-disable-next-line no-control-regex -- terminals send them for these keys.
const CURSOR = /^\u001b[[O][0-9;]*([A-Za-z~])/;
// oxlint-disable-next-line no-control-regex -- as above.
const CURSOR_BEGINS = /^\u001b([[O][0-9;]*)?$/;
const CONTROLS: Readonly<Record<string, Key["kind"] & ("enter" | "erase" | "clear" | "back" | "redraw")>> = {
  "\r": "enter",
  "\n": "enter",
  "\b": "erase",
  "\u007f": "erase",
  "\u0015": "clear",
  "\u001b": "back",
  "\u0003": "back",
  "\u0004": "back",
  "\u000c": "redraw",
};

/** `isAll`: nothing more comes soon, so that an Escape is the key and not the beginning of another one. */
export function readKeys(text: string, isAll: boolean): KeysRead {
  const keys: Key[] = [];
  let rest = text;
  while (rest !== "") {
    const cursor = CURSOR.exec(rest);
    if (cursor === null && !isAll && CURSOR_BEGINS.test(rest)) break;
    const [whole, final = ""] = cursor ?? [rest[0] ?? ""];
    rest = rest.slice(whole.length);
    if (final === "A" || final === "B") keys.push({ kind: final === "A" ? "up" : "down" });
    const control = CONTROLS[whole];
    if (control !== undefined) keys.push({ kind: control });
    else if (/^[ -~]$/.test(whole)) keys.push({ kind: "letter", letter: whole });
  }
  return { keys, rest };
}
