/** What a box takes over of the history of another. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { RevisionSummary } from "./revision.ts";
import { append, directory, openStore, revision, text, withDirectoryForEach } from "./store.suite.ts";
import type { Revision } from "./store.ts";

withDirectoryForEach();

describe("another box's history", () => {
  /** The revisions of a box of its own, the newest first. */
  async function elsewhere(devices: readonly string[]): Promise<readonly Revision[]> {
    const store = await openStore(join(directory, "elsewhere"));
    for (const device of devices) await append(store, device);
    const ids = (await store.history(100)).map(({ id }) => id);
    return Promise.all(ids.map(async (id) => (await store.get(id))!));
  }
  const summaryOf = ({ id, parent, author, comment, time }: Revision): RevisionSummary => ({
    id,
    parent,
    author,
    comment,
    time,
  });

  it("is adopted with its head whole and the rest by name, and is the lineage then", async () => {
    const theirs = await elsewhere(["eth1", "eth2", "eth3"]);
    const [head, middle, first] = theirs as [Revision, Revision, Revision];
    const store = await openStore();
    const own = await append(store, "eth0");
    await store.adopt(theirs.map(summaryOf), head);
    expect(await store.head()).toEqual(head);
    expect((await store.history(10)).map(({ id, age, whole }) => [id, age, whole])).toEqual([
      [head.id, 0, true],
      [middle.id, 1, false],
      [first.id, 2, false],
      [own, -1, true],
    ]);
    expect(await store.get(middle.id)).toBeUndefined();
    expect(await store.moveHead(middle.id)).toBe(false);
    expect(await Promise.all([head.id, first.id, own, "0".repeat(64)].map((id) => store.kinship(id)))).toEqual([
      "head",
      "ancestor",
      "relative",
      "unknown",
    ]);
    const ids = async (limit: number, until?: string) => (await store.lineage(limit, until)).map(({ id }) => id);
    expect(await ids(10)).toEqual([head.id, middle.id, first.id]);
    expect(await ids(1)).toEqual([head.id]);
    expect(await ids(10, first.id)).toEqual([head.id, middle.id]);
    expect(await ids(10, head.id)).toEqual([]);
    expect(await ids(10, own)).toEqual([head.id, middle.id, first.id]);
    expect(await append(store, "eth4")).toHaveLength(64);
    expect(await store.kinship(head.id)).toBe("ancestor");
  });

  it("that goes further back than what is known is put below it", async () => {
    const [head, ...older] = (await elsewhere(["eth1", "eth2", "eth3", "eth4"])) as [Revision, ...Revision[]];
    const store = await openStore();
    await store.adopt([], older[0]!);
    await store.adopt(older.map(summaryOf), head);
    expect((await store.lineage(10)).map(({ id }) => id)).toEqual([head.id, ...older.map(({ id }) => id)]);
    expect((await store.history(10)).map(({ id }) => id)).toEqual([head.id, ...older.map(({ id }) => id)]);
  });

  it("tells of a confirmation that this box missed", async () => {
    const [head, first] = (await elsewhere(["eth1", "eth2"])) as [Revision, Revision];
    const store = await openStore();
    await store.append({ ...revision(undefined, "eth1"), confirmSeconds: 60 });
    await store.adopt([{ ...summaryOf(first), confirmSeconds: 60, confirmedBy: "bob" }], head);
    expect((await store.lineage(2))[1]).toMatchObject({ id: first.id, confirmSeconds: 60, confirmedBy: "bob" });
  });

  it("is refused when it does not hold together, and nothing of it stays", async () => {
    const [head, middle, first] = (await elsewhere(["eth1", "eth2", "eth3"])) as [Revision, Revision, Revision];
    const store = await openStore();
    const own = await append(store, "eth0");
    const refused: readonly (readonly [readonly Revision[], Revision])[] = [
      [[head, middle, first], { ...head, text: text("eth9") }],
      [[head, first], head],
      [[head, middle, { ...first, id: own }], head],
      [[middle, first, middle], head],
    ];
    for (const [lineage, newest] of refused)
      await expect(store.adopt(lineage.map(summaryOf), newest)).rejects.toMatchObject({ code: "damaged" });
    // A forged summary may name a descendant as parent, but not of a revision that is known.
    await store.adopt([{ ...summaryOf(middle), parent: head.id }], head);
    expect((await store.lineage(10)).map(({ id }) => id)).toEqual([head.id, middle.id]);
    await expect(store.adopt([summaryOf(middle)], head)).rejects.toMatchObject({ code: "damaged" });
    expect((await store.history(10)).map(({ id }) => id)).toEqual([head.id, middle.id, own]);
  });
});
