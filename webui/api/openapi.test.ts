import { readFileSync } from "node:fs";
import { Validator } from "@seriousme/openapi-schema-validator";
import { VERBS } from "@futago/firmware/cli/verbs.ts";
import { METHOD_NEEDS } from "@futago/firmware/runtime/core/access/method-needs.ts";
import { describe, expect, it } from "vitest";
import { openApiDocument } from "./openapi.ts";
import { operationId } from "./route.ts";
import { ROUTES } from "./routes.ts";

const document = openApiDocument(ROUTES, "1.2.3");

/** What a program on another machine has no use for. */
const NO_ROUTE: Readonly<Record<string, string>> = {
  run: "starts the box that would answer",
  console: "a menu for the serial console; each of its entries has a route",
  ssh: "who may be root on the system under the box is said at its console",
  "pair no": "POST pair/answer with yes false",
  web: "shows the claim code, which is for whoever stands before the box",
};

const WITH_WORDS = new Set(["show", "pair", "spare", "config", "drill", "user", "token", "session"]);

describe("the OpenAPI document", () => {
  it("is accepted by a validator", async () => {
    const validation = await new Validator().validate(structuredClone(document));
    expect(validation.errors ?? []).toEqual([]);
    expect(validation.valid).toBe(true);
  });

  it("has a name of its own for each operation, and a summary", () => {
    const names = ROUTES.map(operationId);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain("patchUsersByName");
    expect(ROUTES.filter(({ summary }) => !/^[A-Z].*[^.]$/.test(summary))).toEqual([]);
  });

  it("refers only to schemas that are there", () => {
    const text = JSON.stringify(document);
    const names = [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);
    const { schemas } = document["components"] as { schemas: object };
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => !Object.hasOwn(schemas, name ?? ""))).toEqual([]);
  });

  it("says of each route who may, and asks for a credential where not everybody may", () => {
    for (const route of ROUTES) {
      const paths = document["paths"] as Record<
        string,
        Record<string, { security: unknown[]; "x-futago-scope": string }>
      >;
      const operation = paths[route.path]?.[route.method.toLowerCase()];
      expect(operation?.["x-futago-scope"]).toBe(route.scope);
      expect(operation?.security.length).toBe(route.scope === "public" ? 0 : 2);
    }
  });

  it("lets everybody do what signing in takes, and nothing else", () => {
    const open = ROUTES.filter(({ scope }) => scope === "public").map(({ method, path }) => `${method} ${path}`);
    expect(open.toSorted()).toEqual([
      "GET /access",
      "GET /openapi.json",
      "POST /claim",
      "POST /session",
      "POST /session/resume",
    ]);
  });

  it("says of each route what core says of what the route asks", () => {
    const asked = { place: {}, query: {}, body: {} } as never;
    const wrong = ROUTES.flatMap(({ method, path, scope, does }) => {
      if (does.kind !== "core") return [];
      const { need } = METHOD_NEEDS[does.question(asked).method];
      return need === scope ? [] : [`${method} ${path}: ${scope}, core: ${need}`];
    });
    expect(wrong).toEqual([]);
  });

  it("takes no unknown key anywhere in what is asked", () => {
    const open = ROUTES.flatMap(({ path, query, body, place }) =>
      [query, body, place]
        .filter((schema) => schema !== undefined)
        .filter((schema) => (schema as { type?: string }).type === "object")
        .filter((schema) => (schema as { additionalProperties?: unknown }).additionalProperties !== false)
        .map(() => path),
    );
    expect(open).toEqual([]);
  });

  it("has every route that the pages ask", () => {
    const source = readFileSync(new URL("../client/routes.ts", import.meta.url), "utf8");
    const asked = Array.from(source.matchAll(/^  "([A-Z]+) ([\w/:-]+)": \{/gm), ([, method = "", path = ""]) => {
      return `${method} /${path.replaceAll(/:(\w+)/g, "{$1}")}`;
    });
    expect(asked.length).toBeGreaterThan(40);
    const known = new Set(ROUTES.map(({ method, path }) => `${method} ${path}`));
    expect(asked.filter((route) => !known.has(route))).toEqual([]);
  });

  it("does everything that the command line does", () => {
    const words = VERBS.flatMap(({ name, operandWords }) => {
      const hasWords = WITH_WORDS.has(name) && operandWords !== undefined;
      return hasWords ? operandWords.map((word) => `${name} ${word}`) : [name];
    });
    const done = new Set(ROUTES.map(({ verb }) => verb));
    expect(words.filter((verb) => !done.has(verb) && !Object.hasOwn(NO_ROUTE, verb))).toEqual([]);
    const known = new Set([
      ...words,
      "drill",
      "status --watch",
      "show config --candidate",
      "update status",
      "update back",
      "update stop",
    ]);
    expect([...done].filter((verb) => verb !== null && !known.has(verb))).toEqual([]);
  });
});
