/** Reads the command line into a command, or into a refusal that says how it should have been written. Pure. */
import { parseArgs } from "node:util";
import type { CaptureQuery, FlowsQuery, PowerEnd, TraceQuery } from "../runtime/control.ts";
import type { PingQuery, TracerouteQuery } from "../runtime/control-ports.ts";
import type { Refusal } from "../runtime/exit-code.ts";
import { type AccessCommand, buildAccess } from "./command-access.ts";
import { buildConfiguration, buildShowConfig, type ConfigurationCommand } from "./command-configuration.ts";
import {
  count,
  given,
  isRefused,
  quote,
  type Refused,
  suggestion,
  text,
  usage,
  usageOf,
  type Values,
} from "./command-words.ts";
import { buildRun, type RunCommand } from "./command-run.ts";
import { buildUpdate, type UpdateCommand } from "./command-update.ts";
import { DEFAULT_STATE, type Verb } from "./verb.ts";
import { type PairWord, ROLES, type Shown, type SpareWord, VERBS } from "./verbs.ts";
import type { SshWord } from "./verbs-machine.ts";

export interface Common {
  readonly stateDirectory: string;
  readonly json: boolean;
}

export type Command =
  | { readonly kind: "help"; readonly verb: Verb | undefined }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | RunCommand
  | ({ readonly kind: "status"; readonly watch: boolean } & Common)
  | ({ readonly kind: "wait"; readonly role: string; readonly timeoutSeconds: number } & Common)
  | ({ readonly kind: "show"; readonly what: Exclude<Shown, "flows" | "config">; readonly service?: string } & Common)
  | ({ readonly kind: "flows"; readonly query: FlowsQuery } & Common)
  | ({ readonly kind: "pair"; readonly word: PairWord; readonly code: string; readonly replace: boolean } & Common)
  | ({ readonly kind: "switchover"; readonly group: string | undefined } & Common)
  | ({ readonly kind: "maintenance"; readonly on: boolean } & Common)
  | ({ readonly kind: "locate"; readonly on: boolean } & Common)
  | ({ readonly kind: "power"; readonly end: PowerEnd; readonly force: boolean } & Common)
  | ({ readonly kind: "factoryReset"; readonly ask: boolean; readonly force: boolean } & Common)
  | ({ readonly kind: "spare"; readonly word: SpareWord; readonly force: boolean } & Common)
  | ({ readonly kind: "drill"; readonly how: "planned" | "killed"; readonly back: boolean } & Common)
  | ({ readonly kind: "drillReport" } & Common)
  | ({
      readonly kind: "drain";
      readonly backend: string;
      readonly on: boolean;
      /** Undefined: at once. */
      readonly untilIdleSeconds: number | undefined;
    } & Common)
  | ({ readonly kind: "trace"; readonly query: TraceQuery } & Common)
  | (ConfigurationCommand & Common)
  | ({ readonly kind: "access"; readonly order: AccessCommand } & Common)
  | ({
      readonly kind: "backup";
      readonly file: string;
      readonly passphraseFile: string | undefined;
      readonly force: boolean;
    } & Common)
  | ({
      readonly kind: "restore";
      readonly file: string;
      readonly passphraseFile: string | undefined;
      readonly map: Readonly<Record<string, string>>;
      readonly replace: boolean;
      readonly force: boolean;
    } & Common)
  | ({ readonly kind: "ping"; readonly query: PingQuery } & Common)
  | ({ readonly kind: "traceroute"; readonly query: TracerouteQuery } & Common)
  | { readonly kind: "ssh"; readonly word: SshWord; readonly file: string; readonly json: boolean }
  | ({ readonly kind: "console"; readonly signIn: boolean } & Common)
  | (UpdateCommand & Common)
  | ({ readonly kind: "capture"; readonly query: CaptureQuery; readonly file: string } & Common);

export type CommandOf<Kind extends Command["kind"]> = Extract<Command, { kind: Kind }>;

const TIMEOUT_SECONDS_DEFAULT = 30;
const TIMEOUT_SECONDS_MAX = 86_400;
const PINGS_MAX = 100;
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
      Object.entries(verb.options).map(([key, { type, short, multiple = false }]) => [
        key,
        short === undefined ? { type, multiple } : { type, multiple, short },
      ]),
    );
    const { values, positionals } = parseArgs({
      args: verb.name === "set" ? negativeLast(rest) : [...rest],
      options,
      allowPositionals: true,
      strict: true,
    });
    return build(verb, values, positionals);
  } catch (error) {
    return usageOf(verb, wrongOption(verb, (error as Error).message));
  }
}

