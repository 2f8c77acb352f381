import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createHash } from "node:crypto";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { revisionId } from "./revision.ts";
import { append, directory, openStore, revision, text, withDirectoryForEach } from "./store.suite.ts";
import { Store, StoreError, type StoreOpened } from "./store.ts";

withDirectoryForEach();

/** Revisions whose document is packed; reads a copy, because the store holds the file. */
function packed(): number {
  for (const ending of ["", "-wal"])
    copyFileSync(join(directory, `futago.db${ending}`), join(directory, `copy${ending}`));
  const copy = new Database(join(directory, "copy"));
  const row = copy.prepare("SELECT count(*) AS n FROM document WHERE typeof(body) = 'blob'").get();
  copy.close();
  return (row as { n: number }).n;
}

describe("revisions", () => {
  it("are none in a new directory, which is made with its parents", async () => {
    const path = join(directory, "a", "b");
    const store = await openStore(path);
    expect(await store.head()).toBeUndefined();
    expect(await store.history(10)).toEqual([]);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(statSync(join(path, "futago.db")).mode & 0o777).toBe(0o600);
  });

  it("have an id that is the hash of parent and canonical document", async () => {
    const store = await openStore();
    const first = createHash("sha256").update('{"interfaces":[{"device":"eth0","name":"wan"}]}').digest("hex");
    const second = createHash("sha256").update(`${first}{"interfaces":[{"device":"eth1","name":"wan"}]}`).digest("hex");
    expect(await append(store, "eth0")).toBe(first);
    expect(await append(store, "eth1")).toBe(second);
    expect(await store.head()).toEqual({ ...revision(first, "eth1"), id: second });
    expect(await store.get(first)).toEqual({ ...revision(undefined, "eth0"), id: first });
    expect(await store.get("0".repeat(64))).toBeUndefined();
  });

  it("are listed newest first", async () => {
    const store = await openStore();
    const ids = [await append(store, "eth0"), await append(store, "eth1"), await append(store, "eth0")];
    expect(new Set(ids).size).toBe(3);
    expect((await store.history(10)).map((each) => each.id)).toEqual(ids.toReversed());
    const [newest] = await store.history(1);
    expect(newest).toEqual({
      id: ids[2],
      parent: ids[1],
      author: "alice",
      comment: "use eth0",
      time: "2026-01-02T03:04:05.678Z",
      age: 0,
      whole: true,
    });
    expect((await store.history(2, ids[2])).map((each) => [each.id, each.age])).toEqual([
      [ids[1], 1],
      [ids[0], 2],
    ]);
    expect(await store.history(2, ids[0])).toEqual([]);
    expect(await store.history(2, "0".repeat(64))).toEqual([]);
  });

  it("are listed by their descent, whatever a clock said, and siblings where they came", async () => {
    const store = await openStore();
    const first = await append(store, "eth0");
    const early = { ...revision(first, "eth1"), time: "1970-01-01T00:00:00.000Z" };
    const appended = await store.append(early);
    const second = appended.ok ? appended.revision.id : "";
    const sibling = { ...revision(first, "eth2"), id: revisionId(first, text("eth2")) };
    await store.keep(sibling);
    const third = await append(store, "eth3");
    expect((await store.history(10)).map(({ id, age }) => [id, age])).toEqual([
      [third, 0],
      [sibling.id, -1],
      [second, 1],
      [first, 2],
    ]);
  });

  it("are refused when somebody committed in between", async () => {
    const store = await openStore();
    const first = await append(store, "eth0");
    const both = await Promise.all([store.append(revision(first, "eth1")), store.append(revision(first, "eth2"))]);
    const winner = (await store.head())?.id;
    expect(both).toEqual([expect.objectContaining({ ok: true }), { ok: false, reason: "conflict", head: winner }]);
    expect(await store.append(revision(undefined, "eth3"))).toEqual({ ok: false, reason: "conflict", head: winner });
  });

  it("of the peer are kept without coming into force, until they are made the head", async () => {
    const store = await openStore();
    const other = await openStore(join(directory, "peer"));
    const mine = await append(store, "eth0");
    const theirs = await append(other, "eth1");
    const kept = (await other.head())!;
    await store.keep(kept);
    await store.keep(kept);
    expect((await store.head())?.id).toBe(mine);
    expect(await store.get(theirs)).toEqual(kept);
    expect(await store.moveHead(theirs)).toBe(true);
    expect((await store.head())?.id).toBe(theirs);
    expect(await store.moveHead("f".repeat(64))).toBe(false);
    expect(await store.history(10)).toHaveLength(2);
  });

  it("of the peer are refused when their id is not their hash", async () => {
    const store = await openStore();
    const refused = store.keep({ ...revision(undefined, "eth0"), id: "0".repeat(64) });
    await expect(refused).rejects.toThrow(StoreError);
    await expect(refused).rejects.toMatchObject({ code: "damaged" });
    expect(await append(store, "eth0")).toMatch(/^[0-9a-f]{64}$/);
  });

  it("know who confirmed them, and nobody confirms a second time", async () => {
    const store = await openStore();
    const appended = await store.append({ ...revision(undefined, "eth0"), confirmSeconds: 60 });
    const { id } = (await store.head())!;
    expect(appended).toEqual({ ok: true, revision: { ...revision(undefined, "eth0"), id, confirmSeconds: 60 } });
    expect((await store.head())?.confirmedBy).toBeUndefined();
    expect(await store.confirm(id, "bob")).toBe(true);
    expect(await store.confirm(id, "carol")).toBe(true);
    expect(await store.head()).toMatchObject({ confirmSeconds: 60, confirmedBy: "bob" });
    // What the peer still says of it does not make it unconfirmed.
    await store.keep({ ...revision(undefined, "eth0"), id, confirmSeconds: 60 });
    expect((await store.history(1))[0]).toMatchObject({ confirmSeconds: 60, confirmedBy: "bob" });
    expect(await store.confirm("0".repeat(64), "bob")).toBe(false);
  });

  it("that were prepared for nothing belong to whoever commits the same again", async () => {
    const store = await openStore();
    const first = await append(store, "eth0");
    const id = revisionId(first, text("eth1"));
    await store.keep({ ...revision(first, "eth1"), id, author: "bob", confirmSeconds: 60 });
    expect(await append(store, "eth1")).toBe(id);
    const committed = await store.head();
    expect(committed).toMatchObject({ id, author: "alice" });
    expect(committed?.confirmSeconds).toBeUndefined();
  });

  it("are found by how their id begins", async () => {
    const store = await openStore();
    const id = await append(store, "eth0");
    expect(await store.find(id.slice(0, 4))).toEqual([id]);
    expect(await store.find(id)).toEqual([id]);
    expect(await store.find(`${id}0`)).toEqual([]);
    for (const none of [id.slice(0, 3), "", "%%%%", id.slice(0, 6).toUpperCase()])
      expect(await store.find(none)).toEqual([]);
  });

  it("that are old are packed once nobody asks for anything, and can all be brought back", async () => {
    const store = await openStore();
    const ids: string[] = [];
    for (let i = 0; i < 150; i++) ids.push(await append(store, `eth${i}`));
    await expect.poll(packed, { timeout: 20_000 }).toBe(118);
    const history = await store.history(200);
    expect(history.map(({ id, whole }) => [id, whole])).toEqual(ids.toReversed().map((id) => [id, true]));
    for (const [i, id] of ids.entries()) expect((await store.get(id))?.text).toBe(text(`eth${i}`));
    expect(await store.moveHead(ids[3]!)).toBe(true);
    expect(await append(store, "eth200")).toHaveLength(64);
    await store.close();
    const again = await openStore();
    expect((await again.get(ids[3]!))?.text).toBe(text("eth3"));
  });

  it("and settings are there after closing and opening again", async () => {
    const store = await openStore();
    const id = await append(store, "eth0");
    await store.putSetting("maintenance", "on");
    await store.putSetting("gone", "soon");
    await store.putSetting("gone", undefined);
    await store.close();
    expect(existsSync(join(directory, "futago.db-wal"))).toBe(false);
    const again = await openStore();
    expect((await again.head())?.id).toBe(id);
    expect(await again.setting("maintenance")).toBe("on");
    expect(await again.setting("gone")).toBeUndefined();
  });

  it("cannot be asked for once the store is closed", async () => {
    const store = await openStore();
    await store.close();
    await expect(store.head()).rejects.toThrow("closed");
  });

  it("finish before the store closes", async () => {
    const store = await openStore();
    const appended = store.append(revision(undefined, "eth0"));
    await store.close();
    expect(await appended).toMatchObject({ ok: true });
    expect(await (await openStore()).history(5)).toHaveLength(1);
  });
});

