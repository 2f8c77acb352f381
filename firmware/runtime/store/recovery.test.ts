/** What a box goes on with after its disk lost or changed something. Real files. */
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { beforeEach, describe, expect, it } from "vitest";
import { append, closeAll, directory, openStore, openTold, text, withDirectoryForEach } from "./store.suite.ts";

withDirectoryForEach();

const path = (name: string): string => join(directory, name);
const NOTHING_LEFT = "this box has no configuration until its peer or somebody gives it one";

/** Three revisions, the oldest first, and a setting; the store is closed. */
let ids: [string, string, string];
/** As people read them. */
let named: [string, string, string];

beforeEach(async () => {
  const store = await openStore();
  ids = [await append(store, "eth0"), await append(store, "eth1"), await append(store, "eth2")];
  named = [ids[0].slice(0, 12), ids[1].slice(0, 12), ids[2].slice(0, 12)];
  await store.putSetting("maintenance", "on");
  await store.close();
});

function overwrite(file: string, from: number, bytes: number): void {
  const content = readFileSync(file);
  content.fill(0xa5, from, Math.min(content.length, from + bytes));
  writeFileSync(file, content);
}

/** Changes documents so that SQLite sees no harm. */
function changeDocuments(where: string): void {
  const database = new Database(path("futago.db"));
  database.prepare(`UPDATE document SET body = replace(body, 'eth', 'xyz') WHERE ${where}`).run();
  database.close();
}

it("forgets a head for good: no copy is left that a box without one would believe", async () => {
  const store = await openStore();
  expect(existsSync(path("configuration.json"))).toBe(true);
  await store.forgetHead();
  expect(existsSync(path("configuration.json"))).toBe(false);
  await store.close();
  const { store: again, recovered } = await openTold();
  expect(recovered).toBeUndefined();
  expect(await again.head()).toBeUndefined();
});

describe("a damaged database", () => {
  it.each([
    ["in its pages", () => overwrite(path("futago.db"), 4_096, statSync(path("futago.db")).size)],
    ["in its first bytes", () => overwrite(path("futago.db"), 0, 100)],
    ["by its end", () => writeFileSync(path("futago.db"), readFileSync(path("futago.db")).subarray(0, 10_000))],
  ])("%s is moved aside, and the box goes on with the copy", async (_, damage) => {
    damage();
    const harmed = readFileSync(path("futago.db"));
    const { store, recovered } = await openTold();
    expect(recovered).toMatch(
      new RegExp(
        `^${path("futago.db")}(: .*| is damaged: .*); it is futago.db.damaged-1 now; revision ${named[2]} is in force from the copy, older ones are gone$`,
      ),
    );
    expect(await store.head()).toMatchObject({ id: ids[2], parent: ids[1], text: text("eth2"), author: "alice" });
    expect(await store.setting("maintenance")).toBe("on");
    expect(await Promise.all(ids.map((id) => store.kinship(id)))).toEqual(["ancestor", "ancestor", "head"]);
    expect(await append(store, "eth3")).toHaveLength(64);
    await closeAll();
    expect(readFileSync(path("futago.db.damaged-1")).equals(harmed)).toBe(true);
    expect((await openTold()).recovered).toBeUndefined();
  });

  it("whose copy is damaged, too, leaves an empty box, and both files to look at", async () => {
    overwrite(path("futago.db"), 4_096, statSync(path("futago.db")).size);
    overwrite(path("configuration.json"), 200, 1);
    const { store, recovered } = await openTold();
    expect(recovered).toContain("; its copy was damaged too and is configuration.json.damaged-1 now: " + NOTHING_LEFT);
    expect(await store.head()).toBeUndefined();
    expect(await append(store, "eth3")).toHaveLength(64);
    await closeAll();
    expect(readdirSync(directory).filter((name) => name.includes("damaged"))).toEqual([
      "configuration.json.damaged-1",
      "futago.db.damaged-1",
    ]);
  });

  it("without a copy leaves an empty box", async () => {
    overwrite(path("futago.db"), 4_096, statSync(path("futago.db")).size);
    rmSync(path("configuration.json"));
    const { store, recovered } = await openTold();
    expect(recovered).toMatch(
      /it is futago.db.damaged-1 now; there is no copy, and this box has no configuration until/,
    );
    expect(await store.head()).toBeUndefined();
  });

  it("leaves three such files at most", async () => {
    for (let i = 1; i <= 5; i++) {
      overwrite(path("futago.db"), 0, 100);
      expect((await openTold()).recovered).toContain(`futago.db.damaged-${i} now`);
      await closeAll();
    }
    const kept = readdirSync(directory).filter((name) => name.includes("damaged"));
    expect(kept).toEqual(["futago.db.damaged-3", "futago.db.damaged-4", "futago.db.damaged-5"]);
  });
});

