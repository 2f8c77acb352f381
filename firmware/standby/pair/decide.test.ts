import { describe, expect, test } from "vitest";
import type { PulseGroupReport } from "@futago/hal/units/pulse.ts";
import { type Instant, instant, seconds } from "@futago/hal/units/time.ts";
import { decideGroup, type GroupSituation } from "./decide.ts";
import { initialPair } from "./step.ts";
import type { GroupMemory, OfferReason, PairAction, PairConfig, PairGroupConfig, PairState } from "./types.ts";
import { CONFIG, EDGE, LONELY, memoryOf, peerIn, reportOf, SILENT, snapshotOf } from "./view.test-support.ts";

/** A hundred seconds after the boot clock's zero; groups entered their state ten seconds before, unless a row says. */
const NOW = instant(100_000_000);

function before(second: number): Instant {
  return instant(NOW - seconds(second));
}

interface Row {
  readonly name: string;
  readonly report: PulseGroupReport;
  readonly snapshot?: Parameters<typeof snapshotOf>[2];
  readonly config?: Partial<PairConfig>;
  readonly group?: Partial<PairGroupConfig>;
  readonly state?: Partial<PairState>;
  readonly health?: number;
  readonly memory?: Partial<GroupMemory>;
  /** Nothing, unless a row says. */
  readonly actions?: readonly PairAction[];
  /** What is remembered anew. */
  readonly remembers?: Partial<GroupMemory>;
}

function decide(row: Row): { memory: GroupMemory; before: GroupMemory; actions: PairAction[] } {
  const group = { ...EDGE, ...row.group };
  const config = { ...CONFIG, ...row.config, groups: [group] };
  const holds = ["active", "offering", "yielded"].includes(row.report.state);
  const memory = memoryOf(holds ? "active" : "standby", before(10), row.memory);
  const state: PairState = {
    ...initialPair(config, before(60), false),
    booting: false,
    snapshot: snapshotOf(NOW, [row.report], row.snapshot),
    fitness: { edge: { health: row.health ?? 255, sentence: "" } },
    ...row.state,
  };
  const situation: GroupSituation = { config, state, group, memory, report: row.report, now: NOW };
  const actions: PairAction[] = [];
  return { memory: decideGroup(situation, actions), before: memory, actions };
}

type Act = Extract<Extract<PairAction, { kind: "pulse" }>["command"], { kind: "act" }>;

function act(what: Act["act"], reason: Act["reason"]): PairAction {
  return { kind: "pulse", command: { kind: "act", group: EDGE.slot, act: what, reason } };
}

function note(event: "offer" | "offer-failed", reason: string): PairAction {
  return { kind: "note", event, group: "edge", reason, evidence: {} };
}

function check(row: Row): void {
  const result = decide(row);
  expect(result.actions).toEqual(row.actions ?? []);
  expect(result.memory).toEqual({ ...result.before, ...row.remembers });
}

const READY = act("ready", "order");
const chosen = (peer: string) => ({ ordered: `nobody held the group; the peer ${peer} and this box is chosen` });
const NEVER_MET = { ordered: "no peer was heard within the boot time" };
const NO_SUCH_GROUP = { ordered: "the peer's configuration has no such group" };

