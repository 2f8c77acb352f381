/** Kills what serves on this box, so that nothing of it can let go of anything: its pulse, and the sentinel with it. */
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { SupervisorReport } from "../../control.ts";
import { LineReader, parseObject } from "../../line-reader.ts";
import { SUPERVISOR_SOCKET } from "../../supervisor/state-lock.ts";

const LINE_BYTES_MAX = 1 << 16;
const ANSWER_MILLIS_MAX = 1_000;

/** The process of the sentinel and those that it started; undefined while there is none. */
export async function servingProcesses(stateDirectory: string): Promise<readonly number[] | undefined> {
  const report = await supervisorReport(stateDirectory);
  const sentinel = report?.children.find(({ name }) => name === "sentinel")?.pid;
  return typeof sentinel === "number" ? [sentinel, ...childrenOf(sentinel)] : undefined;
}

/** The sentinel first stands still, and is the last to go: it has no time to say that pulse died. */
export function killAll([sentinel, ...children]: readonly number[]): void {
  if (sentinel === undefined) return;
  signal(sentinel, "SIGSTOP");
  for (const pid of children) signal(pid, "SIGKILL");
  signal(sentinel, "SIGKILL");
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It ended by itself since it was listed, which is as good.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function supervisorReport(stateDirectory: string): Promise<SupervisorReport | undefined> {
  return new Promise((resolve) => {
    const lines = new LineReader(LINE_BYTES_MAX);
    const socket = connect({ path: join(stateDirectory, SUPERVISOR_SOCKET), timeout: ANSWER_MILLIS_MAX });
    socket.on("data", (chunk: Buffer) => {
      // The supervisor is of this box: what it says has the agreed shape.
      for (const line of lines.push(chunk)) resolve(parseObject(line) as SupervisorReport | undefined);
    });
    socket.on("timeout", () => socket.destroy());
    socket.on("error", () => resolve(undefined));
    socket.on("close", () => resolve(undefined));
  });
}

/** proc(5): the parent's number is the second field after the name, which stands in parentheses and may hold anything. */
function childrenOf(parent: number): readonly number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => parentOf(pid) === parent);
}

function parentOf(pid: number): number | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    // It ended since it was listed.
    return undefined;
  }
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}