describe("a database that is gone", () => {
  it("is made anew from the copy", async () => {
    rmSync(path("futago.db"));
    const { store, recovered } = await openTold();
    expect(recovered).toBe(
      `futago.db was missing; revision ${named[2]} is in force from the copy, older ones are gone`,
    );
    expect((await store.head())?.id).toBe(ids[2]);
  });

  it("or has no byte left is made anew from the copy", async () => {
    writeFileSync(path("futago.db"), "");
    expect((await openTold()).recovered).toContain(`futago.db was empty; revision ${named[2]} is in force`);
  });

  it("is told of even when its copy is damaged", async () => {
    rmSync(path("futago.db"));
    writeFileSync(path("configuration.json"), readFileSync(path("configuration.json"), "utf8").replace("eth2", "eth9"));
    expect((await openTold()).recovered).toBe(
      `futago.db was missing; its copy was damaged too and is configuration.json.damaged-1 now: ${NOTHING_LEFT}`,
    );
  });
});

it("revisions that the database lost and the copy has are in force again", async () => {
  copyFileSync(path("futago.db"), path("before"));
  const { store } = await openTold();
  const after = await append(store, "eth3");
  await store.confirm(after, "bob");
  await closeAll();
  copyFileSync(path("before"), path("futago.db"));
  const again = await openTold();
  expect(again.recovered).toBe(
    `futago.db had lost what came after revision ${named[2]}; revision ${after.slice(0, 12)} is in force from the copy`,
  );
  expect(await again.store.head()).toMatchObject({ id: after, parent: ids[2], confirmedBy: "bob" });
  expect((await again.store.history(9)).map(({ id }) => id)).toEqual([after, ...ids.toReversed()]);
});

describe("a head that is not what its id says", () => {
  it("is mended from the copy", async () => {
    changeDocuments("true");
    const { store, recovered } = await openTold();
    expect(recovered).toBe(`revision ${named[2]} was damaged in futago.db; it was mended from the copy`);
    expect((await store.head())?.text).toBe(text("eth2"));
  });

  it("gives way to the newest before it that can be read, and is unknown then", async () => {
    changeDocuments("number > 1");
    rmSync(path("configuration.json"));
    const { store, recovered } = await openTold();
    expect(recovered).toBe(
      `revision ${named[2]} was damaged in futago.db; revision ${named[0]} is in force, which it was made from`,
    );
    expect((await store.head())?.id).toBe(ids[0]);
    expect(await store.kinship(ids[2])).toBe("unknown");
  });

  it("and of which nothing before it can be read is as a damaged database", async () => {
    changeDocuments("true");
    rmSync(path("configuration.json"));
    const { store, recovered } = await openTold();
    expect(recovered).toBe(
      `revision ${named[2]} was damaged in futago.db, and so is all that it was made from; it is futago.db.damaged-1 now; ` +
        `there is no copy, and ${NOTHING_LEFT}`,
    );
    expect(await store.head()).toBeUndefined();
  });
});

describe("the copy", () => {
  const copied = () => JSON.parse(readFileSync(path("configuration.json"), "utf8")) as { state: { document: unknown } };

  it("is there some time after each change, for nobody else to read", async () => {
    expect(copied()).toMatchObject({
      format: 1,
      state: { document: { interfaces: [{ name: "wan", device: "eth2" }] }, settings: { maintenance: "on" } },
    });
    expect(statSync(path("configuration.json")).mode & 0o777).toBe(0o600);
    const { store } = await openTold();
    await append(store, "eth3");
    await expect
      .poll(() => copied().state.document, { timeout: 10_000 })
      .toEqual({ interfaces: [{ name: "wan", device: "eth3" }] });
    await closeAll();
    expect(existsSync(path("configuration.json.new"))).toBe(false);
  });

  it("is written again when it was lost or damaged", async () => {
    const before = readFileSync(path("configuration.json"), "utf8");
    for (const harm of [
      () => rmSync(path("configuration.json")),
      () => overwrite(path("configuration.json"), 300, 5),
    ]) {
      harm();
      expect((await openTold()).recovered).toBeUndefined();
      await closeAll();
      expect(readFileSync(path("configuration.json"), "utf8")).toBe(before);
    }
  });
});
