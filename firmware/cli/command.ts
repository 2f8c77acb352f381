/** Reads the command line into a command, or into a refusal that says how it should have been written. Pure. */
import { parseArgs } from "node:util";
import type { CaptureQuery, FlowsQuery, TraceQuery } from "../runtime/control.ts";
import { ExitCode, type Refusal } from "../runtime/exit-code.ts";
import { DEFAULT_STATE, ROLES, type Shown, VERBS, type Verb } from "./verbs.ts";

export interface Common {
  readonly stateDirectory: string;
  readonly json: boolean;
}

export type Command =
  | { readonly kind: "help"; readonly verb: Verb | undefined }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | {
      readonly kind: "run";
      readonly stateDirectory: string;
      readonly box: "a" | "b" | undefined;
      readonly importFile: string | undefined;
      readonly pairKeyFile: string | undefined;
      readonly web: string | undefined;
    }
  | ({ readonly kind: "status"; readonly watch: boolean } & Common)
  | ({ readonly kind: "wait"; readonly role: string; readonly timeoutSeconds: number } & Common)
  | ({ readonly kind: "show"; readonly what: Exclude<Shown, "flows">; readonly service?: string } & Common)
  | ({ readonly kind: "flows"; readonly query: FlowsQuery } & Common)
  | ({ readonly kind: "apply"; readonly file: string } & Common)
  | ({ readonly kind: "switchover"; readonly group: string | undefined } & Common)
  | ({ readonly kind: "maintenance"; readonly on: boolean } & Common)
  | ({
      readonly kind: "drain";
      readonly backend: string;
      readonly on: boolean;
      /** Undefined: at once. */
      readonly untilIdleSeconds: number | undefined;
    } & Common)
  | ({ readonly kind: "trace"; readonly query: TraceQuery } & Common)
  | ({ readonly kind: "capture"; readonly query: CaptureQuery; readonly file: string } & Common);

export type CommandOf<Kind extends Command["kind"]> = Extract<Command, { kind: Kind }>;

const TIMEOUT_SECONDS_DEFAULT = 30;
const TIMEOUT_SECONDS_MAX = 86_400;
/** Of a drain that waits. */
const IDLE_SECONDS_DEFAULT = 600;

export function readCommand(argv: readonly string[]): Command {
  const [name, ...rest] = argv;
  if (name === undefined) return usage("a verb is missing", "Say what to do: `futago --help` lists the verbs.");
  if (name === "--help" || name === "-h" || name === "help") return helpFor(rest[0]);
  const verb = VERBS.find((candidate) => candidate.name === name);
  if (verb === undefined) return unknownVerb(name);
  try {
    const options = Object.fromEntries(
      Object.entries(verb.options).map(([key, { type, short }]) => [
        key,
        short === undefined ? { type } : { type, short },
      ]),
    );
    const { values, positionals } = parseArgs({ args: rest, options, allowPositionals: true, strict: true });
    return build(verb, values, positionals);
  } catch (error) {
    // parseArgs throws on an unknown option or a missing value, with a sentence made for people.
    return usageOf(verb, firstSentence((error as Error).message));
  }
}

type Values = Readonly<Record<string, string | boolean | undefined>>;

function build(verb: Verb, values: Values, operands: readonly string[]): Command {
  if (values["help"] === true) return { kind: "help", verb };
  const wrong = wrongOperands(verb, operands);
  if (wrong !== undefined) return usageOf(verb, wrong);
  const common = { stateDirectory: text(values, "state") ?? DEFAULT_STATE, json: values["json"] === true };
  if (common.stateDirectory === "") return usageOf(verb, "--state needs a directory");
  switch (verb.name) {
    case "run":
      return buildRun(verb, values, common);
    case "status":
      return { kind: "status", watch: values["watch"] === true, ...common };
    case "wait":
      return buildWait(verb, values, common);
    case "show":
      return buildShow(verb, values, operands[0] as Shown, common);
    case "config":
      return { kind: "apply", file: operands[1] ?? "-", ...common };
    case "switchover":
      return { kind: "switchover", group: text(values, "group"), ...common };
    case "maintenance":
      return { kind: "maintenance", on: operands[0] === "on", ...common };
    case "drain":
      return buildDrain(verb, values, operands[0] ?? "", common);
    case "undrain":
      return { kind: "drain", backend: operands[0] ?? "", on: false, untilIdleSeconds: undefined, ...common };
    case "trace":
      return buildTrace(verb, operands, common);
    case "capture":
      return buildCapture(verb, values, common);
  }
  return unknownVerb(verb.name);
}

