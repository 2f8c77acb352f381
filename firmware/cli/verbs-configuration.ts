/** The verbs that change the configuration, show what was changed, and take it back. */
import { COMMON, none, type Verb } from "./verb.ts";

const COMMIT = {
  comment: { type: "string", value: "TEXT", help: "why, for `futago history`" },
  confirm: { type: "string", value: "SECONDS", help: "roll back unless `futago confirm` comes within this time" },
} as const;
const FORCE = { type: "boolean" } as const;

const PATHS =
  "PATH is written with names and dots: pools.web.backends.s1.weight. A value that differs per box ends with .a or .b.";

export const CONFIGURATION_VERBS: readonly Verb[] = [
  {
    ...none("set"),
    operands: "PATH VALUE",
    operandsMin: 2,
    operandsMax: 2,
    summary: "change one place of the configuration, to be committed later",
    details: `${PATHS}\nVALUE is a word, or JSON in quotes: futago set pools.web.backends.s4 '{"address":"10.2.0.14","port":80}'.\nA list of texts may be written with commas; behind a + they are added to it. Nothing is in force before \`futago commit\`.`,
  },
  {
    ...none("delete"),
    operands: "PATH",
    operandsMin: 1,
    operandsMax: 1,
    summary: "take one place out of the configuration, to be committed later",
    details: `${PATHS}\nNothing is in force before \`futago commit\`.`,
  },
  {
    ...none("edit"),
    summary: "change the whole configuration in an editor, to be committed later",
    details:
      "Opens $VISUAL or $EDITOR on the configuration as JSON. What cannot be is told, and can be edited again.\nNothing is in force before `futago commit`.",
  },
  {
    ...none("diff"),
    summary: "what was changed and is not committed yet, and what would keep it from being committed",
    details: "+ is new, - is gone, ~ has another value.",
  },
  {
    ...none("discard"),
    options: { ...COMMON, force: { ...FORCE, help: "also what others changed" } },
    summary: "forget what was changed and is not committed yet",
    details: "Exit code 6 when somebody else edited, too.",
  },
  {
    ...none("commit"),
    options: { ...COMMON, ...COMMIT },
    summary: "put what was changed into force",
    details:
      "With --confirm the change is rolled back by itself unless somebody says `futago confirm` in time: for changes that may cut you off. Exit code 3 when the configuration cannot be, 6 when somebody else committed the same places.",
  },
  {
    ...none("confirm"),
    operands: "[REVISION]",
    operandsMax: 1,
    options: { ...COMMON, force: { ...FORCE, help: "although somebody else committed it" } },
    summary: "keep what was committed with --confirm",
    details:
      "Whoever committed it confirms it: only they know whether it does what it should. REVISION is how its id begins; left out, the one that waits.",
  },
  {
    ...none("rollback"),
    operands: "N|ID",
    operandsMin: 1,
    operandsMax: 1,
    options: { ...COMMON, ...COMMIT },
    summary: "put an older configuration into force again",
    details:
      "N is how many steps back it is, ID how its id begins; `futago history` shows both. What it holds becomes a new revision, so a roll-back can be rolled back. What is edited and not committed stays.",
  },
  {
    ...none("history"),
    options: {
      ...COMMON,
      limit: { type: "string", value: "N", help: "how many to print (default 20)" },
      before: { type: "string", value: "ID", help: "only what is older than this revision" },
    },
    summary: "the revisions of the configuration, the newest first",
    details: "BACK is how many steps back a revision is, for `futago rollback` and `futago show config --revision`.",
  },
  {
    ...none("config"),
    operands: "apply FILE",
    operandsMin: 2,
    operandsMax: 2,
    operandWords: ["apply"],
    options: { ...COMMON, ...COMMIT },
    summary: "put a configuration document into force",
    details:
      "FILE is the whole document; - reads standard input. It is checked as a whole first; exit code 3 says why not.\nWhat is edited and not committed stays.",
  },
];
