/**
 * The update of a pair, as the box that leads it goes through it: the other box first, which takes over once its new version
 * was found good and is watched while it serves; then the leader itself. Says what each thing that is seen leads to; sends,
 * installs and asks nobody itself. The leader is the box that serves when it begins, and is updated last.
 */
import { after, type Instant, micros, seconds } from "@futago/hal/units/time.ts";
import { type Before, beginWatch, compare, keepSamples, rateOf } from "./pair-compare.ts";
import type { Box, PairInput, PairOrder, PairStage, PairStep, PairTimes, PairUpdate, Told } from "./pair-types.ts";

export const PAIR_TIMES: PairTimes = {
  watch: seconds(60),
  start: seconds(900),
  prove: seconds(1_200),
  away: seconds(120),
};

export function otherBox(box: Box): Box {
  return box === "a" ? "b" : "a";
}

/** Everything was found fit. */
export function beginPairUpdate(of: Pick<PairUpdate, "id" | "version" | "build" | "leader">, now: Instant): PairStep {
  const { leader } = of;
  const state: PairUpdate = {
    ...of,
    stage: "sending",
    box: otherBox(leader),
    since: now,
    heardAt: now,
    wasAway: false,
    percent: 0,
    secondsLeft: null,
    findings: [],
    samples: [],
    watch: undefined,
    outcome: "running",
    failure: null,
  };
  const sentence = `the pair is updated to ${of.version}: box ${state.box} first, then box ${leader}, which serves until then`;
  return { state, orders: [say(sentence), { kind: "send" }] };
}

/** The leader's core was started anew, and knows nothing but what was put down. */
export function resumePairUpdate(
  kept: Pick<PairUpdate, "id" | "version" | "build" | "leader" | "stage" | "box">,
  runs: Pick<Told, "version" | "build">,
  now: Instant,
): PairStep {
  const { leader, stage } = kept;
  const { state: fresh } = beginPairUpdate(kept, now);
  const running = runs.version ?? "another version";
  if (runs.build === kept.build && leader === kept.box) {
    const sentence = `box ${leader} runs ${running}, and has to show that it is good`;
    return { state: { ...fresh, stage: "proving", box: leader, percent: null }, orders: [say(sentence)] };
  }
  if (kept.box === leader) {
    const failure = `box ${leader} did not come up with ${kept.version}, or it was not found good there; it runs ${running} again`;
    return end({ ...fresh, box: leader }, "halfway", failure);
  }
  const why = `box ${leader}, which led the update, was started anew meanwhile`;
  const state = { ...fresh, stage, percent: null };
  if (stage === "checking" || stage === "sending" || stage === "installing") return end(state, "cameBack", why);
  return goBack(state, why, now);
}

export function canStop({ stage, outcome, leader, box }: PairUpdate): boolean {
  const goesOn = stage === "handingBack" || stage === "goingBack" || stage === "over";
  return outcome === "running" && box !== leader && !goesOn;
}

export function stepPairUpdate(times: PairTimes, before: PairUpdate, input: PairInput, now: Instant): PairStep {
  if (before.outcome !== "running") return { state: before, orders: [] };
  switch (input.kind) {
    case "look":
      return look(times, heard(before, input, now), input, now);
    case "stop":
      return canStop(before) ? goBack(before, `${input.author} stopped it`, now) : stay(before);
    case "sending":
      return stay(before.stage === "sending" ? { ...before, percent: input.percent } : before);
    case "sent":
      if (before.stage !== "sending") return stay(before);
      return enter(before, "installing", now, [
        say(`box ${before.box} has the bundle, and installs it into the slot that does not run`),
        { kind: "tell", order: "install" },
      ]);
    case "notSent":
      return before.stage === "sending" ? end(before, "cameBack", input.why) : stay(before);
    case "handedOver":
      return before.stage === "handingOver" ? handedOver(times, before, input.trouble, now) : stay(before);
    case "handedBack":
      return before.stage === "handingBack" ? handedBack(before, input.trouble, now) : stay(before);
    case "writing":
      return stay(ofLeader(before, "installing") ? { ...before, percent: input.percent } : before);
    case "written":
      return ofLeader(before, "installing") ? written(before, input.trouble, now) : stay(before);
    case "notStarted":
      return ofLeader(before, "starting") ? end(before, "halfway", input.why) : stay(before);
  }
}

function ofLeader({ box, leader, stage }: PairUpdate, expected: PairStage): boolean {
  return box === leader && stage === expected;
}

function heard(state: PairUpdate, { told, own }: Extract<PairInput, { kind: "look" }>, now: Instant): PairUpdate {
  if (told === undefined) return { ...state, wasAway: true };
  if (state.stage === "watching") return { ...state, heardAt: now };
  // Of what is served by the former version, as long as the new one does not.
  const samples = keepSamples(state.samples, { at: now, traffic: own.traffic }, seconds(60));
  return { ...state, heardAt: now, samples };
}

