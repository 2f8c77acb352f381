import { describe, expect, it } from "vitest";
import { after, type Instant, instant, seconds } from "@futago/hal/units/time.ts";
import type { Sight } from "./pair-compare.ts";
import type { PairInput, PairStage, PairUpdate, Told } from "./pair-types.ts";
import { beginPairUpdate, canStop, PAIR_TIMES, resumePairUpdate, stepOwnProof, stepPairUpdate } from "./pair-update.ts";

const of = { id: "00112233445566aa", version: "2.0.0", build: "2.0.0 of then", leader: "a" as const };
const OLD = { version: "1.0.0", build: "1.0.0 of before" };
const NEW = { version: "2.0.0", build: "2.0.0 of then" };
const sight: Sight = {
  groups: 1,
  holds: 0,
  alarms: [],
  up: 2,
  away: 0,
  traffic: { flows: 0, packetsIn: 0, packetsOut: 0 },
  answering: [],
  silent: [],
};
const serves: Sight = { ...sight, holds: 1 };
const old: Told = { ...OLD, proof: "good", findings: [], secondsLeft: null, work: null, sight };
const doing = (what: NonNullable<Told["work"]>["doing"], failure: string | null = null): Told => ({
  ...old,
  work: { update: of.id, doing: what, percent: what === "installing" ? 40 : null, failure },
});
const trial: Told = { ...old, ...NEW, proof: "soaking", secondsLeft: 90 };
const good: Told = { ...trial, proof: "good", secondsLeft: null };
const busy: Told = { ...good, sight: serves };

/** An update as it goes, a second each step. */
class Going {
  state: PairUpdate;
  now: Instant = instant(1_000_000_000);
  readonly did: string[] = [];

  constructor(state = beginPairUpdate(of, instant(1_000_000_000)).state) {
    this.state = state;
  }

  feed(input: PairInput, wait = seconds(1)): this {
    this.now = after(this.now, wait);
    const { state, orders } = stepPairUpdate(PAIR_TIMES, this.state, input, this.now);
    this.state = state;
    for (const order of orders)
      if (order.kind !== "say") this.did.push(order.kind === "tell" ? order.order : order.kind);
    return this;
  }

  look(told: Told | undefined, own: Sight = serves, times = 1): this {
    for (let i = 0; i < times; i++) this.feed({ kind: "look", told, own });
    return this;
  }

  /** Up to this stage, without trouble. */
  to(stage: PairStage): this {
    const steps: readonly (readonly [PairStage, () => unknown])[] = [
      ["sending", () => this.feed({ kind: "sent" })],
      ["installing", () => this.look(doing("installing")).look(doing("installed"))],
      ["starting", () => this.look(undefined).look(trial)],
      ["proving", () => this.look(good)],
      ["handingOver", () => this.feed({ kind: "handedOver", trouble: undefined })],
      ["watching", () => this.look(busy, sight, 61)],
    ];
    const from = steps.findIndex(([name]) => name === this.state.stage);
    for (const [name, act] of steps.slice(from)) {
      if (this.state.stage === stage) break;
      expect(this.state.stage).toBe(name);
      act();
    }
    return this;
  }

  get ended(): string {
    return `${this.state.stage} ${this.state.outcome}`;
  }
}

describe("an update of a pair that goes well", () => {
  it("updates the other box, has it take over, watches it for a minute, and updates the leader", () => {
    const going = new Going().to("watching");
    expect(going.state.secondsLeft).toBe(null);
    going.look(busy, sight);
    expect(going.state).toMatchObject({ stage: "watching", box: "b", secondsLeft: 59, findings: [] });
    going.look(busy, sight, 60);
    expect(going.state).toMatchObject({ stage: "installing", box: "a", outcome: "running" });
    going.feed({ kind: "writing", percent: 30 });
    expect(going.state.percent).toBe(30);
    going.feed({ kind: "written", trouble: undefined });
    expect(going.did).toEqual(["install", "start", "handOver", "install", "start"]);
    expect(going.state).toMatchObject({ stage: "starting", box: "a" });
  });

  it("is over when the leader came up with the version and was found good", () => {
    const going = new Going().to("watching").look(busy, sight, 61);
    going.feed({ kind: "written", trouble: undefined });
    const { state } = resumePairUpdate(going.state, NEW, instant(0));
    expect(state).toMatchObject({ stage: "proving", box: "a", outcome: "running" });
    const soaking = stepOwnProof(state, { proof: "soaking", findings: [], secondsLeft: 30 }).state;
    expect(soaking).toMatchObject({ outcome: "running", secondsLeft: 30 });
    const { state: over } = stepOwnProof(soaking, { proof: "good", findings: [], secondsLeft: null });
    expect([over.stage, over.outcome, over.failure]).toEqual(["over", "done", null]);
  });

  it("shows what the other box does and what its proof waits for", () => {
    const going = new Going().to("installing").look(doing("installing"));
    expect(going.state.percent).toBe(40);
    going.to("proving").look({ ...trial, proof: "waiting", findings: ["eth0 has no link"], secondsLeft: null });
    expect(going.state).toMatchObject({ findings: ["eth0 has no link"], secondsLeft: null });
  });
});

