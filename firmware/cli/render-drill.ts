/** What came of drills, for people: one drill, and the page that one hands to somebody. Pure. */
import type { DrillResult, DrillsShown } from "../runtime/control-drill.ts";
import { when } from "./render-status.ts";
import { printable, table } from "./table.ts";

const DRILLS_LISTED_MAX = 12;
const RULE = "=".repeat(72);

export function renderDrill(result: DrillResult): string {
  const { vips, connections, worse } = result;
  const rows = vips.map((vip) => [
    vip.address,
    vip.group,
    `${vip.from} to ${vip.from === "a" ? "b" : "a"}`,
    vip.silenceMicros === null ? "?" : millis(vip.silenceMicros),
    String(vip.sent),
    String(vip.lost),
    millis(vip.pauseMicros),
  ]);
  const head = ["ADDRESS", "GROUP", "MOVED", "SILENT", "PROBES", "LOST", "PROBE GAP"];
  const figures = table(head, rows, ["left", "left", "left", "right", "right", "right", "right"]);
  const verdict =
    worse.length === 0 ? [passed(result)] : ["WORSE THAN ALLOWED:", ...worse.map((one) => `  ${printable(one)}`)];
  return [...verdict, "", figures, "", allowedSentence(result), keptSentence(connections), BACK[result.back]].join(
    "\n",
  );
}

function passed({ how, vips }: DrillResult): string {
  const silence = millis(Math.max(0, ...vips.map(({ silenceMicros }) => silenceMicros ?? 0)));
  const [giver, ...others] = new Set(vips.map((vip) => vip.from));
  const taker = giver === "a" ? "b" : "a";
  if (how === "killed")
    return `PASSED: box ${giver}'s processes were killed; box ${taker} took over, ${silence} without an answer.`;
  const who = others.length > 0 ? "each box took over from the other" : `box ${taker} took over from box ${giver}`;
  return `PASSED: ${who}, and no probe was lost.`;
}

function keptSentence({ before, after }: DrillResult["connections"]): string {
  return before === 0 && after === 0
    ? "No connection went through the balancer at the time."
    : `Connections through the balancer: ${before} before, ${after} after.`;
}

export function renderDrillReport({ results, schedule, running, trouble }: DrillsShown): string {
  const [newest] = results;
  const scheduled =
    schedule === null
      ? "No drill is scheduled; `pair.drill` in the configuration orders them."
      : `Scheduled: ${printable(schedule)}.`;
  const now = running === null ? [] : [`A drill is under way: ${printable(running.phase)}.`];
  const failed = trouble === null ? [] : [`The newest attempt came to nothing: ${printable(trouble)}.`];
  if (newest === undefined) return `${["No drill was made yet.", scheduled, ...now, ...failed].join("\n")}\n`;
  const { a, b } = newest.boxes;
  const boxRow = (letter: string, { hostname, version }: DrillResult["boxes"]["a"]) =>
    `  box ${letter}     ${printable(hostname === "" ? "-" : hostname)}, Futago ${printable(version)}`;
  const page = [
    RULE,
    "FUTAGO FAIL-OVER DRILL REPORT",
    RULE,
    `  when      ${when(newest.at)} ${zone(newest.at)}, took ${(newest.tookMillis / 1_000).toFixed(1)} s`,
    `  ordered   by ${newest.by === "schedule" ? "the schedule" : printable(newest.by)}`,
    `  what      ${HOW[newest.how]}`,
    boxRow("a", a),
    boxRow("b", b),
    `  settings  revision ${newest.revision.slice(0, 16)}`,
    "",
    renderDrill(newest),
    "",
    MEANING[newest.how],
    "",
    "ALL DRILLS KEPT (the longest silence of any address; lost probes of all)",
    history(results),
    "",
    scheduled,
    ...now,
    ...failed,
  ];
  return `${page.join("\n")}\n`;
}

const HOW: Readonly<Record<DrillResult["how"], string>> = {
  planned: "every failover group was handed over as planned",
  killed: "the processes that serve on the active box were killed",
};

const BACK: Readonly<Record<DrillResult["back"], string>> = {
  stayed: "The roles stayed with the box that took over.",
  ordered: "The roles went back afterwards, as ordered.",
  worse: "The roles went back by themselves afterwards.",
  failed: "The roles were to go back afterwards AND COULD NOT.",
};

const MEANING: Readonly<Record<DrillResult["how"], string>> = {
  planned: `SILENT is how long no box said that it holds the address: from when the
former one ceased to until the other one was heard to. Whoever knew the
address was served meanwhile: the former box forwards for 100 ms more.
PROBES are echo requests (pings), before and after; LOST are those that
nobody answered. PROBE GAP is the longest time between two of them: a
shorter outage may not be seen.
This is what an update or maintenance costs. What the death of a box costs
is shown by \`futago drill --kill\`.`,
  killed: `SILENT is from the last answer of the former box until the other one had
the address. PROBES are echo requests (pings); LOST are those that nobody
answered. PROBE GAP is the longest time between two of them: a shorter
outage may not be seen.
The dead time is how long a box may be silent before the other one takes
over. This is what a crash costs; the machine itself went on running, so it
was no loss of power.`,
};

function allowedSentence({ how, allowed }: DrillResult): string {
  const silence = millis(allowed.silenceMicros);
  return how === "planned"
    ? `Allowed: ${allowed.lost ?? 0} probes lost, ${silence} of silence.`
    : `Allowed: ${silence} of silence, which is the dead time and 50 ms.`;
}

/** "UTC+09:00": where the page is read nobody knows by which clock it was written. */
function zone(timestamp: string): string {
  const minutes = -new Date(timestamp).getTimezoneOffset();
  if (minutes === 0) return "UTC";
  const two = (value: number) => String(value).padStart(2, "0");
  const ahead = Math.abs(minutes);
  return `UTC${minutes < 0 ? "-" : "+"}${two(Math.floor(ahead / 60))}:${two(ahead % 60)}`;
}

function history(results: readonly DrillResult[]): string {
  const rows = results.slice(0, DRILLS_LISTED_MAX).map((one) => {
    const lost = one.vips.reduce((sum, vip) => sum + vip.lost, 0);
    const known = one.vips.flatMap(({ silenceMicros }) => silenceMicros ?? []);
    const silent = known.length === 0 ? "?" : millis(Math.max(...known));
    return [when(one.at), one.how, one.by, silent, String(lost), one.worse.length === 0 ? "passed" : "WORSE"];
  });
  const more = results.length > rows.length ? `\nand ${results.length - rows.length} older ones (--json has them)` : "";
  const head = ["WHEN", "HOW", "BY", "SILENT", "LOST", "RESULT"];
  return `${table(head, rows, ["left", "left", "left", "right", "right"])}${more}`;
}

function millis(micros: number): string {
  return `${(micros / 1_000).toFixed(1)} ms`;
}
