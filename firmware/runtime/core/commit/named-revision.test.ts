import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { refusal as refusalOf } from "../../refused.test-support.ts";
import { type Revision, Store } from "../../store/store.ts";
import { type Past, revisionNamed } from "./named-revision.ts";

let directory = "";
let store: Store;
let line: Revision[] = [];
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "futago-named-"));
  const opened = await Store.open(directory);
  if (!opened.ok) throw new Error(opened.what);
  ({ store } = opened);
  line = [];
  for (const text of ['{"a":1}', '{"a":2}', '{"a":3}']) {
    const parent = line.at(-1)?.id;
    const appended = await store.append({
      text,
      parent,
      author: "root",
      comment: "",
      time: "2026-01-05T03:04:05.678Z",
    });
    if (appended.ok) line.push(appended.revision);
  }
});
afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true });
});

const refusal = (which: string | undefined, past: Past = store) => refusalOf(revisionNamed(past, which));

describe("a revision", () => {
  it("is named by nothing, by steps back, or by how its id begins", async () => {
    const [oldest, middle, head] = line;
    expect(await revisionNamed(store, undefined)).toEqual(head);
    expect(await revisionNamed(store, "0")).toEqual(head);
    expect(await revisionNamed(store, "1")).toEqual(middle);
    expect(await revisionNamed(store, "2")).toEqual(oldest);
    expect(await revisionNamed(store, oldest!.id.slice(0, 16))).toEqual(oldest);
    expect(await revisionNamed(store, middle!.id)).toEqual(middle);
  });

  it("that is not there is refused with how many there are, or how to name one", async () => {
    expect(await refusal("3")).toMatchObject({
      exitCode: 1,
      what: expect.stringContaining("the oldest is 2 steps back"),
    });
    expect(await refusal("ffffffffffff")).toMatchObject({ exitCode: 1, what: "there is no revision ffffffffffff" });
    for (const word of ["", "abc", "HEAD", "-1", "1'; DROP TABLE revision", "%%%%", "g".repeat(5_000)]) {
      expect(await refusal(word)).toMatchObject({ exitCode: 2, what: expect.stringContaining("is no revision") });
    }
  });

  it("is named with more digits when two begin alike", async () => {
    const ids = [`abcd${"0".repeat(60)}`, `abcd${"1".repeat(60)}`];
    const past = { find: () => Promise.resolve(ids) } as unknown as Past;
    expect(await refusal("abcd", past)).toMatchObject({ mend: "Say which: abcd000000000000 or abcd111111111111." });
  });
});
