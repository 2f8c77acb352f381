/** The lab with a keyboard: drawn on a terminal that can, told in lines on one that cannot. Both resolve at q. */
import { setTimeout as wait } from "node:timers/promises";
import { formatTime } from "./event-log.ts";
import { Keys } from "./keys.ts";
import type { Lab } from "./lab.ts";
import { type LabSnapshot, SnapshotTaker } from "./snapshot.ts";
import { Terminal } from "./terminal.ts";
import { drawLab } from "./view.ts";

const REFRESH_MILLIS = 250;
const PRINT_MILLIS = 5_000;

export async function drawLive(lab: Lab, onDrawing: () => void): Promise<number> {
  const quit = new AbortController();
  const keys = new Keys(lab, () => quit.abort());
  onDrawing();
  const terminal = new Terminal((key) => keys.press(key));
  // Whatever ends the process, the terminal is given back as it was.
  const leave = () => terminal.close();
  process.once("exit", leave);
  const snapshots = new SnapshotTaker(lab);
  while (!quit.signal.aborted) {
    const snapshot = await snapshots.take(terminal.height);
    terminal.draw(drawLab(snapshot, terminal.width, terminal.height, keys.prompt));
    await wait(REFRESH_MILLIS);
  }
  process.off("exit", leave);
  leave();
  return 0;
}

/** Events come as lines by themselves; figures every few seconds; keys are followed by Enter. */
export async function printLive(lab: Lab): Promise<number> {
  const snapshots = new SnapshotTaker(lab);
  const timer = setInterval(() => void printFigures(snapshots), PRINT_MILLIS);
  await new Promise<void>((resolve) => {
    const keys = new Keys(lab, resolve);
    process.stdin.setEncoding("utf8");
    process.stdin.on("data", (text: string) => {
      for (const key of text.trim()) keys.press(key);
      if (keys.prompt !== "") process.stdout.write(`${keys.prompt}\n`);
    });
    process.stdin.on("end", resolve);
  });
  clearInterval(timer);
  process.stdin.pause();
  return 0;
}

async function printFigures(snapshots: SnapshotTaker): Promise<void> {
  process.stdout.write(`${describe(await snapshots.take(0))}\n`);
}

function describe(lab: LabSnapshot): string {
  const roles = lab.boxes.map(
    ({ box, power, status }) => `${box} ${power === "on" ? (status?.role ?? "says nothing") : power}`,
  );
  const gap = lab.lastGapMicros === undefined ? "none" : `${Math.round(lab.lastGapMicros / 1_000)} ms`;
  const http = `${Math.round(lab.requestsPerSecond)} requests/s, ${lab.requestsFailed} failed`;
  const modes = lab.modes.map(
    ({ name, perSecond, broken }) => `; ${name} ${Math.round(perSecond)}/s, ${broken} broken`,
  );
  return `${formatTime(lab.at)}   ${roles.join(", ")}; ${http}${modes.join("")}; last silence ${gap}`;
}
