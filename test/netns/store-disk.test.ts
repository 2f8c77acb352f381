/** The store on disks that refuse: read-only, and full. A private mount namespace holds the disk; it ends with the child. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

const storeModule = new URL("../../firmware/runtime/store/store.ts", import.meta.url).href;

/** What the scripts below are made of. */
const steps = `
  const { readFileSync, rmSync, writeFileSync } = await import("node:fs");
  const { setTimeout: wait } = await import("node:timers/promises");
  const revision = (parent, note) => ({ text: JSON.stringify({ interfaces: [], note }), parent, author: "", comment: "", time: "" });
  const copied = () => JSON.parse(readFileSync(directory + "/configuration.json", "utf8")).state.revision.id;
  let filler = 0;
  const fill = () => { try { for (;;) writeFileSync(directory + "/filler" + filler++, Buffer.alloc(4096)); } catch {} };
  const free = () => { while (filler > 0) rmSync(directory + "/filler" + --filler, { force: true }); };
  const say = (outcome) => console.log(JSON.stringify(outcome));
`;

/** Runs `script` beside the Store class, with a tmpfs of `size` mounted on the directory; gives what it printed. */
function onDisk(size: string, prepare: string, script: string): unknown {
  return onMount(`mount -t tmpfs -o size=${size} futago-test "$DISK"`, prepare, script);
}

