/** What a paired sentinel shows of itself: a reading of its state, for core, the CLI and the alarms. */
import type { Clock } from "@futago/hal/contract/machine.ts";
import type { Link } from "@futago/hal/contract/network.ts";
import { addressFromBytes, formatInterfaceAddress } from "@futago/hal/units/address.ts";
import type { PulseGroupState, PulsePathReport } from "@futago/hal/units/pulse.ts";
import { between, instant, type Instant, seconds, toMillis } from "@futago/hal/units/time.ts";
import type { Orders, PairOrders } from "../../config/orders.ts";
import { nameHash } from "../../standby/identity.ts";
import type { KnownCause } from "../../standby/pair/fitness.ts";
import { otherBox } from "../../standby/pair/compare.ts";
import type { PairConfig, PairState } from "../../standby/pair/types.ts";
import type { Alarm, GroupStatus, PathStatus, PeerStatus, SentinelStatus } from "../messages.ts";
import { comingSince, type StrangeBeat, type StrangeBeats } from "./strange-beats.ts";
import { wallTime } from "./wall-time.ts";

export interface PairView {
  readonly clock: Clock;
  readonly orders: Orders;
  readonly pair: PairOrders;
  readonly config: PairConfig;
  readonly state: PairState;
  readonly causes: ReadonlyMap<string, readonly KnownCause[]>;
  readonly links: ReadonlyMap<string, Link>;
  readonly watchAlarms: readonly Alarm[];
  readonly staleCounters: Readonly<Record<string, number>>;
  readonly strangeBeats: StrangeBeats;
  /** How often pulse has ended without being told to. */
  readonly pulseEnds: number;
}

export function pairStatus(view: PairView): SentinelStatus {
  const { snapshot, timing } = view.state;
  return {
    role: ownRole(view),
    groups: view.orders.groups.map((group) => groupStatus(view, group.name)),
    peer: peerStatus(view),
    heartbeat: {
      profile: view.pair.profile,
      deadMs: toMillis(timing.dead),
      leaseMs: toMillis(timing.lease),
      latenessP999Ms: Math.round(timing.latenessP999 / 100) / 10,
      counters: {
        ...snapshot?.counters,
        lapses: snapshot?.lapses ?? 0,
        pulseEnds: view.pulseEnds,
        ...view.staleCounters,
      },
    },
    alarms: [...ownAlarms(view), ...view.watchAlarms],
  };
}

function ownRole(view: PairView): string {
  const states = Object.values(view.state.groups).map((group) => group.state);
  for (const role of ["active", "maintenance", "spare", "fault", "standby"] as const)
    if (states.includes(role)) return role;
  if (view.state.maintenance) return "maintenance";
  return view.config.spare ? "spare" : "standby";
}

function groupStatus(view: PairView, name: string): GroupStatus {
  const orders = view.orders.groups.find((group) => group.name === name);
  const memory = view.state.groups[name];
  const slot = view.config.groups.find((group) => group.name === name)?.slot;
  const report = view.state.snapshot?.groups.find((group) => group.group === slot);
  const cost = (view.causes.get(name) ?? []).reduce((sum, cause) => sum + cause.weight, 0);
  return {
    name,
    state: memory?.state ?? "initialize",
    since: wallTime(view.clock, memory?.since ?? view.state.bootedAt),
    reason: memory?.reason ?? "",
    addresses: (orders?.virtualRouters ?? []).flatMap((router) => router.addresses.map(formatInterfaceAddress)),
    priority: Math.max(1, (orders?.priority ?? 0) - cost),
    // pulse tells of a lapse at once and renews in silence, so the moment a lease was said to end means nothing here.
    answering: report !== undefined && report.answering && !report.lapsed,
  };
}

const PEER_ROLES: Readonly<Record<PulseGroupState, string>> = {
  initialize: "initialize",
  standby: "standby",
  active: "active",
  offering: "active",
  ready: "standby",
  yielded: "active",
  fault: "maintenance",
};

function peerRole(view: PairView): string {
  const states = (view.state.snapshot?.groups ?? []).flatMap((group) =>
    group.peer === undefined ? [] : [PEER_ROLES[group.peer.state]],
  );
  for (const role of ["active", "maintenance", "standby", "initialize"]) {
    // Heartbeats say only that it takes nothing; in a cold pair that is what a spare is for.
    if (states.includes(role)) return role === "maintenance" && view.pair.part !== "either" ? "spare" : role;
  }
  return "unknown";
}

function peerStatus(view: PairView): PeerStatus {
  const { snapshot } = view.state;
  const paths = view.pair.over.map((device) => {
    const name = interfaceName(view, device);
    return { device, name, path: snapshot?.paths.find((entry) => entry.id === nameHash(name)) };
  });
  const shown = paths.map(({ name, path }): PathStatus => {
    return { interface: name, alive: path?.alive ?? false, rttMicros: path?.alive === true ? path.rtt : null };
  });
  // What the boxes have to say to each other goes over a cable of their own rather than between clients' packets.
  const shared = new Set(view.orders.groups.flatMap((group) => group.virtualRouters.map((router) => router.device)));
  const bestFirst = paths.toSorted((one, other) => Number(shared.has(one.device)) - Number(shared.has(other.device)));
  const addresses = bestFirst.flatMap(({ device, path }) => {
    const address = path?.alive === true ? peerAddress(path) : undefined;
    return address === undefined || path === undefined ? [] : [{ address, device, ifindex: path.ifindex }];
  });
  const known = snapshot?.peerKnown === true;
  const alive = snapshot?.peerAlive === true;
  return {
    alive,
    // What a box was before it fell silent is not what it is.
    role: alive ? peerRole(view) : "unknown",
    revision: known ? (snapshot?.peerConfigId ?? "") : "",
    paths: shown,
    addresses,
  };
}

