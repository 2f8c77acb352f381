/** Draws a snapshot of the lab as lines of text for a terminal. Pure; 80 columns by 24 lines are enough. */
import { formatTime } from "./event-log.ts";
import type { BoxSnapshot, LabSnapshot, ModeSnapshot, ServerSnapshot } from "./snapshot.ts";
import { PORTS } from "./topology.ts";

export type Ink = "plain" | "bold" | "dim" | "good" | "bad" | "warn";
/** A piece of a line; the terminal knows how to show the ink. */
export type Span = readonly [text: string, ink: Ink];
export type Line = readonly Span[];

const BOX_WIDTH = 39;
const BAR_WIDTH = 24;
/** The key of the first web server; the next one has the next number. */
export const FIRST_SERVER_KEY = 7;
/** The column in which figures begin. */
const LABEL_WIDTH = 8;
/** Lines that are there whatever happens: all but the servers, the other modes and the events. */
const FIXED_LINES = 15;

export function drawLab(lab: LabSnapshot, width: number, height: number, prompt: string): readonly Line[] {
  const [left, right] = lab.boxes.map(drawBox);
  const rows = (left ?? []).map((line, row) => [
    ...pad(line, BOX_WIDTH),
    ["  ", "plain"] as const,
    ...(right?.[row] ?? []),
  ]);
  const taken = FIXED_LINES + lab.servers.length + lab.modes.length;
  const events = lab.events.slice(-Math.max(1, height - taken));
  const lines: readonly Line[] = [
    drawTitle(lab),
    [],
    ...rows,
    [],
    ...drawClient(lab),
    ...lab.servers.map(drawServer),
    drawWeb(lab.web),
    [],
    ...events.map(
      (event): Line => [
        [`${formatTime(event.at)} `, "dim"],
        [event.text, "plain"],
      ],
    ),
  ];
  const keys = prompt === "" ? keysOf(lab) : [[[prompt, "bold"]] as const];
  const body = lines.slice(0, height - keys.length);
  const filler = Array.from({ length: Math.max(0, height - keys.length - body.length) }, (): Line => []);
  return [...body, ...filler, ...keys].map((line) => cut(line, width));
}

function keysOf(lab: LabSnapshot): readonly Line[] {
  const cables = PORTS.filter((port) => lab.boxes.some((box) => box.cables[port] !== undefined));
  const cable = cables.map((port) => port[0]).join(" ");
  const servers = lab.servers.map((server) => server.name);
  const numbers = servers.map((_, index) => FIRST_SERVER_KEY + index).join(" ");
  const others = `q quit  ${numbers} web server ${servers.join(" ")}`;
  return [
    [[`1 2 power a b  ${cable} cable  c core  n sentinel  p pulse  f freeze  x switch over`, "dim"]],
    [[`${others}  d drill  D --kill  c n p f x: active box`, "dim"]],
  ];
}

function drawTitle(lab: LabSnapshot): Line {
  const where = lab.clientSendsTo === undefined ? "nobody" : `box ${lab.clientSendsTo}`;
  const state: Span = lab.answering
    ? [`${lab.vip} answers`, "good"]
    : [`${lab.vip} silent for ${Math.round(lab.silentMicros / 1_000)} ms`, "bad"];
  return [["FUTAGO LAB   ", "bold"], state, [`   the client sends to ${where}`, "plain"]];
}

const ROLE_INK: Readonly<Record<string, Ink>> = { active: "good", standby: "plain", fault: "bad" };

function drawBox({ box, power, cables, components, status }: BoxSnapshot): readonly Line[] {
  const role = power === "on" ? (status?.role ?? "says nothing") : power;
  const title: Line = [
    [`box ${box}  `, "bold"],
    [role, power === "on" ? (ROLE_INK[role] ?? "warn") : "bad"],
  ];
  const group = status?.groups[0];
  const holds = group?.answering === true ? group.addresses.map((address) => address.split("/")[0]).join(" ") : "–";
  const running = Object.entries(components).map(([name, runs]) => mark(name, runs));
  const plugged = PORTS.flatMap((port) => {
    const there = cables[port];
    return there === undefined ? [] : [mark(port, there)];
  });
  const paths = status?.peer?.paths ?? [];
  const heard = paths.map(({ interface: name, alive, rttMicros }): Span => {
    const time = rttMicros === null ? "" : ` ${(rttMicros / 1_000).toFixed(1)}`;
    return mark(`${name}${time}`, alive);
  });
  const beat = status?.heartbeat;
  const timing =
    beat === null || beat === undefined
      ? ""
      : `dead ${beat.deadMs} lease ${beat.leaseMs} late ${beat.latenessP999Ms} ms`;
  return [
    title,
    [
      ["VIP    ", "dim"],
      [holds, "plain"],
    ],
    [["runs   ", "dim"], ...running],
    [["cables ", "dim"], ...plugged],
    [["hears  ", "dim"], ...(heard.length === 0 ? [["–", "plain"] as const] : heard)],
    [
      ["beat   ", "dim"],
      [timing, "plain"],
    ],
  ];
}