function buildRun(verb: Verb, values: Values, common: Common): Command {
  const box = text(values, "box");
  if (box !== undefined && box !== "a" && box !== "b") return usageOf(verb, `--box is a or b, not ${quote(box)}`);
  const web = text(values, "web");
  if (web !== undefined && !/^(\[[0-9a-fA-F:.]+\]|[^:]+):\d{1,5}$/.test(web)) {
    return usageOf(verb, `--web is ADDR:PORT, not ${quote(web)}`);
  }
  return {
    kind: "run",
    stateDirectory: common.stateDirectory,
    box,
    importFile: text(values, "import"),
    pairKeyFile: text(values, "pair-key"),
    web,
  };
}

function buildWait(verb: Verb, values: Values, common: Common): Command {
  const role = text(values, "role");
  const roles: readonly string[] = ROLES;
  if (role === undefined) return usageOf(verb, "--role is missing");
  if (!roles.includes(role)) return usageOf(verb, `${quote(role)} is no role; the roles are ${ROLES.join(", ")}`);
  const written = text(values, "timeout");
  const timeoutSeconds = written === undefined ? TIMEOUT_SECONDS_DEFAULT : Number(written);
  if (!(timeoutSeconds >= 0 && timeoutSeconds <= TIMEOUT_SECONDS_MAX) || written === "") {
    return usageOf(verb, `--timeout is a number of seconds up to ${TIMEOUT_SECONDS_MAX}, not ${quote(written ?? "")}`);
  }
  return { kind: "wait", role, timeoutSeconds, ...common };
}

const FLOW_OPTIONS = ["service", "client", "backend", "limit"] as const;

function buildShow(verb: Verb, values: Values, what: Shown, common: Common): Command {
  if (what !== "flows") {
    const ofService = what === "services" || what === "health";
    const stray = FLOW_OPTIONS.find((name) => values[name] !== undefined && !(ofService && name === "service"));
    return stray === undefined
      ? { kind: "show", what, ...given({ service: text(values, "service") }), ...common }
      : usageOf(verb, `--${stray} is for \`show flows\`, not for \`show ${what}\``);
  }
  const limit = count(verb, values, "limit");
  if (isCommand(limit)) return limit;
  const query = given({
    service: text(values, "service"),
    client: text(values, "client"),
    backend: text(values, "backend"),
    limit,
  });
  return { kind: "flows", query, ...common };
}

function buildDrain(verb: Verb, values: Values, backend: string, common: Common): Command {
  const waits = values["until-idle"] === true;
  if (!waits && values["timeout"] !== undefined) return usageOf(verb, "--timeout needs --until-idle");
  const timeout = count(verb, values, "timeout", TIMEOUT_SECONDS_MAX);
  if (isCommand(timeout)) return timeout;
  const untilIdleSeconds = waits ? (timeout ?? IDLE_SECONDS_DEFAULT) : undefined;
  return { kind: "drain", backend, on: true, untilIdleSeconds, ...common };
}

function buildTrace(verb: Verb, [client = "", service = ""]: readonly string[], common: Common): Command {
  // An address of IPv6 has colons of its own: with a port it stands in brackets.
  const [, inBrackets, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::([^:]*))?$/.exec(client) ?? [];
  const address = inBrackets ?? plain ?? client;
  if (port === undefined) return { kind: "trace", query: { client: address, service }, ...common };
  const clientPort = /^\d{1,5}$/.test(port) ? Number(port) : 0;
  if (clientPort < 1 || clientPort > 0xffff) return usageOf(verb, `${quote(port)} is no port`);
  return { kind: "trace", query: { client: address, clientPort, service }, ...common };
}

