/**
 * Places in a configuration document. A list of named things is walked by name, so a path keeps its meaning when
 * the order changes: "pools.web.backends.s1.weight", "routes.\"10.9.0.0/16\".via".
 */

/** Keys of objects and keys of list items, outermost first. */
export type Path = readonly string[];

const plain = /^[A-Za-z0-9_:-]+$/;

/** The path as people read and write it. */
export function formatPath(path: Path): string {
  return path.map((key) => (plain.test(key) ? key : JSON.stringify(key))).join(".");
}

/** The path that {@link formatPath} wrote; undefined for any other text. */
export function parsePath(text: string): Path | undefined {
  const keys: string[] = [];
  const part = /([A-Za-z0-9_:-]+|"(?:[^"\\]|\\.)*")(\.|$)/y;
  while (part.lastIndex < text.length) {
    const match = part.exec(text);
    if (match?.[1] === undefined || (match[2] === "." && part.lastIndex === text.length)) return undefined;
    const key = match[1].startsWith('"') ? unquote(match[1]) : match[1];
    if (key === undefined) return undefined;
    keys.push(key);
  }
  return keys;
}

function unquote(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "string" ? value : undefined;
  } catch {
    // A quoted key with an escape that JSON does not have is no path.
    return undefined;
  }
}

/**
 * The key of each item of a list, all different: its name, what a route leads to, or the interface and VRID of a
 * virtual router; the position (from 0) where that is missing or taken. Names begin with a letter, so no name is
 * mistaken for a position.
 */
export function itemKeys(list: readonly unknown[]): readonly string[] {
  const counts = new Map<string, number>();
  const wanted = list.map((item) => {
    const key = ownKey(item);
    if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1);
    return key;
  });
  return wanted.map((key, i) => (key !== undefined && counts.get(key) === 1 ? key : String(i)));
}

function ownKey(item: unknown): string | undefined {
  const name = textOf(item, "name");
  if (name !== undefined) return name;
  const to = textOf(item, "to");
  if (to !== undefined) return to;
  const link = textOf(item, "interface");
  const vrid = valueOf(item, "vrid");
  return link !== undefined && typeof vrid === "number" ? `${link}:${vrid}` : link;
}

function textOf(item: unknown, key: string): string | undefined {
  const value = valueOf(item, key);
  // A text that could be a position must not shadow one.
  return typeof value === "string" && value !== "" && !/^[0-9]+$/.test(value) ? value : undefined;
}

function valueOf(item: unknown, key: string): unknown {
  return typeof item === "object" && item !== null && Object.hasOwn(item, key) ? Reflect.get(item, key) : undefined;
}
