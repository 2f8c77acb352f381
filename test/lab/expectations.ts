/** What a script may expect, each looked up in what the lab measures or the boxes say. */
import { setTimeout as wait } from "node:timers/promises";
import { type Chapter, pidsKey } from "./chapter.ts";
import { drillAgreement } from "./drill-agreement.ts";
import { areOfTheMachine, lossSentence } from "./lost-probes.ts";
import { longestSilence, monotonicMicros } from "./prober.ts";
import type { ServerName } from "./scenario.ts";
import type { Expectation } from "./script.ts";
import { type Box, BOXES } from "./topology.ts";
import { web } from "./web-answers.ts";
import { silentForVip } from "./vip-silence.ts";

export interface Finding {
  readonly holds: boolean;
  /** What was seen, for the person who reads the table. */
  readonly seen: string;
}

/** The prober gives an echo half a second, and its counts come ten times a second. */
export const PROBES_SETTLE_MILLIS = 700;
/** Of the default profile, before a box has told its own. */
const DEAD_MICROS = 75_000;
/** "Now" for an answer: twenty of the prober's milliseconds. */
const FRESH_MICROS = 20_000;
const WINDOW_MILLIS = 1_000;
/** iperf3 tells every half second; over a second and a half at least two tellings must have moved data. */
const STREAM_WINDOW_MILLIS = 1_500;
const STREAM_INTERVALS = 2;
const POLL_MILLIS = 50;
const WITHIN_MILLIS = 20_000;

/** Looks until the expectation holds or `withinMillis` have passed, at least once. */
export async function meets(
  chapter: Chapter,
  expectation: Expectation,
  withinMillis = WITHIN_MILLIS,
): Promise<Finding> {
  const deadline = monotonicMicros() + withinMillis * 1_000;
  for (;;) {
    const finding = await look(chapter, expectation);
    if (finding.holds || isFinal(expectation) || monotonicMicros() > deadline) return finding;
    await wait(POLL_MILLIS);
  }
}

/** What was broken since the mark stays broken: looking again would not help. */
function isFinal(expectation: Expectation): boolean {
  return ["noProbeLost", "drillAgrees", "arpNeverBoth", "noRequestFailed"].includes(expectation.what);
}

function look(chapter: Chapter, expectation: Expectation): Promise<Finding> | Finding {
  switch (expectation.what) {
    case "role":
      return role(chapter, chapter.box(expectation.box), expectation.role);
    case "oneActive":
      return oneActive(chapter);
    case "web":
      return web(chapter.lab);
    case "noAlarm":
      return noAlarm(chapter);
    case "answers":
      return answers(chapter);
    case "announced":
      return announced(chapter);
    case "keptAlive":
      return keptAlive(chapter);
    case "keptRenewed":
      return keptRenewed(chapter);
    case "everyMode":
      return everyMode(chapter);
    case "silentForVip":
      return silentForVip(chapter.lab, chapter.box(expectation.box));
    case "stream":
      return stream(chapter);
    case "noProbeLost":
      return noProbeLost(chapter);
    case "noRequestFailed":
      return noRequestFailed(chapter);
    case "drillAgrees":
      return drillAgrees(chapter);
    case "arpSilent":
      return arpSilent(chapter, chapter.box(expectation.box));
    case "arpNeverBoth":
      return arpNeverBoth(chapter);
    case "restarted": {
      const box = chapter.box(expectation.box);
      const before = chapter.mark.pids.get(pidsKey(box, expectation.component)) ?? [];
      const pids = chapter.lab.boxes[box].pidsOf(expectation.component);
      const holds = pids.length > 0 && !pids.some((pid) => before.includes(pid));
      return { holds, seen: `pid ${before.join(" ") || "none"}, now ${pids.join(" ") || "none"}` };
    }
    case "serves":
      return share(chapter, chapter.server(expectation.server), true);
    case "spares":
      return share(chapter, chapter.server(expectation.server), false);
  }
}

function role({ lab }: Chapter, box: Box, wanted: string): Finding {
  const status = lab.boxes[box].feed.latest;
  const reason = status?.groups[0]?.reason;
  const seen = status === undefined ? `${box} says nothing` : `${box} is ${status.role}${reason ? `: ${reason}` : ""}`;
  return { holds: status?.role === wanted, seen };
}

