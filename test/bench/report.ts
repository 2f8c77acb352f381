/** The bench's results as text: Markdown tables that also read well in a terminal, and the machine they come from. */
import { appendFileSync, readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { distribution } from "./statistics.ts";

const RESULTS = fileURLToPath(new URL("RESULTS.md", import.meta.url));

export interface Measured {
  readonly value: number;
  /** The longest stall of the machine that the control threads saw beside it. */
  readonly stall: number;
}

/** One contender's trials of one row, in the unit of the row. */
export interface Series {
  readonly contender: string;
  readonly unit: string;
  /** A trial beside a longer stall is listed apart: a third of the dead time. */
  readonly stallMax: number;
  readonly trials: readonly Measured[];
}

/** A row of the table for each series; the last column compares medians with those of the last series. */
export function seriesTable(title: string, all: readonly Series[]): readonly string[] {
  const reference = all.at(-1);
  const base = reference === undefined ? undefined : distribution(calm(reference))?.median;
  const rows = all.map((series) => {
    const found = distribution(calm(series));
    const apart = series.trials.filter((trial) => trial.stall > series.stallMax);
    const ratio = found === undefined || base === undefined || base === 0 ? "–" : (found.median / base).toFixed(3);
    const figures = found === undefined ? ["–", "–", "–"] : [found.median, found.p95, found.worst].map(figure);
    const listed = apart.map(({ value, stall }) => `${figure(value)} (${figure(stall)})`).join(", ");
    return [series.contender, series.unit, String(found?.count ?? 0), ...figures, ratio, listed || "none"];
  });
  const head = ["", "unit", "trials", "median", "p95", "worst", "median ÷ last row's", "apart: value (stall ms)"];
  return [`### ${title}`, "", ...markdown(head, rows), ""];
}

function calm(series: Series): readonly number[] {
  return series.trials.filter((trial) => trial.stall <= series.stallMax).map((trial) => trial.value);
}

export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const widths = head.map((cell, column) => Math.max(3, cell.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rows.map(line)];
}

export function figure(value: number): string {
  return value >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1);
}

/** What the figures depend on. */
export function machineDescription(): string {
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  const virtual = / hypervisor /.test(readFileSync("/proc/cpuinfo", "utf8")) ? "virtual, " : "";
  return `${virtual}${cpus().length} CPUs (${model}), ${gigabytes} GB, Linux ${release()}, Node ${process.version}`;
}

export function appendResults(title: string, lines: readonly string[]): void {
  const date = new Date().toISOString().slice(0, 10);
  appendFileSync(RESULTS, [``, `## ${date} ${title}`, "", machineDescription(), "", ...lines].join("\n"));
}
