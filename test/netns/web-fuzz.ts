/** Requests that are as an OpenAPI document says, or not at all: by a seed, so that each can be made again. */

type Schema = Readonly<Record<string, unknown>>;

export interface Operation {
  readonly method: string;
  /** "/users/{name}" */
  readonly path: string;
  readonly scope: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly schema: Schema;
  }[];
  readonly body: Schema | undefined;
  /** Where it is not JSON. */
  readonly bodyMedia: string | undefined;
}

interface Described {
  readonly "x-futago-scope": string;
  readonly parameters?: Operation["parameters"];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

export function operationsOf(document: unknown): readonly Operation[] {
  const { paths } = document as { readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => {
      const [media, content] = Object.entries(described.requestBody?.content ?? {})[0] ?? [];
      return {
        method: method.toUpperCase(),
        path,
        scope: described["x-futago-scope"],
        parameters: described.parameters ?? [],
        body: content?.schema,
        bodyMedia: media === "application/json" ? undefined : media,
      };
    }),
  );
}

/** mulberry32: small, and the same everywhere. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  text(): string {
    return encodeURIComponent(this.of(TEXTS)).slice(0, 300);
  }
}

const TEXTS: readonly string[] = [
  "",
  "x",
  "0",
  "-1",
  "1e309",
  "null",
  "__proto__",
  "constructor",
  "<script>alert(1)</script>",
  "' OR 1=1 --",
  "; reboot",
  "$(reboot)",
  "../../etc/passwd",
  "%00%0a%0d",
  "\u0000\u0007\u001b[31m",
  "\u202e\u2028\ufeff",
  "日本語",
  "😀".repeat(50),
  "x".repeat(2_000),
  "127.0.0.1",
  "fe80::1%lo",
  "10.1.0.9",
  "{}",
  "[[[[[[",
];

const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  [],
  {},
  [[[[[]]]]],
  { __proto__x: 1 },
  JSON.parse('{"__proto__":{"admin":true},"constructor":{"prototype":{"x":1}}}'),
];

/** A value as the schema says, or nonsense in its place. */
function someValue(random: Random, schema: Schema, depth = 0): unknown {
  if (random.below(4) === 0 || depth > 6) return random.of(VALUES);
  if (random.below(6) === 0) return random.of(TEXTS);
  const words = schema["enum"] as readonly unknown[] | undefined;
  if (words !== undefined) return random.of(words);
  switch (schema["type"]) {
    case "integer":
      return random.of([1, 2, schema["minimum"] ?? 0, schema["maximum"] ?? 5]);
    case "boolean":
      return random.below(2) === 0;
    case "string":
      return random.of(TEXTS);
    case "array":
      return Array.from({ length: random.below(4) }, () =>
        someValue(random, (schema["items"] ?? {}) as Schema, depth + 1),
      );
    case "object":
      return someObject(random, schema, depth);
    case undefined:
    default:
      return random.of(VALUES);
  }
}

function someObject(random: Random, schema: Schema, depth: number): object {
  const properties = Object.entries((schema["properties"] ?? {}) as Readonly<Record<string, Schema>>);
  const kept = properties.filter(() => random.below(5) > 0);
  const entries = kept.map(([key, one]) => [key, someValue(random, one, depth + 1)] as const);
  return Object.fromEntries(random.below(5) === 0 ? [...entries, [random.of(TEXTS), 1]] : entries);
}

export function someBody(random: Random, { body, bodyMedia }: Operation): unknown {
  if (bodyMedia !== undefined) return Buffer.from(random.of(TEXTS));
  return someValue(random, body ?? {});
}

/** The whole path with its parameters; `given` are those that are to be right. */
export function somePath(random: Random, operation: Operation, given: Readonly<Record<string, string>> = {}): string {
  const valueOf = (name: string, schema: Schema) => {
    const value = given[name] ?? someValue(random, schema);
    return encodeURIComponent(typeof value === "string" ? value : JSON.stringify(value));
  };
  const path = operation.path.replaceAll(
    /\{(\w+)\}/g,
    (_, name: string) => valueOf(name, { type: "string" }).slice(0, 200) || "x",
  );
  const query = operation.parameters
    .filter((parameter) => parameter.in === "query" && (parameter.required || random.below(2) === 0))
    .map(({ name, schema }) => `${name}=${valueOf(name, schema)}`);
  return `/api/v1${path}${query.length === 0 ? "" : `?${query.join("&")}`}`;
}
