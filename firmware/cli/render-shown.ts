/** What `futago show` prints for people. Pure. */
import type { CheckStatus, LogLine, NeighbourShown } from "../runtime/control.ts";
import { when } from "./render-status.ts";
import { printable, table } from "./table.ts";

export function renderHealth(checks: readonly CheckStatus[]): string {
  if (checks.length === 0) return "Nothing is checked: the configuration names no check.\n";
  const rows = checks.map((check) => [
    check.subject,
    check.check,
    check.target,
    check.healthy ? "healthy" : "DEAD",
    when(check.since),
    check.rttMicros === null ? "-" : `${(check.rttMicros / 1_000).toFixed(2)} ms`,
    check.source === "own" ? "this box" : "the active box",
    check.reason,
  ]);
  const head = ["WHAT", "CHECK", "AT", "HEALTH", "SINCE", "ANSWER IN", "JUDGED BY", "NEWEST ANSWER"];
  return `${table(head, rows, ["left", "left", "left", "left", "left", "right"])}\n`;
}

export function renderLog(lines: readonly LogLine[]): string {
  if (lines.length === 0) return "The log is empty.\n";
  const text = lines.map((line) => {
    const fields = Object.entries(line.fields).map(
      ([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
    );
    return printable(`${clock(line.at)}  ${line.level.padEnd(5)} ${line.event}  ${fields.join(" ")}`).trimEnd();
  });
  return `${text.join("\n")}\n`;
}

export function renderNeighbours(neighbours: readonly NeighbourShown[]): string {
  if (neighbours.length === 0) return "The kernel knows no neighbours.\n";
  const rows = neighbours.map((entry) => [
    entry.device,
    entry.address,
    entry.mac ?? "-",
    entry.state,
    entry.managed ? "kept fresh" : "",
  ]);
  return `${table(["DEVICE", "ADDRESS", "MAC", "STATE", ""], rows)}\n`;
}

/** Time of the event to the millisecond, which is what transitions are compared by. */
export function clock(timestamp: string): string {
  return `${when(timestamp)}${/(\.\d{3})/.exec(timestamp)?.[1] ?? ""}`;
}
