/**
 * Whether the pair would survive the next failure, from what both boxes know. It decides nothing: who takes over is the
 * sentinels' business. A doubt counts as a no: what a box does not tell is taken as missing. Pure.
 */
import { graver, survivalReason, type SurvivalWord } from "./reasons.ts";
import type { BoxFacts, GroupFacts, Survival, SurvivalFacts, SurvivalReason } from "./types.ts";

const DAY_MILLIS = 86_400_000;
const DRILL_DAYS_MAX = 30;
const CLOCK_OFFSET_MILLIS_MAX = 2_000;

export function judgeSurvival(facts: SurvivalFacts): Survival {
  const alone = whyAlone(facts);
  const reasons = alone === undefined ? pairReasons(facts) : [alone];
  const gravestFirst = reasons.toSorted((one, other) => graver(other.weight, one.weight));
  const worst = gravestFirst[0]?.weight ?? "remark";
  return { survives: worst === "remark" ? "yes" : worst, reasons: gravestFirst };
}

/** Where there is no pair there is nothing else to say. */
function whyAlone({ pairing, own, peer, box }: SurvivalFacts): SurvivalReason | undefined {
  if (own.revision === "") return survivalReason("noConfiguration");
  if (pairing === "alone") return survivalReason("alone");
  if (pairing === "left") return survivalReason("gaveUpPeer");
  // Without a sentinel nobody says whether there is a peer.
  if (own.role === "unknown") return survivalReason("sentinelAway", { box });
  return peer === undefined ? survivalReason("notPairedByConfiguration") : undefined;
}

function pairReasons(facts: SurvivalFacts): readonly SurvivalReason[] {
  const { own, peer, told } = facts;
  if (peer?.alive !== true) return [survivalReason("peerLost", { box: otherOf(facts) }), ...drillReasons(facts)];
  const alarmed = (word: string) => own.alarms.includes(word) || told?.alarms.includes(word) === true;
  const ofPair = (word: string, reason: SurvivalWord) => (alarmed(word) ? [survivalReason(reason)] : []);
  return [
    ...ofPair("one-way", "oneWay"),
    ...roleReasons(facts),
    ...groupReasons(facts),
    ...(facts.linked && told !== undefined ? [] : [survivalReason("coreAway", { box: otherOf(facts) })]),
    ...boxReasons(facts),
    ...revisionReasons(facts),
    ...connectionReasons(facts),
    ...pathReasons(facts),
    ...ofPair("address-conflict", "addressConflict"),
    ...ofPair("vrid-conflict", "stranger"),
    ...ofPair("widened", "widened"),
    ...ofPair("held-down", "heldDown"),
    ...clockReasons(facts),
    ...drillReasons(facts),
  ];
}

function otherOf({ box }: SurvivalFacts): string {
  return box === "a" ? "b" : "a";
}

/** Both boxes, by letter; of the other one what heartbeats tell as long as its core says nothing. */
function boxes(facts: SurvivalFacts): readonly (readonly [letter: string, role: string, told: BoxFacts | undefined])[] {
  const { box, own, told, peer } = facts;
  return [
    [box, own.role, own],
    [otherOf(facts), told?.role ?? peer?.role ?? "unknown", told],
  ];
}

function roleReasons(facts: SurvivalFacts): readonly SurvivalReason[] {
  return boxes(facts).flatMap(([box, role, told]) => {
    switch (role) {
      case "maintenance":
        return [survivalReason("maintenance", { box })];
      case "spare":
        return [survivalReason("coldSpare", { box })];
      case "fault":
        return [survivalReason("fault", { box })];
      case "unknown":
        // Its heartbeats come: they are pulse's, which outlives a sentinel for a moment.
        return told === undefined ? [] : [survivalReason("sentinelAway", { box })];
    }
    return [];
  });
}

function groupReasons(facts: SurvivalFacts): readonly SurvivalReason[] {
  return facts.own.groups.flatMap((mine) => groupReason(facts, mine));
}