/** A number below zero is a value and no option; behind "--" nothing is one. */
function negativeLast(words: readonly string[]): string[] {
  const at = words.findIndex((word) => /^-[0-9]/.test(word));
  if (at < 0 || words.includes("--")) return [...words];
  return [...words.toSpliced(at, 1), "--", ...words.slice(at, at + 1)];
}

function build(verb: Verb, values: Values, operands: readonly string[]): Command {
  if (values["help"] === true) return { kind: "help", verb };
  const wrong = wrongOperands(verb, operands);
  if (wrong !== undefined) return usageOf(verb, wrong);
  const common = { stateDirectory: text(values, "state") ?? DEFAULT_STATE, json: values["json"] === true };
  if (common.stateDirectory === "") return usageOf(verb, "--state needs a directory");
  switch (verb.name) {
    case "run":
      return buildRun(verb, values, common.stateDirectory);
    case "status":
      return { kind: "status", watch: values["watch"] === true, ...common };
    case "wait":
      return buildWait(verb, values, common);
    case "show":
      return buildShow(verb, values, operands[0] as Shown, common);
    case "pair":
      return buildPair(verb, values, operands, common);
    case "switchover":
      return { kind: "switchover", group: text(values, "group"), ...common };
    case "reboot":
    case "poweroff":
      return { kind: "power", end: verb.name, force: values["force"] === true, ...common };
    case "maintenance":
      return { kind: "maintenance", on: operands[0] === "on", ...common };
    case "locate":
      return { kind: "locate", on: operands[0] === "on", ...common };
    case "factory-reset": {
      const force = values["force"] === true;
      return { kind: "factoryReset", ask: !force && values["yes"] !== true, force, ...common };
    }
    case "spare":
      return { kind: "spare", word: operands[0] as SpareWord, force: values["force"] === true, ...common };
    case "drill":
      return buildDrill(verb, values, operands, common);
    case "drain":
      return buildDrain(verb, values, operands[0] ?? "", common);
    case "undrain":
      return { kind: "drain", backend: operands[0] ?? "", on: false, untilIdleSeconds: undefined, ...common };
    case "trace":
      return buildTrace(verb, operands, common);
    case "backup": {
      const [passphraseFile, force] = [text(values, "passphrase-file"), values["force"] === true];
      return { kind: "backup", file: operands[0] ?? "", passphraseFile, force, ...common };
    }
    case "restore":
      return buildRestore(verb, values, operands[0] ?? "", common);
    case "update":
      return { ...buildUpdate(values, operands[0] ?? ""), ...common };
    case "ssh":
      return buildSsh(verb, operands, common);
    case "console":
      return { kind: "console", signIn: values["sign-in"] === true, ...common };
    case "web":
    case "user":
    case "token":
    case "session":
    case "audit":
      return accessOf(buildAccess(verb, values, operands), common);
    case "ping":
      return buildPing(verb, values, operands[0] ?? "", common);
    case "traceroute":
      return { kind: "traceroute", query: { to: operands[0] ?? "" }, ...common };
    case "capture":
      return buildCapture(verb, values, common);
  }
  const command = buildConfiguration(verb, values, operands);
  return command.kind === "refused" ? command : { ...command, ...common };
}

function accessOf(order: AccessCommand | Refused, common: Common): Command {
  return order.kind === "refused" ? order : { kind: "access", order, ...common };
}

function buildSsh(verb: Verb, [word, file]: readonly string[], { json }: Common): Command {
  const isOn = word === "on";
  if (isOn !== (file !== undefined)) return usageOf(verb, isOn ? "on needs a FILE" : `${word} takes no file`);
  return { kind: "ssh", word: word as SshWord, file: file ?? "", json };
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
  if (what === "config") {
    const command = buildShowConfig(verb, values);
    return command.kind === "refused" ? command : { ...command, ...common };
  }
  const ofConfig = ["revision", "candidate"].find((name) => values[name] !== undefined);
  if (ofConfig !== undefined) return usageOf(verb, `--${ofConfig} is for \`show config\`, not for \`show ${what}\``);
  if (what !== "flows") {
    const ofService = what === "services" || what === "health";
    const stray = FLOW_OPTIONS.find((name) => values[name] !== undefined && !(ofService && name === "service"));
    return stray === undefined
      ? { kind: "show", what, ...given({ service: text(values, "service") }), ...common }
      : usageOf(verb, `--${stray} is for \`show flows\`, not for \`show ${what}\``);
  }
  const limit = count(verb, values, "limit");
  if (isRefused(limit)) return limit;
  const query = given({
    service: text(values, "service"),
    client: text(values, "client"),
    backend: text(values, "backend"),
    limit,
  });
  return { kind: "flows", query, ...common };
}