type Looking = Extract<PairInput, { kind: "look" }>;

function look(times: PairTimes, state: PairUpdate, input: Looking, now: Instant): PairStep {
  const { told } = input;
  switch (state.stage) {
    case "checking":
    case "sending":
    case "handingOver":
    case "handingBack":
    case "over":
      return stay(state);
    case "installing":
      return state.box === state.leader ? stay(state) : installing(times, state, told, now);
    case "starting":
      return state.box === state.leader ? stay(state) : starting(times, state, told, now);
    case "proving":
      return state.box === state.leader ? stay(state) : proving(times, state, input, now);
    case "watching":
      return watching(state, input, now, times);
    case "goingBack":
      return goingBack(times, state, told, now);
  }
}

function installing(times: PairTimes, state: PairUpdate, told: Told | undefined, now: Instant): PairStep {
  const { box, id } = state;
  if (told === undefined) {
    const isLong = now > after(state.heardAt, times.away);
    return isLong ? end(state, "cameBack", `box ${box} is not there, and had not installed the bundle`) : stay(state);
  }
  const work = told.work?.update === id ? told.work : undefined;
  if (work?.doing === "failed")
    return end(state, "cameBack", `box ${box}: ${work.failure ?? "it could not be installed"}`);
  if (work?.doing === "installed") {
    return enter(state, "starting", now, [
      say(`box ${box} has it whole, and starts anew from it, on trial`),
      { kind: "tell", order: "start" },
    ]);
  }
  if (work === undefined && state.wasAway) {
    return end(state, "cameBack", `box ${box} was started anew while it installed the bundle, and runs what it ran`);
  }
  return stay({ ...state, percent: work?.percent ?? null });
}

function starting(times: PairTimes, state: PairUpdate, told: Told | undefined, now: Instant): PairStep {
  const { box, version, build, id } = state;
  if (told?.build === build) {
    return enter(state, "proving", now, [say(`box ${box} runs ${version}, and has to show that it is good`)]);
  }
  const work = told?.work?.update === id ? told.work : undefined;
  if (work?.doing === "failed")
    return end(state, "cameBack", `box ${box}: ${work.failure ?? "it could not start anew"}`);
  if (told !== undefined && work === undefined && state.wasAway) return end(state, "cameBack", fellBack(state));
  if (now > after(state.since, times.start)) return end(state, "cameBack", neverCame(state));
  const findings = told === undefined ? [`box ${box} starts anew`] : [];
  return stay({ ...state, findings });
}

function proving(times: PairTimes, state: PairUpdate, { told }: Looking, now: Instant): PairStep {
  const { box, version, build } = state;
  if (now > after(state.since, times.prove)) {
    return goBack(state, `box ${box} was not found good in time: ${state.findings.join("; ")}`, now);
  }
  if (told === undefined) return stay({ ...state, secondsLeft: null, findings: [`box ${box} is not linked`] });
  if (told.build !== build) return end(state, "cameBack", fellBack(state));
  if (told.proof !== "good") return stay({ ...state, findings: told.findings, secondsLeft: told.secondsLeft });
  const before: Before = {
    alarms: told.sight.alarms,
    answering: told.sight.answering,
    traffic: rateOf(state.samples, seconds(2)),
  };
  return enter({ ...state, watch: beginWatch(before, now) }, "handingOver", now, [
    say(`${version} was found good on box ${box}, which takes over now`),
    { kind: "handOver" },
  ]);
}

function handedOver(times: PairTimes, state: PairUpdate, trouble: string | undefined, now: Instant): PairStep {
  if (trouble !== undefined) return goBack(state, `box ${state.box} did not take over: ${trouble}`, now);
  const watch = state.watch && { ...state.watch, until: after(now, times.watch) };
  const traffic = watch?.before.traffic;
  const held =
    traffic === undefined || traffic.packetsIn < 1
      ? "there was no traffic of services before"
      : rateSentence(traffic.flows);
  return enter({ ...state, watch }, "watching", now, [
    say(`box ${state.box} serves with ${state.version}, and is watched; ${held}`),
  ]);
}

function watching(state: PairUpdate, { told, own }: Looking, now: Instant, times: PairTimes): PairStep {
  const { box, leader, version, build, watch } = state;
  if (told === undefined) {
    // A connection that was lost comes back in a moment; a box that died is replaced by the heartbeats meanwhile.
    const isLong = now > after(state.heardAt, seconds(5));
    if (own.holds > 0 && isLong) return goBack(state, `box ${box} fell silent, and box ${leader} took over`, now);
    if (now > after(state.heardAt, times.away))
      return goBack(state, `box ${box} could not be watched: the link is down`, now);
    return stay({ ...state, findings: ["the link between the two boxes is down"] });
  }
  if (watch === undefined || told.build !== build) return goBack(state, fellBack(state), now);
  const compared = compare(watch, told.sight, own, now, micros(Math.min(times.watch / 3, seconds(10))));
  const seen = { ...state, watch: compared.watch, findings: compared.doubts };
  if (compared.worse.length > 0) return goBack(seen, `${version} is worse: ${compared.worse.join("; ")}`, now);
  const left = watch.until - now;
  if (left > 0) return stay({ ...seen, secondsLeft: Math.ceil(left / 1_000_000) });
  if (compared.doubts.length > 0) return stay({ ...seen, secondsLeft: 0 });
  return enter({ ...seen, box: leader, watch: undefined }, "installing", now, [
    say(`${version} serves as well as the former one did; box ${leader} installs it now`),
    { kind: "install" },
  ]);
}

