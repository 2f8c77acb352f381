/** Reads a value as somebody wrote it on a command line: JSON, or a bare word by what the schema asks for. */
import { readJson } from "./json-text.ts";
import type { SchemaView } from "./shape.ts";

export type ValueReading =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly what: string; readonly mend: string };

/**
 * Whether the value may stand is for the shape to say: a word where a number belongs comes back as the word. `present`
 * is what is there now, to which a list behind a plus sign is added.
 */
export function readValue(schema: SchemaView, text: string, present: unknown): ValueReading {
  const plain = schema.perBox === true ? schema.anyOf?.[0] : schema;
  const first = text.trimStart()[0];
  if (schema.perBox === true && first === "{") return strict(text);
  switch (plain?.type) {
    case "string":
      // Quotes that are no JSON belong to the text.
      return { ok: true, value: first === '"' ? leniently(text) : text };
    case "integer":
    case "boolean":
      return { ok: true, value: leniently(text) };
    case "array":
      if (first === "[" || first === "{" || first === '"') return strict(text);
      return first === "+" ? added(present, text.trimStart().slice(1)) : { ok: true, value: entries(text) };
    case "object":
    case undefined:
      return strict(text);
  }
  throw new Error("the schema has no type");
}

function added(present: unknown, text: string): ValueReading {
  if (present === undefined) return { ok: true, value: entries(text) };
  if (!Array.isArray(present))
    return { ok: false, what: "is written per box", mend: "say which one: end the path with .a or .b" };
  const list: readonly unknown[] = present;
  return { ok: true, value: [...list, ...entries(text).filter((entry) => !list.includes(entry))] };
}

function entries(text: string): readonly string[] {
  return text.split(",").map((entry) => entry.trim());
}

function strict(text: string): ValueReading {
  const reading = readJson(text);
  if (reading.ok) return reading;
  const { line, column, what } = reading;
  return { ok: false, what: `line ${line}, column ${column}: ${what}`, mend: "write the value as JSON" };
}

function leniently(text: string): unknown {
  const reading = readJson(text);
  return reading.ok ? reading.value : text;
}

/**
 * A list's item with what its key says, see `itemKeys` in path.ts: its name, where a route leads to, or the interface
 * of a virtual router, with the VRID behind a colon. What the item says itself stays.
 */
export function fillKey(schema: SchemaView, key: string, item: object): object {
  const { name, to } = schema.properties ?? {};
  if (/^[0-9]+$/.test(key)) return item;
  if (to !== undefined) return { to: key, ...item };
  if (schema.required?.includes("name") === true) return { name: key, ...item };
  const [, link, vrid] = /^(.+):([0-9]{1,3})$/.exec(key) ?? [];
  if (link !== undefined) return { interface: link, vrid: Number(vrid), ...item };
  const isNamed = name !== undefined && Object.hasOwn(item, "interface") && Reflect.get(item, "interface") !== key;
  return isNamed ? { name: key, ...item } : { interface: key, ...item };
}
