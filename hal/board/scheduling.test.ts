/** The boot-time clock and the scheduling of a thread, seen from outside in /proc. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openClock } from "./clock.ts";
import { openScheduling } from "./scheduling.ts";

const here = fileURLToPath(new URL(".", import.meta.url));

/** Runs statements in a child that says lines; ends when the child's standard output does. */
async function linesOf(statements: string): Promise<string[]> {
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", statements], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) lines.push(line);
  return lines;
}

test("the clock counts microseconds since boot, sleep included", () => {
  const uptimeMicros = () => Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]) * 1e6;
  const earliest = uptimeMicros();
  const now = openClock().now();
  // /proc/uptime has a resolution of 10 ms.
  expect(now).toBeGreaterThanOrEqual(earliest);
  expect(now).toBeLessThanOrEqual(uptimeMicros() + 10_000);
  expect(Number.isInteger(now)).toBe(true);
});

test("the clock never goes back", () => {
  const clock = openClock();
  for (let i = 0; i < 1_000; i++) expect(clock.now()).toBeLessThanOrEqual(clock.now());
});

test("real time is for the calling thread alone, and not inherited", async (context) => {
  context.skip(process.getuid?.() !== 0, "needs root; ./build.sh test runs it");
  const [statistics, others, child] = await linesOf(`
    import { readFileSync, readdirSync } from "node:fs";
    import { execFileSync } from "node:child_process";
    import { openScheduling } from ${JSON.stringify(`${here}scheduling.ts`)};
    // Fields 40 and 41 of /proc/PID/stat: real-time priority and policy; 1 is SCHED_FIFO.
    const scheduling = (path) => readFileSync(path, "utf8").replace(/^.*\\) /, "").split(" ").slice(37, 39).join(" ");
    openScheduling().setRealTime(7);
    console.log(scheduling("/proc/self/task/" + process.pid + "/stat"));
    const rest = readdirSync("/proc/self/task").filter((task) => Number(task) !== process.pid);
    console.log([...new Set(rest.map((task) => scheduling("/proc/self/task/" + task + "/stat")))].join());
    console.log(execFileSync("cat", ["/proc/self/stat"], { encoding: "utf8" }).replace(/^.*\\) /, "").split(" ").slice(37, 39).join(" "));`);
  // The kernel shows the policy with its reset-on-fork bit apart.
  expect(statistics).toBe("7 1");
  expect(others).toBe("0 0");
  expect(child).toBe("0 0");
});

test("the wall clock is not for everybody to set", async (context) => {
  context.skip(process.getuid?.() !== 0, "needs root; ./build.sh test runs it");
  // By nothing at all, should the kernel let it.
  const said = await linesOf(`
    import { openWallClock } from ${JSON.stringify(`${here}clock.ts`)};
    process.setgid(65534);
    process.setuid(65534);
    const clock = openWallClock();
    console.log(clock.isKept());
    try { clock.step(0); } catch ({ name, code, syscall }) { console.log(name, code, syscall); }`);
  expect(said).toEqual([expect.stringMatching(/^(true|false)$/), "HalError EPERM clock_adjtime"]);
});

test("a priority that does not exist is EINVAL", () => {
  expect(() => openScheduling().setRealTime(100)).toThrow(
    expect.objectContaining({ name: "HalError", code: "EINVAL" }),
  );
});

test("a child that asked for it dies with its parent", async () => {
  const grandchild = `
    import { openScheduling } from ${JSON.stringify(`${here}scheduling.ts`)};
    openScheduling().dieWithParent("SIGKILL");
    console.log("asked");
    setInterval(() => {}, 1000);`;
  // The pipe stays open as long as the grandchild lives: that it closes is the proof.
  const lines = await linesOf(`
    import { spawn } from "node:child_process";
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", ${JSON.stringify(grandchild)}], { stdio: ["ignore", "pipe", "inherit"] });
    child.stdout.once("data", () => { console.log("parent dies"); process.kill(process.pid, "SIGKILL"); });`);
  expect(lines).toEqual(["parent dies"]);
});