function written(state: PairUpdate, trouble: string | undefined, now: Instant): PairStep {
  const { leader } = state;
  if (trouble !== undefined) return end(state, "halfway", `box ${leader}: ${trouble}`);
  return enter(state, "starting", now, [
    say(`box ${leader} has it whole, and starts anew from it, on trial`),
    { kind: "start" },
  ]);
}

/** Nothing that is known may be left of the new version: who serves before serves again, then the other slot starts. */
function goBack(state: PairUpdate, why: string, now: Instant): PairStep {
  const { stage, box, leader } = state;
  const failed = { ...state, failure: why };
  if (stage === "sending" || stage === "checking") {
    const ended = end(state, "cameBack", why);
    return { ...ended, orders: [{ kind: "stopSending" }, ...ended.orders] };
  }
  if (stage === "installing") return end(state, "cameBack", why);
  return enter(failed, "handingBack", now, [
    say(`it goes back: ${why}`),
    say(`box ${leader} takes over what box ${box} holds`),
    { kind: "handBack" },
  ]);
}

function handedBack(state: PairUpdate, trouble: string | undefined, now: Instant): PairStep {
  const { box, leader } = state;
  const sentence =
    trouble === undefined
      ? `box ${leader} serves; box ${box} starts its former version again`
      : `box ${leader} did not get everything back (${trouble}); box ${box} starts its former version again`;
  return enter(state, "goingBack", now, [say(sentence), { kind: "tell", order: "goBack" }]);
}

function goingBack(times: PairTimes, state: PairUpdate, told: Told | undefined, now: Instant): PairStep {
  const { box, version, build, id } = state;
  const why = state.failure ?? "";
  const work = told?.work?.update === id ? told.work.doing : undefined;
  // One that is just about to start anew would come up with the new version.
  const isLeaving = work === "installed" || work === "starting";
  if (told !== undefined && told.build !== build && !isLeaving) return end(state, "cameBack", why);
  if (now > after(state.since, times.start)) {
    const here = told === undefined ? `box ${box} has not come back since` : `box ${box} still runs ${version}`;
    return end(state, told === undefined ? "cameBack" : "halfway", `${why}; ${here}`);
  }
  if (told === undefined) return stay({ ...state, findings: [`box ${box} starts anew`] });
  if (work === "goingBack") return stay(state);
  // It came up with the new version once more, or never heard the order.
  return { state: { ...state, wasAway: false, findings: [] }, orders: [{ kind: "tell", order: "goBack" }] };
}

/** The leader, once it runs the new version: by its own proof. */
export function stepOwnProof(state: PairUpdate, proof: Pick<Told, "proof" | "findings" | "secondsLeft">): PairStep {
  if (!ofLeader(state, "proving") || state.outcome !== "running") return stay(state);
  const { findings, secondsLeft } = proof;
  if (proof.proof === "good") return end(state, "done", null);
  return stay({ ...state, findings, secondsLeft });
}

function stay(state: PairUpdate): PairStep {
  return { state, orders: [] };
}

function enter(state: PairUpdate, stage: PairStage, now: Instant, orders: readonly PairOrder[]): PairStep {
  const fresh = { since: now, wasAway: false, percent: null, secondsLeft: null, findings: [] };
  return { state: { ...state, ...fresh, stage }, orders };
}

function end(state: PairUpdate, outcome: PairUpdate["outcome"], failure: string | null): PairStep {
  const over = { stage: "over" as const, outcome, failure, percent: null, secondsLeft: null, findings: [] };
  return { state: { ...state, ...over }, orders: [say(ending(state, outcome, failure))] };
}

function ending({ version }: PairUpdate, outcome: PairUpdate["outcome"], failure: string | null): string {
  if (outcome === "done") return `both boxes run ${version}`;
  return outcome === "halfway" ? `only one box runs ${version}: ${failure}` : `it came to nothing: ${failure}`;
}

function say(sentence: string): PairOrder {
  return { kind: "say", sentence };
}

function fellBack({ box, version }: PairUpdate): string {
  return `${version} did not come up on box ${box}, or was not found good there, and the box runs its former version again`;
}

function neverCame({ box }: PairUpdate): string {
  return `box ${box} has not come back since it started anew; look at its console`;
}

function rateSentence(flows: number): string {
  return `${flows.toFixed(flows < 10 ? 1 : 0)} new connections came each second before`;
}