function buildCapture(verb: Verb, values: Values, common: Common): Command {
  const file = text(values, "output");
  if (file === undefined || file === "") return usageOf(verb, "-o FILE is missing; -o - writes to standard output");
  if (file === "-" && common.json) return usageOf(verb, "--json and -o - would both write to standard output");
  const [packets, seconds, snap] = [
    count(verb, values, "count"),
    count(verb, values, "seconds"),
    count(verb, values, "snap"),
  ];
  for (const one of [packets, seconds, snap]) if (isCommand(one)) return one;
  const numbers = { count: packets as number | undefined, seconds: seconds as number | undefined };
  const query = given({
    service: text(values, "service"),
    client: text(values, "client"),
    ...numbers,
    snap: snap as number | undefined,
  });
  return { kind: "capture", query, file, ...common };
}

/** A whole number above 0; undefined when the option is not there. */
function count(verb: Verb, values: Values, name: string, max = Number.MAX_SAFE_INTEGER): number | undefined | Command {
  const written = text(values, name);
  if (written === undefined) return undefined;
  const value = /^\d{1,15}$/.test(written) ? Number(written) : 0;
  if (value >= 1 && value <= max) return value;
  const upTo = max === Number.MAX_SAFE_INTEGER ? "" : ` up to ${max}`;
  return usageOf(verb, `--${name} is a whole number above 0${upTo}, not ${quote(written)}`);
}

function isCommand(value: number | undefined | Command): value is Command {
  return typeof value === "object";
}

/** Without what was not said. */
function given<Query extends object>(query: Query): { [Key in keyof Query]?: Exclude<Query[Key], undefined> } {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Query]?: Exclude<Query[Key], undefined>;
  };
}

function wrongOperands(verb: Verb, operands: readonly string[]): string | undefined {
  const [first] = operands;
  if (first !== undefined && verb.operandsMax === 0) return `${quote(first)} is one word too many`;
  if (first !== undefined && verb.operandWords?.includes(first) === false) {
    return `${quote(first)} is not one of ${verb.operandWords.join(", ")}${suggestion(first, verb.operandWords)}`;
  }
  if (operands.length < verb.operandsMin) return `${verb.operands} is missing`;
  if (operands.length > verb.operandsMax) return `${quote(operands[verb.operandsMax] ?? "")} is one word too many`;
  return undefined;
}

function helpFor(name: string | undefined): Command {
  if (name === undefined) return { kind: "help", verb: undefined };
  const verb = VERBS.find((candidate) => candidate.name === name);
  return verb === undefined ? unknownVerb(name) : { kind: "help", verb };
}

function unknownVerb(name: string): Command {
  const names = VERBS.map((verb) => verb.name);
  return usage(`there is no verb ${quote(name)}${suggestion(name, names)}`, "`futago --help` lists the verbs.");
}

function usageOf(verb: Verb, what: string): Command {
  return usage(`${verb.name}: ${what}`, `${usageLine(verb)}. \`futago ${verb.name} --help\` tells more.`);
}

function usage(what: string, mend: string): Command {
  return { kind: "refused", refusal: { exitCode: ExitCode.usage, what, mend } };
}

/** "usage: futago show config|services… [--state DIR] [--json]". */
export function usageLine(verb: Verb): string {
  const options = Object.entries(verb.options)
    .filter(([name]) => name !== "help")
    .map(([name, option]) => `[--${name}${option.value === undefined ? "" : ` ${option.value}`}]`);
  return ["usage: futago", verb.name, verb.operands, ...options].filter((word) => word !== "").join(" ");
}

function suggestion(word: string, words: readonly string[]): string {
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

function text(values: Values, name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
}

function firstSentence(message: string): string {
  return message.split(". ")[0] ?? message;
}

function quote(word: string): string {
  return JSON.stringify(word);
}
