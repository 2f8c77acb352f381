/** Lines over time, with a legend in words and the same figures as a table. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { colours, words } from "../state/settings.ts";
import { Table } from "./table.tsx";

export interface ChartLine {
  readonly label: string;
  /** A custom property of the style sheet, such as "--box-a". */
  readonly colour: string;
  readonly dashed: boolean;
  readonly values: readonly (number | null)[];
}

export interface ChartProps {
  readonly label: string;
  /** What the horizontal axis is of. */
  readonly first: string;
  readonly at: readonly number[];
  readonly lines: readonly ChartLine[];
  /** The vertical axis reaches this far at least. */
  readonly least?: number;
  readonly text: (value: number) => string;
  readonly atText: (at: number) => string;
}

const height = 180;
/** Between two words on the horizontal axis. */
const secondSteps = [1, 2, 5, 10, 30, 60, 300, 900, 3_600, 21_600, 86_400, 604_800, 2_592_000, 31_536_000];
const tableRowsMax = 30;

export function Chart(props: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const shape = `${props.lines.map(({ label }) => label).join("|")} ${colours.value}`;
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const made = new uPlot(optionsOf(props, element), dataOf(props), element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [shape]);
  useEffect(() => plot.current?.setData(dataOf(props)), [props.at]);
  return (
    <div class="chart">
      <ul class="legend" aria-hidden="true">
        {props.lines.map((line) => (
          <li key={line.label}>
            <svg width={24} height={8}>
              <line
                x1={0}
                x2={24}
                y1={4}
                y2={4}
                stroke-width={2.5}
                stroke-dasharray={line.dashed ? "5 4" : undefined}
                style={{ stroke: `var(${line.colour})` }}
              />
            </svg>
            {line.label}
          </li>
        ))}
      </ul>
      <div ref={place} role="img" aria-label={props.label} />
      <details>
        <summary>{words.value.shell.asTable}</summary>
        <Table
          label={props.label}
          columns={[props.first, ...props.lines.map(({ label }) => label)]}
          numbers={props.lines.map((_, index) => index + 1)}
          rows={props.at
            .map((at, index) => ({
              key: String(at),
              cells: [
                props.atText(at),
                ...props.lines.map(({ values }) => {
                  const value = values[index] ?? null;
                  return value === null ? "–" : props.text(value);
                }),
              ],
            }))
            .slice(-tableRowsMax)
            .toReversed()}
        />
      </details>
    </div>
  );
}

function dataOf({ at, lines }: ChartProps): uPlot.AlignedData {
  return [[...at], ...lines.map(({ values }) => [...values])];
}

function optionsOf({ lines, text, atText, least = 1 }: ChartProps, element: HTMLElement): uPlot.Options {
  const colour = (name: string) => {
    element.style.color = `var(${name})`;
    return getComputedStyle(element).color;
  };
  const axis = {
    stroke: colour("--quiet"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
    font: "11px system-ui, sans-serif",
  };
  return {
    width: element.clientWidth,
    height,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false }, y: { range: (_, __, max) => [0, Math.max(max, least) * 1.1] } },
    axes: [
      { ...axis, grid: { show: false }, values: (_, ticks) => ticks.map(atText), space: 90, incrs: [...secondSteps] },
      { ...axis, values: (_, ticks) => ticks.map(text), size: 84 },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        label: line.label,
        stroke: colour(line.colour),
        width: 2,
        points: { show: false },
        ...(line.dashed ? { dash: [5, 4] } : {}),
      })),
    ],
  };
}
