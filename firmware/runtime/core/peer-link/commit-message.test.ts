import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CommitMessage, Revision } from "../../../pair/commit/types.ts";
import { LINEAGE_MAX, WANTED_MAX } from "./commit-message.ts";
import { decodeLongMessage } from "./long-message.ts";

const id = "ab".repeat(32);
const other = "cd".repeat(32);
const revision: Revision = {
  id,
  parent: other,
  author: "alice",
  comment: "more weight",
  time: "2026-01-05T03:04:05.678Z",
  confirmSeconds: 60,
  confirmedBy: "alice",
  text: '{"interfaces":[]}',
};
const { text: _text, ...summary } = revision;
const refusal = {
  exitCode: 3,
  what: "no eth9",
  where: "interfaces.sync",
  mend: "plug it in",
  reason: "missingDevice",
  parameters: { value: "eth9", most: 3 },
  also: [{ what: "x" }],
};
const wish = {
  kind: "commit",
  source: { kind: "given", document: "{}" },
  base: id,
  author: "alice",
  comment: "",
  confirmSeconds: undefined,
} as const;

const MESSAGES: readonly CommitMessage[] = [
  {
    kind: "standing",
    standing: {
      head: id,
      parent: other,
      active: true,
      automatic: false,
      confirmed: { id: other, by: "bob" },
      cannot: undefined,
    },
  },
  { kind: "kin", mine: id, yours: other, kinship: "ancestor" },
  { kind: "fetch", id, have: undefined },
  { kind: "revision", revision, parent: { ...revision, parent: undefined }, lineage: [summary] },
  { kind: "keep", revision },
  { kind: "want", ids: [id, other] },
  { kind: "consider", document: "{}" },
  { kind: "prepare", revision },
  { kind: "prepared", id },
  { kind: "store", id },
  { kind: "stored", id },
  { kind: "notStored", id, cause: "refused", refusal },
  { kind: "forget", id },
  { kind: "apply", id },
  { kind: "applied", id, trouble: "no such device" },
  { kind: "withdraw", id },
  { kind: "confirm", id, by: "alice" },
  { kind: "confirmed", id },
  { kind: "forward", request: 3, wish },
  { kind: "forward", request: 3, wish: { ...wish, source: { kind: "revision", id } } },
  { kind: "forward", request: 3, wish: { kind: "confirm", revision: undefined, author: "alice", force: false } },
  {
    kind: "answer",
    request: 3,
    outcome: { kind: "done", revision: id, changed: true, peer: "inForce", warnings: ["w"], confirmSeconds: undefined },
  },
  { kind: "answer", request: 3, outcome: { kind: "refused", refusal } },
];
/** As it arrives: what is undefined is left out. */
const sent = (message: unknown) => JSON.parse(JSON.stringify(message)) as Record<string, unknown>;
const decoded = (message: unknown) => decodeLongMessage(JSON.stringify(message));

describe("a message of the commit protocol", () => {
  it.each(MESSAGES.map((message) => [message.kind, message] as const))(
    "is read back as it was written: %s",
    (_, message) => {
      expect(decoded(message)).toEqual({ ok: true, value: sent(message) });
    },
  );

  it.each([
    ["", "notAnObject"],
    ["{", "notAnObject"],
    ["[]", "notAnObject"],
    ["null", "notAnObject"],
    ["{}", "unknownKind"],
    ['{"kind":"toString"}', "unknownKind"],
    ['{"kind":["store"]}', "unknownKind"],
    [`{"kind":"store","id":"${id}","x":1}`, "unknownField"],
    ['{"kind":"store"}', "badField"],
    [`{"kind":"store","id":"${id.toUpperCase()}"}`, "badField"],
    ['{"kind":"store","id":{"length":64}}', "badField"],
  ])("that is none is refused: %s", (text, reason) => {
    expect(decodeLongMessage(text)).toEqual({ ok: false, reason });
  });

  it.each<[string, object]>([
    ["a revision with a field of its own", { kind: "prepare", revision: { ...revision, x: 1 } }],
    ["a revision without a document", { kind: "prepare", revision: summary }],
    ["a summary with a document", { kind: "revision", revision, lineage: [revision] }],
    ["an author as long as a book", { kind: "prepare", revision: { ...revision, author: "a".repeat(65) } }],
    ["a time that is none", { kind: "prepare", revision: { ...revision, time: "yesterday" } }],
    ["a confirmation after never", { kind: "prepare", revision: { ...revision, confirmSeconds: Infinity } }],
    ["a confirmation after no time", { kind: "prepare", revision: { ...revision, confirmSeconds: 0 } }],
    ["a document that is a value", { kind: "prepare", revision: { ...revision, text: {} } }],
    [
      "a lineage without end",
      { kind: "revision", revision, lineage: Array.from({ length: LINEAGE_MAX + 1 }, () => summary) },
    ],
    ["wants without end", { kind: "want", ids: Array.from({ length: WANTED_MAX + 1 }, () => id) }],
    ["an exit code of success", { kind: "notStored", id, cause: "refused", refusal: { ...refusal, exitCode: 0 } }],
    ["a cause of its own", { kind: "notStored", id, cause: "mood", refusal }],
    ["a wish of another kind", { kind: "forward", request: 1, wish: { ...wish, kind: "reboot" } }],
    [
      "a document given as a value",
      { kind: "forward", request: 1, wish: { ...wish, source: { kind: "given", document: {} } } },
    ],
    ["a request that is no number", { kind: "forward", request: "1", wish }],
    ["a standing without a role", { kind: "standing", standing: { automatic: false } }],
    ["an outcome of neither kind", { kind: "answer", request: 1, outcome: { kind: "maybe" } }],
  ])("with %s is refused", (_, message) => {
    expect(decoded(message)).toEqual({ ok: false, reason: "badField" });
  });

  it("never throws, whatever the text", () => {
    const mutated = fc.tuple(fc.constantFrom(...MESSAGES), fc.nat(40), fc.jsonValue()).map(([message, at, value]) => {
      let seen = 0;
      return JSON.stringify(message, (_key, old: unknown) => (seen++ === at ? value : old));
    });
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), mutated), (text) => {
        expect(typeof decodeLongMessage(text ?? "").ok).toBe("boolean");
      }),
      { numRuns: 5_000 },
    );
  });
});
