/** What `show services` prints for people: the services, what they carried, and what was dropped and why. Pure. */
import { COUNTER_WORDS, isLoss } from "../balancer/counter-words.ts";
import type { BackendStatus, BoxStatus, ServiceAttachment, ServiceStatus, TrafficShown } from "../runtime/control.ts";
import { place } from "./render-flows.ts";
import { printable, table } from "./table.ts";

export function renderServices({ services, counters }: Pick<BoxStatus, "services" | "counters">): string {
  if (services.length === 0) return "The configuration names no service.\n";
  return `${[...services.map(service), countersOf(counters)].filter((part) => part !== "").join("\n\n")}\n`;
}

function service(one: ServiceStatus): string {
  const { name, address, port, protocol, mode, family, persistence, pool } = one;
  const at = address.split(" ").map((single) => place(single, port));
  const sticky = persistence === "source" ? ", by source address" : "";
  const kind = `${family === "ipv4" ? "IPv4" : "IPv6"} ${mode}${sticky}`;
  const head = `${name}  ${at.join(" ")}/${protocol}  ${kind}, pool ${pool}, ${attachment(one)}${besides(one)}`;
  const rows = one.backends.map((backend) => [
    `  ${backend.name}${backend.backup ? " (backup backend)" : ""}`,
    place(backend.address, backend.port),
    state(backend),
    String(backend.weight),
    backend.limit === null ? String(backend.flows) : `${backend.flows}/${backend.limit}`,
    ...carried(backend.traffic, mode),
    backend.reason,
  ]);
  const whole = ["  in all", "", "", "", "", ...carried(one.traffic, mode), ""];
  const titles = ["  BACKEND", "AT", "STATE", "WEIGHT", "FLOWS", "BEGAN", "IN", "OUT", "CHECK"];
  const align = ["left", "left", "left", "right", "right", "right", "right", "right"] as const;
  return `${printable(head)}\n${table(titles, [...rows, whole], align)}`;
}

function besides({ oneArmClients }: ServiceStatus): string {
  return oneArmClients.length === 0 ? "" : `; clients in ${oneArmClients.join(" and ")} as one-arm`;
}

/** "XDP native", "XDP generic (eth0: …)", "nftables (eth0: …)". */
export function attachment({ attach, attachReason }: ServiceAttachment): string {
  const how = attach === "nftables" ? attach : `XDP ${attach}`;
  return attachReason === null ? how : `${how} (${printable(attachReason)})`;
}

function state({ healthy, draining, weight }: BackendStatus): string {
  if (!healthy) return draining ? "DEAD, draining" : "DEAD";
  if (draining) return "draining";
  return weight === 0 ? "healthy, weight 0" : "healthy";
}

function carried({ packetsIn, bytesIn, packetsOut, bytesOut, flows }: TrafficShown, mode: string): readonly string[] {
  const out = mode === "direct" ? "by itself" : `${packetsOut} (${size(bytesOut)})`;
  return [String(flows), `${packetsIn} (${size(bytesIn)})`, out];
}

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** "1.5 MB": powers of a thousand, as links are measured. */
export function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1_000 && unit < UNITS.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit] ?? ""}`;
}

/** Losses first, each kind by its number. Those that never happened say nothing. */
function countersOf(counters: BoxStatus["counters"]): string {
  const counted = Object.entries(counters).filter(([name, value]) => COUNTER_WORDS[name] !== undefined && value > 0);
  const rows = (some: typeof counted) =>
    some
      .sort((a, b) => b[1] - a[1])
      .map(([name, value]) => ["", String(value), `${COUNTER_WORDS[name] ?? ""} (${name})`]);
  const losses = rows(counted.filter(([name]) => isLoss(name)));
  const others = rows(counted.filter(([name]) => !isLoss(name)));
  const part = (title: string, some: readonly (readonly string[])[]) =>
    some.length === 0 ? [] : [table([title, "", ""], some, ["left", "right"])];
  const dropped = losses.length === 0 ? ["Nothing was dropped."] : part("DROPPED: the packet …", losses);
  return [...dropped, ...part("OF THE OTHERS, the packet …", others)].join("\n\n");
}
