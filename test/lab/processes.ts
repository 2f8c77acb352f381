/** The processes of a network namespace, found by the kernel's own record of where each belongs. */
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";

export interface ProcessInfo {
  readonly pid: number;
  /** The command line, arguments joined by blanks. */
  readonly command: string;
}

/** Every process whose network namespace is the one at `path` (/run/netns/NAME). */
export function processesIn(path: string): readonly ProcessInfo[] {
  const wanted = `net:[${statSync(path).ino}]`;
  const found: ProcessInfo[] = [];
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || link(`/proc/${entry}/ns/net`) !== wanted) continue;
    found.push({ pid, command: text(`/proc/${entry}/cmdline`).replaceAll("\0", " ").trim() });
  }
  return found;
}

/** Sends the signal to each; one that ended meanwhile is no error. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // ESRCH: it is gone, and a signal could have changed nothing.
    }
  }
}

/** False for one that has ended, also while its parent has not noticed yet. @see proc_pid_stat(5) */
export function isRunning(pid: number): boolean {
  const state = text(`/proc/${pid}/stat`).split(") ").at(-1)?.[0];
  return state !== undefined && state !== "Z" && state !== "X";
}

const TCP_LISTEN = "0A";

/** Whether anybody listens on the TCP port over IPv4 in the network namespace of the process. @see proc_net_tcp.rst */
export function listensOn(pid: number | undefined, port: number): boolean {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  return text(`/proc/${pid}/net/tcp`)
    .split("\n")
    .some((line) => {
      const [, local, , state] = line.trim().split(/\s+/);
      return state === TCP_LISTEN && local?.endsWith(`:${wanted}`) === true;
    });
}

/** Summed proportional set size in kilobytes: what the processes cost together, shared pages counted once. */
export function summedPssKilobytes(pids: readonly number[]): number {
  const one = (pid: number) => Number(/^Pss:\s+(\d+) kB/m.exec(text(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
  return pids.map(one).reduce((sum, kilobytes) => sum + kilobytes, 0);
}

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // The process ended between the listing and the read.
    return "";
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // As above, or a kernel thread.
    return "";
  }
}
