/**
 * Where everything of the drawn pair is, in CSS pixels for a given width: boxes, ports, cables, virtual addresses. A port
 * of one box and the port of the other that carry the same interface of the configuration stand on one line, so that
 * the cable between them is straight.
 */
import type { BoxesShown, BoxShown, PortShown } from "@futago/firmware/runtime/control-ports.ts";

export interface Spot {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PortSpot extends Spot {
  readonly port: PortShown;
}

export interface BoxSpot extends Spot {
  readonly box: BoxShown;
  readonly side: "left" | "right";
  readonly ports: readonly PortSpot[];
}

export interface Cable {
  readonly interface: string;
  readonly from: { readonly x: number; readonly y: number };
  readonly to: { readonly x: number; readonly y: number };
  /** "alive": the peer's heartbeats come over it; "idle": none are meant to. */
  readonly beat: "alive" | "silent" | "idle" | "unplugged";
  readonly rttMicros: number | null;
}

export interface VipSpot extends Spot {
  readonly address: string;
  readonly box: string;
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly BoxSpot[];
  readonly cables: readonly Cable[];
  readonly vips: readonly VipSpot[];
}

const headHeight = 74;
const portHeight = 46;
const vipHeight = 26;
const padding = 10;

export function pictureOf(shown: BoxesShown, width: number): Picture {
  const pair = shown.boxes.toSorted((one, other) => one.box.localeCompare(other.box)).slice(0, 2);
  const boxWidth = pair.length < 2 ? Math.min(width, 420) : Math.min(380, Math.floor((width - gapOf(width)) / 2));
  const rows = rowsOf(pair);
  const height = headHeight + rows.reduce((sum, row) => sum + rowHeight(row), 0) + padding;
  const boxes = pair.map((box, index): BoxSpot => {
    const side = index === 0 ? "left" : "right";
    const x = side === "left" ? 0 : width - boxWidth;
    return { box, side, x, y: 0, width: boxWidth, height, ports: portSpots(box, rows, x, boxWidth) };
  });
  return { width, height, boxes, cables: cablesOf(boxes), vips: boxes.flatMap(vipSpots) };
}

function gapOf(width: number): number {
  return width < 520 ? 76 : Math.min(280, Math.floor(width * 0.26));
}

type Row = readonly { readonly box: string; readonly port: PortShown }[];

/** Interfaces in the order of the first box's ports, then what only one box has, loose ports last. */
function rowsOf(pair: readonly BoxShown[]): readonly Row[] {
  const all = pair.flatMap((box) => box.ports.map((port) => ({ box: box.box, port })));
  const names = [...new Set(all.flatMap(({ port }) => port.interface ?? []))];
  const devices = [...new Set(all.filter(({ port }) => port.interface === null).map(({ port }) => port.device))];
  return [
    ...names.map((name) => all.filter(({ port }) => port.interface === name)),
    ...devices.map((device) => all.filter(({ port }) => port.interface === null && port.device === device)),
  ];
}

function rowHeight(row: Row): number {
  const vips = Math.max(0, ...row.map(({ port }) => vipsOf(port).length));
  return portHeight + vips * vipHeight;
}

/** Link-local ones come by themselves and say nothing about where a service is. */
function vipsOf(port: PortShown): readonly string[] {
  return port.virtualAddresses.filter((address) => !address.startsWith("fe80:"));
}

function portSpots(box: BoxShown, rows: readonly Row[], x: number, width: number): readonly PortSpot[] {
  let y = headHeight;
  return rows.flatMap((row) => {
    const here = { x: x + padding, y, width: width - 2 * padding, height: rowHeight(row) };
    y += here.height;
    return row.filter((one) => one.box === box.box).map(({ port }) => ({ ...here, port }));
  });
}

function cablesOf(boxes: readonly BoxSpot[]): readonly Cable[] {
  const [left, right] = boxes;
  if (left === undefined || right === undefined) return [];
  return left.ports.flatMap(({ port, y }): Cable[] => {
    const other = right.ports.find((one) => one.port.interface === port.interface && port.interface !== null);
    if (other === undefined || port.interface === null) return [];
    const middle = y + portHeight / 2 - 4;
    return [
      {
        interface: port.interface,
        from: { x: left.x + left.width, y: middle },
        to: { x: right.x, y: middle },
        beat: beatOf(port, other.port),
        rttMicros: port.heartbeat?.rttMicros ?? other.port.heartbeat?.rttMicros ?? null,
      },
    ];
  });
}

function beatOf(one: PortShown, other: PortShown): Cable["beat"] {
  if (!one.carrier || !other.carrier) return "unplugged";
  const beats = [one.heartbeat, other.heartbeat].filter((beat) => beat !== null);
  if (beats.length === 0) return "idle";
  return beats.every(({ alive }) => alive) ? "alive" : "silent";
}

function vipSpots({ box, ports }: BoxSpot): readonly VipSpot[] {
  return ports.flatMap(({ port, x, y, width }) =>
    vipsOf(port).map((address, index) => ({
      address,
      box: box.box,
      x,
      y: y + portHeight - 4 + index * vipHeight,
      width,
      height: vipHeight - 4,
    })),
  );
}

/** A text cut in its middle, so that both ends of an address stay to be read. */
export function shortened(text: string, letters: number): string {
  if (text.length <= letters) return text;
  const head = Math.ceil((letters - 1) / 2);
  return `${text.slice(0, head)}…${text.slice(text.length - (letters - 1 - head))}`;
}
