/**
 * Checks what somebody asked against a route's schemas, and says in one round all that is wrong with it, each with its
 * place. Parameters of a URL are text: they are read as what the schema says first.
 */
import { ExitCode, RefusalError, type Wrong } from "@futago/firmware/runtime/exit-code.ts";
import type { TObject, TSchema } from "typebox";
import { Check, Errors } from "typebox/value";

const WRONGS_MAX = 50;
const SHOWN_LENGTH_MAX = 60;

interface View {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, View>>;
}

/** Throws RefusalError. */
export function checkValue(schema: TSchema, value: unknown): unknown {
  if (Check(schema, value)) return value;
  const wrongs = wrongsOf(schema, value).slice(0, WRONGS_MAX);
  const [first = { what: "it is not as the schema says" }, ...also] = wrongs;
  throw new RefusalError({ exitCode: ExitCode.usage, ...first, also });
}

export function checkQuery(schema: TObject | undefined, query: unknown): object {
  const given = (query ?? {}) as Readonly<Record<string, unknown>>;
  if (schema === undefined) {
    const [name] = Object.keys(given);
    if (name === undefined) return {};
    throw new RefusalError({ exitCode: ExitCode.usage, ...unknownKey("", name) });
  }
  const { properties = {} } = schema as View;
  const read = Object.entries(given).map(([name, text]) => [name, readAs(properties[name], text)] as const);
  return checkValue(schema, Object.fromEntries(read)) as object;
}

function readAs(schema: View | undefined, text: unknown): unknown {
  if (typeof text !== "string") return text;
  switch (schema?.type) {
    case "integer":
      return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
    case "boolean":
      return text === "true" ? true : text === "false" ? false : text;
    case "array":
      return text === "" ? [] : text.split(",");
    case undefined:
    default:
      return text;
  }
}

function wrongsOf(schema: TSchema, value: unknown): readonly Wrong[] {
  return Errors(schema, value).flatMap((error) => {
    const { keyword, instancePath, params } = error as unknown as TypeError;
    const path = instancePath.split("/").slice(1).join(".");
    const { limit = 0, type, allowedValues = [] } = params;
    switch (keyword) {
      case "required":
        return (params.requiredProperties ?? []).map((key) => missingKey(path, key));
      case "additionalProperties":
        return (params.additionalProperties ?? []).map((key) => unknownKey(path, key));
      // What "additionalProperties" said.
      case "boolean":
        return [];
      case "type":
        return [wrong(path, "wrongType", `this is to be of type ${String(type)}`, { type: String(type) })];
      case "enum":
      case "const": {
        const words = allowedValues.join(", ");
        return [wrong(path, "unknownWord", `this is to be one of ${words}`, { words })];
      }
      case "minLength":
      case "minItems":
        return [wrong(path, "tooShort", `this is to have at least ${limit}`, { limit })];
      case "maxLength":
      case "maxItems":
        return [wrong(path, "tooLong", `this is to have at most ${limit}`, { limit })];
      case "minimum":
        return [wrong(path, "tooSmall", `this is to be at least ${limit}`, { limit })];
      case "maximum":
        return [wrong(path, "tooBig", `this is to be at most ${limit}`, { limit })];
    }
    return [wrong(path, "wrongForm", "this is not as the API's document says", {})];
  });
}

interface TypeError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: {
    readonly requiredProperties?: readonly string[];
    readonly additionalProperties?: readonly string[];
    readonly type?: unknown;
    readonly allowedValues?: readonly unknown[];
    readonly limit?: number;
  };
}

function wrong(where: string, reason: string, what: string, parameters: Wrong["parameters"] = {}): Wrong {
  return { where, reason, what, parameters };
}

function missingKey(path: string, key: string): Wrong {
  return wrong(below(path, key), "missingKey", `${key} is needed`, { key });
}

function unknownKey(path: string, key: string): Wrong {
  const shown = key.slice(0, SHOWN_LENGTH_MAX);
  return wrong(below(path, shown), "unknownKey", `there is no ${JSON.stringify(shown)} here`, { key: shown });
}

function below(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}
