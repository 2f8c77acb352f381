/** The one text that stands for a document: two boxes that hold the same configuration hold the same bytes. */

/** JSON with keys sorted by UTF-16 unit, without white space. The value must be made of JSON's kinds. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  let text = "";
  for (const key of sorted(Object.keys(value))) {
    const item: unknown = Reflect.get(value, key);
    if (item !== undefined) text += `${text === "" ? "" : ","}${JSON.stringify(key)}:${canonicalJson(item)}`;
  }
  return `{${text}}`;
}

/** By UTF-16 unit, in place: a large document has a hundred thousand objects of a few keys, for which sort() is slow. */
function sorted(keys: string[]): readonly string[] {
  for (let i = 1; i < keys.length; i++) {
    const key = keys[i] ?? "";
    let at = i;
    for (; at > 0 && (keys[at - 1] ?? "") > key; at--) keys[at] = keys[at - 1] ?? "";
    keys[at] = key;
  }
  return keys;
}
