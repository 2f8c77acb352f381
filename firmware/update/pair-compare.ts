/**
 * Whether a new version that serves is worse than the former one was: what the updated box tells and what the other one sees
 * are held against what was before. What was not there before is not asked for after. Looks at nothing itself.
 */
import { between, type Instant, type Micros, seconds } from "@futago/hal/units/time.ts";

/** Of all services, since the tables were made. */
export interface Traffic {
  readonly flows: number;
  readonly packetsIn: number;
  readonly packetsOut: number;
}

/** What one box sees of itself and around it. */
export interface Sight {
  /** Failover groups, and those of them that this box holds. */
  readonly groups: number;
  readonly holds: number;
  /** Their kinds. */
  readonly alarms: readonly string[];
  /** Backends that its own checks find up. */
  readonly up: number;
  /** Gateways and tracked checks that do not answer it. */
  readonly away: number;
  readonly traffic: Traffic;
  /** VIPs of the other box that answer this one now, and those that do not. One that cannot be asked is in neither. */
  readonly answering: readonly string[];
  readonly silent: readonly string[];
}

export interface Sample {
  readonly at: Instant;
  readonly traffic: Traffic;
}

/** How it was before the new version served. */
export interface Before {
  readonly alarms: readonly string[];
  /** VIPs that answered the updated box while the other one served. */
  readonly answering: readonly string[];
  /** Each second, on the former version; undefined: too little was seen to hold anything against it. */
  readonly traffic: Traffic | undefined;
}

export interface Watch {
  readonly before: Before;
  readonly until: Instant;
  /** Of the updated box, the oldest first. */
  readonly samples: readonly Sample[];
  /** What was wrong at the newest looks, and at how many of them on end. */
  readonly doubts: ReadonlyMap<string, number>;
}

/** Something has to be wrong at so many looks on end: one may fall into a check's pause. */
const LOOKS = 3;
/** A VIP was asked again and again before it is said to be silent. */
const LOOKS_AT_VIP = 1;
/** Traffic is held against the former's over so long. */
const WINDOW = seconds(10);
/** A pair with less than that a second is idle, and its traffic says nothing. */
const FLOWS_MIN = 1;
const PACKETS_MIN = 20;
/** A third of what was is a collapse; less than that may be the hour. */
const COLLAPSE = 1 / 3;

/** They say nothing of the version, or come from the update itself. */
const OF_NO_VERSION: ReadonlySet<string> = new Set([
  "unfit",
  "versions-differ",
  "update-failed",
  "starts-unproven",
  "widened",
  "held-down",
  "path-lost",
  "stale-neighbour",
  "certificate",
  "drill-failed",
  "drill-skipped",
  "unconfirmed",
  "maintenance-waits",
  "peer-back",
]);

/** Each second, from the first of these samples to the last; undefined when they are too near each other to tell. */
export function rateOf(samples: readonly Sample[], lasting: Micros): Traffic | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const micros = between(first.at, last.at);
  if (micros < lasting) return undefined;
  const each = (now: number, then: number) => (Math.max(0, now - then) * 1_000_000) / micros;
  return {
    flows: each(last.traffic.flows, first.traffic.flows),
    packetsIn: each(last.traffic.packetsIn, first.traffic.packetsIn),
    packetsOut: each(last.traffic.packetsOut, first.traffic.packetsOut),
  };
}

/** The newest ones, as far back as they are needed. */
export function keepSamples(samples: readonly Sample[], newest: Sample, lasting: Micros): readonly Sample[] {
  const kept = samples.filter(({ at }) => between(at, newest.at) <= lasting);
  return [...kept, newest];
}

export function beginWatch(before: Before, until: Instant): Watch {
  return { before, until, samples: [], doubts: new Map() };
}

export interface Compared {
  readonly watch: Watch;
  /** What is wrong now, in sentences. */
  readonly doubts: readonly string[];
  /** What was wrong for so long that it is the version's doing. */
  readonly worse: readonly string[];
}

