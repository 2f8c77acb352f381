import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AuditEntry, Scope } from "../../control-access.ts";
import { RefusalError } from "../../exit-code.ts";
import type { RawRequest } from "../control/control-server.ts";
import { type GateOptions, rootGate, webGate } from "./gate.ts";
import { METHOD_NEEDS, type MethodNeed } from "./method-needs.ts";
import { SCOPES } from "../../../access/scopes.ts";
import { notSignedIn } from "./refusals.ts";

const FROM = "192.0.2.7";
const credential = { kind: "session", session: "s", proof: "p" };
const needs: readonly (readonly [string, MethodNeed])[] = Object.entries(METHOD_NEEDS);

function gates(scopes: readonly Scope[] = [], session: string | undefined = "id") {
  const audit: [AuditEntry, boolean][] = [];
  const options: GateOptions = {
    door: {
      person: ({ kind }) => {
        if (kind === "token") throw notSignedIn();
        return { name: "anna", role: "viewer", scopes, session, expiresAt: null };
      },
    },
    box: "a",
    time: () => "2026-01-02T03:04:05.000Z",
    audit: (entry, knock) => audit.push([entry, knock]),
  };
  return { root: rootGate(options), web: webGate(options), audit };
}

const request = (method: string, more: Partial<RawRequest> = {}): RawRequest => ({
  method,
  params: {},
  credential: undefined,
  from: undefined,
  ...more,
});

/** The refusal's reason, or "through". */
function through(act: () => unknown): string {
  try {
    act();
    return "through";
  } catch (error) {
    if (error instanceof RefusalError) return error.refusal.reason ?? error.refusal.what;
    throw error;
  }
}

