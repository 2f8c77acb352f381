import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Revision, Wish } from "../../../pair/commit/types.ts";
import { revisionId } from "../../store/revision.ts";
import { Configuration } from "../configuration.ts";
import { Documents } from "./documents.ts";

let directory = "";
let configuration: Configuration;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "futago-documents-"));
  await reopen();
});
afterEach(async () => {
  await configuration.close();
  rmSync(directory, { recursive: true });
});

async function reopen(
  change?: (database: InstanceType<typeof Database>) => void,
  as?: { readonly box: "a" | "b" },
): Promise<void> {
  if (change !== undefined) {
    await configuration.close();
    const database = new Database(join(directory, "futago.db"));
    change(database);
    database.close();
  }
  configuration = await Configuration.open({
    stateDirectory: directory,
    box: as?.box,
    hasPairKey: as !== undefined,
    joined: undefined,
    devices: () => Promise.resolve(["eth0"]),
  });
}

function made(text: string, parent: string | undefined): Revision {
  const facts = { author: "alice", comment: "", time: "2026-01-05T03:04:05.678Z" };
  return { id: revisionId(parent, text), parent, text, ...facts };
}

const textOf = (address: string) =>
  JSON.stringify({ interfaces: [{ addresses: [address], device: "eth0", name: "wan" }] });
const first = made(textOf("10.1.0.2/24"), undefined);
const second = made(textOf("10.1.0.3/24"), first.id);
const back: Extract<Wish, { kind: "commit" }> = {
  kind: "commit",
  source: { kind: "revision", id: first.id },
  base: undefined,
  author: "alice",
  comment: "",
  confirmSeconds: undefined,
};

it("answers with a refusal, and gives the peer nothing, where a document cannot be read any more", async () => {
  await configuration.store.append(first);
  await configuration.store.append(second);
  await reopen((database) => database.prepare("UPDATE document SET body = ? WHERE number = 1").run(Buffer.from("no")));
  const documents = new Documents(configuration, true);
  expect(await documents.judge(back, second.id, false)).toMatchObject({
    kind: "refused",
    refusal: { what: expect.stringContaining("cannot be unpacked") },
  });
  expect(await documents.whole(first.id)).toBeUndefined();
  expect(await documents.passage(second.id, undefined)).toMatchObject({
    revision: { id: second.id },
    parent: undefined,
    lineage: [{ id: first.id }],
  });
});

it("takes the document that runs in place of an unusable head for a change", async () => {
  await configuration.store.append(first);
  const unusable = made('{"of":"a later version"}', first.id);
  await configuration.store.append(unusable);
  await reopen(() => undefined);
  expect(configuration.inForce?.revision.id).toBe(first.id);
  const judged = await new Documents(configuration, true).judge(back, unusable.id, false);
  expect(judged).toMatchObject({ kind: "revision", revision: { parent: unusable.id, text: first.text } });
});

it("goes back to nothing that this version cannot run, and says what that is", async () => {
  const unusable = made('{"of":"a former version"}', undefined);
  await configuration.store.append(unusable);
  const next = made(textOf("10.1.0.3/24"), unusable.id);
  await configuration.store.append(next);
  const landed = await new Documents(configuration, true).undo(next.id, "rolled back");
  expect(landed).toMatchObject({
    ok: false,
    refusal: {
      what: expect.stringMatching(/^this version cannot run the configuration before it: .* of: is no key /),
      mend: expect.stringContaining("futago rollback"),
    },
  });
  expect((await configuration.store.head())?.id).toBe(next.id);
});

it("goes back from what is a pair's to what was of a box alone only where there is one box", async () => {
  await configuration.store.append(first);
  const ofPair = made(JSON.stringify({ interfaces: [], pair: {} }), first.id);
  await configuration.store.append(ofPair);
  const barred = await new Documents(configuration, true).undo(ofPair.id, "rolled back");
  expect(barred).toMatchObject({ ok: false, noWayBack: true, refusal: { what: expect.stringContaining("box alone") } });
  const landed = await new Documents(configuration, false).undo(ofPair.id, "rolled back");
  expect(landed).toMatchObject({ ok: true, head: { parent: ofPair.id } });
  // Between two of a box alone there is nothing that the other one has taken over.
  const undone = made(textOf("10.1.0.9/24"), landed.ok ? landed.head.id : undefined);
  await configuration.store.append(undone);
  expect(await new Documents(configuration, true).undo(undone.id, "rolled back")).toMatchObject({ ok: true });
});

