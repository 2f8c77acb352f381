/** GPIO by character device and the watchdog, with the ioctls answered by `ioctl-shim.c` in a child process. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

const here = fileURLToPath(new URL(".", import.meta.url));
const directory = mkdtempSync(`${tmpdir()}/futago-ioctl-`);
const shim = `${directory}/shim.so`;
const dev = `${directory}/dev`;

beforeAll(() => {
  execFileSync("cc", [
    "-std=gnu11",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-O1",
    "-shared",
    "-fPIC",
    "-o",
    shim,
    `${here}ioctl-shim.c`,
    "-ldl",
  ]);
});
beforeEach(() => {
  rmSync(dev, { recursive: true, force: true });
  mkdirSync(dev);
  for (const name of ["gpiochip0", "watchdog0"]) writeFileSync(`${dev}/${name}`, "");
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Runs statements that see `board` and print JSON by `say`; returns what they said and the requests the kernel got. */
function run(statements: string): { said: unknown[]; requests: string[] } {
  const program = `
    import { openBoard } from ${JSON.stringify(`${here}board.ts`)};
    const board = openBoard({ sysRoot: ${JSON.stringify(`${directory}/sys`)}, devRoot: ${JSON.stringify(dev)} });
    const say = (value) => console.log(JSON.stringify(value));
    const refusal = (body) => { try { body(); return "none"; } catch (error) { return [error.name, error.code, error.message]; } };
    ${statements}`;
  const child = spawnSync(process.execPath, ["--input-type=module-typescript", "-e", program], {
    env: { ...process.env, LD_PRELOAD: shim },
    encoding: "utf8",
  });
  expect(child.status, child.stderr).toBe(0);
  const lines = (text: string) => text.split("\n").filter((line) => line !== "");
  return { said: lines(child.stdout).map((line) => JSON.parse(line) as unknown), requests: lines(child.stderr) };
}

test("an input line is asked for as input, under our name, and read", () => {
  const { said, requests } = run(`const line = board.gpioInput("gpiochip0", 5); say(line.get()); line.close();`);
  expect(said).toEqual([false]);
  expect(requests).toEqual(["GET_LINE offset=5 lines=1 flags=4 attrs=0 level=0 consumer=futago"]);
});

test("an output line starts at its initial level in the same request, and then follows", () => {
  const { said, requests } = run(`
    const high = board.gpioOutput("gpiochip0", 3, true);
    const low = board.gpioOutput("gpiochip0", 4, false);
    say([high.get(), low.get()]);
    high.set(false); low.set(true);
    say([high.get(), low.get()]);`);
  expect(said).toEqual([
    [true, false],
    [false, true],
  ]);
  expect(requests).toEqual([
    "GET_LINE offset=3 lines=1 flags=8 attrs=1 level=1 consumer=futago",
    "GET_LINE offset=4 lines=1 flags=8 attrs=1 level=0 consumer=futago",
    "SET_VALUES bits=0 mask=1",
    "SET_VALUES bits=1 mask=1",
  ]);
});

test("a line that somebody else holds is EBUSY with the name of the line", () => {
  const { said } = run(`say(refusal(() => board.gpioInput("gpiochip0", 7)));`);
  expect(said).toEqual([["HalError", "EBUSY", "ioctl(GPIO_V2_GET_LINE): gpiochip0 line 7 (EBUSY)"]]);
});

test("a watchdog tells its name, takes a timeout, is fed and closed with the magic character", () => {
  const { said, requests } = run(`
    const watchdog = board.openWatchdog();
    say(watchdog.identity);
    watchdog.setTimeoutSeconds(10);
    watchdog.feed(); watchdog.feed();
    say(refusal(() => watchdog.setTimeoutSeconds(0)));
    watchdog.close();`);
  expect(said).toEqual(["shim watchdog", ["HalError", "EINVAL", expect.stringContaining("does not take 0 s")]]);
  expect(requests).toEqual(["SETTIMEOUT 10", "SETTIMEOUT 0"]);
  expect(readFileSync(`${dev}/watchdog0`, "latin1")).toBe("\0\0V");
});

test("a process that dies closes no watchdog, so the machine is reset", () => {
  run(`board.openWatchdog().feed();`);
  expect(readFileSync(`${dev}/watchdog0`, "latin1")).toBe("\0");
});

test("a machine without a watchdog has none, and opening makes no file", () => {
  const { said } = run(`say(board.openWatchdog("watchdog9") === undefined);`);
  expect(said).toEqual([true]);
  expect(existsSync(`${dev}/watchdog9`)).toBe(false);
});
