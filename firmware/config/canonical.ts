/** The one text that stands for a document: two boxes that hold the same configuration hold the same bytes. */

/** JSON with keys sorted by UTF-16 unit, without white space. The value must be made of JSON's kinds. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  let text = "";
  // sort() without a function compares by UTF-16 unit.
  for (const key of Object.keys(value).sort()) {
    const item: unknown = Reflect.get(value, key);
    if (item !== undefined) text += `${text === "" ? "" : ","}${JSON.stringify(key)}:${canonicalJson(item)}`;
  }
  return `{${text}}`;
}
