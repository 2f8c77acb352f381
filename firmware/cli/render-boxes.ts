/** Both boxes with their ports for people, and whether the pair would survive. Pure. */
import type { BoxesShown, BoxShown, PortShown, SurvivalReason } from "../runtime/control-ports.ts";
import { localTime } from "../runtime/local-time.ts";
import { survivalSentence } from "./render-status.ts";
import { printable, table } from "./table.ts";

export function renderBoxes({ boxes, survival }: BoxesShown): string {
  const away = boxes.length === 1 && boxes[0]?.box !== "alone" ? ["The other box's core does not answer."] : [];
  const others = survival.reasons.slice(survival.survives === "yes" ? 0 : 1).map(remark);
  return `${[...boxes.map(renderBox), ...away, [survivalSentence(survival), ...others].join("\n")].join("\n\n")}\n`;
}

function remark({ sentence }: SurvivalReason): string {
  return `  ${printable(sentence)}`;
}

function renderBox(box: BoxShown): string {
  const who = box.box === "alone" ? "This box" : `Box ${printable(box.box)}${box.own ? " (this one)" : ""}`;
  const name = box.hostname === "" ? "" : ` ${printable(box.hostname)}`;
  const up = box.uptimeSeconds === null ? "" : `, up for ${uptime(box.uptimeSeconds)}`;
  const revision = box.revision === "" ? "no configuration" : `revision ${printable(box.revision.slice(0, 16))}`;
  const head = `${who}${name}: ${printable(box.role)}, version ${printable(box.version)}, ${revision}${up}, ${localTime(box.at) ?? printable(box.at)}`;
  const urls = box.urls.map((url) => `  ${printable(url)}`);
  return [head, ...urls, table(HEAD, box.ports.map(row), ALIGN)].join("\n");
}

const HEAD = ["PORT", "INTERFACE", "CABLE", "SPEED", "MTU", "RECEIVED", "SENT", "LOST", "HEARTBEAT", "ADDRESSES"];
const ALIGN = ["left", "left", "left", "right", "right", "right", "right", "right"] as const;

function row(port: PortShown): readonly string[] {
  const virtual = port.virtualAddresses.map((address) => `${address} (virtual)`);
  return [
    port.device,
    port.interface ?? "-",
    cable(port),
    port.speedMbps === null ? "-" : `${port.speedMbps} Mbit/s`,
    String(port.mtu),
    bytes(port.receivedBytes),
    bytes(port.sentBytes),
    String(port.troubles),
    heartbeat(port),
    [...port.addresses, ...virtual].join(" "),
  ];
}

function cable({ up, carrier }: PortShown): string {
  if (!up) return "shut";
  return carrier ? "live" : "DEAD";
}

function heartbeat({ heartbeat: path }: PortShown): string {
  if (path === null) return "-";
  if (!path.alive) return "SILENT";
  return path.rttMicros === null ? "alive" : `${(path.rttMicros / 1_000).toFixed(2)} ms`;
}

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

function bytes(count: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, count)) / 3));
  return `${power === 0 ? count : (count / 1_000 ** power).toFixed(1)} ${UNITS[power]}`;
}

function uptime(seconds: number): string {
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3_600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  if (days > 0) return `${days} d ${hours} h`;
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min`;
}
