import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it, vi } from "vitest";
import { processorWaitMillis } from "./processor-wait.ts";

const LOOP = "for (;;);";

it("grows while somebody else has the processor, and not while nothing is to do", async () => {
  const on = ["taskset", "-c", "0", process.execPath, "-e"] as const;
  const [command, ...argv] = on;
  const idle = spawn(command, [...argv, "setInterval(() => {}, 3_600_000)"], { stdio: "ignore" });
  const busy = [1, 2].map(() => spawn(command, [...argv, LOOP], { stdio: "ignore" }));
  try {
    const [one = idle] = busy;
    await vi.waitUntil(() => processorWaitMillis(one.pid ?? 0) > 500, { timeout: 20_000 });
    const before = processorWaitMillis(idle.pid ?? 0);
    await vi.waitUntil(() => processorWaitMillis(one.pid ?? 0) > 1_000, { timeout: 20_000 });
    expect(processorWaitMillis(idle.pid ?? 0) - before).toBeLessThan(500);
  } finally {
    for (const child of [idle, ...busy]) {
      const end = once(child, "exit");
      child.kill("SIGKILL");
      await end;
    }
  }
});

it("is none of a process that is not there", () => {
  expect(processorWaitMillis(2 ** 22 + 1)).toBe(0);
});