describe("a standby", () => {
  const rows: readonly Row[] = [
    { name: "leaves the group to an active peer", report: reportOf("standby", peerIn("active")) },
    {
      name: "leaves it to an active peer that is less fit",
      report: reportOf("standby", peerIn("active", { health: 1 })),
    },
    { name: "waits while the peer yields it", report: reportOf("standby", peerIn("yielded")) },
    {
      name: "is ready for an offer",
      report: reportOf("standby", peerIn("offering")),
      actions: [act("ready", "handover")],
    },
    { name: "says once that it is ready", report: reportOf("ready", peerIn("offering")) },
    {
      name: "takes no offer of another revision",
      report: reportOf("standby", peerIn("offering")),
      snapshot: { peerConfigId: "00000000000000c2" },
    },
    {
      name: "stands for election when nobody holds the group and it is preferred",
      report: reportOf("standby", peerIn("standby")),
      actions: [READY],
      remembers: chosen("is standby"),
    },
    {
      name: "stands for election when the peer does, too, and is less fit",
      report: reportOf("standby", peerIn("ready")),
      actions: [READY],
      remembers: chosen("is ready"),
    },
    { name: "lets the preferred peer stand", report: reportOf("standby", peerIn("standby", { preference: 201 })) },
    {
      name: "lets the fitter peer stand, preferred or not",
      report: reportOf("standby", peerIn("standby")),
      health: 254,
    },
    {
      name: "is a and stands when nothing tells the boxes apart",
      report: reportOf("standby", peerIn("standby", { preference: 200 })),
      actions: [READY],
      remembers: chosen("is standby"),
    },
    {
      name: "is b and lets a stand when nothing tells the boxes apart",
      report: reportOf("standby", peerIn("standby", { preference: 200 })),
      config: { box: "b" },
    },
    {
      name: "stands for election whatever its fitness when the peer must not",
      report: reportOf("standby", peerIn("fault")),
      health: 1,
      actions: [READY],
      remembers: chosen("takes no role"),
    },
    {
      name: "waits five seconds for a peer that boots",
      report: reportOf("standby", peerIn("initialize")),
      memory: { since: before(4.9) },
    },
    {
      name: "stands for election when the peer takes longer to boot",
      report: reportOf("standby", peerIn("initialize")),
      memory: { since: before(5) },
      actions: [READY],
      remembers: chosen("is initialize"),
    },
    { name: "says once that it stands for election", report: reportOf("ready", peerIn("standby")) },
    {
      name: "leaves a silent peer to pulse",
      report: reportOf("standby", peerIn("active")),
      snapshot: SILENT,
    },
    {
      name: "takes over when no peer was met in the boot time",
      report: reportOf("standby"),
      snapshot: LONELY,
      actions: [act("takeOver", "order")],
      remembers: NEVER_MET,
    },
    {
      name: "waits five seconds for a peer that does not know the group yet",
      report: reportOf("standby"),
      memory: { since: before(5) },
    },
    {
      name: "takes over a group that the peer goes on not knowing",
      report: reportOf("standby"),
      memory: { since: before(5.1) },
      actions: [act("takeOver", "order")],
      remembers: NO_SUCH_GROUP,
    },
    {
      name: "that must be safe does not take over without a witness",
      report: reportOf("standby"),
      snapshot: LONELY,
      config: { safety: true },
    },
    {
      name: "that must be safe does not take over on a witness of long ago",
      report: reportOf("standby"),
      snapshot: LONELY,
      config: { safety: true },
      state: { witnessAt: before(1.1) },
    },
    {
      name: "that must be safe takes over when a witness has just answered",
      report: reportOf("standby"),
      snapshot: LONELY,
      config: { safety: true },
      state: { witnessAt: before(1) },
      actions: [act("takeOver", "order")],
      remembers: NEVER_MET,
    },
    ...(["initialize", "fault", "yielded"] as const).flatMap((own): Row[] => [
      {
        name: `that is ${own} for pulse decides nothing when nobody holds the group`,
        report: reportOf(own, peerIn("standby")),
      },
      { name: `that is ${own} for pulse takes no offer`, report: reportOf(own, peerIn("offering")) },
      { name: `that is ${own} for pulse takes nothing from nobody`, report: reportOf(own), snapshot: LONELY },
    ]),
  ];
  test.each(rows)("$name", check);
});

const OFFER = act("offer", "handover");
const AGAIN = { offer: undefined, offerNotBefore: instant(NOW + 10_000_000) };

function offered(why: OfferReason, made: boolean, since: Instant = NOW): Pick<GroupMemory, "offer"> {
  return { offer: { since, why, made } };
}

/** Somebody ordered the hand-over a moment ago. */
const ORDERED = offered("switchover", false, before(0.1));