describe("an update of a pair comes back", () => {
  const worse = "2.0.0 is worse: ";
  const rows: readonly (readonly [what: string, told: Told, own: Sight, failure: string])[] = [
    [
      "when the new version finds fewer backends up",
      { ...busy, sight: { ...serves, up: 1 } },
      sight,
      "it finds 1 backends up, and the former version finds 2",
    ],
    [
      "when it lets a group go",
      { ...busy, sight: { ...serves, holds: 0 } },
      serves,
      "it does not hold 1 of 1 failover groups any more",
    ],
    [
      "when it has an alarm that was not there",
      { ...busy, sight: { ...serves, alarms: ["balancer-refused"] } },
      sight,
      "it has the alarm balancer-refused, which was not there before",
    ],
    [
      "when its gateway does not answer it, and does the leader",
      { ...busy, sight: { ...serves, away: 1 } },
      sight,
      "1 gateways or tracked checks do not answer it, and 0 the former version",
    ],
  ];
  it.each(rows)("%s", (_, told, own, failure) => {
    const going = new Going().to("watching").look(busy, sight, 20).look(told, own, 2);
    expect(going.state).toMatchObject({ stage: "watching", findings: [failure] });
    going.look(told, own);
    expect(going.state).toMatchObject({ stage: "handingBack", box: "b", failure: worse + failure });
    going.feed({ kind: "handedBack", trouble: undefined }).look({ ...busy, sight });
    going.look({ ...busy, sight, work: { update: of.id, doing: "goingBack", percent: null, failure: null } });
    going.look(undefined).look(old);
    expect(going.did.slice(3)).toEqual(["handBack", "goBack", "goBack"]);
    expect(going.ended).toBe("over cameBack");
    expect(going.state.failure).toBe(worse + failure);
  });

  it("when a VIP that answered before does not answer the other box any more", () => {
    const seen = { ...good, sight: { ...sight, answering: ["10.1.0.1"] } };
    const going = new Going().to("proving").look(seen).feed({ kind: "handedOver", trouble: undefined });
    going.look(busy, { ...sight, silent: ["10.1.0.1", "10.9.0.1"] });
    expect(going.state).toMatchObject({ stage: "handingBack", failure: `${worse}10.1.0.1 does not answer any more` });
  });

  it("when there was traffic and it collapses, and not when there was none", () => {
    const traffic = (flows: number) => ({ flows, packetsIn: 10 * flows, packetsOut: 10 * flows });
    const pair = (each: number) => {
      const going = new Going().to("proving");
      for (let i = 0; i < 30; i++) going.look(trial, { ...serves, traffic: traffic(i * each) });
      going.look(good, { ...serves, traffic: traffic(30 * each) }).feed({ kind: "handedOver", trouble: undefined });
      return going;
    };
    const busyPair = pair(50);
    for (let i = 0; i < 30; i++) busyPair.look({ ...busy, sight: { ...serves, traffic: traffic(i * 40) } }, sight);
    expect(busyPair.state.stage).toBe("watching");
    for (let i = 0; i < 15; i++) busyPair.look({ ...busy, sight: { ...serves, traffic: traffic(1_200) } }, sight);
    expect(busyPair.state).toMatchObject({ stage: "handingBack", failure: expect.stringContaining("44 came before") });
    expect(pair(0).look(busy, sight, 61).state).toMatchObject({ stage: "installing", box: "a" });
  });

  it("when packets come and none go back", () => {
    const going = new Going().to("proving");
    const at = (i: number, out: number) => ({ flows: i, packetsIn: 100 * i, packetsOut: out * i });
    for (let i = 0; i < 20; i++) going.look(trial, { ...serves, traffic: at(i, 90) });
    going.look(good, { ...serves, traffic: at(20, 90) }).feed({ kind: "handedOver", trouble: undefined });
    for (let i = 0; i < 12; i++) going.look({ ...busy, sight: { ...serves, traffic: at(i, 0) } }, sight);
    expect(going.state).toMatchObject({
      stage: "handingBack",
      failure: expect.stringContaining("go back, and 90 went before"),
    });
  });

  it("when the box that serves falls silent and the leader takes over, and when it comes back it is told to go back", () => {
    const going = new Going().to("watching").look(busy, sight, 10).look(undefined, sight, 4);
    expect(going.state.stage).toBe("watching");
    going.look(undefined, serves, 3);
    expect(going.state).toMatchObject({ stage: "handingBack", failure: "box b fell silent, and box a took over" });
    going.feed({ kind: "handedBack", trouble: undefined }).look(undefined, serves, 30).look(good);
    expect(going.did.slice(-2)).toEqual(["goBack", "goBack"]);
    expect(going.look(undefined).look(old).ended).toBe("over cameBack");
  });

  it("halfway, when the leader cannot be updated after the other box was", () => {
    const going = new Going()
      .to("watching")
      .look(busy, sight, 61)
      .feed({ kind: "written", trouble: "the disk is full" });
    expect([going.ended, going.state.failure]).toEqual(["over halfway", "box a: the disk is full"]);
    const started = new Going().to("watching").look(busy, sight, 61).feed({ kind: "written", trouble: undefined });
    const { state } = resumePairUpdate(started.state, OLD, instant(0));
    expect([state.stage, state.outcome]).toEqual(["over", "halfway"]);
  });
});

