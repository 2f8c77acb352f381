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
  const head = ["ADDRESS", "GROUP", "MOVED", "SILENT", "PROBES", "LOST", "FINENESS"];
  const figures = table(head, rows, ["left", "left", "left", "right", "right", "right", "right"]);
  const kept = `Connections through the balancer: ${connections.before} before, ${connections.after} after.`;
  const verdict =
    worse.length === 0
      ? ["PASSED: the other box took over as it must."]
      : ["WORSE THAN ALLOWED:", ...worse.map((one) => `  ${printable(one)}`)];
  return [...verdict, "", figures, "", kept, allowedSentence(result), BACK[result.back]].join("\n");
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
    "FAIL-OVER DRILL REPORT",
    RULE,
    `  when      ${when(newest.at)}, took ${(newest.tookMillis / 1_000).toFixed(1)} s`,
    `  ordered   by ${printable(newest.by)}`,
    `  how       ${HOW[newest.how]}`,
    boxRow("a", a),
    boxRow("b", b),
    `  revision  ${newest.revision.slice(0, 16)}`,
    "",
    renderDrill(newest),
    "",
    MEANING[newest.how],
    "",
    "ALL DRILLS KEPT",
    history(results),
    "",
    scheduled,
    ...now,
    ...failed,
  ];
  return `${page.join("\n")}\n`;
}

const HOW: Readonly<Record<DrillResult["how"], string>> = {
  planned: "planned hand-over of every failover group",
  killed: "the processes that serve on the active box were killed",
};

const BACK: Readonly<Record<DrillResult["back"], string>> = {
  stayed: "The other box has served since then.",
  ordered: "The roles went back afterwards, as ordered.",
  worse: "The roles went back by themselves afterwards.",
  failed: "The roles were to go back afterwards AND COULD NOT.",
};

const MEANING: Readonly<Record<DrillResult["how"], string>> = {
  planned: `SILENT is from when the former box ceased to say that it holds the
address until the other one was heard to say so; whoever knew the address
was served meanwhile. PROBES are echo requests, before and after; LOST are
those that nobody answered. FINENESS is the longest pause between two
probes: no shorter loss is seen for certain.`,
  killed: `SILENT is from the last answer of the former box until the other one had
the address. PROBES are echo requests; LOST are those that nobody answered.
FINENESS is the longest pause between two probes: no shorter loss is seen
for certain.`,
};

function allowedSentence({ how, allowed }: DrillResult): string {
  const silence = millis(allowed.silenceMicros);
  return how === "planned"
    ? `Allowed: ${allowed.lost ?? 0} probes lost, ${silence} of silence.`
    : `Allowed: ${silence} of silence, which is the dead time and 50 ms.`;
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
