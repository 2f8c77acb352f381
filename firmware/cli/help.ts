/** The help texts, made from the table of verbs. Pure. */
import { usageWords } from "./command-words.ts";
import type { Verb } from "./verb.ts";
import { VERBS } from "./verbs.ts";

/** As wide as the narrowest terminal that people have. */
const COLUMNS = 80;
const FIRST_COLUMN_MAX = 32;

export function renderHelp(verb: Verb | undefined): string {
  return verb === undefined ? overview() : ofVerb(verb);
}

function overview(): string {
  const rows = VERBS.map((verb) => [`  ${verb.name} ${verb.operands}`.trimEnd(), verb.summary]);
  return `futago: two small boxes, one address that never goes away.

usage: futago VERB [OPTIONS]

${columns(rows)}

Every verb takes --state DIR, --json and --help.
Exit codes: 0 done, 1 failed, 2 usage, 3 invalid configuration,
4 box not running, 5 peer needed, 6 conflict.
`;
}

function ofVerb(verb: Verb): string {
  const options = Object.entries(verb.options).map(([name, option]) => [
    `  --${name}${option.value === undefined ? "" : ` ${option.value}`}${option.short === undefined ? "" : `, -${option.short}`}`,
    option.help,
  ]);
  const words = Object.entries(verb.words ?? {}).map(([word, meaning]) => [`  ${word}`, meaning]);
  const summary = `${verb.summary[0]?.toUpperCase()}${verb.summary.slice(1)}.`;
  const paragraphs = [summary, ...verb.details.split("\n")].map((paragraph) => filled(paragraph.split(" "), ""));
  const parts = [
    filled(usageWords(verb), " ".repeat("usage: ".length)),
    paragraphs.join("\n").trimEnd(),
    columns(words),
    columns(options),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

/** Two columns, of which the second is filled; a first one that is too wide has a line of its own. */
function columns(rows: readonly (readonly string[])[]): string {
  const width = Math.min(Math.max(0, ...rows.map(([left = ""]) => left.length)) + 2, FIRST_COLUMN_MAX);
  const indent = " ".repeat(width);
  return rows
    .map(([left = "", right = ""]) => {
      const words = right.split(" ");
      if (left.length < width) return filled([left.padEnd(width - 1), ...words], indent);
      return `${left}\n${filled([" ".repeat(width - 1), ...words], indent)}`;
    })
    .join("\n");
}

/** Lines of at most {@link COLUMNS}, the later ones behind `indent`; no word is broken. */
function filled(words: readonly string[], indent: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line.trim() === "" || longer.length <= COLUMNS) {
      line = longer;
    } else {
      lines.push(line);
      line = indent + word;
    }
  }
  return [...lines, line].join("\n");
}
