/** The configuration's JSON schema as fields of a form. What it does not know it shows as nothing. */
import { isTree, type Tree } from "./document.ts";

export interface Field {
  readonly key: string;
  /** The keys that lead here, without positions: "pools.backends.weight"; inside a check "check.path". */
  readonly place: string;
  readonly required: boolean;
  /** May be written once for both boxes, or once for each. */
  readonly perBox: boolean;
  /** In English. */
  readonly description: string;
  readonly usual: string | undefined;
  readonly shape: Shape;
}

export type Shape =
  | { readonly kind: "text" }
  | {
      readonly kind: "number";
      readonly min: number | undefined;
      readonly max: number | undefined;
      readonly step: number;
    }
  | { readonly kind: "switch" }
  | { readonly kind: "choice"; readonly words: readonly string[] }
  | { readonly kind: "texts" }
  | { readonly kind: "fields"; readonly fields: readonly Field[] }
  | { readonly kind: "items"; readonly fields: readonly Field[] }
  /** Which fields there are depends on the word of one. */
  | { readonly kind: "variants"; readonly by: string; readonly variants: Readonly<Record<string, readonly Field[]>> };

export function fieldsOf(schema: unknown, place = ""): readonly Field[] {
  if (!isTree(schema) || !isTree(schema["properties"])) return [];
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  return Object.entries(schema["properties"]).flatMap(([key, one]): readonly Field[] => {
    if (!isTree(one)) return [];
    const perBox = one["perBox"] === true;
    const [plain = one] = perBox ? listOf(one["anyOf"]) : [one];
    const here = place === "" ? key : `${place}.${key}`;
    const shape = shapeOf(plain, here);
    if (shape === undefined) return [];
    const usual = plain["default"];
    return [
      {
        key,
        place: here,
        required: required.includes(key),
        perBox,
        description: textOf(one["description"]) || textOf(plain["description"]),
        usual: usual === undefined ? undefined : JSON.stringify(usual).replaceAll('"', ""),
        shape,
      },
    ];
  });
}

/** The fields of the document's part at a place such as "pools.backends". */
export function fieldsAt(schema: unknown, place: string): readonly Field[] {
  let fields = fieldsOf(schema);
  for (const key of place.split(".").filter((part) => part !== "")) {
    const shape = fields.find((field) => field.key === key)?.shape;
    fields = shape?.kind === "fields" || shape?.kind === "items" ? shape.fields : [];
  }
  return fields;
}

function shapeOf(schema: Tree, place: string): Shape | undefined {
  if (typeof schema["by"] === "string") return variantsOf(schema, schema["by"]);
  if (Array.isArray(schema["enum"])) return { kind: "choice", words: schema["enum"].map(String) };
  switch (schema["type"]) {
    case "string":
      return schema["const"] === undefined ? { kind: "text" } : undefined;
    case "integer":
      return {
        kind: "number",
        min: numberOf(schema["minimum"]),
        max: numberOf(schema["maximum"]),
        step: numberOf(schema["multipleOf"]) ?? 1,
      };
    case "boolean":
      return { kind: "switch" };
    case "array":
      return isTree(schema["items"]) && schema["items"]["type"] === "object"
        ? { kind: "items", fields: fieldsOf(schema["items"], place) }
        : { kind: "texts" };
    case "object":
      return { kind: "fields", fields: fieldsOf(schema, place) };
    default:
      return undefined;
  }
}

function variantsOf(schema: Tree, by: string): Shape {
  const variants = listOf(schema["anyOf"]).flatMap((branch): readonly [string, readonly Field[]][] => {
    const properties = branch["properties"];
    const word = isTree(properties) && isTree(properties[by]) ? properties[by]["const"] : undefined;
    return typeof word === "string" ? [[word, fieldsOf(branch, "check")]] : [];
  });
  return { kind: "variants", by, variants: Object.fromEntries(variants) };
}

function listOf(value: unknown): readonly Tree[] {
  return Array.isArray(value) ? value.filter(isTree) : [];
}
function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** The unit that a key's last word names. */
export function unitOf(key: string): string | undefined {
  if (key.endsWith("PerSecond")) return "/s";
  if (key.endsWith("Seconds")) return "s";
  return key.endsWith("Ms") ? "ms" : undefined;
}

/** What was typed, as a value of the document: nothing typed is nothing, and what is no number is left for the box to refuse. */
export function typed(shape: Shape, text: string): unknown {
  if (text === "") return undefined;
  if (shape.kind === "number") return /^-?\d{1,15}$/.test(text.trim()) ? Number(text.trim()) : text;
  return text;
}