function oneActive({ lab }: Chapter): Finding {
  const statuses = BOXES.filter((box) => lab.boxes[box].power === "on").map((box) => ({
    box,
    status: lab.boxes[box].feed.latest,
  }));
  const seen = statuses.map(({ box, status }) => `${box} ${status?.role ?? "says nothing"}`).join(", ");
  const actives = statuses.filter(({ status }) => status?.role === "active");
  const standbys = statuses.filter(({ status }) => status?.role === "standby" && status.peer?.alive === true);
  return { holds: actives.length === 1 && actives.length + standbys.length === statuses.length, seen };
}

function noAlarm({ lab }: Chapter): Finding {
  const statuses = BOXES.filter((box) => lab.boxes[box].power === "on").map((box) => lab.boxes[box].feed.latest);
  const alarms = statuses.flatMap((status) => status?.alarms ?? []);
  const holds = alarms.length === 0 && statuses.every((status) => status !== undefined);
  return { holds, seen: alarms.map((alarm) => alarm.sentence).join("; ") };
}

/** In the newest tenth of a second, all of which lies after the step before. */
async function answers({ lab }: Chapter): Promise<Finding> {
  await lab.prober.nextTick();
  const tick = await lab.prober.nextTick();
  const age = tick.at - tick.lastAnswerAt;
  return {
    holds: age < FRESH_MICROS,
    seen: age < FRESH_MICROS ? "" : `newest answer ${Math.round(age / 1_000)} ms ago`,
  };
}

async function announced({ lab, mark }: Chapter): Promise<Finding> {
  const [active] = lab.activeBoxes();
  const targets = await Promise.all(lab.scenario.vips.map((vip) => lab.clientSendsTo(vip)));
  const announcements = lab.prober.linesOf("announce", mark.at);
  const first = announcements.find((line) => active !== undefined && line.mac === lab.frontMac(active));
  const asks = lab.prober.linesOf("ask", mark.at).filter((line) => first !== undefined && line.at < first.at);
  const sendsTo = targets.every((box) => box === active);
  const holds = active !== undefined && sendsTo && first !== undefined && asks.length === 0;
  return {
    holds,
    seen: `client sends to ${targets.map((box) => box ?? "nobody").join(" and ")}, active ${active ?? "none"}, ${announcements.length} announcements, ${asks.length} asked before`,
  };
}

async function keptAlive({ lab, mark }: Chapter): Promise<Finding> {
  const before = lab.http.counts;
  await wait(WINDOW_MILLIS);
  const now = lab.http.counts;
  const broken = now.keptBroken - mark.http.keptBroken;
  const answered = now.keptServed - before.keptServed;
  const holds = broken === 0 && now.keptOpen > 0 && answered >= now.keptOpen;
  return { holds, seen: `${now.keptOpen} open, ${broken} broken, ${answered} answers in a second` };
}

async function keptRenewed({ lab, mark }: Chapter): Promise<Finding> {
  const before = lab.http.counts;
  await wait(WINDOW_MILLIS);
  const now = lab.http.counts;
  const ended = now.keptBroken - mark.http.keptBroken;
  const answered = now.keptServed - before.keptServed;
  const wanted = mark.http.keptOpen;
  const holds = wanted > 0 && ended >= wanted && now.keptOpen >= wanted && answered >= wanted;
  return { holds, seen: `${ended} ended, ${now.keptOpen} open, ${answered} answers in a second` };
}

async function everyMode({ lab: { modes }, mark }: Chapter): Promise<Finding> {
  if (modes === undefined || mark.modes === undefined) return { holds: false, seen: "this scenario has one only" };
  const before = modes.counts;
  await wait(WINDOW_MILLIS);
  const now = modes.counts;
  const kept = (["oneArm", "direct"] as const).map((mode) => {
    const broken = now[mode].keptBroken - (mark.modes?.[mode].keptBroken ?? 0);
    const answered = now[mode].keptServed - before[mode].keptServed;
    const open = now[mode].keptOpen;
    return { holds: broken === 0 && open > 0 && answered >= open, seen: `${open} open, ${broken} broken` };
  });
  const moved = now.datagrams.moved - mark.modes.datagrams.moved;
  const answered = now.datagrams.answered - before.datagrams.answered;
  const stayed = moved === 0 && answered >= now.datagrams.clients && answered > 0;
  return {
    holds: stayed && kept.every(({ holds }) => holds),
    seen: `one-arm ${kept[0]?.seen}; direct ${kept[1]?.seen}; UDP ${answered} answers in a second, ${moved} moved`,
  };
}

