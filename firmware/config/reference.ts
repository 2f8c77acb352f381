/** Writes docs/configuration.md from the schema and the table of problems. */
import * as limits from "./limits.ts";
import { problemCodes } from "./problem.ts";
import { wholePair } from "./reference-pair.ts";
import { DocumentSchema } from "./schema.ts";
import type { SchemaView } from "./shape.ts";

/** The whole page as Markdown. */
export function configurationReference(): string {
  const root = DocumentSchema as unknown as SchemaView;
  return `${[introduction, wholePair, ...section("The document", "", root), limitsSection(), problemsSection()].join("\n\n")}\n`;
}

const introduction = `# Configuration reference

This page is made from the schema (\`firmware/config/schema.ts\`); a test keeps the two together.

One JSON document describes a box alone or a pair. Keys that are not listed are refused, and so are keys and words whose
feature is not built yet. Every object may carry a \`note\`. A value marked *per box* is either the same on both boxes or
written \`{"a": …, "b": …}\`; all others are shared. A document without \`pair\` is for a box alone and has plain values only.

Paths go by name: \`pools.web.backends.s1.weight\`, \`failoverGroups.edge.virtualRouters.front.priority\`,
\`interfaces.wan.addresses.a\`. A virtual router without a name goes by its interface and VRID (\`lan:11\`), a route by where it
leads (\`routes.default.via\`, \`routes."10.9.0.0/16".via\`), anything else in a list by its position, counted from 0.`;

/** A heading, a table of keys, then the sections of what lies inside. */
function section(title: string, path: string, schema: SchemaView): string[] {
  const inside: string[] = [];
  const rows = Object.entries(schema.properties ?? {})
    .filter(([key]) => key !== "note")
    .map(([key, property]) => {
      const here = path === "" ? key : `${path}.${key}`;
      inside.push(...nested(here, property));
      return row(key, property, schema.required?.includes(key) === true);
    });
  const notBuilt = schema.notBuilt === undefined ? [] : [`Not built yet: ${codeList(schema.notBuilt)}.`];
  const table = ["| key | value | left out | meaning |", "|---|---|---|---|", ...rows].join("\n");
  return [
    `## ${title}`,
    ...(schema.description === undefined ? [] : [schema.description]),
    table,
    ...notBuilt,
    ...inside,
  ];
}

function nested(path: string, schema: SchemaView): string[] {
  const item = schema.items ?? schema;
  const title = schema.items === undefined ? `\`${path}\`` : `\`${path}[]\``;
  if (item.by !== undefined) return checkSections(title, item);
  return item.type === "object" ? section(title, title.replaceAll("`", ""), item) : [];
}

/** Checks look the same wherever they stand, so only the first place shows them. */
function checkSections(title: string, schema: SchemaView): string[] {
  if (!title.startsWith("`pools")) return [];
  const kinds = (schema.anyOf ?? []).flatMap((branch) =>
    section(`A check of type \`${branch.properties?.["type"]?.const ?? ""}\``, title, branch),
  );
  return [`## ${title}`, "A check is one of the following; `track` of a failover group takes the same ones.", ...kinds];
}

function row(key: string, schema: SchemaView, required: boolean): string {
  const plain = schema.perBox === true ? (schema.anyOf?.[0] ?? schema) : schema;
  const perBox = schema.perBox === true ? "; *per box*" : "";
  const description = schema.description ?? plain.description ?? "";
  const notBuilt =
    plain.notBuilt !== undefined && plain.type === "string" ? ` Not built yet: ${codeList(plain.notBuilt)}.` : "";
  return `| \`${key}\` | ${valueText(plain)}${perBox} | ${required ? "*needed*" : absentText(schema)} | ${description.replaceAll("|", "\\|")}${notBuilt} |`;
}

function valueText(schema: SchemaView): string {
  if (schema.by !== undefined) return "a check";
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum !== undefined) return codeList(schema.enum);
  switch (schema.type) {
    case "object":
      return "object";
    case "array":
      return `list of ${plural(schema.items)}, at most ${schema.maxItems ?? 0}`;
    case "integer":
      return `${schema.minimum ?? 0} to ${schema.maximum ?? 0}`;
    case "boolean":
      return "`true`, `false`";
    case "string":
    case undefined:
      break;
  }
  return "text";
}

function plural(schema: SchemaView | undefined): string {
  return schema?.type === "object" ? "objects" : "texts";
}

function absentText(schema: SchemaView): string {
  return schema.default === undefined ? "–" : `\`${JSON.stringify(schema.default)}\``;
}

function codeList(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(", ");
}

function limitsSection(): string {
  return `## Limits

A document has at most ${limits.documentBytesMax / 1024 / 1024} MiB of UTF-8 text and ${limits.depthMax} objects and lists inside each other; at most
${limits.interfacesMax} interfaces, ${limits.routesMax} routes, ${limits.groupsMax} failover groups with ${limits.vipsMax} virtual addresses together, ${limits.poolsMax} pools of ${limits.backendsPerPoolMax} backends, and
${limits.servicesMax} addresses of services; at most ${limits.accessEntriesPerServiceMax} entries in an \`allow\` or \`deny\`, ${limits.accessEntriesMax} of all services together, counted once for
each address of their service.`;
}

function problemsSection(): string {
  const rows = Object.entries(problemCodes).map(([code, sentence]) => `| \`${code}\` | ${sentence} |`);
  return `## What may be wrong

A document is refused as a whole, with every problem at once: where it is, what is wrong, how to mend it, and a code for
scripts. Problems that may only follow from another one wait until that one is mended.

| code | meaning |
|---|---|
${rows.join("\n")}`;
}