function peerAddress(path: PulsePathReport): string | undefined {
  return path.peerAddress.some((byte) => byte !== 0) ? addressFromBytes(path.peerAddress) : undefined;
}

function interfaceName(view: PairView, device: string): string {
  return view.orders.interfaces.find((entry) => entry.device === device)?.name ?? device;
}

function ownAlarms(view: PairView): readonly Alarm[] {
  const { state, clock } = view;
  const now = clock.now();
  const at = (since: Instant) => wallTime(clock, since);
  const alarms: Alarm[] = [];
  const { snapshot } = state;
  if (snapshot !== undefined && !snapshot.peerAlive && !state.booting) {
    const mend = snapshot.peerKnown
      ? "look at its power and at the cables of the heartbeat"
      : "start it, or look at the cables of the heartbeat";
    alarms.push({
      kind: "peer-lost",
      since: at(later(snapshot.heardAt, state.bootedAt)),
      sentence: `the peer is not heard on any path; ${mend}`,
    });
  }
  alarms.push(...pairingAlarms(view));
  // A peer that has just died was last heard when it last answered; one that hears nothing goes on speaking.
  if (snapshot?.peerAlive === true && between(snapshot.ackedSentAt, snapshot.heardAt) > state.timing.dead) {
    alarms.push({
      kind: "one-way",
      since: at(later(snapshot.ackedSentAt, state.bootedAt)),
      sentence: "the peer is heard but does not hear this box; look at the cables and at filters between the boxes",
    });
  }
  alarms.push(...pathAlarms(view), ...deviceAlarms(view));
  if (state.timing.widenedSince !== undefined) {
    const sentence = `this box or its peer runs late, so the dead time is ${toMillis(state.timing.dead)} ms instead of ${toMillis(view.config.deadTime)} ms`;
    alarms.push({ kind: "widened", since: at(state.timing.widenedSince), sentence });
  }
  if (state.conflictSince !== undefined) {
    alarms.push({
      kind: "two-actives",
      since: at(state.conflictSince),
      sentence: "both boxes hold a group; one lets go as soon as they hear each other",
    });
  }
  for (const [name, group] of Object.entries(state.groups)) {
    if (now >= group.heldDownUntil) continue;
    const left = Math.ceil((group.heldDownUntil - now) / 1_000_000);
    alarms.push({
      kind: "held-down",
      since: at(instant(group.heldDownUntil - group.holdDownMicros)),
      sentence: `${name} changed hands three times within a minute; moves for preference or fitness wait ${left} s more`,
    });
  }
  return alarms;
}

/** Mistakes in the pairing. A box of the same letter is one, too, while a peer is heard: it took this box's place there. */
function pairingAlarms({ clock, config, strangeBeats }: PairView): readonly Alarm[] {
  const wrongKey =
    "heartbeats arrive that are signed with another key; give both boxes the same pair key, or pair them anew: `futago pair invite --replace` on the one that is to stay, `futago pair join --replace CODE` on the other";
  const sameBox = `the other box was started as ${config.box}, too; start one of them with --box ${otherBox(config.box)}; where they were paired or restored, \`futago pair unpair\` one of them and pair it anew`;
  const alarm = (kind: string, beat: StrangeBeat, sentence: string): readonly Alarm[] => {
    const since = comingSince(strangeBeats, beat, clock.now());
    return since === undefined ? [] : [{ kind, since: wallTime(clock, since), sentence }];
  };
  const twice = `two boxes say that they are ${otherBox(config.box)}; switch off the one that does not belong`;
  return [
    ...alarm("wrong-key", "bad-mac", wrongKey),
    ...alarm("same-box", "own-box", sameBox),
    ...alarm("same-box", "unproven", twice),
  ];
}

/** A link that was just plugged first finds out whether its own address is unique; that takes a second or two. */
const PATH_GRACE = seconds(4);

function later(a: Instant, b: Instant): Instant {
  return a > b ? a : b;
}

function pathAlarms(view: PairView): readonly Alarm[] {
  const { state, clock } = view;
  const { snapshot } = state;
  if (snapshot?.peerAlive !== true) return [];
  return snapshot.paths
    .filter((path) => !path.alive && between(later(path.heardAt, state.bootedAt), clock.now()) > PATH_GRACE)
    .map((path) => {
      const name = view.orders.interfaces.find((entry) => nameHash(entry.name) === path.id)?.name ?? "?";
      return {
        kind: "path-lost",
        since: wallTime(view.clock, later(path.heardAt, state.bootedAt)),
        sentence: `the peer is not heard over ${name}; look at that cable`,
      };
    });
}

function deviceAlarms(view: PairView): readonly Alarm[] {
  const alarms: Alarm[] = [];
  for (const [group, causes] of view.causes) {
    for (const cause of causes) {
      alarms.push({
        kind: "unfit",
        since: wallTime(view.clock, cause.since),
        sentence: `${group}: ${cause.sentence}`,
      });
    }
  }
  return alarms;
}
