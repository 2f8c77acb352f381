/** What the box says to do, without the sentences that name commands of its console: a page offers buttons instead. */
export function withoutCommands(mend: string | undefined): string | undefined {
  const kept = mend?.split(/(?<=\.) /).filter((sentence) => !/`futago |--\w/.test(sentence)) ?? [];
  return kept.length === 0 ? undefined : kept.join(" ");
}