/** `window` is how long traffic is summed up for. */
export function compare(watch: Watch, theirs: Sight, own: Sight, now: Instant, window: Micros = WINDOW): Compared {
  const samples = keepSamples(watch.samples, { at: now, traffic: theirs.traffic }, window);
  const found = [
    ...roleDoubts(theirs, own),
    ...alarmDoubts(theirs.alarms, watch.before.alarms),
    ...aroundDoubts(theirs, own),
    ...vipDoubts(own, watch.before.answering),
    ...trafficDoubts(watch.before.traffic, rateOf(samples, (window / 2) as Micros)),
  ];
  const doubts = new Map(found.map(({ key }) => [key, (watch.doubts.get(key) ?? 0) + 1]));
  const worse = found.filter(({ key, looks = LOOKS }) => (doubts.get(key) ?? 0) >= looks);
  return {
    watch: { ...watch, samples, doubts },
    doubts: found.map(({ sentence }) => sentence),
    worse: worse.map(({ sentence }) => sentence),
  };
}

interface Doubt {
  /** The same while it lasts, whatever the numbers in its sentence. */
  readonly key: string;
  readonly sentence: string;
  /** On end, until it is the version's doing; the default is {@link LOOKS}. */
  readonly looks?: number;
}

function roleDoubts(theirs: Sight, own: Sight): readonly Doubt[] {
  const lost = Math.max(own.holds, theirs.groups - theirs.holds);
  if (lost === 0) return [];
  const sentence = `it does not hold ${lost} of ${theirs.groups} failover groups any more`;
  return [{ key: "role", sentence }];
}

function alarmDoubts(now: readonly string[], before: readonly string[]): readonly Doubt[] {
  return now
    .filter((kind) => !before.includes(kind) && !OF_NO_VERSION.has(kind))
    .map((kind) => ({ key: `alarm ${kind}`, sentence: `it has the alarm ${kind}, which was not there before` }));
}

function aroundDoubts(theirs: Sight, own: Sight): readonly Doubt[] {
  const up = `it finds ${theirs.up} backends up, and the former version finds ${own.up}`;
  const away = `${theirs.away} gateways or tracked checks do not answer it, and ${own.away} the former version`;
  return [
    ...(theirs.up < own.up ? [{ key: "backends", sentence: up }] : []),
    ...(theirs.away > own.away ? [{ key: "gateways", sentence: away }] : []),
  ];
}

function vipDoubts({ silent }: Sight, answeredBefore: readonly string[]): readonly Doubt[] {
  return silent
    .filter((vip) => answeredBefore.includes(vip))
    .map((vip) => ({ key: `vip ${vip}`, looks: LOOKS_AT_VIP, sentence: `${vip} does not answer any more` }));
}

function trafficDoubts(before: Traffic | undefined, now: Traffic | undefined): readonly Doubt[] {
  if (before === undefined || now === undefined) return [];
  const doubts: Doubt[] = [];
  if (before.flows >= FLOWS_MIN && now.flows < before.flows * COLLAPSE) {
    const sentence = `${shown(now.flows)} new connections come to it each second, and ${shown(before.flows)} came before`;
    doubts.push({ key: "flows", sentence });
  }
  const [answered, answers] = [share(before), share(now)];
  const isBusy = before.packetsIn >= PACKETS_MIN && now.packetsIn >= PACKETS_MIN * COLLAPSE;
  if (isBusy && answered > 0.1 && answers < answered * COLLAPSE) {
    const sentence = `for 100 packets of clients ${shown(100 * answers)} go back, and ${shown(100 * answered)} went before`;
    doubts.push({ key: "answers", sentence });
  }
  return doubts;
}

function share({ packetsIn, packetsOut }: Traffic): number {
  return packetsIn === 0 ? 0 : packetsOut / packetsIn;
}

function shown(value: number): string {
  return value >= 10 ? String(Math.round(value)) : value.toFixed(1);
}
