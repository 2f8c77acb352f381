/**
 * How fit this box is for each group: 255 less the weights of what is wrong. A lost carrier counts at once; one that
 * came back counts again only after it has stayed, for a link that negotiates goes up and down.
 */
import type { Ifname } from "@futago/hal/units/address.ts";
import { after, between, earliest, type Instant, seconds } from "@futago/hal/units/time.ts";
import type { Fitness } from "./types.ts";

export const HEALTH_MAX = 255;
/** A box without carrier on a VIP's interface cannot serve that VIP. */
const CARRIER_WEIGHT = 100;
const CARRIER_SETTLES = seconds(2);
/** What the absence of core costs, of {@link HEALTH_MAX}. */
export const CORE_WEIGHT = 60;
/**
 * Core restarts within a second, on a slow board within five, and a role need not move for that. A longer absence
 * means that nobody checks or configures anything.
 */
export const CORE_ABSENCE = seconds(10);

export interface GroupNeeds {
  readonly name: string;
  readonly devices: readonly Ifname[];
}

export interface WeightedCause {
  /** Undefined: every group. */
  readonly group: string | undefined;
  readonly weight: number;
  readonly sentence: string;
}

export interface KnownCause extends WeightedCause {
  readonly since: Instant;
}

interface Carrier {
  readonly state: "up" | "down" | "missing";
  readonly since: Instant;
}

export interface FitnessState {
  readonly carriers: Readonly<Record<string, Carrier>>;
  /** Undefined while core is connected. */
  readonly coreGoneSince: Instant | undefined;
  readonly causes: readonly KnownCause[];
}

export const initialFitness: FitnessState = { carriers: {}, coreGoneSince: undefined, causes: [] };

/** Notes the carrier of a device, undefined for one that is missing. The first word on a device is believed at once. */
export function noteCarrier(
  state: FitnessState,
  device: Ifname,
  carrier: boolean | undefined,
  now: Instant,
): FitnessState {
  const known = state.carriers[device];
  const next = carrier === undefined ? "missing" : carrier ? "up" : "down";
  if (known?.state === next) return state;
  const since = known === undefined && next === "up" ? (0 as Instant) : now;
  return { ...state, carriers: { ...state.carriers, [device]: { state: next, since } } };
}

/** Takes core's whole list; a cause that goes on keeps its beginning. */
export function noteCauses(state: FitnessState, causes: readonly WeightedCause[], now: Instant): FitnessState {
  const since = (cause: WeightedCause) =>
    state.causes.find((one) => one.group === cause.group && one.sentence === cause.sentence)?.since ?? now;
  return { ...state, causes: causes.map((cause) => ({ ...cause, since: since(cause) })) };
}

const CARRIER_SENTENCES = {
  missing: (device: Ifname) => `${device} does not exist`,
  down: (device: Ifname) => `${device} has no carrier`,
  up: (device: Ifname) => `the carrier of ${device} has just come back`,
} as const;

function carrierCause(state: FitnessState, group: string, device: Ifname, now: Instant): KnownCause | undefined {
  const carrier = state.carriers[device] ?? { state: "missing", since: now };
  if (carrier.state === "up" && between(carrier.since, now) >= CARRIER_SETTLES) return undefined;
  const sentence = CARRIER_SENTENCES[carrier.state](device);
  return { group, weight: CARRIER_WEIGHT, sentence, since: carrier.since };
}

function coreCause(state: FitnessState, now: Instant): KnownCause | undefined {
  const since = state.coreGoneSince;
  if (since === undefined || between(since, now) < CORE_ABSENCE) return undefined;
  return { group: undefined, weight: CORE_WEIGHT, sentence: "core is not running", since };
}

/** What is wrong for one group, heaviest first. */
export function causesFor(state: FitnessState, group: GroupNeeds, now: Instant): readonly KnownCause[] {
  const carriers = group.devices.map((device) => carrierCause(state, group.name, device, now));
  const others = state.causes.filter((cause) => cause.group === undefined || cause.group === group.name);
  return [...carriers, coreCause(state, now), ...others]
    .filter((cause) => cause !== undefined)
    .sort((a, b) => b.weight - a.weight);
}

export function fitnessOf(state: FitnessState, groups: readonly GroupNeeds[], now: Instant): Record<string, Fitness> {
  const fitness: Record<string, Fitness> = {};
  for (const group of groups) {
    const causes = causesFor(state, group, now);
    const cost = causes.reduce((sum, cause) => sum + cause.weight, 0);
    fitness[group.name] = { health: Math.max(1, HEALTH_MAX - cost), sentence: causes[0]?.sentence ?? "" };
  }
  return fitness;
}

/** When the fitness changes by itself. */
export function nextTimeout(state: FitnessState, now: Instant): Instant | undefined {
  const settles = Object.values(state.carriers)
    .filter((carrier) => carrier.state === "up")
    .map((carrier) => after(carrier.since, CARRIER_SETTLES));
  const gone = state.coreGoneSince === undefined ? [] : [after(state.coreGoneSince, CORE_ABSENCE)];
  return [...settles, ...gone].filter((at) => at > now).reduce(earliest, undefined as Instant | undefined);
}
