/** Types of TypeScript from an OpenAPI document, in the shape that openapi-fetch takes: what a generator of clients does. */

type Json = Readonly<Record<string, unknown>>;

interface Described {
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly schema: Json;
  }[];
  readonly requestBody?: {
    readonly required?: boolean;
    readonly content: Readonly<Record<string, { readonly schema: Json }>>;
  };
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, { readonly schema: Json }>> }>
  >;
}

export function typesOf(document: unknown): string {
  const { paths, components } = document as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
    readonly components: { readonly schemas: Readonly<Record<string, Json>> };
  };
  const schemas = Object.entries(components.schemas).map(([name, schema]) => `  ${name}: ${typeOf(schema)};`);
  const lines = Object.entries(paths).map(([path, methods]) => {
    const operations = Object.entries(methods).map(([method, one]) => `    ${method}: ${operationOf(one)};`);
    return `  ${JSON.stringify(path)}: {\n${operations.join("\n")}\n  };`;
  });
  return `export interface schemas {\n${schemas.join("\n")}\n}\nexport interface paths {\n${lines.join("\n")}\n}\n`;
}

function operationOf({ parameters = [], requestBody, responses }: Described): string {
  const of = (where: string) => {
    const fields = parameters
      .filter((one) => one.in === where)
      .map(({ name, required, schema }) => `${JSON.stringify(name)}${required ? "" : "?"}: ${typeOf(schema)}`);
    const isNeeded = parameters.some((one) => one.in === where && one.required);
    return fields.length === 0 ? `${where}?: never` : `${where}${isNeeded ? "" : "?"}: { ${fields.join("; ")} }`;
  };
  const body =
    requestBody === undefined
      ? "requestBody?: never"
      : `requestBody${requestBody.required === true ? "" : "?"}: ${contentOf(requestBody.content)}`;
  const answers = Object.entries(responses).map(
    ([status, { content }]) => `${status}: { headers: Record<string, unknown>; content: ${inner(content)} }`,
  );
  return `{ parameters: { ${["path", "query", "header"].map(of).join("; ")}; cookie?: never }; ${body}; responses: { ${answers.join("; ")} } }`;
}

function contentOf(content: Readonly<Record<string, { readonly schema: Json }>>): string {
  return `{ content: ${inner(content)} }`;
}

function inner(content: Readonly<Record<string, { readonly schema: Json }>>): string {
  const kinds = Object.entries(content).map(([media, { schema }]) => `${JSON.stringify(media)}: ${typeOf(schema)}`);
  return `{ ${kinds.join("; ")} }`;
}

function typeOf(schema: Json): string {
  const reference = schema["$ref"];
  if (typeof reference === "string") return `schemas[${JSON.stringify(reference.split("/").at(-1))}]`;
  const either = (schema["anyOf"] ?? schema["enum"]) as readonly unknown[] | undefined;
  if (schema["anyOf"] !== undefined) return (either ?? []).map((one) => `(${typeOf(one as Json)})`).join(" | ");
  if (schema["enum"] !== undefined) return (either ?? []).map((one) => JSON.stringify(one)).join(" | ");
  switch (schema["type"]) {
    case "string":
    case "boolean":
    case "null":
      return schema["type"];
    case "integer":
    case "number":
      return "number";
    case "array":
      return `(${typeOf((schema["items"] ?? {}) as Json)})[]`;
    case "object":
      return objectOf(schema);
    case undefined:
    default:
      return "unknown";
  }
}

function objectOf({ properties, required = [], patternProperties }: Json): string {
  if (properties === undefined) {
    const [value] = Object.values((patternProperties ?? {}) as Readonly<Record<string, Json>>);
    return `Record<string, ${value === undefined ? "unknown" : typeOf(value)}>`;
  }
  const fields = Object.entries(properties as Readonly<Record<string, Json>>).map(([name, schema]) => {
    const mark = (required as readonly string[]).includes(name) ? "" : "?";
    return `${JSON.stringify(name)}${mark}: ${typeOf(schema)}`;
  });
  return `{ ${fields.join("; ")} }`;
}