describe("a holder", () => {
  const rows: readonly Row[] = [
    { name: "keeps what it has beside an equal peer", report: reportOf("active", peerIn("standby")) },
    { name: "keeps what it has beside a less fit peer", report: reportOf("active", peerIn("standby", { health: 1 })) },
    { name: "keeps what it has alone", report: reportOf("active"), snapshot: LONELY },
    {
      name: "offers the group to a peer that asks for it",
      report: reportOf("active", peerIn("standby", { asks: true })),
      actions: [OFFER, note("offer", "the peer asks for it")],
      remembers: offered("wish", true),
    },
    {
      name: "does not offer it again right after an offer that failed",
      report: reportOf("active", peerIn("standby", { asks: true })),
      memory: { offerNotBefore: instant(NOW + 1) },
    },
    {
      name: "offers it when somebody orders a switch-over",
      report: reportOf("active", peerIn("standby")),
      memory: ORDERED,
      actions: [OFFER, note("offer", "somebody ordered a switch-over")],
      remembers: offered("switchover", true),
    },
    {
      name: "offers it on an order even right after an offer that failed, and while held down",
      report: reportOf("active", peerIn("standby")),
      memory: { ...ORDERED, offerNotBefore: instant(NOW + 1), heldDownUntil: instant(NOW + 1) },
      actions: [OFFER, note("offer", "somebody ordered a switch-over")],
      remembers: offered("switchover", true),
    },
    {
      name: "waits for pulse to take the offer up",
      report: reportOf("active", peerIn("standby")),
      memory: offered("switchover", true),
    },
    ...(
      [
        ["the peer is not there", reportOf("active", peerIn("standby")), SILENT],
        ["the peer is not there", reportOf("active"), LONELY],
        ["the peer does not hear this box", reportOf("active", peerIn("standby")), { peerHears: false }],
        [
          "the peer runs another revision; apply the same configuration to both boxes first",
          reportOf("active", peerIn("standby")),
          { peerConfigId: "00000000000000c2" },
        ],
        ["the peer is in maintenance or at fault", reportOf("active", peerIn("fault")), {}],
        ["the peer is still starting", reportOf("active", peerIn("initialize")), {}],
      ] as const
    ).map(
      ([sentence, report, snapshot], i): Row => ({
        name: `answers an order that cannot be carried out: ${sentence} (${i + 1})`,
        report,
        snapshot,
        memory: ORDERED,
        actions: [note("offer-failed", sentence)],
        remembers: AGAIN,
      }),
    ),
    {
      name: "answers a peer that asks in vain",
      report: reportOf("active", peerIn("standby", { asks: true })),
      snapshot: { peerConfigId: "00000000000000c2" },
      actions: [
        note("offer-failed", "the peer runs another revision; apply the same configuration to both boxes first"),
      ],
      remembers: AGAIN,
    },
    {
      name: "offers it to a fitter peer",
      report: reportOf("active", peerIn("standby")),
      health: 254,
      actions: [OFFER, note("offer", "the peer is fitter")],
      remembers: offered("health", true),
    },
    {
      name: "waits in silence while a fitter peer cannot take it",
      report: reportOf("active", peerIn("initialize")),
      health: 254,
    },
    {
      name: "keeps it from a fitter peer while held down",
      report: reportOf("active", peerIn("standby")),
      health: 156,
      memory: { heldDownUntil: instant(NOW + 1) },
    },
    {
      name: "gives it away though held down when it cannot serve and the peer can",
      report: reportOf("active", peerIn("standby")),
      health: 155,
      memory: { heldDownUntil: instant(NOW + 1) },
      actions: [OFFER, note("offer", "the peer is fitter")],
      remembers: offered("health", true),
    },
    {
      name: "keeps it, unable to serve, right after an offer that failed",
      report: reportOf("active", peerIn("standby")),
      health: 1,
      memory: { offerNotBefore: instant(NOW + 1) },
    },
    {
      name: "keeps it from a preferred peer without preempt",
      report: reportOf("active", peerIn("standby", { preference: 201 })),
    },
    {
      name: "offers it to a preferred peer with preempt",
      report: reportOf("active", peerIn("standby", { preference: 201 })),
      group: { preempt: true },
      actions: [OFFER, note("offer", "the peer is preferred and fit")],
      remembers: offered("preempt", true),
    },
    {
      name: "keeps it from a preferred peer that is less fit",
      report: reportOf("active", peerIn("standby", { preference: 201, health: 254 })),
      group: { preempt: true },
    },
    {
      name: "keeps it from a preferred peer while held down",
      report: reportOf("active", peerIn("standby", { preference: 201 })),
      group: { preempt: true },
      memory: { heldDownUntil: instant(NOW + 1) },
    },
    {
      name: "offers it when it goes into maintenance",
      report: reportOf("active", peerIn("standby")),
      state: { maintenance: true },
      actions: [OFFER, note("offer", "this box goes into maintenance")],
      remembers: offered("maintenance", true),
    },
    {
      name: "keeps it in maintenance while nobody can take it",
      report: reportOf("active"),
      snapshot: LONELY,
      state: { maintenance: true },
    },
    {
      name: "lets an offer stand for two seconds",
      report: reportOf("offering", peerIn("standby")),
      memory: offered("switchover", true, before(1.9)),
    },
    {
      name: "withdraws an offer that was not taken in two seconds",
      report: reportOf("offering", peerIn("standby")),
      memory: offered("switchover", true, before(2)),
      actions: [act("keep", "refused"), note("offer-failed", "the peer did not take it")],
      remembers: AGAIN,
    },
    {
      name: "withdraws an offer at once when the peer falls silent",
      report: reportOf("offering", peerIn("standby")),
      snapshot: SILENT,
      memory: offered("switchover", true, before(0.1)),
      actions: [act("keep", "refused"), note("offer-failed", "the peer went silent")],
      remembers: AGAIN,
    },
  ];
  test.each(rows)("$name", check);
});

describe("both hold the group", () => {
  const GIVES_WAY = "both boxes held the group and the peer does not hear this one";
  const both = (lapsed: boolean, peerLapsed: boolean) =>
    reportOf("active", peerIn("active", { lapsed: peerLapsed }), { lapsed });
  const deaf = { peerHears: false };
  const rows: readonly Row[] = [
    { name: "pulse settles it while they hear each other", report: both(false, false) },
    {
      name: "a deaf peer is given a dead time",
      report: both(false, false),
      snapshot: deaf,
      state: { conflictSince: before(0.075) },
    },
    {
      name: "this box lets go when the peer stays deaf",
      report: both(false, false),
      snapshot: deaf,
      state: { conflictSince: before(0.0751) },
      actions: [act("release", "order")],
      remembers: { ordered: GIVES_WAY },
    },
    { name: "a keeps it when both leases have lapsed", report: both(true, true) },
    {
      name: "b lets go when both leases have lapsed",
      report: both(true, true),
      config: { box: "b" },
      actions: [act("release", "order")],
      remembers: { ordered: GIVES_WAY },
    },
    {
      name: "b keeps it when only its own lease has lapsed, for pulse takes it then",
      report: both(true, false),
      config: { box: "b" },
    },
    { name: "an order for a switch-over waits until it is settled", report: both(false, false), memory: ORDERED },
  ];
  test.each(rows)("$name", check);
});
