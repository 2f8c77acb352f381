/**
 * Removes what a lab made: processes, namespaces, BPF mounts with their pins, and its directory. Everything is found
 * by name, so that it also works for a lab whose own process is dead.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { isRunning, processesIn, signalAll } from "./processes.ts";

const NETNS_DIRECTORY = "/run/netns";
const GONE_MILLIS_MAX = 3_000;
const POLL_MILLIS = 10;

/** `prefix` begins the full name of each namespace; `directory` holds the state of the boxes and of the servers. */
export function sweep(prefix: string, directory: string): void {
  const names = existsSync(NETNS_DIRECTORY)
    ? readdirSync(NETNS_DIRECTORY).filter((name) => name.startsWith(prefix))
    : [];
  const found = names.flatMap((name) => processesIn(`${NETNS_DIRECTORY}/${name}`));
  const pids = found.map(({ pid }) => pid).filter((pid) => pid !== process.pid);
  signalAll(pids, "SIGKILL");
  waitUntilGone(pids);
  // One that somebody else removes at this moment, the tests' fixture at its exit, is as good as removed.
  for (const name of names) spawnSync("ip", ["netns", "del", name], { stdio: "ignore" });
  for (const mount of mountsUnder(directory)) execFileSync("umount", ["-l", mount], { stdio: "ignore" });
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
}

/** Killed processes need a moment to go. */
function waitUntilGone(pids: readonly number[]): void {
  const clock = new Int32Array(new SharedArrayBuffer(4));
  const deadline = Date.now() + GONE_MILLIS_MAX;
  while (pids.some(isRunning) && Date.now() < deadline) Atomics.wait(clock, 0, 0, POLL_MILLIS);
}

/** Unmounts what is mounted in a directory, deepest first. */
export function unmountUnder(directory: string): void {
  for (const mount of mountsUnder(directory)) execFileSync("umount", [mount], { stdio: "ignore" });
}

function mountsUnder(directory: string): readonly string[] {
  const points = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "");
  return points.filter((point) => point.startsWith(`${directory}/`)).toReversed();
}
