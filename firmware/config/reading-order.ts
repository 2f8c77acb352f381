/** A document as people read it: what a thing is called comes before what it is, as in the reference. */
import { DocumentSchema } from "./schema.ts";
import { own, type SchemaView } from "./shape.ts";

/** The same value with the keys of every object in the order of the schema; keys that it does not have come last. */
export function inReadingOrder(document: unknown): unknown {
  return ordered(DocumentSchema as unknown as SchemaView, document);
}

function ordered(schema: SchemaView | undefined, value: unknown): unknown {
  if (schema === undefined || typeof value !== "object" || value === null) return value;
  if (schema.anyOf !== undefined) return ordered(chosen(schema, schema.anyOf, value), value);
  if (Array.isArray(value)) return value.map((item) => ordered(schema.items, item));
  const properties = schema.properties ?? {};
  const known = Object.keys(properties).filter((key) => Object.hasOwn(value, key));
  const strange = Object.keys(value).filter((key) => !Object.hasOwn(properties, key));
  return Object.fromEntries([...known, ...strange].map((key) => [key, ordered(properties[key], own(value, key))]));
}

/** Of a check the form of its type; of a per-box value that with a and b, because the plain one has no keys. */
function chosen({ by }: SchemaView, forms: readonly SchemaView[], value: object): SchemaView | undefined {
  if (by === undefined) return forms.find(({ type }) => type === "object");
  const word = own(value, by);
  return forms.find((form) => form.properties?.[by]?.const === word);
}
