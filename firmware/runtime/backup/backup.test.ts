import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { makeOwnCertificate } from "../core/access/own-certificate.ts";
import { makeIdentity } from "../core/pairing/identity.ts";
import { revisionId } from "../store/revision.ts";
import { type Backup, backupFacts, backupFrom, backupText, readBackup } from "./backup.ts";

const document = '{"interfaces":[{"addresses":["10.0.0.1/24"],"device":"eth0","name":"lan"}]}';
const first = revisionId(undefined, "{}");
const time = "2026-11-29T15:00:00.000Z";
const by = { author: "alice", comment: "by hand", time };

const gone = { kind: "gone", of: "session", key: "ab".repeat(32), version: 1, at: time };
const certificate = async () => {
  const own = await makeOwnCertificate({ hosts: ["edge"], addresses: [] }, 0);
  return { kind: "certificate", version: 1, ...own, selfSigned: true };
};

let backup: Backup;

beforeAll(async () => {
  const peer = await makeIdentity();
  backup = {
    release: "0.1.0",
    made: time,
    letter: "b",
    devices: ["lo", "eth0"],
    pairing: {
      version: 1,
      letter: "b",
      role: "joiner",
      pairKey: "0f".repeat(32),
      seed: "5e".repeat(16),
      ...(await makeIdentity()),
      peerCertificate: peer.certificate,
      met: { device: "eth2", address: "fe80::1" },
      since: time,
      rotation: null,
    },
    settings: {
      maintenance: "on",
      drains: '[{"pool":"web","backend":"s1","on":true,"version":3}]',
      activation: '{"epoch":3,"active":"b"}',
      access: JSON.stringify([{ ...gone, of: "token", key: "0123456789abcdef" }, await certificate()]),
    },
    head: { id: revisionId(first, document), parent: first, ...by, text: document },
    lineage: [{ id: first, parent: undefined, ...by }],
  };
});

/** The facts with other fields. */
const facts = (changes: Readonly<Record<string, unknown>>) => ({ ...backupFacts(backup), ...changes });

describe("a backup file's text", () => {
  it("comes back as it was written", () => {
    expect(readBackup(backupText(backupFacts(backup), document))).toEqual({ ok: true, backup });
  });

  it("comes back of a box alone", () => {
    const alone: Backup = { ...backup, letter: undefined, pairing: undefined, settings: {} };
    expect(readBackup(backupText(backupFacts(alone), document))).toEqual({ ok: true, backup: alone });
  });

  it("does not say that the revision waits for a confirmation", () => {
    const waiting: Backup = { ...backup, head: { ...backup.head, confirmSeconds: 60 } };
    expect(readBackup(backupText(backupFacts(waiting), document))).toEqual({ ok: true, backup });
  });

  it.each([
    ["another format", { format: "tar" }, "notABackup", ""],
    ["a newer version", { version: 2 }, "newerVersion", "version"],
    ["a release that is a path", { release: "../../etc" }, "badField", "release"],
    ["a time that is none", { made: "yesterday, late" }, "badField", "made"],
    ["a third letter", { letter: "c" }, "badField", "letter"],
    ["a letter that its pairing has not", { letter: "a" }, "badField", "letter"],
    ["a device that is a path", { devices: ["../eth0"] }, "badField", "devices"],
    ["a pairing that is none", { pairing: { letter: "b" } }, "badField", "pairing"],
    ["a setting that nobody knows", { settings: { ringSeed: "00" } }, "badField", "settings"],
    ["a setting by an inherited name", { settings: { constructor: "x" } }, "badField", "settings"],
    ["drains that would stop core", { settings: { drains: "[7]" } }, "badField", "settings"],
    ["a box that cannot serve", { settings: { activation: '{"epoch":3,"active":"c"}' } }, "badField", "settings"],
    ["users that are none", { settings: { access: '[{"kind":"user","name":"root"}]' } }, "badField", "settings"],
    ["users that are no JSON", { settings: { access: "[" } }, "badField", "settings"],
    ["somebody's session", { settings: { access: JSON.stringify([gone]) } }, "badField", "settings"],
    ["drains that are no JSON", { settings: { drains: "[" } }, "badField", "settings"],
    ["a field too many", { shell: "rm" }, "badField", "shell"],
    ["a field too many by an inherited name", { toString: "rm" }, "badField", "toString"],
    [
      "a lineage that does not follow",
      { lineage: [{ id: "0".repeat(64), parent: null, ...by }] },
      "badField",
      "lineage",
    ],
    ["a revision with an author of megabytes", { revision: { author: "x".repeat(3_000) } }, "badField", "revision"],
  ])("with %s is refused", (_, changes, reason, field) => {
    expect(backupFrom(facts(changes), document)).toEqual({ ok: false, reason, field });
  });

  it("with a lineage in a circle is refused", () => {
    const circle = [{ ...by, id: first, parent: backup.head.id }];
    expect(backupFrom(facts({ lineage: [...circle, { ...by, id: backup.head.id, parent: first }] }), document)).toEqual(
      {
        ok: false,
        reason: "badField",
        field: "lineage",
      },
    );
  });

  it("with another document than that of its revision is refused", () => {
    const other = document.replace("10.0.0.1", "10.0.0.2");
    expect(backupFrom(backupFacts(backup), other)).toEqual({ ok: false, reason: "badDocument", field: "revision" });
  });

  it.each([
    ["nothing", ""],
    ["one line", "{}"],
    ["no JSON", "futago\n{}\n"],
    ["a key twice", `{"format":"futago-backup","format":"futago-backup"}\n{}\n`],
    ["nesting without end", `${"[".repeat(100_000)}\n{}\n`],
    ["facts of megabytes", `{"format":"futago-backup","note":"${"x".repeat(5 << 20)}"}\n{}\n`],
  ])("that is %s is none", (_, text) => {
    expect(readBackup(text)).toEqual({ ok: false, reason: "notABackup", field: "" });
  });

  it("never throws, whatever is in the place of a field", () => {
    const names = Object.keys(backupFacts(backup));
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.jsonValue(), (name, value) => {
        const reading = backupFrom(facts({ [name]: value }), document);
        return reading.ok || reading.reason !== "badDocument";
      }),
    );
  });
});
