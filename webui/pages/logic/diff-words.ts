/** How one difference between two documents is shown. */
import type { ChangeShown } from "@futago/firmware/runtime/control-configuration.ts";

export type ChangeKind = "set" | "add" | "remove" | "order";

export function changeKind(change: Pick<ChangeShown, "kind" | "before">): ChangeKind {
  if (change.kind !== "set") return change.kind;
  return change.before === undefined ? "add" : "set";
}

const lettersMax = 400;

/** A value in one line: words as they are, everything else as JSON with room to breathe. */
export function valueText(value: unknown): string {
  const text = typeof value === "string" ? value : spaced(value);
  return text.length > lettersMax ? `${text.slice(0, lettersMax)}…` : text;
}

function spaced(value: unknown): string {
  if (Array.isArray(value)) return value.map(spaced).join(", ");
  if (typeof value === "object" && value !== null) {
    return Object.entries(value)
      .map(([key, one]) => `${key}: ${typeof one === "object" && one !== null ? `(${spaced(one)})` : spaced(one)}`)
      .join(", ");
  }
  return typeof value === "string" ? value : JSON.stringify(value);
}
