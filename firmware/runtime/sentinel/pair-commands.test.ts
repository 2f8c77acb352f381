import { describe, expect, test } from "vitest";
import { instant } from "@futago/hal/units/time.ts";
import { initialPair } from "../../standby/pair/step.ts";
import type { GroupMemory, PairConfig, PairState } from "../../standby/pair/types.ts";
import {
  CONFIG,
  EDGE,
  LONELY,
  memoryOf,
  peerIn,
  reportOf,
  SILENT,
  snapshotOf,
} from "../../standby/pair/view.test-support.ts";
import type { CommandAnswer } from "./mode.ts";
import { PairCommands } from "./pair-commands.ts";

const NOW = instant(100_000_000);
const OTHER = { ...EDGE, slot: 4, name: "other", id: 78 };
const TWO_GROUPS: PairConfig = { ...CONFIG, groups: [EDGE, OTHER] };

function at(milliseconds: number) {
  return instant(NOW + milliseconds * 1_000);
}

function stateOf(roles: Readonly<Record<string, GroupMemory["state"]>>, more: Partial<PairState> = {}): PairState {
  const groups = Object.fromEntries(Object.entries(roles).map(([name, role]) => [name, memoryOf(role, NOW)]));
  const snapshot = snapshotOf(NOW, [reportOf("active", peerIn("standby"))]);
  return { ...initialPair(CONFIG, NOW, false), booting: false, groups, snapshot, ...more };
}

const active = stateOf({ edge: "active" });
const standby = stateOf({ edge: "standby" });
const heard = (...more: Parameters<typeof snapshotOf>) => ({ snapshot: snapshotOf(...more) });

describe("a switch-over is refused", () => {
  const peer = (state: Parameters<typeof peerIn>[0]) => heard(NOW, [reportOf("active", peerIn(state))]);
  const rows: readonly [string, PairConfig, PairState, name: string | undefined, code: number, sentence: string][] = [
    ["without a group", { ...CONFIG, groups: [] }, active, undefined, 1, "no failover group is configured"],
    [
      "of a group that nobody knows",
      TWO_GROUPS,
      active,
      "egde",
      1,
      "no failover group is called egde; there are: edge, other",
    ],
    [
      "before pulse has said a word",
      CONFIG,
      { ...active, snapshot: undefined },
      undefined,
      5,
      "the peer is not there; a switch-over needs both boxes",
    ],
    [
      "without a peer",
      CONFIG,
      { ...active, ...heard(NOW, [reportOf("active")], LONELY) },
      "edge",
      5,
      "the peer is not there; a switch-over needs both boxes",
    ],
    [
      "when the peer is silent",
      CONFIG,
      { ...active, ...heard(NOW, [reportOf("active", peerIn("standby"))], SILENT) },
      "edge",
      5,
      "the peer is not there; a switch-over needs both boxes",
    ],
    [
      "when the peer is deaf",
      CONFIG,
      { ...active, ...heard(NOW, [reportOf("active", peerIn("standby"))], { peerHears: false }) },
      "edge",
      5,
      "the peer does not hear this box; mend the heartbeat path first",
    ],
    [
      "between two revisions",
      CONFIG,
      { ...active, ...heard(NOW, [], { peerConfigId: "00000000000000c2" }) },
      "edge",
      6,
      "the boxes run different revisions; give both the same configuration first",
    ],
    [
      "in maintenance",
      CONFIG,
      { ...standby, maintenance: true },
      "edge",
      6,
      "this box is in maintenance; end it with `futago maintenance off`",
    ],
    [
      "of a box that is active and waits to go into maintenance",
      CONFIG,
      { ...active, maintenance: true, ...peer("fault") },
      "edge",
      6,
      "this box is active and goes into maintenance as soon as the other one can take over; `futago maintenance off` takes that back",
    ],
    [
      "when the peer is in maintenance",
      CONFIG,
      { ...active, ...peer("fault") },
      "edge",
      5,
      "the peer is in maintenance",
    ],
    [
      "when the peer is starting",
      CONFIG,
      { ...active, ...peer("initialize") },
      "edge",
      5,
      "the peer is still starting; try again in a few seconds",
    ],
    [
      "when the peer does not know the group",
      CONFIG,
      { ...active, ...heard(NOW, [reportOf("active")]) },
      "edge",
      5,
      "the peer is still starting; try again in a few seconds",
    ],
  ];
  test.each(rows)("%s", (_, config, state, name, exitCode, message) => {
    expect(new PairCommands().refuseSwitchover(config, state, name)).toEqual({ ok: false, exitCode, message });
  });

  test("not when both boxes are well, whichever way it goes", () => {
    expect(new PairCommands().refuseSwitchover(CONFIG, active, undefined)).toBeUndefined();
    expect(
      new PairCommands().refuseSwitchover(
        CONFIG,
        { ...standby, ...heard(NOW, [reportOf("standby", peerIn("active"))]) },
        "edge",
      ),
    ).toBeUndefined();
  });
});

