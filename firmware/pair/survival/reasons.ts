/** Every reason why a pair would not survive, or not whole: its word, its weight and its sentence. Pure. */
import type { SurvivalReason, SurvivalWeight } from "./types.ts";

type Values = Readonly<Record<string, string | number>>;

/** A place for a value is written {name}. */
const REASONS = {
  noConfiguration: ["no", "This box has no configuration, so it serves nothing."],
  alone: ["no", "This box has no peer: nobody takes over when it fails."],
  gaveUpPeer: ["no", "This box gave its peer up: nobody takes over when it fails."],
  notPairedByConfiguration: ["no", "The configuration has no `pair` in it: nobody takes over when this box fails."],
  sentinelAway: ["no", "The sentinel of box {box} does not run: the box can neither serve nor take over."],
  peerLost: ["no", "Box {box} is not heard on any path: nobody takes over when this box fails."],
  oneWay: [
    "no",
    "The boxes hear each other in one direction only: the one that is not heard cannot keep its addresses.",
  ],
  twoActives: ["no", "Both boxes hold the group {group}: its addresses are answered twice."],
  maintenance: [
    "no",
    "Box {box} is in maintenance and takes nothing over until `futago maintenance off` is given there.",
  ],
  coldSpare: ["no", "Box {box} is a cold spare: it takes over only when a person gives `futago spare activate` there."],
  fault: ["no", "Box {box} is in fault and takes nothing over."],
  nobodyServes: ["no", "Nobody serves the group {group} now."],
  notReady: ["no", "Box {box} is not ready to take the group {group} over: it is {state} there."],
  noCarrier: [
    "no",
    "Box {box} has no carrier on {interface}: what it takes over there answers nobody. Look at that cable.",
  ],
  coreAway: ["partly", "The core of box {box} does not answer: changes, checks and connections do not reach it."],
  unfit: ["partly", "Box {box} would take over, and is less fit than it should be; its alarms name the cause."],
  missingDevice: ["partly", "Box {box} lacks a device that the configuration names."],
  networkRefused: ["partly", "The kernel of box {box} refused a part of the configuration."],
  revisionsDiffer: ["partly", "The boxes run different revisions: box {box} would serve by another configuration."],
  revisionRefused: ["partly", "Box {box} cannot take the other box's configuration."],
  unconfirmed: [
    "partly",
    "The newest change is not confirmed yet, and may be rolled back on both boxes while one fails.",
  ],
  notRolledBack: ["partly", "A change that nobody confirmed cannot be rolled back on box {box}."],
  flowsNotWhole: ["partly", "The peer of box {box} does not know all connections yet: those it lacks would end."],
  unsharedConnections: [
    "partly",
    "Connections of {service} would end: rules of nftables serve it, which no peer knows.",
  ],
  onePath: [
    "partly",
    "Heartbeats go over {interface} alone: when that cable fails the boxes lose sight of each other.",
  ],
  oneDevice: ["partly", "All heartbeats go over {device}: when that port fails the boxes lose sight of each other."],
  addressConflict: ["partly", "Another host has an address of the pair: clients may reach it instead."],
  stranger: ["partly", "A stranger speaks VRRP with a VRID of the pair: neighbours may be led astray."],
  widened: ["partly", "A box runs late, so the dead time is widened: a take-over lasts longer than configured."],
  pathSilent: ["remark", "The peer is not heard over {interface}; other paths are alive."],
  heldDown: ["remark", "A group changed hands too often: moves for preference or fitness wait."],
  clocksDiffer: [
    "remark",
    "The clocks of the two boxes differ by {seconds} s: times of logs and of roll-backs mislead.",
  ],
  drillFailed: ["remark", "The newest drill was worse than allowed."],
  drillOld: ["remark", "No fail-over was proven for {days} days: `futago drill` tries it."],
  neverDrilled: ["remark", "No fail-over has been proven yet: `futago drill` tries it."],
} as const satisfies Readonly<Record<string, readonly [SurvivalWeight, string]>>;

export type SurvivalWord = keyof typeof REASONS;

export const SURVIVAL_WORDS = Object.keys(REASONS) as readonly SurvivalWord[];

export function survivalReason(reason: SurvivalWord, parameters: Values = {}): SurvivalReason {
  const [weight, text] = REASONS[reason];
  const sentence = text.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(parameters[name] ?? ""));
  return { reason, weight, parameters, sentence };
}

const WEIGHTS: readonly SurvivalWeight[] = ["remark", "partly", "no"];

/** Above 0 where the first is graver. */
export function graver(one: SurvivalWeight, other: SurvivalWeight): number {
  return WEIGHTS.indexOf(one) - WEIGHTS.indexOf(other);
}
