import { type Instant, instant, seconds } from "@futago/hal/units/time.ts";
import { describe, expect, it } from "vitest";
import type { Resolved, ResolvedPool } from "../../../config/resolved.ts";
import type { GroupStatus } from "../../messages.ts";
import type { PeerPool } from "../peer-link/message.ts";
import { type HealthSources, judgePool, pictureOf } from "./backend-health.ts";
import { HealthBoard } from "./health-board.ts";

const timing = { intervalMs: 1_000, timeoutMs: 500, rise: 2, fall: 3 };
const backend = (name: string) => ({ name, address: "10.2.0.11", port: 80, weight: 1, backup: false });
const web = {
  name: "web",
  check: { kind: "tcp", port: undefined, ...timing },
  backends: [backend("s1"), backend("s2")],
} as unknown as ResolvedPool;
const spare = { name: "spare", check: { kind: "none" }, backends: [backend("x")] } as unknown as ResolvedPool;

const at = (value: number): Instant => instant(seconds(value));
const own = (name: string) =>
  ({
    s1: { healthy: false, blind: false, reason: "own: refused" },
    s2: { healthy: true, blind: false, reason: "own: open" },
  })[name];
const told: PeerPool = {
  name: "web",
  backends: [
    { name: "gone", healthy: true, blind: false, reason: "" },
    { name: "s1", healthy: true, blind: false, reason: "active: open" },
  ],
};
const standby: HealthSources = { own, told, holds: [] };

describe("whose word counts on a backend", () => {
  it("is the active's on the standby, for what the active told of", () => {
    const { backends, nextTimeout } = judgePool(web, standby, at(100));
    expect(backends).toEqual([
      { healthy: true, blind: false, reason: "active: open", source: "active" },
      { healthy: true, blind: false, reason: "own: open", source: "own" },
    ]);
    expect(nextTimeout).toBeUndefined();
  });

  it("stays the predecessor's for `fall` intervals after this box became active, then becomes its own", () => {
    const active = { ...standby, holds: [at(104), at(100)] };
    const early = judgePool(web, active, at(102.999));
    expect(early.backends[0]?.source).toBe("active");
    expect(early.nextTimeout).toBe(103_000_000);
    const late = judgePool(web, active, at(103));
    expect(late.backends[0]).toEqual({ healthy: false, blind: false, reason: "own: refused", source: "own" });
    expect(late.nextTimeout).toBeUndefined();
  });

  it("is its own at once when no peer ever told", () => {
    const alone = { ...standby, told: undefined, holds: [at(100)] };
    expect(judgePool(web, alone, at(100)).backends[0]?.healthy).toBe(false);
  });

  it("holds a backend healthy that nothing checks", () => {
    const { backends } = judgePool(spare, { own: () => undefined, told: undefined, holds: [] }, at(0));
    expect(backends).toEqual([{ healthy: true, blind: false, reason: "not checked", source: "own" }]);
  });

  it("is told to the peer with a reason that fits into the message", () => {
    const long = { healthy: false, blind: false, reason: "x".repeat(400), source: "own" } as const;
    expect(pictureOf(web, [long, { healthy: true, blind: false, reason: "open", source: "own" }])).toEqual({
      name: "web",
      backends: [
        { name: "s1", healthy: false, blind: false, reason: "x".repeat(300) },
        { name: "s2", healthy: true, blind: false, reason: "open" },
      ],
    });
  });
});

describe("the board of all pools", () => {
  const service = (group: string, pool: string, sorryPool?: string) => ({
    name: `${group}-${pool}`,
    group,
    pool,
    sorryPool,
  });
  const config = {
    pair: {},
    pools: [web, { ...web, name: "mail" }, spare],
    services: [service("edge", "web"), service("other", "mail", "spare")],
  } as unknown as Resolved;
  const group = (name: string, state: string) => ({ name, state, since: new Date().toISOString() }) as GroupStatus;

  function board(): HealthBoard {
    const made = new HealthBoard({
      clock: { now: () => at(100) },
      stateOf: () => undefined,
      suspected: (id) =>
        id === "mail/s1" ? { healthy: false, blind: false, reason: "clients were refused" } : undefined,
      inheritedDead: new Set(),
    });
    made.configure(config);
    return made;
  }

  it("names the pools of groups that came or went, sorry pools included, and of no others", () => {
    const made = board();
    expect(made.setGroups([group("edge", "active"), group("other", "backup")])).toEqual(["web"]);
    expect(made.setGroups([group("edge", "active"), group("other", "backup")])).toEqual([]);
    expect(made.setGroups([group("edge", "backup"), group("other", "active")])).toEqual(["web", "mail", "spare"]);
  });

  it("has a picture for the peer of the pools of groups that the box holds, the same while nothing changes", () => {
    const made = board();
    for (const pool of config.pools) made.judge(pool);
    expect([made.picture("web"), made.picture("spare")]).toEqual([undefined, undefined]);
    made.setGroups([group("other", "active")]);
    expect(made.picture("web")).toBeUndefined();
    const before = made.picture("spare");
    expect(before?.make()).toEqual({
      name: "spare",
      backends: [{ name: "x", healthy: true, blind: false, reason: "not checked" }],
    });
    made.judge(spare);
    expect(made.picture("spare")?.of).toBe(before?.of);
    made.tell([{ name: "spare", backends: [{ name: "x", healthy: false, blind: false, reason: "dead" }] }]);
    made.setGroups([]);
    made.judge(spare);
    made.setGroups([group("other", "active")]);
    expect(made.picture("spare")?.of).not.toBe(before?.of);
  });

  it("holds for dead what clients found out, whatever the check says", () => {
    const made = board();
    expect(made.judge({ ...web, name: "mail" }).backends.map(({ healthy }) => healthy)).toEqual([false, true]);
    expect(made.judge(web).backends.map(({ healthy }) => healthy)).toEqual([true, true]);
  });

  it("keeps what the peer told of a pool that this box hears of later", () => {
    const made = board();
    made.tell([{ name: "new", backends: [{ name: "x", healthy: false, blind: false, reason: "dead" }] }]);
    const later = { ...spare, name: "new" };
    made.configure({ ...config, pools: [...config.pools, later] });
    expect(made.judge(later).backends[0]).toEqual({ healthy: false, blind: false, reason: "dead", source: "active" });
  });
});
