/** The status of a box for a tired person: first what it does, then what is wrong, then the details. Pure. */
import { ago } from "../pair/drill/schedule.ts";
import type { BackendStatus, BoxStatus, ServiceStatus } from "../runtime/control.ts";
import type { Survival } from "../runtime/control-ports.ts";
import type { LastDrill } from "../runtime/control-drill.ts";
import { localTime } from "../runtime/local-time.ts";
import type { GroupStatus, PeerStatus } from "../runtime/messages.ts";
import { attachment } from "./render-services.ts";
import { narrowTable, printable, table } from "./table.ts";

/** `now`: milliseconds since 1970. `columns` of the terminal, which tables keep to. */
export function renderStatus(status: BoxStatus, now = Date.now(), columns = Number.POSITIVE_INFINITY): string {
  const parts = [
    roleSentence(status),
    peerSentence(status),
    editorsSentence(status.editors),
    alarms(status),
    groups(status.groups, columns),
    paths(status.peer),
    services(status.services, columns),
    survivors(status),
    status.peer === null ? "" : survivalSentence(status.survival),
    provenSentence(status.lastDrill, now),
    panelSentence(status.panel),
    footer(status),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

/** "Box a is ACTIVE: it answers for 10.1.0.1/24 and 10.2.0.1/24 since 2026-01-05 12:03:04." */
export function roleSentence(status: BoxStatus): string {
  const who = status.box === "alone" ? "This box (alone)" : `Box ${printable(status.box)}`;
  if (status.revision === "") return `${who} has no configuration yet: it holds no role and no address.`;
  const held = status.groups.filter((group) => group.state === "active");
  const addresses = held.flatMap((group) => group.addresses);
  switch (status.role) {
    case "active": {
      const since = held.map((group) => group.since).sort()[0];
      const silent = held.filter((group) => !group.answering).map((group) => group.name);
      const lapse = silent.length === 0 ? "" : ` But ${list(silent)} does not answer now: its lease has lapsed.`;
      return `${who} is ACTIVE: it answers for ${list(addresses)}${since === undefined ? "" : ` since ${when(since)}`}.${lapse}`;
    }
    case "standby":
      return `${who} is STANDBY: ${standbySentence(status)}`;
    case "spare":
      return `${who} is the SPARE: its ports are shut. ${activeSentence(status)}`;
    case "maintenance":
      return `${who} is in MAINTENANCE: it takes no role until \`futago maintenance off\`.`;
    case "fault":
      return `${who} is in FAULT: it cannot take a role. ${list(status.groups.map((group) => group.reason))}`;
    case "unknown":
      return `${who}: the role is UNKNOWN, the sentinel does not answer. It is being started again.`;
  }
  return `${who} is ${printable(status.role).toUpperCase()}.`;
}

/** A group that waits for the peer or for its boot time to end takes nothing over. */
function standbySentence({ groups: all, peer }: BoxStatus): string {
  const waiting = all.filter(({ state }) => state !== "standby");
  if (waiting.length > 0) {
    const why = waiting.map(({ name, state, reason }) => `${name} is ${state}${reason === "" ? "" : ` (${reason})`}`);
    return `NOT ready to take over, ${list(why)}. It holds no address now.`;
  }
  return peer?.alive === false ? "it holds no address now." : "ready to take over, it holds no address now.";
}

/** "Box a is the active one." What a person must do is among the alarms. */
function activeSentence({ box, activation }: BoxStatus): string {
  const active = activation?.active ?? "undecided";
  if (active === "nobody") return "Nobody serves.";
  if (active === "undecided") return "Nobody was activated yet.";
  return active === box ? "It was the active one, and waits." : `Box ${active} is the active one.`;
}

export function peerSentence(status: Pick<BoxStatus, "pairing" | "peer" | "revision" | "role">): string {
  const { pairing, peer, role } = status;
  if (peer === null) return pairedSentence(status);
  if (!peer.alive) {
    const then = role === "spare" ? "" : ": nobody takes over if this box fails";
    if (pairing.kind === "left") return `This box gave its peer up${then}.`;
    return `The peer is NOT HEARD on any path${then}.`;
  }
  const dead = peer.paths.filter((path) => !path.alive).map((path) => path.interface);
  const lost = dead.length === 0 ? "" : ` Not heard over ${list(dead)}.`;
  return `The peer is alive and ${printable(peer.role)}.${lost}`;
}

/** Of a box that has a peer, and no configuration by which the two would hear each other. */
function pairedSentence({ pairing: { kind, linked }, revision }: Pick<BoxStatus, "pairing" | "revision">): string {
  if (kind !== "paired") return "";
  if (revision !== "") return "This box is paired, but its configuration has no `pair` in it.";
  return `This box is paired. ${linked ? "The two are linked." : "The link to the peer is down."}`;
}

/** What is edited and forgotten is in force on no box. */
export function editorsSentence(editors: BoxStatus["editors"]): string {
  if (editors.length === 0) return "";
  const names = list(editors.map(({ author }) => printable(author)));
  return `${names} changed the configuration and did not commit it yet: \`futago diff\` shows what.`;
}

function alarms(status: BoxStatus): string {
  if (status.alarms.length === 0) return "";
  const lines = status.alarms.map(
    (alarm) => `  ${when(alarm.since)}  ${printable(alarm.kind)}: ${printable(alarm.sentence)}`,
  );
  return ["ALARMS", ...lines].join("\n");
}

function groups(all: readonly GroupStatus[], columns: number): string {
  if (all.length === 0) return "";
  const rows = all.map((group) => [
    group.name,
    group.state,
    String(group.priority),
    when(group.since),
    group.addresses.join(" "),
    group.reason,
  ]);
  const head = ["GROUP", "STATE", "PRIORITY", "SINCE", "ADDRESSES", "WHY"];
  return narrowTable(columns, head, rows, ["left", "left", "right"]);
}

function paths(peer: PeerStatus | null): string {
  if (peer === null || peer.paths.length === 0) return "";
  const rows = peer.paths.map((path) => [
    path.interface,
    path.alive ? "alive" : "SILENT",
    path.rttMicros === null ? "-" : `${(path.rttMicros / 1_000).toFixed(2)} ms`,
  ]);
  return table(["HEARTBEAT", "PEER", "ROUND TRIP"], rows, ["left", "left", "right"]);
}

function health({ healthy, draining }: BackendStatus): string {
  if (!healthy) return "DEAD";
  return draining ? "draining" : "healthy";
}

function services(all: readonly ServiceStatus[], columns: number): string {
  if (all.length === 0) return "";
  const rows = all.flatMap((service) =>
    service.backends.map((backend, i) => [
      i === 0 ? service.name : "",
      i === 0 ? `${service.address}:${service.port}/${service.protocol}` : "",
      i === 0 ? service.attach : "",
      backend.name + (backend.backup ? " (backup backend)" : ""),
      `${backend.address}:${backend.port}`,
      health(backend),
      String(backend.weight),
      String(backend.flows),
      backend.reason,
    ]),
  );
  const align = ["left", "left", "left", "left", "left", "left", "right", "right"] as const;
  const slow = all.filter(({ attachReason }) => attachReason !== null);
  const reasons = slow.map((service) => `\n  ${printable(service.name)}: ${attachment(service)}`);
  const whole = narrowTable(
    columns,
    ["SERVICE", "ADDRESS", "XDP", "BACKEND", "AT", "HEALTH", "WEIGHT", "FLOWS", "CHECK"],
    rows,
    align,
  );
  return `${whole}${reasons.join("")}`;
}

/** "Of 1200 connections 1198 would survive a fail-over now." Only the box that serves can say it. */
export function survivors({ connections, replication }: Pick<BoxStatus, "connections" | "replication">): string {
  const { established, replicated } = connections;
  if (replicated === null || established === 0) return "";
  const link = replication?.linked === true ? "" : " The peer's core is not connected, so what it has is growing old.";
  return `Of ${established} connections ${replicated} would survive a fail-over now.${link}`;
}

/** "The pair would NOT survive the next failure: Box b is in maintenance …" The gravest reason alone. */
export function survivalSentence({ survives, reasons }: Survival): string {
  const why = printable(reasons[0]?.sentence ?? "");
  switch (survives) {
    case "yes":
      return "The pair would survive the next failure.";
    case "partly":
      return `The pair would survive the next failure, but not whole: ${why}`;
    case "no":
      return `The pair would NOT survive the next failure: ${why}`;
  }
}

/** "Last proven fail-over: 3 days ago, 0 probes lost." Nothing before the first drill. */
export function provenSentence(last: LastDrill | null, now: number): string {
  if (last === null) return "";
  const { provenAt, provenLost } = last;
  const proven =
    provenAt === null
      ? "No fail-over has been proven yet."
      : `Last proven fail-over: ${ago(Date.parse(provenAt), now)}, ${provenLost} lost.`;
  return last.passed ? proven : `${proven} The newest drill, ${ago(Date.parse(last.at), now)}, was WORSE THAN ALLOWED.`;
}

/** "Board PC Engines APU: a watchdog resets it 15 s after it hangs." Nothing where the machine is not the box's own. */
function panelSentence(panel: BoxStatus["panel"]): string {
  if (panel === null) return "";
  const { board, locating, watchdog } = panel;
  const guarded =
    watchdog?.state === "armed" ? `its watchdog resets it when it hangs for ${watchdog.seconds} s.` : "no watchdog.";
  return `Board ${printable(board)}: ${guarded}${locating ? " Its lights blink, so that somebody finds it." : ""}`;
}

function footer(status: BoxStatus): string {
  const beat = status.heartbeat;
  const heartbeat =
    beat === null
      ? ""
      : `   heartbeat ${beat.profile}: dead after ${beat.deadMs} ms, lease ${beat.leaseMs} ms, own lateness p99.9 ${beat.latenessP999Ms.toFixed(1)} ms`;
  const revision = status.revision === "" ? heartbeat.trim() : `revision ${status.revision.slice(0, 16)}${heartbeat}`;
  const { version, slot } = status.system;
  // What runs from no image is a developer's, who knows what it is.
  const system = slot === null ? "" : `version ${printable(version)}, slot ${slot.toUpperCase()}`;
  return [revision, system].filter((line) => line !== "").join("\n");
}

/** Local time to the second, without the noise of RFC 3339. */
export function when(timestamp: string): string {
  return localTime(timestamp) ?? printable(timestamp);
}

function list(words: readonly string[]): string {
  const clean = words.map(printable);
  if (clean.length === 0) return "nothing";
  if (clean.length === 1) return clean[0] ?? "";
  return `${clean.slice(0, -1).join(", ")} and ${clean.at(-1) ?? ""}`;
}