function onMount(mount: string, prepare: string, script: string): unknown {
  const directory = mkdtempSync(join(tmpdir(), "futago-disk-"));
  try {
    const program = `const { Store } = await import(${JSON.stringify(storeModule)}); const directory = process.env.DISK; ${steps} ${script}`;
    const shell = `${mount} && ${prepare} && exec "$NODE" --input-type=module --eval "$PROGRAM"`;
    const { stdout, stderr } = spawnSync("unshare", ["--mount", "--propagation", "private", "sh", "-c", shell], {
      encoding: "utf8",
      env: { ...process.env, DISK: directory, NODE: process.execPath, PROGRAM: program },
      timeout: 30_000,
    });
    expect(stderr).toBe("");
    return JSON.parse(stdout);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

it("refuses a read-only disk, and says so", () => {
  const refused = onDisk(
    "1m",
    'mount -o remount,ro "$DISK"',
    "console.log(JSON.stringify(await Store.open(directory)))",
  );
  expect(refused).toMatchObject({ ok: false, code: "readOnly", mend: expect.stringContaining("writable") });
});

it("refuses a full disk at opening, and says so", () => {
  const refused = onDisk(
    "64k",
    'dd if=/dev/zero of="$DISK/filler" bs=4k count=15 2>/dev/null',
    "console.log(JSON.stringify(await Store.open(directory)))",
  );
  expect(refused).toMatchObject({ ok: false, code: "diskFull", mend: expect.stringContaining("free some space") });
});

it("refuses a commit that does not fit, keeps what was committed, and goes on when there is space again", () => {
  const outcome = onDisk(
    "400k",
    "true",
    `const { store } = await Store.open(directory);
     const first = (await store.append(revision(undefined, "small"))).revision.id;
     await wait(1000);
     fill();
     const refused = await store.append(revision(first, "x".repeat(100000))).catch((error) => error.code);
     const head = (await store.head()).id;
     await store.close();
     const copy = copied() === first;
     free();
     const again = (await Store.open(directory)).store;
     const after = (await again.append(revision(first, "small again"))).ok;
     await again.close();
     say({ refused, kept: head === first, copy, after });`,
  );
  expect(outcome).toEqual({ refused: "diskFull", kept: true, copy: true, after: true });
});

it("says that the copy does not fit, keeps the one before, and writes it when there is space again", () => {
  const outcome = onDisk(
    "1m",
    "true",
    `const { store } = await Store.open(directory);
     let told = [];
     store.onCopy((trouble) => told.push(trouble?.code));
     let head = (await store.append(revision(undefined, "first"))).revision.id;
     await wait(1000);
     const before = copied() === head;
     // Room for the database, none for a copy beside the one that is there.
     await store.append(revision(head, "x".repeat(200000)));
     const large = (await store.head()).id;
     fill();
     await wait(1000);
     const kept = copied() === head;
     free();
     await store.putSetting("maintenance", "on");
     await wait(1000);
     say({ before, kept, told: [...new Set(told)], after: copied() === large });
     await store.close();`,
  );
  expect(outcome).toEqual({ before: true, kept: true, told: [null, "diskFull"], after: true });
});

it("loses nothing when old documents cannot be packed for want of space", () => {
  const outcome = onDisk(
    "4m",
    "true",
    `const { store } = await Store.open(directory);
     const ids = [];
     for (let i = 0; i < 100; i++) ids.push((await store.append(revision(ids.at(-1), "n" + i))).revision.id);
     fill();
     await wait(1000);
     const read = (await Promise.all(ids.map((id) => store.get(id)))).filter((each) => each !== undefined).length;
     free();
     const after = (await store.append(revision(ids.at(-1), "after"))).ok;
     await store.close();
     say({ read, after });`,
  );
  expect(outcome).toEqual({ read: 100, after: true });
});

it("leaves a database of format 1 as it was on a full disk, and brings it up when there is space", () => {
  // Room for the database, the former one that is kept beside it, and the new one.
  const outcome = onDisk(
    "600k",
    "true",
    `const { default: Database } = await import(${JSON.stringify(import.meta.resolve("better-sqlite3"))});
     const { createHash } = await import("node:crypto");
     const file = directory + "/futago.db";
     const text = JSON.stringify({ note: "x".repeat(100000) });
     const id = createHash("sha256").update(text).digest("hex");
     const database = new Database(file);
     database.exec(\`CREATE TABLE revision (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, parent TEXT, author TEXT NOT NULL,
         comment TEXT NOT NULL, time TEXT NOT NULL, document TEXT NOT NULL) STRICT;
       CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL REFERENCES revision (id)) STRICT;
       CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
       INSERT INTO revision VALUES (1, '\${id}', NULL, '', '', '', '\${text}'); INSERT INTO head VALUES (1, '\${id}');
       PRAGMA application_id = 1179997255; PRAGMA user_version = 1;\`);
     database.close();
     fill();
     const refused = await Store.open(directory);
     const unchanged = new Database(file, { readonly: true });
     const format = unchanged.pragma("user_version", { simple: true });
     unchanged.close();
     free();
     const { store } = await Store.open(directory);
     say({ refused: refused.code, format, head: (await store.head())?.id === id });
     await store.close();`,
  );
  expect(outcome).toEqual({ refused: "diskFull", format: 1, head: true });
});

it("goes on with the copy of a damaged database as soon as there is space for a new one", () => {
  const outcome = onDisk(
    "400k",
    "true",
    `const file = directory + "/futago.db";
     let { store } = await Store.open(directory);
     const first = (await store.append(revision(undefined, "first"))).revision.id;
     await store.close();
     writeFileSync(file, readFileSync(file).fill(0xa5, 4096));
     fill();
     const refused = [(await Store.open(directory)).code, (await Store.open(directory)).code];
     free();
     const opened = await Store.open(directory);
     ({ store } = opened);
     say({ refused, recovered: opened.recovered, kept: (await store.head())?.id === first });
     await store.close();`,
  );
  expect(outcome).toEqual({
    refused: ["diskFull", "diskFull"],
    recovered: expect.stringMatching(/^futago.db was (empty|missing); revision [0-9a-f]{12} is in force from the copy/),
    kept: true,
  });
});

it("says in words that the disk has become read-only, and still gives out what it has", () => {
  const outcome = onMount(
    `truncate -s 8M "$DISK.image" && mkfs.ext4 -q "$DISK.image" && mount -o loop "$DISK.image" "$DISK" && rm "$DISK.image"`,
    "true",
    `const { spawnSync } = await import("node:child_process");
     const { store } = await Store.open(directory);
     const troubles = [];
     store.onCopy((trouble) => troubles.push(trouble));
     const first = (await store.append(revision(undefined, "first"))).revision.id;
     // As the kernel does by itself on an error of the disk.
     spawnSync("mount", ["-o", "remount,abort", directory]);
     const refused = await store.append(revision(first, "second")).catch((error) => [error.code, error.mend]);
     const setting = await store.putSetting("a", "b").catch((error) => error.code);
     const head = (await store.head()).id;
     await wait(1000);
     await store.close().catch(() => undefined);
     const again = await Store.open(directory);
     say({ refused, setting, kept: head === first, copy: troubles.at(-1)?.code, again: again.code });`,
  );
  expect(outcome).toEqual({
    refused: ["failed", "look at the kernel's log for trouble with the disk"],
    setting: "failed",
    kept: true,
    copy: "readOnly",
    again: "readOnly",
  });
});