/** What somebody who waits has heard so far. */
async function answerOf(waiting: Promise<CommandAnswer>): Promise<CommandAnswer | "waits"> {
  return Promise.race([waiting, Promise.resolve("waits" as const)]);
}

const DONE = { ok: true, message: "switched over", exitCode: 0 };

describe("whoever ordered a switch-over waits", () => {
  test("until the group has left this box", async () => {
    const commands = new PairCommands();
    const waiting = commands.switchover(CONFIG, active, "edge", NOW);
    commands.review(active, at(10));
    expect(await answerOf(waiting)).toBe("waits");
    commands.review(standby, at(120));
    expect(await waiting).toEqual(DONE);
  });

  test("until the group has come to this box", async () => {
    const commands = new PairCommands();
    const waiting = commands.switchover(CONFIG, standby, undefined, NOW);
    commands.review(standby, at(10));
    expect(await answerOf(waiting)).toBe("waits");
    commands.review(active, at(20));
    expect(await waiting).toEqual(DONE);
  });

  test("until every group has moved, each its own way", async () => {
    const commands = new PairCommands();
    const waiting = commands.switchover(TWO_GROUPS, stateOf({ edge: "active", other: "standby" }), undefined, NOW);
    commands.review(stateOf({ edge: "standby", other: "standby" }), at(10));
    expect(await answerOf(waiting)).toBe("waits");
    commands.review(stateOf({ edge: "standby", other: "active" }), at(20));
    expect(await waiting).toEqual(DONE);
  });

  test("until the offer has failed, and hears why", async () => {
    const commands = new PairCommands();
    const waiting = commands.switchover(CONFIG, active, "edge", NOW);
    const failed = { kind: "note", event: "offer-failed", evidence: {}, reason: "the peer did not take it" } as const;
    commands.note({ ...failed, group: "other" });
    commands.note({ ...failed, group: "edge", event: "offer" });
    expect(await answerOf(waiting)).toBe("waits");
    commands.note({ ...failed, group: "edge" });
    expect(await waiting).toEqual({
      ok: false,
      message: "edge stays where it is: the peer did not take it",
      exitCode: 5,
    });
  });

  test("five seconds and no longer", async () => {
    const commands = new PairCommands();
    const waiting = commands.switchover(CONFIG, standby, "edge", NOW);
    commands.review(standby, at(5_000));
    expect(await answerOf(waiting)).toBe("waits");
    commands.review(standby, at(5_001));
    expect(await waiting).toEqual({
      ok: false,
      message: "the boxes did not change within 5 s; `futago show why` tells more",
      exitCode: 1,
    });
  });

  test("five seconds, and hears what came between", async () => {
    const commands = new PairCommands();
    const waiting = commands.switchover(CONFIG, standby, "edge", NOW);
    commands.review({ ...standby, ...heard(NOW, [reportOf("standby", peerIn("fault"))]) }, at(5_001));
    expect(await waiting).toEqual({ ok: false, message: "the peer is in maintenance", exitCode: 5 });
  });

  test("beside others who wait for other groups", async () => {
    const commands = new PairCommands();
    const state = stateOf({ edge: "active", other: "active" });
    const edge = commands.switchover(TWO_GROUPS, state, "edge", NOW);
    const other = commands.switchover(TWO_GROUPS, state, "other", NOW);
    commands.review(stateOf({ edge: "standby", other: "active" }), at(10));
    expect([await answerOf(edge), await answerOf(other)]).toEqual([DONE, "waits"]);
  });
});