it("takes no configuration of a box alone for two boxes that have none yet", async () => {
  const wish = { ...back, source: { kind: "given", document: second.text } as const };
  const judge = (hasPeer: boolean) => new Documents(configuration, true).judge(wish, undefined, hasPeer);
  expect(await judge(true)).toMatchObject({ refusal: { what: expect.stringContaining("describes a box alone") } });
  expect(await judge(false)).toMatchObject({ kind: "revision" });
  // One that serves already goes on: the other takes nothing from it.
  await configuration.store.append(first);
  await reopen(() => undefined);
  expect(await judge(true)).toMatchObject({ kind: "revision" });
});

it("keeps that what it is told to store was confirmed", async () => {
  await configuration.store.append(first);
  const confirmed = { ...made(textOf("10.1.0.4/24"), first.id), confirmedBy: "bob" };
  const landed = await new Documents(configuration, true).land(confirmed);
  expect(landed).toMatchObject({ ok: true, head: { confirmedBy: "bob" } });
});

it("knows who confirmed what the other box rolled back", async () => {
  const documents = new Documents(configuration, true);
  const relation = (undone: string | undefined) => documents.relation("9".repeat(64), undone);
  await configuration.store.append({ ...first, confirmedBy: "bob" });
  await configuration.store.append(second);
  await configuration.store.append(made(textOf("10.1.0.5/24"), second.id));
  expect(await relation(first.id)).toEqual({ kinship: "unknown", confirmed: { id: first.id, by: "bob" } });
  expect(await relation(second.id)).toEqual({ kinship: "unknown", confirmed: undefined });
  expect(await relation(undefined)).toEqual({ kinship: "unknown", confirmed: undefined });
  // A sibling of the head is none of its lineage, whoever confirmed it.
  const sibling = { ...made(textOf("10.1.0.6/24"), first.id), confirmedBy: "bob" };
  await configuration.store.keep(sibling);
  expect((await relation(sibling.id)).confirmed).toBeUndefined();
  expect((await documents.relation(first.id, undefined)).kinship).toBe("ancestor");
});

it("moves no head when what that would go back to cannot be kept", async () => {
  await configuration.store.append(first);
  const third = made(textOf("10.1.0.4/24"), second.id);
  const torn = { ...second, text: "{}" };
  const landed = await new Documents(configuration, true).adopt({ revision: third, parent: torn, lineage: [second] });
  expect(landed).toMatchObject({ ok: false });
  expect((await configuration.store.head())?.id).toBe(first.id);
});

it("judges one revision of the other box at a time, lets one wait, and refuses more by word", async () => {
  await configuration.store.append(first);
  const documents = new Documents(configuration, true);
  let [judging, most] = [0, 0];
  const judge = configuration.judge.bind(configuration);
  configuration.judge = async (...of) => {
    most = Math.max(most, ++judging);
    try {
      return await judge(...of);
    } finally {
      judging -= 1;
    }
  };
  const revisions = Array.from({ length: 20 }, (_, i) => made(textOf(`10.1.1.${i + 1}/24`), first.id));
  const refusals = await Promise.all(revisions.map((one) => documents.check(one)));
  expect(most).toBe(1);
  expect(refusals.slice(0, 2)).toEqual([undefined, undefined]);
  const told = { exitCode: 6, what: "this box is still judging what the other one sent before" };
  for (const refusal of refusals.slice(2)) expect(refusal).toMatchObject(told);
  // What it is told to store then is judged all the same.
  const [, , third = first] = revisions;
  void documents.check(made(textOf("10.1.2.1/24"), first.id));
  void documents.check(made(textOf("10.1.2.2/24"), first.id));
  expect(await documents.land(third)).toMatchObject({ ok: true, head: { id: third.id } });
});

it("lets the first document of a pair not wait for a confirmation: two boxes cannot be one again", async () => {
  await configuration.store.append(first);
  await reopen(() => undefined, { box: "a" });
  const addresses = { a: ["10.1.0.2/24"], b: ["10.1.0.3/24"] };
  const document = { pair: {}, interfaces: [{ name: "wan", device: "eth0", addresses }] };
  const wish = { ...back, source: { kind: "given", document } as const };
  const documents = new Documents(configuration, true);
  expect(await documents.judge(wish, first.id, false)).toMatchObject({ kind: "revision" });
  expect(await documents.judge({ ...wish, confirmSeconds: 60 }, first.id, false)).toMatchObject({
    refusal: { what: expect.stringContaining("cannot wait for a confirmation") },
  });
});
