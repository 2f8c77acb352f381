/** What a box tells systemd, heard by a socket in its place, and what is done about a process that hangs. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createNetwork, type Namespace, type TestNetwork } from "./namespaces.ts";
import { Boxes, type RunningBox } from "./running-box.ts";

const HEAR = `import socket, sys
heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
heard.bind(sys.argv[1])
print("bound", flush=True)
while True: print(heard.recv(4096).decode().replace("\\n", " "), flush=True)`;
const PATIENCE_MILLIS = 60_000;
/** A sign of life is expected so often: one that hangs for half of it is ended. */
const EXPECTED_MICROS = 6_000_000;

let net: TestNetwork;
let files: Boxes;
let here: Namespace;
let box: RunningBox;
let stopHearing: () => void;
const told: string[] = [];

beforeEach(async () => {
  files = new Boxes();
  net = await createNetwork();
  here = await net.namespace("here");
  told.length = 0;
  const socket = `${files.directory}/notify`;
  const hearer = spawn("python3", ["-c", HEAR, socket], { stdio: ["ignore", "pipe", "inherit"] });
  stopHearing = () => hearer.kill("SIGKILL");
  const lines = createInterface({ input: hearer.stdout });
  await once(lines, "line");
  lines.on("line", (line) => told.push(line));
  Object.assign(process.env, { NOTIFY_SOCKET: socket, WATCHDOG_USEC: String(EXPECTED_MICROS) });
  box = files.start(here, files.state());
  for (const name of ["NOTIFY_SOCKET", "WATCHDOG_USEC"]) delete process.env[name];
  await box.ready(PATIENCE_MILLIS);
});
afterEach(async () => {
  await files.destroy([here]);
  await net.destroy();
  stopHearing();
});

const soon = (holds: () => boolean) => vi.waitUntil(holds, { timeout: PATIENCE_MILLIS, interval: 20 });
const signs = () => told.filter((line) => line === "WATCHDOG=1").length;

it("tells that it is up, that it lives, and that it ends", async () => {
  await soon(() => told.some((line) => line.startsWith("READY=1")) && signs() > 1);
  expect(await box.stop()).toMatchObject({ code: 0 });
  await soon(() => told.at(-1)?.startsWith("STOPPING=1") === true);
});

it("ends a core that hangs, and is alive all the while", async () => {
  await soon(() => signs() > 0);
  const hung = box.pid("core");
  process.kill(hung, "SIGSTOP");
  await soon(() => ![0, hung].includes(box.pid("core")));
  expect(box.stderr()).toContain('"event":"child-hangs"');
  const before = signs();
  await soon(() => signs() > before + 2);
  expect(told.filter((line) => line.includes("does not answer"))).toEqual([]);
});

it("gives no sign of life while its sentinel gives none", async () => {
  await soon(() => signs() > 0);
  const sentinel = box.pid("sentinel");
  process.kill(sentinel, "SIGSTOP");
  await soon(() => told.includes("STATUS=The sentinel does not answer."));
  process.kill(sentinel, "SIGCONT");
  await soon(() => told.indexOf("STATUS=The box is up.") > 0 && told.at(-1) === "WATCHDOG=1");
  // What was said between the two: nothing.
  expect(told.slice(told.indexOf("STATUS=The sentinel does not answer.") + 1)[0]).toBe("STATUS=The box is up.");
  expect(box.pid("sentinel")).toBe(sentinel);
});
