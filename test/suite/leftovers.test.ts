import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, test, vi } from "vitest";
import { leftovers, MARK, markedProcesses, takeInventory } from "./leftovers.ts";

test("a file made between two looks is a leftover, one that was there is none", (context) => {
  context.skip(process.getuid?.() !== 0, "listing nftables needs root; ./build.sh test has it");
  const root = mkdtempSync(`${tmpdir()}/futago-leftovers-`);
  const temporary = `${root}/tmp`;
  mkdirSync(temporary);
  writeFileSync(`${temporary}/old`, "");
  const before = takeInventory({ root, temporary });
  writeFileSync(`${temporary}/new`, "");
  const found = leftovers(before, takeInventory({ root, temporary })).filter((thing) => thing.includes(root));
  rmSync(root, { recursive: true });
  expect(found).toEqual([`file ${temporary}/new`]);
});

test("a process is found by the mark in its environment, whoever its parent is", async () => {
  const mark = `test-${process.pid}`;
  const child = spawn("sh", ["-c", "sleep 60 & echo $!"], {
    env: { ...process.env, [MARK]: mark },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const grandchild = Number(line.toString());
  // Until it has become sleep, it is a copy of the shell.
  try {
    await vi.waitFor(() => expect(markedProcesses(mark).get(grandchild)).toBe("sleep 60"));
  } finally {
    process.kill(grandchild, "SIGKILL");
  }
});
