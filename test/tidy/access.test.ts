/** Who may what: the table that owners read is the one that core goes by. */
import { expect, test } from "vitest";
import { SCOPES_OF, WEB_ROLES } from "@futago/firmware/access/scopes.ts";
import { METHOD_NEEDS } from "@futago/firmware/runtime/core/access/method-needs.ts";
import { markdown } from "./source.ts";

const page = markdown.find(({ path }) => path === "docs/web-access.md")?.text ?? "";
const rows = [...page.matchAll(/^\| `(\w+)` \|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|$/gm)].map(
  ([, scope = "", viewer = "", operator = "", admin = "", methods = ""]) => ({
    scope,
    roles: [viewer, operator, admin].map((cell) => cell.trim() === "yes"),
    methods: Array.from(methods.matchAll(/`(\w+)`/g), ([, method = ""]) => method),
  }),
);

test("the page names each method once, under what it needs", () => {
  const written = rows.flatMap(({ scope, methods }) => methods.map((method) => `${method} ${scope}`));
  const needed = Object.entries(METHOD_NEEDS).map(([method, { need }]) => `${method} ${need}`);
  expect(written.toSorted()).toEqual(needed.toSorted());
});

test("the page gives each role its scopes", () => {
  for (const { scope, roles } of rows.slice(0, 5)) {
    expect([scope, roles]).toEqual([scope, WEB_ROLES.map((role) => SCOPES_OF[role].some((one) => one === scope))]);
  }
});

test("the page says what the web process asks for itself", () => {
  const ofWeb = Object.entries(METHOD_NEEDS).filter(
    ([, { need, ofWeb: isOfWeb }]) => need !== "web" && isOfWeb === true,
  );
  const [, sentence = ""] = /The web process asks ([^.]*) for itself/s.exec(page) ?? [];
  expect(Array.from(sentence.matchAll(/`(\w+)`/g), ([, method]) => method)).toEqual(
    ofWeb.map(([method]) => method).toSorted(),
  );
});
