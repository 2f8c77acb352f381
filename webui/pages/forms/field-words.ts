/** How a field is called and explained in the language chosen. */
import type { PlacedProblem } from "../../client/problem.ts";
import { fill } from "../logic/fill.ts";
import { withoutCommands } from "../logic/without-commands.ts";
import type { Field } from "../logic/schema.ts";
import { language, words } from "../state/settings.ts";

export function labelOf(field: Pick<Field, "key" | "place">): string {
  const { labels } = words.value.fields;
  return own(labels, field.place) ?? own(labels, field.key) ?? field.key;
}

export function hintOf(field: Field): string {
  const said = language.value === "en" ? undefined : own(words.value.fields.hints, field.place);
  return (said ?? field.description).replaceAll("`", "");
}

export function choiceWord(word: string): string {
  return own(words.value.fields.choices, word) ?? word;
}

export function problemText({ reason, parameters, detail, mend }: PlacedProblem, withMend = true): string {
  const { problems, shell } = words.value;
  const said = reason === undefined ? undefined : (own(problems, reason) ?? own(shell.refusals, reason));
  if (said !== undefined) return fill(said, parameters ?? {});
  return [detail, withMend ? withoutCommands(mend) : undefined]
    .filter((one) => one !== undefined && one !== "")
    .join(" – ");
}

function own(among: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(among, key) ? among[key] : undefined;
}
