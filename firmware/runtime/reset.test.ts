import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { refusal } from "./refused.test-support.ts";
import { finishReset, orderReset } from "./reset.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "futago-reset-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const KEPT = ["a backup.age", "bpf", "lock", "supervisor.sock"];
const FORGOTTEN = [
  "configuration.json",
  "configuration.json.damaged-1",
  "configuration.json.new",
  "futago.db",
  "futago.db-shm",
  "futago.db-wal",
  "futago.db.damaged-3",
  "pairing.json",
  "pairing.json.new",
];

function fill(): void {
  for (const name of [...KEPT, ...FORGOTTEN]) writeFileSync(join(directory, name), name);
}

describe("a factory reset", () => {
  it("takes away all that the box remembers, and nothing else", () => {
    fill();
    orderReset(directory);
    finishReset(directory);
    expect(readdirSync(directory).toSorted()).toEqual(KEPT);
  });

  it("is not made where nobody ordered it", () => {
    fill();
    finishReset(directory);
    expect(readdirSync(directory)).toHaveLength(KEPT.length + FORGOTTEN.length);
  });

  it("that was cut off is finished the next time", () => {
    fill();
    orderReset(directory);
    rmSync(join(directory, "configuration.json"));
    rmSync(join(directory, "futago.db"));
    finishReset(directory);
    expect(readdirSync(directory).toSorted()).toEqual(KEPT);
    fill();
    finishReset(directory);
    expect(readdirSync(directory)).toContain("futago.db");
  });

  it("that the disk refuses is said in words, and stays ordered", async () => {
    orderReset(directory);
    mkdirSync(join(directory, "futago.db"));
    const attempt = Promise.resolve().then(() => finishReset(directory));
    expect(await refusal(attempt)).toMatchObject({ exitCode: 1, where: directory });
    rmSync(join(directory, "futago.db"), { recursive: true });
    fill();
    finishReset(directory);
    expect(readdirSync(directory).toSorted()).toEqual(KEPT);
    const nowhere = Promise.resolve().then(() => orderReset(join(directory, "nowhere")));
    expect((await refusal(nowhere)).what).toContain("there is none (ENOENT)");
  });
});
