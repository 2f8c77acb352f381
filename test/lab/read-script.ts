/** Reads a lab script: its scenario, its steps, and every mistake in them before anything is started. */
import { isBackend, isScenarioName, type Scenario, SCENARIO_NAMES, SCENARIOS } from "./scenario.ts";
import { type Expectation, MEASURES, type Step } from "./script.ts";

type Check = (value: unknown) => string | undefined;

const oneOf =
  (...allowed: readonly string[]): Check =>
  (value) =>
    typeof value === "string" && allowed.includes(value) ? undefined : `one of ${allowed.join(", ")}`;
const TEXT: Check = (value) => (typeof value === "string" && value !== "" ? undefined : "a text");
const FLAG: Check = (value) => (typeof value === "boolean" ? undefined : "true or false");
const MILLIS: Check = (value) =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 600_000 ? undefined : "0 to 600000";
const BOX = oneOf("a", "b", "active", "standby", "victim");
const COMPONENT = oneOf("core", "sentinel", "pulse");

type Fields = Readonly<Record<string, Check>>;

interface Words {
  readonly steps: Readonly<Record<string, Fields>>;
  readonly expectations: Readonly<Record<string, Fields>>;
}

/** What can be said in a script of the scenario. */
function wordsOf({ layout, servers, stream, modes }: Scenario): Words {
  const port = oneOf(...layout.ports);
  const onBoxes = !servers.every(isBackend);
  const server = onBoxes ? BOX : oneOf(...servers);
  const there = { stream, everyMode: modes, silentForVip: onBoxes };
  const steps: Readonly<Record<Step["do"], Fields>> = {
    say: { text: TEXT },
    wait: { milliseconds: MILLIS },
    mark: {},
    watchArp: { on: FLAG },
    powerOff: { box: BOX },
    powerOn: { box: BOX },
    freeze: { box: BOX },
    thaw: { box: BOX },
    pull: { box: BOX, port },
    plug: { box: BOX, port },
    kill: { box: BOX, component: COMPONENT },
    switchover: {},
    drill: { kill: FLAG },
    stopServer: { server },
    startServer: { server },
    configure: { preempt: FLAG },
    measure: { what: oneOf(...Object.keys(MEASURES)) },
    expect: {},
  };
  const expectations: Readonly<Record<Expectation["what"], Fields>> = {
    role: { box: BOX, role: oneOf("active", "standby", "fault", "maintenance", "alone") },
    oneActive: {},
    web: {},
    noAlarm: {},
    answers: {},
    announced: {},
    keptAlive: {},
    keptRenewed: {},
    everyMode: {},
    stream: {},
    noProbeLost: {},
    drillAgrees: {},
    noRequestFailed: {},
    silentForVip: { box: BOX },
    arpSilent: { box: BOX },
    arpNeverBoth: {},
    restarted: { box: BOX, component: COMPONENT },
    serves: { server },
    spares: { server },
  };
  const said = Object.entries(expectations).filter(
    ([what]) => !Object.entries(there).some(([key, is]) => key === what && !is),
  );
  return { steps, expectations: Object.fromEntries(said) };
}

export interface ParsedScript {
  readonly scenario: Scenario;
  readonly steps: readonly Step[];
  readonly mistakes: readonly string[];
}

/** The steps, or every mistake in the text with its place. */
export function parseScript(text: string): ParsedScript {
  const scenario = SCENARIOS.balanced;
  let script: unknown;
  try {
    script = JSON.parse(text);
  } catch (error) {
    return { scenario, steps: [], mistakes: [`not JSON: ${(error as Error).message}`] };
  }
  if (Array.isArray(script)) return parseSteps(scenario, script);
  if (typeof script !== "object" || script === null)
    return { scenario, steps: [], mistakes: ["a list of steps, or an object with scenario and steps is expected"] };
  const { scenario: name, steps, ...others } = script as Record<string, unknown>;
  const mistakes = fieldMistakes({ ...others, scenario: name }, { scenario: oneOf(...SCENARIO_NAMES) });
  if (!Array.isArray(steps)) return { scenario, steps: [], mistakes: [...mistakes, `"steps" must be a list`] };
  if (mistakes.length > 0 || !isScenarioName(name)) return { scenario, steps: [], mistakes };
  return parseSteps(SCENARIOS[name], steps);
}

function parseSteps(scenario: Scenario, list: readonly unknown[]): ParsedScript {
  const words = wordsOf(scenario);
  const mistakes = list.flatMap((step, index) =>
    mistakesOf(step, words).map((mistake) => `step ${index + 1}: ${mistake}`),
  );
  return { scenario, steps: mistakes.length === 0 ? (list as Step[]) : [], mistakes };
}

function mistakesOf(step: unknown, words: Words): readonly string[] {
  if (typeof step !== "object" || step === null) return ["an object is expected"];
  const { do: kind, ...rest } = step as Record<string, unknown>;
  const fields = own(words.steps, kind);
  if (fields === undefined) return [`"do" must be one of ${Object.keys(words.steps).join(", ")}`];
  if (kind !== "expect") return fieldMistakes(rest, fields);
  const { what, withinMilliseconds = 0, ...others } = rest;
  const expected = own(words.expectations, what);
  if (expected === undefined) return [`"what" must be one of ${Object.keys(words.expectations).join(", ")}`];
  return fieldMistakes({ ...others, withinMilliseconds }, { ...expected, withinMilliseconds: MILLIS });
}

function own<T>(table: Readonly<Record<string, T>>, key: unknown): T | undefined {
  return typeof key === "string" && Object.hasOwn(table, key) ? table[key] : undefined;
}

function fieldMistakes(
  given: Readonly<Record<string, unknown>>,
  fields: Readonly<Record<string, Check>>,
): readonly string[] {
  const unknown = Object.keys(given).filter((key) => !Object.hasOwn(fields, key));
  const wrong = Object.entries(fields).flatMap(([key, check]) => {
    const wanted = check(given[key]);
    return wanted === undefined ? [] : [`"${key}" must be ${wanted}`];
  });
  return [...unknown.map((key) => `unknown key "${key}"`), ...wrong];
}