/** Readable without colours too. */
function mark(name: string, good: boolean): Span {
  return [`${good ? "" : "✗"}${name} `, good ? "good" : "bad"];
}

function drawClient(lab: LabSnapshot): readonly Line[] {
  const gap = lab.lastGapMicros === undefined ? "none yet" : `${Math.round(lab.lastGapMicros / 1_000)} ms`;
  const ink = (count: number): Ink => (count > 0 ? "warn" : "plain");
  return [
    [
      ["probes".padEnd(LABEL_WIDTH), "dim"],
      [`${Math.round(lab.probesPerSecond)}/s`.padEnd(9), "plain"],
      [`lost ${lab.probesLost}`.padEnd(14), ink(lab.probesLost)],
      [`last silence ${gap}`, "plain"],
    ],
    [
      [(lab.modes.length > 0 ? "nat" : "http").padEnd(LABEL_WIDTH), "dim"],
      [`${Math.round(lab.requestsPerSecond)}/s`.padEnd(9), "plain"],
      [`failed ${lab.requestsFailed}`.padEnd(14), ink(lab.requestsFailed)],
      [`kept alive ${lab.keptOpen}, broken ${lab.keptBroken}   `, ink(lab.keptBroken)],
      ...drawStream(lab.stream),
    ],
    ...lab.modes.map(drawMode),
  ];
}

function drawMode({ name, perSecond, lost, kept, broken }: ModeSnapshot): Line {
  const isUdp = name === "udp";
  const what = isUdp ? `clients ${kept}, moved ${broken}` : `kept alive ${kept}, broken ${broken}`;
  return [
    [name.padEnd(LABEL_WIDTH), "dim"],
    [`${Math.round(perSecond)}/s`.padEnd(9), "plain"],
    [`${isUdp ? "lost" : "failed"} ${lost}`.padEnd(14), lost > 0 ? "warn" : "plain"],
    [what, broken > 0 ? "warn" : "plain"],
  ];
}

function drawStream(stream: LabSnapshot["stream"]): Line {
  if (stream === undefined) return [];
  if (!stream.alive) return [["stream ended", "bad"]];
  return [[`stream ${stream.megabitsPerSecond.toFixed(1)} Mbit/s`, "plain"]];
}

/** Two of them fit into eighty columns. */
function drawWeb(web: LabSnapshot["web"]): Line {
  const shown = web.map(({ url, claimCode }): Span => {
    return [`${url}${claimCode === undefined ? "" : ` ${claimCode}`}  `, "plain"];
  });
  return [["web".padEnd(LABEL_WIDTH), "dim"], ...shown];
}

function drawServer({ name, alive, healthy, reason, share }: ServerSnapshot): Line {
  const state: Span = !alive
    ? ["dead   ", "bad"]
    : healthy === undefined
      ? ["?      ", "dim"]
      : healthy
        ? ["healthy", "good"]
        : ["out    ", "warn"];
  const bar = "█".repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH, "·");
  return [
    [name.padEnd(LABEL_WIDTH), "dim"],
    state,
    [`  ${bar} `, "plain"],
    [`${Math.round(share * 100)}%`.padStart(4), "plain"],
    [`  ${reason}`, "dim"],
  ];
}

function lengthOf(line: Line): number {
  return line.reduce((sum, [text]) => sum + text.length, 0);
}

function pad(line: Line, width: number): Line {
  return [...cut(line, width), [" ".repeat(Math.max(0, width - lengthOf(line))), "plain"]];
}

function cut(line: Line, width: number): Line {
  const spans: Span[] = [];
  let left = width;
  for (const [text, ink] of line) {
    if (left <= 0) break;
    spans.push([text.slice(0, left), ink]);
    left -= text.length;
  }
  return spans;
}
