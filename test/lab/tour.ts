/** Carries out a script, prints each step with what came of it, and sums up. */
import { setTimeout as wait } from "node:timers/promises";
import { drillSentence } from "@futago/firmware/pair/drill/judge.ts";
import { Chapter } from "./chapter.ts";
import { CHECK_FALL, CHECK_INTERVAL_MILLIS } from "./document.ts";
import { meets, PROBES_SETTLE_MILLIS } from "./expectations.ts";
import type { HttpCounts } from "./http-load.ts";
import type { Lab } from "./lab.ts";
import { formatMillis } from "./observer.ts";
import { longestSilence, monotonicMicros } from "./prober.ts";
import { describeStep, type Measure, type Step } from "./script.ts";
import { BOXES } from "./topology.ts";
import { failuresOf } from "./traffic.ts";

export interface Outcome {
  readonly step: string;
  readonly result: "ok" | "failed" | "measured";
  readonly seen: string;
}

export type Print = (line: string) => void;

/** Goes on after an expectation that failed; ends at a step that could not be carried out. */
export async function runScript(lab: Lab, steps: readonly Step[], print: Print): Promise<readonly Outcome[]> {
  const chapter = new Chapter(lab);
  const outcomes: Outcome[] = [];
  for (const step of steps) {
    if (step.do === "say") {
      print(`\n— ${step.text}`);
      continue;
    }
    const outcome = await carryOut(chapter, step);
    outcomes.push(outcome);
    print(`   ${SIGNS[outcome.result]} ${outcome.step}${outcome.seen === "" ? "" : ` · ${outcome.seen}`}`);
    if (outcome.result === "failed" && step.do !== "expect") break;
  }
  return outcomes;
}

const SIGNS: Readonly<Record<Outcome["result"], string>> = { ok: "ok    ", failed: "FAILED", measured: "      " };

async function carryOut(chapter: Chapter, step: Step): Promise<Outcome> {
  const name = describeStep(step);
  try {
    if (step.do === "measure") return { step: name, result: "measured", seen: await measure(chapter, step.what) };
    if (step.do !== "expect") return { step: name, result: "ok", seen: await act(chapter, step) };
    const { holds, seen } = await meets(chapter, step, step.withinMilliseconds);
    return { step: name, result: holds ? "ok" : "failed", seen };
  } catch (error) {
    return { step: name, result: "failed", seen: (error as Error).message };
  }
}

type Act = Exclude<Step, { readonly do: "expect" | "measure" }>;

/** Returns what there is to say about it. */
async function act(chapter: Chapter, step: Act): Promise<string> {
  const { lab } = chapter;
  chapter.actedAt = monotonicMicros();
  switch (step.do) {
    case "say":
      return step.text;
    case "wait":
      await wait(step.milliseconds);
      return "";
    case "mark":
      // Echoes sent before the mark must not be counted lost after it.
      await wait(PROBES_SETTLE_MILLIS);
      chapter.setMark();
      return "";
    case "watchArp":
      await lab.watchArp(step.on);
      return "";
    case "powerOff": {
      const box = chapter.choose(step.box);
      chapter.cutAt = await lab.boxes[box].powerOff();
      return `box ${box}`;
    }
    case "powerOn": {
      const box = chapter.choose(step.box);
      return `box ${box} ready after ${Math.round(await lab.boxes[box].powerOn())} ms`;
    }
    case "freeze": {
      const box = chapter.choose(step.box);
      chapter.actedAt = lab.boxes[box].freeze();
      return `box ${box}`;
    }
    case "thaw":
      lab.boxes[chapter.choose(step.box)].thaw();
      return "";
    case "pull":
    case "plug": {
      const box = chapter.choose(step.box);
      await lab.boxes[box].setCable(step.port, step.do === "plug");
      return `box ${box}`;
    }
    case "kill": {
      const box = chapter.choose(step.box);
      chapter.actedAt = lab.boxes[box].kill(step.component);
      return `box ${box}`;
    }
    case "switchover":
      return lab.boxes[chapter.choose("active")].switchOver();
    case "drill":
      chapter.drill = await lab.boxes[chapter.choose("active")].drill(step.kill);
      return drillSentence(chapter.drill);
    case "stopServer":
      await lab.server(chapter.chooseServer(step.server)).kill();
      return "";
    case "startServer":
      await lab.server(chapter.chooseServer(step.server)).start();
      return "";
    case "configure":
      await lab.configure(step.preempt);
      return "";
  }
}

/** A stall's own line may come a little after the gap's. */
const LINES_SETTLE_MILLIS = 150;

async function measure({ lab, mark, actedAt, cutAt }: Chapter, what: Measure): Promise<string> {
  await wait(LINES_SETTLE_MILLIS);
  switch (what) {
    case "silence": {
      const silence = longestSilence(lab.prober, mark.at, cutAt);
      if (silence === undefined) return "no silence of 3 ms";
      return `VIP silent ${formatMillis(silence.micros)}, longest stall of the machine within it ${formatMillis(silence.stallMicros)}`;
    }
    case "outage": {
      const gap = lab.http.longestGap(mark.at);
      return gap === undefined ? "none of 50 ms" : `no page for ${formatMillis(gap.end - gap.start)}`;
    }
    case "requests":
      return lostRequests(mark.http, lab.http.counts);
    case "rotation": {
      const [change] = lab.observer.backendChanges(actedAt);
      if (change === undefined) return "no backend changed";
      const allowed = CHECK_INTERVAL_MILLIS * CHECK_FALL + 50;
      return `${change.backend} ${change.healthy ? "back" : "out"} after ${formatMillis(change.at - actedAt)} (out at the latest: ${allowed} ms)`;
    }
    case "arpSilence": {
      const macs = new Map<string, string>(BOXES.map((box) => [lab.frontMac(box), box]));
      const watch = lab.arpWatch;
      const changes = [...(watch?.linesOf("silent", actedAt) ?? []), ...(watch?.linesOf("answering", actedAt) ?? [])];
      const words = changes
        .toSorted((one, other) => one.at - other.at)
        .map((line) => `${macs.get(line.mac) ?? line.mac} ${line.kind} at ${formatMillis(line.at - actedAt)}`);
      return words.join(", ") || "nothing changed";
    }
  }
}

/** What became of the requests between two counts. */
function lostRequests(before: HttpCounts, now: HttpCounts): string {
  const failures = Object.entries(now.failed)
    .map(([problem, count]) => [problem, count - (before.failed[problem] ?? 0)] as const)
    .filter(([, count]) => count > 0);
  const kinds = failures.map(([problem, count]) => `${count} ${problem}`).join(", ");
  const failed = `${failuresOf(now) - failuresOf(before)} failed${kinds === "" ? "" : ` (${kinds})`}`;
  const late = `${now.late - before.late} came a second late`;
  const hung = `${now.keptHung - before.keptHung} kept-alive connections hung`;
  return `of ${now.started - before.started} requests ${failed}, ${late}; ${hung}`;
}

/** The figures and, if any, the failures once more, where a person looks last. */
export function summary(outcomes: readonly Outcome[]): readonly string[] {
  const of = (result: Outcome["result"]) => outcomes.filter((outcome) => outcome.result === result);
  const line = (outcome: Outcome) => `  ${outcome.step.padEnd(48)} ${outcome.seen}`;
  const failed = of("failed");
  return [
    "",
    "Measured",
    ...of("measured").map(line),
    ...(failed.length === 0 ? [] : ["", "Failed", ...failed.map(line)]),
    "",
    `${of("ok").length} steps as expected, ${failed.length} failed`,
  ];
}
