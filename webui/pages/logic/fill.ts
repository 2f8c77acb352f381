/** Puts values into a sentence; a place for one is written {name}. A part in [brackets] goes where a value of it is missing. */
export function fill(sentence: string, values: Readonly<Record<string, string | number>>): string {
  const said = sentence.replaceAll(/\[([^\]]*)\]/g, (_, part: string) => (isKnown(part, values) ? part : ""));
  return said.replaceAll(/\{(\w+)\}/g, (_, name: string) => (Object.hasOwn(values, name) ? String(values[name]) : "–"));
}

function isKnown(part: string, values: Readonly<Record<string, string | number>>): boolean {
  return [...part.matchAll(/\{(\w+)\}/g)].every(([, name]) => name !== undefined && Object.hasOwn(values, name));
}
