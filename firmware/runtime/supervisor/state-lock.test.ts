import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockState, type StateLock } from "./state-lock.ts";

let directory = "";
const held: StateLock[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "futago-lock-"));
});
afterEach(() => {
  for (const lock of held.splice(0)) lock.release();
  rmSync(directory, { recursive: true });
});

const report = { pid: 7, children: [] };

async function takeLock(): Promise<StateLock> {
  const made = await lockState(directory, () => report);
  held.push(made);
  return made;
}

describe("one box per state directory", () => {
  it("refuses a second one with exit code 6, naming the directory, and lets it in after the first ended", async () => {
    await takeLock();
    await expect(takeLock()).rejects.toMatchObject({ refusal: { exitCode: 6, where: directory } });
    held.pop()?.release();
    await takeLock();
    expect(readdirSync(directory).sort()).toEqual(["lock", "supervisor.sock"]);
  });

  it("takes over the socket file of a dead one", async () => {
    writeFileSync(join(directory, "supervisor.sock"), "");
    await takeLock();
    expect(readdirSync(directory).sort()).toEqual(["lock", "supervisor.sock"]);
  });

  it("lets exactly one of many in that start at once", async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, takeLock));
    expect(outcomes.filter((outcome) => outcome.status === "fulfilled")).toHaveLength(1);
  });

  it("tells whoever asks the state of the children, in one line", async () => {
    await takeLock();
    const text = await new Promise<string>((resolve) => {
      let all = "";
      const socket = connect({ path: join(directory, "supervisor.sock") });
      socket.on("data", (chunk) => {
        all += chunk.toString();
      });
      socket.on("close", () => resolve(all));
    });
    expect(JSON.parse(text)).toEqual(report);
    expect(text.endsWith("\n")).toBe(true);
  });

  it("refuses a path that no socket can have", async () => {
    await expect(lockState(`/tmp/${"x".repeat(120)}`, () => report)).rejects.toMatchObject({
      refusal: { exitCode: 2 },
    });
  });
});