describe("on the web process's socket", () => {
  it.each(needs)("%s is for whoever has what it needs, and for nobody else", (method, { need, ofWeb }) => {
    const { web } = gates();
    const signedIn = (scopes: readonly Scope[]) =>
      through(() => gates(scopes).web(request(method, { credential, from: FROM })));
    const isShut = need === "web" || need === "root";
    const byMost = isShut ? "notAllowed" : need === "public" ? "through" : "notSignedIn";
    const mayProcess = need === "web" || need === "public" || ofWeb === true;
    expect(through(() => web(request(method, { from: FROM })))).toBe(byMost);
    expect(through(() => web(request(method))) === "through").toBe(mayProcess);
    for (const scope of SCOPES) {
      const may = !isShut && (need === "public" || need === "session" || scope === need);
      expect([scope, signedIn([scope])]).toEqual([scope, may ? "through" : "notAllowed"]);
    }
    expect(signedIn(SCOPES)).toBe(isShut ? "notAllowed" : "through");
  });

  it("whoever lacks a scope is told which", () => {
    const asked = () => gates(["metrics"]).web(request("status", { credential, from: FROM }));
    expect(asked).toThrow("status needs the scope read, which you do not have");
  });

  it("a token is no session: it cannot change a password, sign out or have a ticket", () => {
    const { web } = gates(["admin"], undefined);
    const byToken = (method: string) => {
      const options = {
        door: { person: () => ({ name: "token ci", role: null, scopes: [], session: undefined, expiresAt: null }) },
      };
      const gate = webGate({ ...options, box: "a", time: () => "", audit: () => undefined });
      return through(() => gate(request(method, { credential, from: FROM })));
    };
    expect(["whoAmI", "ticket", "signOut", "passwordChange"].map(byToken)).toEqual([
      "through",
      "notAllowed",
      "notAllowed",
      "notAllowed",
    ]);
    expect(through(() => web(request("users", { credential: { kind: "token", token: "x" }, from: FROM })))).toBe(
      "notSignedIn",
    );
  });

  it.each<[string, Partial<RawRequest>]>([
    ["somebody from nowhere", { credential }],
    ["somebody from no address", { credential, from: "localhost" }],
    ["somebody from what is no text", { credential, from: 7 }],
    ["somebody from a long text", { credential, from: "1".repeat(100) }],
    ["a credential of no kind", { credential: { kind: "cookie", session: "s", proof: "p" }, from: FROM }],
    ["a session without proof", { credential: { kind: "session", session: "s" }, from: FROM }],
    ["no credential at all", { credential: "s", from: FROM }],
  ])("lets %s not through", (_, more) => {
    expect(through(() => gates(["admin"]).web(request("users", more)))).not.toBe("through");
  });

  it("makes whoever asks the author, whatever the request says", () => {
    const { web } = gates(["configure"]);
    const params = { path: "system", value: "{}", author: "somebody else" };
    const { params: forced } = web(request("set", { params, credential, from: FROM }));
    expect(forced).toEqual({ ...params, author: "anna" });
    expect(web(request("set", { params: null, credential, from: FROM })).params).toEqual({ author: "anna" });
  });

  it("puts down what was done and what was refused, with who and from where, and without secrets", () => {
    const { web, audit } = gates(["admin"]);
    const params = { name: "bob", role: "viewer", password: "a secret of bob" };
    web(request("userAdd", { params, credential, from: FROM })).over("done", undefined);
    web(request("signIn", { params: { name: "eve\n", password: "guess" }, from: FROM })).over(
      "refused",
      "wrongPassword",
    );
    web(request("signIn", { params: { name: "bob", password: "guess" }, from: FROM })).over(
      "refused",
      "tooManyAttempts",
    );
    expect(through(() => web(request("commit", { credential, from: FROM })))).toBe("notAllowed");
    through(() => web(request("commit", { from: FROM })));
    const common = { at: "2026-01-02T03:04:05.000Z", box: "a", from: FROM };
    expect(audit).toEqual([
      [{ ...common, who: "anna", what: "userAdd", about: "bob, viewer", outcome: "done" }, false],
      [{ ...common, who: "", what: "signIn", about: "", outcome: "refused" }, true],
      [{ ...common, who: "anna", what: "commit", about: "", outcome: "refused" }, true],
    ]);
    expect(JSON.stringify(audit)).not.toContain("secret");
  });

  it.each([
    ["resume", "notSignedIn"],
    ["claim", "alreadyClaimed"],
    ["claim", "passwordTooShort"],
    ["signIn", undefined],
  ])("puts nothing down of a stranger's %s that nothing limits: %s", (method, reason) => {
    const { web, audit } = gates();
    web(request(method, { params: { name: "eve" }, from: FROM })).over("refused", reason);
    expect(audit).toEqual([]);
  });
});

it("answers any request with a refusal or a way through, and never lets one without a person in", () => {
  const word = fc.oneof(fc.constantFrom(...needs.map(([method]) => method)), fc.string());
  const anything = fc.oneof(fc.jsonValue(), fc.constant(undefined), fc.constant(credential), fc.constant(FROM));
  const asked = fc.record({ method: word, params: anything, credential: anything, from: anything });
  fc.assert(
    fc.property(asked, ({ method, ...more }) => {
      for (const kind of ["web", "root"] as const)
        through(() => gates(["read"])[kind](request(method, more)).over("done", undefined));
      const without = through(() => gates(SCOPES).web(request(method, { ...more, credential: undefined, from: FROM })));
      const need = needs.find(([name]) => name === method)?.[1].need;
      expect(without === "through").toBe(need === undefined || need === "public");
    }),
    { numRuns: 1_000 },
  );
});

describe("on root's socket", () => {
  it.each(needs)("%s is for root, unless it is for a person or for the web process", (method, { need, ofWeb }) => {
    const refused = need === "session" || (need === "web" && ofWeb === undefined);
    expect(through(() => gates().root(request(method))) === "through").toBe(!refused);
  });

  it("puts down who root says he is", () => {
    const { root, audit } = gates();
    root(request("commit", { params: { author: "ken", comment: "more\u001b[31m weight" } })).over("done", undefined);
    root(request("switchover")).over("refused", undefined);
    expect(audit.map(([{ who, from, about }]) => [who, from, about])).toEqual([
      ["ken", "console", "more [31m weight"],
      ["root", "console", "all groups"],
    ]);
  });
});