describe("a directory that cannot be used", () => {
  const refused = (opened: StoreOpened) => (opened.ok ? undefined : [opened.code, opened.what, opened.mend]);

  it("is one that is a file", async () => {
    const path = join(directory, "file");
    writeFileSync(path, "");
    expect(refused(await Store.open(path))).toEqual([
      "notADirectory",
      `${path} is not a directory`,
      expect.stringContaining("name a directory"),
    ]);
    expect(refused(await Store.open(join(path, "below")))?.[0]).toBe("notADirectory");
    expect(refused(await Store.open("/proc/futago-no-such"))?.[0]).toBe("notADirectory");
  });

  it("is one in use, even by this process, and it stays usable for who has it", async () => {
    const store = await openStore();
    expect(refused(await Store.open(directory))).toEqual([
      "inUse",
      `${join(directory, "futago.db")} is in use by another process`,
      expect.stringContaining("stop the other process"),
    ]);
    expect(await append(store, "eth0")).toHaveLength(64);
  });

  it("is one of a newer version, which is left untouched", async () => {
    await (await openStore()).close();
    const path = join(directory, "futago.db");
    const database = new Database(path);
    database.pragma("user_version = 3");
    database.pragma("journal_mode = DELETE");
    database.close();
    const before = readFileSync(path);
    expect(refused(await Store.open(directory))).toEqual([
      "newerVersion",
      `${path} was written by a newer version (its format is 3, known is 2)`,
      expect.stringContaining("newer version"),
    ]);
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it("is one of another program, which is left untouched", async () => {
    const path = join(directory, "futago.db");
    const database = new Database(path);
    database.exec("CREATE TABLE theirs (x)");
    database.close();
    const before = readFileSync(path);
    expect(refused(await Store.open(directory))?.[0]).toBe("notOurs");
    expect(readFileSync(path).equals(before)).toBe(true);
    writeFileSync(path, "this is no database at all, but a text that is long enough".repeat(100));
    expect(refused(await Store.open(directory))?.[0]).toBe("notOurs");
  });

  it("is one that may not be made: nobody makes a directory in sysfs", async () => {
    expect(refused(await Store.open("/sys/futago-no-such"))?.[0]).toBe("noPermission");
  });
});

it("tells a revision that is not what its id says, and takes it again from whoever has it", async () => {
  const store = await openStore();
  const id = await append(store, "eth0");
  const good = (await store.get(id))!;
  await append(store, "eth1");
  await store.close();
  const database = new Database(join(directory, "futago.db"));
  database.prepare("UPDATE document SET body = replace(body, 'eth0', 'eth9')").run();
  database.close();
  const again = await openStore();
  await expect(again.get(id)).rejects.toMatchObject({ code: "damaged", message: expect.stringContaining(id) });
  await again.keep(good);
  expect(await again.get(id)).toEqual(good);
});

it("can be copied away while closed and opened elsewhere", async () => {
  const store = await openStore();
  const id = await append(store, "eth0");
  await store.close();
  const elsewhere = join(directory, "elsewhere");
  mkdirSync(elsewhere);
  copyFileSync(join(directory, "futago.db"), join(elsewhere, "futago.db"));
  expect((await (await openStore(elsewhere)).head())?.id).toBe(id);
});

it("lets go of the head for good, and keeps what it was", async () => {
  const store = await openStore();
  const id = await append(store, "eth0");
  await store.close();
  const first = await openStore();
  await first.forgetHead();
  await first.close();
  const again = await openStore();
  expect([await again.head(), await again.lineage(5), (await again.get(id))?.id]).toEqual([undefined, [], id]);
  expect(existsSync(join(directory, "configuration.json"))).toBe(false);
  expect((await again.history(5)).map((one) => [one.id, one.age])).toEqual([[id, -1]]);
  expect(await append(again, "eth1")).not.toBe(id);
});
