/** GPIO by character device and the watchdog, with the ioctls answered by `ioctl-shim.c` in a child process. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

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
  for (const place of [dev, `${directory}/sys`]) rmSync(place, { recursive: true, force: true });
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

test("a chip is found by its label, too", () => {
  const { said, requests } = run(
    `say(board.gpioInput("9030000.pl061", 2).get()); say(refusal(() => board.gpioInput("other", 2)));`,
  );
  expect(said).toEqual([false, ["HalError", "ENOTSUP", expect.stringContaining("no other")]]);
  expect(requests).toEqual(["GET_LINE offset=2 lines=1 flags=4 attrs=0 level=0 consumer=futago"]);
});

test("a line is listened to by its edges, and where it has no interrupt by looking", () => {
  const { said, requests } = run(`
    for (const offset of [5, 8]) {
      const input = board.watchLine("gpiochip0", offset, say);
      say(input.level);
      input.close();
    }`);
  expect(said).toEqual([false, false]);
  expect(requests).toEqual([
    "GET_LINE offset=5 lines=1 flags=52 attrs=0 level=0 consumer=futago",
    "GET_LINE offset=8 lines=1 flags=52 attrs=0 level=0 consumer=futago",
    "GET_LINE offset=8 lines=1 flags=4 attrs=0 level=0 consumer=futago",
  ]);
});

describe("a key", () => {
  /** struct input_event of linux/input.h, written down by hand: 16 bytes of time, type, code, value. */
  const event = (type: number, code: number, value: number) => [
    ...Array<number>(16).fill(0),
    type,
    0,
    code,
    0,
    value,
    0,
    0,
    0,
  ];
  /** Two devices; the second has the keys 148 (bit 20 of the third word) and 88 (bit 24 of the second). */
  function plantKeys(): void {
    const sys = `${directory}/sys/class/input`;
    mkdirSync(`${dev}/input`);
    const devices = [
      ["event0", "Power Button", "10000000000000 0"],
      ["event1", "AT Translated Set 2 keyboard", "100000 1000000 0"],
    ] as const;
    for (const [name, called, keys] of devices) {
      mkdirSync(`${sys}/${name}/device/capabilities`, { recursive: true });
      writeFileSync(`${sys}/${name}/device/name`, `${called}\n`);
      writeFileSync(`${sys}/${name}/device/capabilities/key`, `${keys}\n`);
      writeFileSync(`${dev}/input/${name}`, "");
    }
  }
  const write = (...bytes: readonly number[]) => `writeSync(pipe, Uint8Array.from([${bytes.join(",")}]));`;
  const piped = `
    import { openSync, constants, writeSync, closeSync } from "node:fs";
    const pipe = openSync(${JSON.stringify(`${dev}/input/event1`)}, constants.O_RDWR);
    let told = 0;
    const tell = (level) => { told += 1; say(level ?? "gone"); };
    const until = async (count) => { while (told < count) await new Promise(setImmediate); };`;

  test("is found by name and number, tells that it is down already, and what becomes of it", () => {
    plantKeys();
    execFileSync("rm", [`${dev}/input/event1`]);
    execFileSync("mkfifo", [`${dev}/input/event1`]);
    const { said } = run(`${piped}
      const input = board.watchKey("AT * keyboard", 148, tell);
      say(["down", input.level]);
      ${write(...event(1, 148, 0), ...event(1, 88, 1), ...event(1, 148, 1), ...event(1, 148, 2), ...event(0, 0, 0))}
      await until(2);
      ${write(...event(1, 148, 0))}
      await until(3);
      ${write(...event(0, 3, 0))}
      await until(4);
      input.close(); closeSync(pipe);`);
    expect(said).toEqual([["down", true], false, true, false, true]);
  });

  test("whose device goes away is told as gone", () => {
    plantKeys();
    execFileSync("rm", [`${dev}/input/event1`]);
    execFileSync("mkfifo", [`${dev}/input/event1`]);
    const { said } = run(`${piped}
      board.watchKey("AT*", 88, tell);
      closeSync(pipe);`);
    expect(said).toEqual(["gone"]);
  });

  test("that no device has, or a device of another name, is none", () => {
    plantKeys();
    const { said } = run(
      `say([board.watchKey("Power Button", 88, say), board.watchKey("AT", 88, say), board.watchKey("*", 500, say)]);`,
    );
    expect(said).toEqual([[null, null, null]]);
  });
});

test("a watchdog is set to what it takes at most, and says so", () => {
  const sys = `${directory}/sys/class/watchdog/watchdog0`;
  const set = () =>
    run(
      `const watchdog = board.openWatchdog(); say([watchdog.neverStops, watchdog.setTimeoutSeconds(200)]); watchdog.leaveArmed();`,
    );
  expect(set()).toEqual({ said: [[false, 30]], requests: ["SETTIMEOUT 200", "SETTIMEOUT 100"] });
  mkdirSync(sys, { recursive: true });
  for (const [name, value] of [
    ["nowayout", "1"],
    ["min_timeout", "1"],
    ["max_timeout", "15"],
  ] as const)
    writeFileSync(`${sys}/${name}`, `${value}\n`);
  expect(set()).toEqual({ said: [[true, 15]], requests: ["SETTIMEOUT 15"] });
  // Fed by nobody and left without the magic character.
  expect(readFileSync(`${dev}/watchdog0`, "latin1")).toBe("");
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
