/** The store on disks that refuse: read-only, and full. A private mount namespace holds the disk; it ends with the child. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

const storeModule = new URL("../../firmware/runtime/store/store.ts", import.meta.url).href;

/** Runs `script` beside an opened Store class, with a tmpfs of `size` mounted on the directory; gives what it printed. */
function onDisk(size: string, prepare: string, script: string): unknown {
  const directory = mkdtempSync(join(tmpdir(), "futago-disk-"));
  try {
    const program = `const { Store } = await import(${JSON.stringify(storeModule)}); const directory = process.env.DISK; ${script}`;
    const shell = `mount -t tmpfs -o size=${size} futago-test "$DISK" && ${prepare} && exec "$NODE" --input-type=module --eval "$PROGRAM"`;
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
    `const { writeFileSync, rmSync } = await import("node:fs");
     const { store } = await Store.open(directory);
     const revision = (parent, note) => ({ text: JSON.stringify({ interfaces: [], note }), parent, author: "", comment: "", time: "" });
     const first = (await store.append(revision(undefined, "small"))).revision.id;
     let filler = 0;
     try { for (;;) writeFileSync(directory + "/filler" + filler++, Buffer.alloc(4096)); } catch {}
     const refused = await store.append(revision(first, "x".repeat(100000))).catch((error) => error.code);
     const head = (await store.head()).id;
     for (let i = 0; i < filler; i++) rmSync(directory + "/filler" + i, { force: true });
     const after = (await store.append(revision(first, "small again"))).ok;
     await store.close();
     console.log(JSON.stringify({ refused, kept: head === first, after }));`,
  );
  expect(outcome).toEqual({ refused: "diskFull", kept: true, after: true });
});
