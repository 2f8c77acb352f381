/**
 * What a box does to packets, apart from all else that its machine does: each of its ports is polled by a kernel thread
 * of its own (Documentation/networking/napi.rst, "Threaded NAPI"), whose processor time the kernel counts.
 */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import type { Namespace } from "../netns/namespaces.ts";

export interface PortThread {
  readonly pid: number;
}

/**
 * To be called last: a program that is attached to the port later would bring another thread. A thread that `waits`
 * lets another on its processor finish. Otherwise the kernel may plan at its waking already to switch to it, and charges
 * it from then on, however long the other then goes on (`rq_clock_skip_update` in kernel/sched).
 */
export async function startThreads(
  namespace: Namespace,
  devices: readonly string[],
  { cpu, waits = false }: { readonly cpu?: number | undefined; readonly waits?: boolean } = {},
): Promise<readonly PortThread[]> {
  const threads: PortThread[] = [];
  for (const device of devices) {
    const before = new Set(threadsOf(device));
    // Only `ip netns exec` brings the namespace's own /sys.
    const set = `echo 1 > /sys/class/net/${device}/threaded`;
    await promisify(execFile)("ip", ["netns", "exec", namespace.fullName, "sh", "-c", set]);
    const mine = threadsOf(device).filter((pid) => !before.has(pid));
    if (mine.length === 0) throw new Error(`${device} of ${namespace.name} has no poll to give to a thread`);
    threads.push(...mine.map((pid) => ({ pid })));
  }
  for (const { pid } of threads) {
    // A thread that waits for its turn while the rings fill loses frames, and its cost is the same either way.
    await promisify(execFile)("renice", ["-n", "-20", "-p", String(pid)]);
    if (cpu !== undefined) await promisify(execFile)("taskset", ["-p", "-c", String(cpu), String(pid)]);
    if (waits) await promisify(execFile)("chrt", ["--batch", "--pid", "0", String(pid)]);
  }
  return threads;
}

/** Nanoseconds on a processor; see Documentation/scheduler/sched-stats.rst. */
export function processorNanos(threads: readonly PortThread[]): number {
  return threads.reduce((sum, { pid }) => {
    const [nanos = "0"] = readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ");
    return sum + Number(nanos);
  }, 0);
}

function threadsOf(device: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && nameOf(name).startsWith(`napi/${device}-`.slice(0, 15)))
    .map(Number);
}

function nameOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    // It ended while we looked.
    return "";
  }
}
