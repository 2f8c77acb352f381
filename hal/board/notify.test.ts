/** Words to whoever started the service, heard by a datagram socket of its own program: Node has none. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openServiceNotice } from "./notify.ts";

const HEAR = `import socket, sys
heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
address = sys.argv[1]
heard.bind("\\0" + address[1:] if address[0] == "@" else address)
print("bound", flush=True)
print(repr(heard.recv(4096)), flush=True)`;

let directory = "";
const hearers: ChildProcessByStdio<null, Readable, null>[] = [];
beforeEach(() => {
  directory = mkdtempSync(`${tmpdir()}/futago-notify-`);
});
afterEach(() => {
  for (const child of hearers.splice(0)) child.kill("SIGKILL");
  rmSync(directory, { recursive: true });
});

async function hear(address: string): Promise<() => Promise<string>> {
  const child = spawn("python3", ["-c", HEAR, address], { stdio: ["ignore", "pipe", "inherit"] });
  hearers.push(child);
  const lines = createInterface({ input: child.stdout });
  const next = async () => String((await once(lines, "line"))[0]);
  expect(await next()).toBe("bound");
  return next;
}

test.each(["a path", "an abstract name"])("a word reaches the socket by %s", async (kind) => {
  const address = kind === "a path" ? `${directory}/notify` : `@futago-notify-${process.pid}`;
  const next = await hear(address);
  openServiceNotice({ NOTIFY_SOCKET: address })?.tell("READY=1", "STATUS=serves");
  expect(await next()).toBe("b'READY=1\\nSTATUS=serves'");
});

test("the variables are taken away, and the watchdog's time counts for the process it names", () => {
  const own = { NOTIFY_SOCKET: "/run/x", WATCHDOG_USEC: "60000000", WATCHDOG_PID: String(process.pid), PATH: "/bin" };
  expect(openServiceNotice(own)?.watchdogMicros).toBe(60_000_000);
  expect(own).toEqual({ PATH: "/bin" });
  expect(openServiceNotice({ NOTIFY_SOCKET: "/run/x", WATCHDOG_USEC: "60000000", WATCHDOG_PID: "1" })).toMatchObject({
    watchdogMicros: undefined,
  });
});

test("where nobody asked to be told, there is nobody", () => {
  expect(openServiceNotice({})).toBeUndefined();
  expect(openServiceNotice({ NOTIFY_SOCKET: "vsock:2:1" })).toBeUndefined();
});

test("a socket that is gone is a refusal", () => {
  const notice = openServiceNotice({ NOTIFY_SOCKET: `${directory}/gone` });
  expect(() => notice?.tell("WATCHDOG=1")).toThrow(expect.objectContaining({ name: "HalError", code: "ENOENT" }));
});