describe("maintenance", () => {
  test("of a box that holds nothing is in force at once", async () => {
    const commands = new PairCommands();
    const waiting = commands.maintenance(CONFIG, standby, true, NOW);
    commands.review(standby, NOW);
    expect(await waiting).toEqual({ ok: true, message: "in maintenance", exitCode: 0 });
  });

  test("of an active box is in force when the peer has taken over", async () => {
    const commands = new PairCommands();
    const waiting = commands.maintenance(CONFIG, active, true, NOW);
    commands.review(active, at(10));
    expect(await answerOf(waiting)).toBe("waits");
    commands.review(stateOf({ edge: "maintenance" }), at(120));
    expect(await waiting).toEqual({ ok: true, message: "in maintenance", exitCode: 0 });
  });

  const peer = (state: Parameters<typeof peerIn>[0]) => heard(NOW, [reportOf("active", peerIn(state))]);
  const refused = (cause: string, message: string) => ({ ok: false, message, exitCode: 5, cause });

  const lasting: readonly [string, Partial<PairState>, cause: string, message: string][] = [
    [
      "is not there",
      heard(NOW, [reportOf("active")], LONELY),
      "the peer is not there",
      "the peer is not there and this box is active; it goes into maintenance when the peer is back",
    ],
    [
      "is in maintenance",
      peer("fault"),
      "the peer is in maintenance",
      "the peer is in maintenance and this box is active; it goes into maintenance when the peer's is over",
    ],
    [
      "is deaf",
      heard(NOW, [reportOf("active", peerIn("standby"))], { peerHears: false }),
      "the peer does not hear this box",
      "the peer does not hear this box and this box is active; it goes into maintenance when the peer hears it again",
    ],
  ];
  test.each(lasting)("of an active box whose peer %s has to wait, and says so at once", async (_, more, ...words) => {
    expect(await new PairCommands().maintenance(CONFIG, { ...active, ...more }, true, NOW)).toEqual(refused(...words));
  });

  const passing: readonly [string, Partial<PairState>, cause: string, message: string][] = [
    [
      "is starting",
      peer("initialize"),
      "the peer is still starting",
      "the peer is still starting and this box is active; it goes into maintenance when the peer has started",
    ],
    [
      "has another revision",
      heard(NOW, [reportOf("active", peerIn("standby"))], { peerConfigId: "00000000000000c2" }),
      "the boxes run different revisions",
      "the boxes run different revisions and this box is active; it goes into maintenance when both run the same one",
    ],
    [
      "does nothing",
      {},
      "the peer did not take over within 5 s (`futago show why` tells more)",
      "the peer did not take over within 5 s (`futago show why` tells more); this box goes into maintenance as soon as the other one can take over",
    ],
  ];
  test.each(passing)("of an active box whose peer %s is waited for, five seconds", async (_, more, ...words) => {
    const commands = new PairCommands();
    const state = { ...active, ...more };
    const waiting = commands.maintenance(CONFIG, state, true, NOW);
    commands.review(state, at(5_000));
    expect(await answerOf(waiting)).toBe("waits");
    commands.review(state, at(5_001));
    expect(await waiting).toEqual(refused(...words));
  });

  test("that the peer did not take stays a wish, and says so", async () => {
    const commands = new PairCommands();
    const waiting = commands.maintenance(CONFIG, active, true, NOW);
    commands.note({ kind: "note", event: "offer-failed", group: "edge", reason: "the peer went silent", evidence: {} });
    expect(await waiting).toEqual(
      refused(
        "edge stays where it is: the peer went silent",
        "edge stays where it is: the peer went silent; this box goes into maintenance as soon as the other one can take over",
      ),
    );
  });

  test("of a standby does not wait for its peer, whatever that one does", async () => {
    for (const more of [peer("fault"), heard(NOW, [reportOf("standby")], LONELY)]) {
      const commands = new PairCommands();
      const waiting = commands.maintenance(CONFIG, { ...standby, ...more }, true, NOW);
      commands.review(standby, NOW);
      expect(await waiting).toMatchObject({ ok: true });
    }
  });

  test("of the active box of a cold pair waits for a person, and says so", async () => {
    expect(await new PairCommands().maintenance(CONFIG, active, true, NOW, "active")).toEqual(
      refused(
        "this box is the active one of a cold pair",
        "this box is the active one of a cold pair; it goes into maintenance when it has given up: `futago spare release`",
      ),
    );
  });

  test("ends at once", async () => {
    expect(await new PairCommands().maintenance(CONFIG, active, false, NOW)).toEqual({
      ok: true,
      message: "maintenance is over",
      exitCode: 0,
    });
  });
});
