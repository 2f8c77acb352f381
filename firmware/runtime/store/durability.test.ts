/** What was acknowledged survives kill -9 of the process, and its lock does not. Real processes and a real disk. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Store } from "./store.ts";

const storeModule = new URL("./store.ts", import.meta.url).href;

/** Commits without end and prints the id of each revision once it was acknowledged; waits where nobody reads. */
const committer = `
  const say = (line) => new Promise((resolve) => process.stdout.write(line + "\\n", resolve));
  const { Store } = await import(${JSON.stringify(storeModule)});
  const opened = await Store.open(process.argv[1]);
  if (!opened.ok) { await say("refused " + opened.code); process.exit(3); }
  let parent = (await opened.store.head())?.id;
  await say("open " + (parent ?? ""));
  for (let i = 0; ; i++) {
    const text = JSON.stringify({ interfaces: [{ device: "eth" + i, name: "wan" }] });
    const appended = await opened.store.append({ text, parent, author: "test", comment: "", time: "" });
    parent = appended.revision.id;
    await say("committed " + parent);
  }
`;

let directory: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "futago-durability-"));
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(directory, { recursive: true, force: true });
});

function start(): { child: ChildProcess; lines: AsyncIterator<string> } {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", committer, directory], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

async function nextLine(lines: AsyncIterator<string>): Promise<string | undefined> {
  const { value, done } = await lines.next();
  return done === true ? undefined : value;
}

it("loses no acknowledged commit and frees the directory when its process is killed", { timeout: 60_000 }, async () => {
  let last = "";
  for (const commits of [1, 7, 30]) {
    const { child, lines } = start();
    expect(await nextLine(lines)).toBe(`open ${last}`);
    for (let i = 0; i < commits; i++) last = (await nextLine(lines))?.replace("committed ", "") ?? "";
    const dead = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    // What was still in the pipe was acknowledged too.
    for (let line = await nextLine(lines); line !== undefined; line = await nextLine(lines))
      last = line.replace("committed ", "");
    await dead;
    const opened = await Store.open(directory);
    if (!opened.ok) throw new Error(opened.what);
    const ids = (await opened.store.history(100_000)).map((revision) => revision.id);
    // One more may have been committed whose acknowledgement was never written.
    expect(ids.indexOf(last)).toBeGreaterThanOrEqual(0);
    expect(ids.indexOf(last)).toBeLessThanOrEqual(1);
    last = (await opened.store.head())?.id ?? "";
    await opened.store.close();
  }
});

it("keeps a second process out while the first lives", { timeout: 60_000 }, async () => {
  const first = start();
  await nextLine(first.lines);
  const second = start();
  expect(await nextLine(second.lines)).toBe("refused inUse");
  expect(await nextLine(first.lines)).toMatch(/^committed [0-9a-f]{64}$/);
});
