/** Sentences that know the values in them by name, so that another language can say the same. */

export type Parameters = Readonly<Record<string, string | number>>;

export interface Sentence {
  readonly text: string;
  readonly parameters: Parameters;
}

/** say`is ${{ value: 7 }}, not ${{ wanted: "a text" }}`: each value is an object with the one name it has. */
export function say(parts: TemplateStringsArray, ...values: readonly Parameters[]): Sentence {
  const words = values.map((value) => Object.values(value).join(""));
  return { text: String.raw({ raw: parts }, ...words), parameters: Object.assign({}, ...values) as Parameters };
}

/** A sentence without values is its text. */
export function sentence(words: string | Sentence): Sentence {
  return typeof words === "string" ? { text: words, parameters: {} } : words;
}