describe("what happens to the other box", () => {
  it("before it runs the new version ends the update, and leaves both on the former one", () => {
    const rows: readonly (readonly [PairStage, (going: Going) => unknown, string])[] = [
      ["sending", (going) => going.feed({ kind: "notSent", why: "no room" }), "no room"],
      ["installing", (going) => going.look(doing("failed", "not signed")), "box b: not signed"],
      ["installing", (going) => going.look(undefined).look(old), "started anew while it installed"],
      ["installing", (going) => going.look(undefined, serves, 122), "is not there, and had not installed"],
      ["starting", (going) => going.look(doing("starting")).look(undefined).look(old), "did not come up on box b"],
      ["starting", (going) => going.look(doing("failed", "refused")), "box b: refused"],
      ["starting", (going) => going.look(undefined, serves, 902), "has not come back since it started anew"],
      ["proving", (going) => going.look(undefined).look(old), "or was not found good there"],
    ];
    for (const [stage, act, failure] of rows) {
      const going = new Going().to(stage);
      act(going);
      expect([stage, going.ended, going.state.failure]).toEqual([
        stage,
        "over cameBack",
        expect.stringContaining(failure),
      ]);
    }
  });

  it("is taken back when it is never found good, or does not take over", () => {
    const never = new Going().to("proving");
    never.look({ ...trial, proof: "waiting", findings: ["the web UI does not answer"] }, serves, 1_201);
    expect(never.state).toMatchObject({
      stage: "handingBack",
      failure: expect.stringContaining("the web UI does not answer"),
    });
    const kept = new Going().to("handingOver").feed({ kind: "handedOver", trouble: "the peer did not take it" });
    expect(kept.state).toMatchObject({
      stage: "handingBack",
      failure: "box b did not take over: the peer did not take it",
    });
  });

  it("is called halfway when it cannot be taken back", () => {
    const going = new Going()
      .to("watching")
      .feed({ kind: "stop", author: "ann" })
      .feed({ kind: "handedBack", trouble: "no" });
    going.look({ ...good, work: { update: of.id, doing: "goingBack", percent: null, failure: null } }, serves, 902);
    expect([going.ended, going.state.failure]).toEqual(["over halfway", "ann stopped it; box b still runs 2.0.0"]);
  });
});

describe("a person who stops it", () => {
  it("has both boxes run the former version, from whichever stage", () => {
    const went: string[] = [];
    for (const stage of ["sending", "installing", "starting", "proving", "handingOver", "watching"] as const) {
      const going = new Going().to(stage);
      expect([stage, canStop(going.state)]).toEqual([stage, true]);
      going.feed({ kind: "stop", author: "ann" });
      expect(canStop(going.state)).toBe(false);
      if (going.state.stage === "handingBack") {
        going.feed({ kind: "handedBack", trouble: undefined });
        // It has the order to start anew, and has not gone yet.
        going.look(stage === "starting" ? doing("starting") : good);
        went.push(`${stage} ${going.state.stage}`);
        going.look(undefined).look(old);
      }
      expect([stage, going.ended, going.state.failure]).toEqual([stage, "over cameBack", "ann stopped it"]);
    }
    expect(went).toEqual(["starting", "proving", "handingOver", "watching"].map((one) => `${one} goingBack`));
  });

  it("comes too late once the leader is updated", () => {
    const going = new Going().to("watching").look(busy, sight, 61);
    expect(canStop(going.state)).toBe(false);
    expect(going.feed({ kind: "stop", author: "ann" }).state).toMatchObject({
      stage: "installing",
      outcome: "running",
    });
  });
});

describe("a leader that was started anew", () => {
  it("takes back what it cannot judge any more, and ends what had not begun", () => {
    for (const stage of ["sending", "installing"] as const) {
      const { state } = resumePairUpdate(new Going().to(stage).state, OLD, instant(0));
      expect([stage, state.stage, state.outcome]).toEqual([stage, "over", "cameBack"]);
    }
    for (const stage of ["starting", "proving", "handingOver", "watching"] as const) {
      const { state, orders } = resumePairUpdate(new Going().to(stage).state, OLD, instant(0));
      expect([stage, state.stage, state.outcome]).toEqual([stage, "handingBack", "running"]);
      expect(orders.at(-1)).toEqual({ kind: "handBack" });
      const back = new Going(state).feed({ kind: "handedBack", trouble: undefined }).look(undefined).look(old);
      expect(back.ended).toBe("over cameBack");
    }
  });
});
