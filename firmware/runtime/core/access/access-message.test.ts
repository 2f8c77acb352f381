import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { AccessRecord } from "../../../access/records.ts";
import { decodeLongMessage } from "../peer-link/long-message.ts";
import type { AccessMessage } from "./access-message.ts";
import { makeOwnCertificate } from "./own-certificate.ts";
import { RECORDS_TOLD_MAX } from "./record-shapes.ts";

const at = "2026-01-02T03:04:05.000Z";
const hash = "ab".repeat(32);
const stamp = "0123456789abcdef";
const password = `$argon2id$v=19$m=19456,t=2,p=1$${"A".repeat(22)}$${"A".repeat(43)}`;
const user = {
  kind: "user",
  name: "anna",
  version: 3,
  role: "admin",
  hash: password,
  stamp,
  createdAt: at,
  passwordChangedAt: at,
} as const;
const token = {
  kind: "token",
  id: stamp,
  version: 1,
  name: "ci",
  scopes: ["read", "operate"],
  hash,
  createdBy: "anna",
  createdAt: at,
  expiresAt: null,
} as const;
const session = {
  kind: "session",
  id: hash,
  version: 2,
  user: "anna",
  stamp,
  proof: hash,
  from: "fe80::1%eth0",
  startedAt: at,
  lastSeenAt: at,
  tickets: [hash],
} as const;
const seen = { kind: "seen", name: "anna", version: 1, at, sources: ["10.0.0.1", "2001:db8:1:2::/64"] } as const;
const gone = { kind: "gone", of: "session", key: hash, version: 2, at } as const;
const entry = { at, box: "a", who: "anna", from: "10.0.0.1", what: "commit", about: "", outcome: "done" } as const;

const records = (...all: readonly unknown[]) => ({ kind: "accessRecords", whole: true, records: all });
let certificate: AccessRecord;
let other: AccessRecord;

beforeAll(async () => {
  const make = async () => {
    const names = { hosts: ["edge"], addresses: ["10.0.0.1"] };
    return { kind: "certificate", version: 1, ...(await makeOwnCertificate(names, 0)), selfSigned: true } as const;
  };
  certificate = await make();
  other = await make();
});

const good: readonly AccessMessage[] = [
  { kind: "accessRecords", whole: false, records: [user, token, session, seen, gone] },
  { kind: "accessFailed", source: "2001:db8:1:2::/64", account: "anna", familiar: false },
  { kind: "auditAsk", request: 1, limit: 10_000, before: at },
  { kind: "auditAsk", request: 1, limit: 1, before: null },
  { kind: "auditAnswer", request: 1, entries: [entry] },
];

describe("what the two cores say of who may use the web UI and the API", () => {
  it.each(good)("is read as it was written: $kind", (message) => {
    expect(decodeLongMessage(JSON.stringify(message))).toEqual({ ok: true, value: message });
  });

  it("is a certificate that browsers can be shown, with its key, and one of it", () => {
    expect(decodeLongMessage(JSON.stringify(records(certificate))).ok).toBe(true);
    const { key } = other as { readonly key?: string };
    for (const bad of [
      records(certificate, other),
      records({ ...certificate, certificate: "none" }),
      records({ ...certificate, key }),
      records({ ...certificate, key: "x".repeat(70_000) }),
    ]) {
      expect(decodeLongMessage(JSON.stringify(bad))).toEqual({ ok: false, reason: "badField" });
    }
  });

  it.each<[string, object, string]>([
    ["a field of no message", { ...good[1], x: 1 }, "unknownField"],
    ["no flag", { ...records(), whole: 1 }, "badField"],
    ["no list", { ...records(), records: {} }, "badField"],
    ["too many", records(...Array.from({ length: RECORDS_TOLD_MAX + 1 }, () => gone)), "badField"],
    ["a record of no kind", records({ ...user, kind: "root" }), "badField"],
    ["no record", records(null), "badField"],
    ["a field of no record", records({ ...user, x: 1 }), "badField"],
    ["a name that is none", records({ ...user, name: "a b" }), "badField"],
    ["a role that there is not", records({ ...user, role: "root" }), "badField"],
    ["a version below all", records({ ...user, version: 0 }), "badField"],
    ["a version above all", records({ ...user, version: 2 ** 52 + 1 }), "badField"],
    ["a hash that takes hours", records({ ...user, hash: password.replace("t=2", "t=99") }), "badField"],
    ["a hash that takes all memory", records({ ...user, hash: password.replace("m=19456", "m=999999") }), "badField"],
    ["a hash of another sort", records({ ...user, hash: "$2y$10$abcdefghijklmnopqrstuv" }), "badField"],
    ["a time that is none", records({ ...user, createdAt: "yesterday" }), "badField"],
    ["a scope that there is not", records({ ...token, scopes: ["root"] }), "badField"],
    ["a token's hash", records({ ...token, hash: "ab" }), "badField"],
    ["too many tickets", records({ ...session, tickets: Array.from({ length: 9 }, () => hash) }), "badField"],
    ["a source that is none", records({ ...seen, sources: ["everywhere"] }), "badField"],
    ["a source not as it is kept", records({ ...seen, sources: ["2001:db8::1"] }), "badField"],
    ["the end of what does not end", records({ ...gone, of: "certificate" }), "badField"],
    ["a source of failures that is none", { ...good[1], source: "x" }, "badField"],
    ["a long account", { ...good[1], account: "a".repeat(33) }, "badField"],
    ["a limit above all", { ...good[2], limit: 10_001 }, "badField"],
    ["an outcome that there is not", { ...good[4], entries: [{ ...entry, outcome: "perhaps" }] }, "badField"],
    ["a long sentence", { ...good[4], entries: [{ ...entry, about: "a".repeat(601) }] }, "badField"],
  ])("refuses %s", (_, message, reason) => {
    expect(decodeLongMessage(JSON.stringify(message))).toEqual({ ok: false, reason });
  });

  it("never throws, whatever the text, and takes nothing that a record cannot be", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), mutated()), (text) => {
        expect(typeof decodeLongMessage(text).ok).toBe("boolean");
      }),
      { numRuns: 2_000 },
    );
  });
});

/** Good messages with one value anywhere in them replaced by another. */
function mutated(): fc.Arbitrary<string> {
  const keys = [...new Set([user, token, session, seen, gone, entry].flatMap((one) => Object.keys(one)))];
  const more = ["whole", "records", "source", "account", "request", "limit", "entries"];
  return fc
    .tuple(fc.constantFrom(...good), fc.constantFrom(...keys, ...more), fc.jsonValue())
    .map(([message, key, value]) => {
      let replaced = false;
      return JSON.stringify(message, (name, old: unknown) => {
        if (name !== key || replaced) return old;
        replaced = true;
        return value;
      });
    });
}
