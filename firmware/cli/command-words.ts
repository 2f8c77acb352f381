/** How a command is refused, and what options say: for all that read the command line. Pure. */
import { ExitCode, type Refusal } from "../runtime/exit-code.ts";
import type { Verb } from "./verb.ts";

export interface Refused {
  readonly kind: "refused";
  readonly refusal: Refusal;
}

export type Values = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;

/** A whole number above 0; undefined when the option is not there. */
export function count(
  verb: Verb,
  values: Values,
  name: string,
  max = Number.MAX_SAFE_INTEGER,
): number | undefined | Refused {
  const written = text(values, name);
  if (written === undefined) return undefined;
  const value = /^\d{1,15}$/.test(written) ? Number(written) : 0;
  if (value >= 1 && value <= max) return value;
  const upTo = max === Number.MAX_SAFE_INTEGER ? "" : ` up to ${max}`;
  return usageOf(verb, `--${name} is a whole number above 0${upTo}, not ${quote(written)}`);
}

export function isRefused(value: number | undefined | Refused): value is Refused {
  return typeof value === "object";
}

/** Without what was not said. */
export function given<Query extends object>(query: Query): { [Key in keyof Query]?: Exclude<Query[Key], undefined> } {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Query]?: Exclude<Query[Key], undefined>;
  };
}

export function usageOf(verb: Verb, what: string): Refused {
  return usage(`${verb.name}: ${what}`, `${usageWords(verb).join(" ")}. \`futago ${verb.name} --help\` tells more.`);
}

export function usage(what: string, mend: string): Refused {
  return { kind: "refused", refusal: { exitCode: ExitCode.usage, what, mend } };
}

/** "usage:", "futago", "set", "PATH VALUE", "[--state DIR]", "[--json]": what belongs together is one. */
export function usageWords(verb: Verb): readonly string[] {
  const options = Object.entries(verb.options)
    .filter(([name]) => name !== "help")
    .map(([name, option]) => `[--${name}${option.value === undefined ? "" : ` ${option.value}`}]`);
  return ["usage:", "futago", verb.name, verb.operands, ...options].filter((word) => word !== "");
}

export function suggestion(word: string, words: readonly string[]): string {
  const nearest = words
    .map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
    .sort((x, y) => x.distance - y.distance)[0];
  return nearest !== undefined && nearest.distance <= 2 ? `; did you mean ${quote(nearest.candidate)}?` : "";
}

/** How many letters must be put in, taken out or changed (Levenshtein). Words longer than 40 letters are nothing alike. */
export function editDistance(a: string, b: string): number {
  if (a.length > 40 || b.length > 40) return 41;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

export function text(values: Values, name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
}

/** Of an option that may be said more than once. */
export function texts(values: Values, name: string): readonly string[] {
  const value = values[name];
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}

export function quote(word: string): string {
  return JSON.stringify(word);
}
