/** The help texts, made from the table of verbs. Pure. */
import { usageLine } from "./command-words.ts";
import { table } from "./table.ts";
import type { Verb } from "./verb.ts";
import { VERBS } from "./verbs.ts";

export function renderHelp(verb: Verb | undefined): string {
  return verb === undefined ? overview() : ofVerb(verb);
}

function overview(): string {
  const rows = VERBS.map((verb) => [`  ${verb.name} ${verb.operands}`.trimEnd(), verb.summary]);
  return `futago: two small boxes, one address that never goes away.

usage: futago VERB [OPTIONS]

${table(["VERB", ""], rows).split("\n").slice(1).join("\n")}

Every verb takes --state DIR, --json and --help.
Exit codes: 0 done, 1 failed, 2 usage, 3 invalid configuration, 4 box not running, 5 peer needed, 6 conflict.
`;
}

function ofVerb(verb: Verb): string {
  const options = Object.entries(verb.options).map(([name, option]) => [
    `  --${name}${option.value === undefined ? "" : ` ${option.value}`}${option.short === undefined ? "" : `, -${option.short}`}`,
    option.help,
  ]);
  return `${usageLine(verb)}

${verb.summary[0]?.toUpperCase()}${verb.summary.slice(1)}.
${verb.details}

${table(["OPTION", ""], options).split("\n").slice(1).join("\n")}
`;
}