function buildDrill(verb: Verb, values: Values, [word]: readonly string[], common: Common): Command {
  const [kill, back] = [values["kill"] === true, values["return"] === true];
  if (word === undefined) return { kind: "drill", how: kill ? "killed" : "planned", back, ...common };
  if (kill || back) return usageOf(verb, `--${kill ? "kill" : "return"} is for a drill, not for its report`);
  return { kind: "drillReport", ...common };
}

function buildDrain(verb: Verb, values: Values, backend: string, common: Common): Command {
  const waits = values["until-idle"] === true;
  if (!waits && values["timeout"] !== undefined) return usageOf(verb, "--timeout needs --until-idle");
  const timeout = count(verb, values, "timeout", TIMEOUT_SECONDS_MAX);
  if (isRefused(timeout)) return timeout;
  const untilIdleSeconds = waits ? (timeout ?? IDLE_SECONDS_DEFAULT) : undefined;
  return { kind: "drain", backend, on: true, untilIdleSeconds, ...common };
}

function buildPair(verb: Verb, values: Values, operands: readonly string[], common: Common): Command {
  const [word = "status", code = ""] = operands as readonly [PairWord?, string?];
  if (word === "join" && code === "") return usageOf(verb, "join needs the CODE that the other box shows");
  if (word !== "join" && code !== "") return usageOf(verb, `${quote(code)} is one word too many`);
  const replace = values["replace"] === true;
  if (replace && word !== "invite" && word !== "join") return usageOf(verb, "--replace is for invite and join");
  return { kind: "pair", word, code, replace, ...common };
}

function buildRestore(verb: Verb, values: Values, file: string, common: Common): Command {
  const pairs = (text(values, "map") ?? "").split(",").filter((pair) => pair !== "");
  const map: Record<string, string> = {};
  for (const pair of pairs) {
    const [, from, to] = /^([^=]+)=([^=]+)$/.exec(pair) ?? [];
    if (from === undefined || to === undefined) return usageOf(verb, `--map is OLD=NEW, not ${quote(pair)}`);
    if (Object.hasOwn(map, from)) return usageOf(verb, `--map says twice what ${quote(from)} is`);
    map[from] = to;
  }
  const passphraseFile = text(values, "passphrase-file");
  return {
    kind: "restore",
    file,
    passphraseFile,
    map,
    replace: values["replace"] === true,
    force: values["force"] === true,
    ...common,
  };
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

function buildPing(verb: Verb, values: Values, to: string, common: Common): Command {
  const times = count(verb, values, "count", PINGS_MAX);
  return isRefused(times) ? times : { kind: "ping", query: { to, ...given({ count: times }) }, ...common };
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
  for (const one of [packets, seconds, snap]) if (isRefused(one)) return one;
  const numbers = { count: packets as number | undefined, seconds: seconds as number | undefined };
  const query = given({
    service: text(values, "service"),
    client: text(values, "client"),
    ...numbers,
    snap: snap as number | undefined,
  });
  return { kind: "capture", query, file, ...common };
}

function wrongOperands(verb: Verb, operands: readonly string[]): string | undefined {
  const [first] = operands;
  if (first !== undefined && verb.operandsMax === 0) return `${quote(first)} is one word too many`;
  if (first !== undefined && verb.operandWords?.includes(first) === false) {
    return `${quote(first)} is not one of ${verb.operandWords.join(", ")}${suggestion(first, verb.operandWords)}`;
  }
  if (operands.length < verb.operandsMin) return `${missing(verb, operands.length)} is missing${assigned(verb, first)}`;
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

/** "VALUE" where PATH is there: what is named word by word is missing word by word. */
function missing({ operands, operandsMin }: Verb, there: number): string {
  const named = operands.split(" ");
  return there > 0 && named.length === operandsMin ? named.slice(there).join(" ") : operands;
}

/** `set pools.web.note=x`, as other programs have it. */
function assigned(verb: Verb, path = ""): string {
  const [before = "", ...after] = path.split("=");
  if (verb.name !== "set" || before === "" || after.length === 0) return "";
  return `: write a blank instead of "=", as in ${quote(`set ${before} ${after.join("=")}`)}`;
}

/** parseArgs throws on an unknown option, and on a value that is missing or too much. */
function wrongOption(verb: Verb, message: string): string {
  const [written = "", name = ""] = /--?([\w-]*)/.exec(message) ?? [];
  const option = verb.options[name];
  if (option === undefined) {
    const names = Object.keys(verb.options).map((known) => `--${known}`);
    return `there is no option ${quote(written)}${suggestion(written, names)}`;
  }
  return option.type === "boolean" ? `--${name} takes no value` : `--${name} needs ${option.value ?? "a value"}`;
}