async function stream({ lab: { stream: running } }: Chapter): Promise<Finding> {
  if (running === undefined) return { holds: false, seen: "this scenario has none" };
  const before = running.movingIntervals;
  await wait(STREAM_WINDOW_MILLIS);
  const moved = running.movingIntervals - before;
  const seen = running.alive ? `${running.megabitsPerSecond} Mbit/s` : `iperf3 ended: ${running.lastLine}`;
  return { holds: running.alive && moved >= STREAM_INTERVALS, seen };
}

async function noProbeLost({ lab, mark }: Chapter): Promise<Finding> {
  await wait(PROBES_SETTLE_MILLIS);
  const { lost, sent } = lab.prober.tick;
  const count = lost - mark.probesLost;
  if (count === 0 || sent === 0) return { holds: sent > 0, seen: `${count} lost` };
  const runs = lab.prober.linesOf("lost", 0).filter(({ total }) => total > mark.probesLost);
  const stalls = lab.prober.linesOf("stall", 0);
  const deadAt = (at: number) => Math.max(DEAD_MICROS, ...BOXES.map((box) => lab.boxes[box].feed.deadMicrosAt(at)));
  const sentences = runs.map((run) => lossSentence(run, stalls, deadAt));
  return {
    holds: areOfTheMachine(lost, runs, stalls, deadAt),
    seen: `${count} lost: ${sentences.join("; ") || "and no end of it"}`,
  };
}

async function drillAgrees(chapter: Chapter): Promise<Finding> {
  const { drill, lab, mark } = chapter;
  if (drill === undefined) return { holds: false, seen: "no drill was made" };
  const client = await noProbeLost(chapter);
  const lost = lab.prober.tick.lost - mark.probesLost;
  return drillAgreement(drill, { lost, isExcused: client.holds, silence: longestSilence(lab.prober, mark.at) });
}

async function noRequestFailed({ lab, mark }: Chapter): Promise<Finding> {
  const { served } = lab.http.counts;
  await wait(WINDOW_MILLIS);
  // Not those that a harm before the mark cut off, and that are given up only later.
  const failures = lab.http.failedSince(mark.at);
  const perSecond = lab.http.counts.served - served;
  return { holds: failures === 0 && perSecond > 0, seen: `${failures} failed, ${perSecond} served in a second` };
}

function arpSilent({ lab, actedAt }: Chapter, box: Box): Finding {
  const watch = lab.arpWatch;
  if (watch === undefined) return { holds: false, seen: "nobody watches ARP: a watchArp step is missing" };
  const mac = lab.frontMac(box);
  const newest = [...watch.linesOf("silent", 0), ...watch.linesOf("answering", 0)]
    .filter((line) => line.mac === mac)
    .reduce<{ readonly at: number; readonly kind: string } | undefined>(
      (best, line) => (best !== undefined && best.at > line.at ? best : line),
      undefined,
    );
  if (newest?.kind !== "silent") return { holds: false, seen: `${box} answers` };
  return { holds: true, seen: `last answer ${((newest.at - actedAt) / 1_000).toFixed(1)} ms after the step` };
}

async function arpNeverBoth({ lab, mark }: Chapter): Promise<Finding> {
  const watch = lab.arpWatch;
  if (watch === undefined) return { holds: false, seen: "nobody watches ARP: a watchArp step is missing" };
  const { arpBoth, arpAsked } = await watch.nextTick();
  return { holds: arpBoth === mark.arpBoth && arpAsked > 0, seen: `${arpBoth - mark.arpBoth} requests answered twice` };
}

async function share({ lab }: Chapter, server: ServerName, wanted: boolean): Promise<Finding> {
  const before = lab.http.counts;
  await wait(WINDOW_MILLIS);
  const now = lab.http.counts;
  const all = now.served - before.served;
  const here = (now.byServer[server] ?? 0) - (before.byServer[server] ?? 0);
  const asked = lab.scenario.vips.every((vip) => (now.byAddress[vip] ?? 0) > (before.byAddress[vip] ?? 0));
  return { holds: asked && (wanted ? here > 0 : here === 0), seen: `${here} of ${all} requests in a second` };
}
