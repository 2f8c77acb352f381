/** The message catalogues: English says which messages there are, every other language must have them all. */
import type { Language } from "../logic/figures.ts";
import { en } from "./en/index.ts";
import { ja } from "./ja/index.ts";

export type Words = typeof en;

export const catalogues: Readonly<Record<Language, Words>> = { en, ja };

/** The language of a browser's list that there is a catalogue for. */
export function languageOf(wanted: readonly string[]): Language {
  const first = wanted.find((one) => /^(en|ja)\b/i.test(one));
  return first?.toLowerCase().startsWith("ja") === true ? "ja" : "en";
}