/** Of one group: one box holds it, the other one can take it. */
function groupReason(facts: SurvivalFacts, mine: GroupFacts): readonly SurvivalReason[] {
  const group = mine.name;
  const theirs = toldGroup(facts, group);
  const peerHolds = theirs === undefined ? facts.peer?.role === "active" : theirs.state === "active";
  const isHeld = mine.state === "active" || peerHolds;
  // With its groups apart a pair has two active boxes: only what the peer says of this group tells.
  if (mine.state === "active" && theirs?.state === "active") return [survivalReason("twoActives", { group })];
  if (!isHeld) return [survivalReason("nobodyServes", { group })];
  const waiting = mine.state === "active" ? theirs : mine;
  const box = mine.state === "active" ? otherOf(facts) : facts.box;
  if (waiting === undefined) return facts.peer?.role === "initialize" ? [notReady(box, group, "initialize")] : [];
  const down = waiting.down.map((one) => survivalReason("noCarrier", { box, interface: one, group }));
  // Maintenance, a spare and a fault were told of the whole box.
  const isSaid = ["standby", "maintenance", "spare", "fault"].includes(waiting.state);
  return isSaid ? down : [notReady(box, group, waiting.state), ...down];
}

/** The peer's group as its core tells it; undefined, too, while heartbeats say already that the peer took over. */
function toldGroup({ told, peer }: SurvivalFacts, group: string): GroupFacts | undefined {
  const isOld = peer?.role === "active" && told?.role !== "active";
  return isOld ? undefined : told?.groups.find(({ name }) => name === group);
}

function notReady(box: string, group: string, state: string): SurvivalReason {
  return survivalReason("notReady", { box, group, state });
}

const OF_BOX: readonly (readonly [alarm: string, reason: SurvivalWord])[] = [
  ["missing-device", "missingDevice"],
  ["network-refused", "networkRefused"],
  ["revision-refused", "revisionRefused"],
  ["not-rolled-back", "notRolledBack"],
];

function boxReasons(facts: SurvivalFacts): readonly SurvivalReason[] {
  return boxes(facts).flatMap(([box, role, told]) => {
    if (told === undefined) return [];
    const alarms = OF_BOX.filter(([alarm]) => told.alarms.includes(alarm)).map(([, reason]) =>
      survivalReason(reason, { box }),
    );
    // An active box that is less fit than the other one hands over by itself.
    const isUnfit =
      role !== "active" && told.alarms.includes("unfit") && told.groups.every(({ down }) => down.length === 0);
    return isUnfit ? [survivalReason("unfit", { box }), ...alarms] : alarms;
  });
}

function revisionReasons(facts: SurvivalFacts): readonly SurvivalReason[] {
  const { own, told } = facts;
  const differs = own.alarms.includes("revision-differs") || (told !== undefined && told.revision !== own.revision);
  const waits = own.alarms.includes("unconfirmed") || told?.alarms.includes("unconfirmed") === true;
  return [
    ...(differs ? [survivalReason("revisionsDiffer", { box: otherOf(facts) })] : []),
    ...(waits ? [survivalReason("unconfirmed")] : []),
  ];
}

function connectionReasons(facts: SurvivalFacts): readonly SurvivalReason[] {
  const untold = boxes(facts).filter(([, , told]) => told?.told === false);
  return [
    ...untold.map(([box]) => survivalReason("flowsNotWhole", { box })),
    ...facts.unshared.map((service) => survivalReason("unsharedConnections", { service })),
  ];
}

function pathReasons({ paths }: SurvivalFacts): readonly SurvivalReason[] {
  const alive = paths.filter((path) => path.alive);
  const silent = paths
    .filter((path) => !path.alive)
    .map((path) => survivalReason("pathSilent", { interface: path.interface }));
  const [first] = alive;
  if (first === undefined) return silent;
  if (alive.length === 1) return [survivalReason("onePath", { interface: first.interface })];
  const ports = new Set(alive.map(({ device }) => portOf(device)));
  return ports.size > 1 ? silent : [survivalReason("oneDevice", { device: portOf(first.device) }), ...silent];
}

/** "eth0" of "eth0.10": a VLAN goes by the cable of the port it stands on. */
function portOf(device: string): string {
  return device.split(".")[0] ?? device;
}

function clockReasons({ clockOffsetMillis: offset = 0 }: SurvivalFacts): readonly SurvivalReason[] {
  if (Math.abs(offset) <= CLOCK_OFFSET_MILLIS_MAX) return [];
  return [survivalReason("clocksDiffer", { seconds: Math.round(Math.abs(offset) / 1_000) })];
}

function drillReasons({ drill, now, cold }: SurvivalFacts): readonly SurvivalReason[] {
  // A cold pair cannot be drilled.
  if (cold) return [];
  if (drill === undefined) return [survivalReason("neverDrilled")];
  if (!drill.passed) return [survivalReason("drillFailed")];
  const days = Math.floor((now - drill.at) / DAY_MILLIS);
  return days < DRILL_DAYS_MAX ? [] : [survivalReason("drillOld", { days })];
}
