import { type Instant, instant, seconds } from "@futago/hal/units/time.ts";
import { describe, expect, it } from "vitest";
import type { Resolved } from "../../../config/resolved.ts";
import type { PeerPool } from "../peer-link/message.ts";
import { type HealthSources, key, pictureForPeer, viewHealth } from "./backend-health.ts";

const timing = { intervalMs: 1_000, timeoutMs: 500, rise: 2, fall: 3 };
const backend = (name: string) => ({ name, address: "10.2.0.11", port: 80, weight: 1, backup: false });
const config = {
  pair: {},
  groups: [{ name: "edge" }],
  pools: [
    { name: "web", check: { kind: "tcp", port: undefined, ...timing }, backends: [backend("s1"), backend("s2")] },
    { name: "spare", check: { kind: "none" }, backends: [backend("x")] },
  ],
  services: [{ name: "www", group: "edge", pool: "web" }],
} as unknown as Resolved;

const at = (value: number): Instant => instant(seconds(value));
const own = new Map([
  [key("web", "s1"), { healthy: false, reason: "own: refused" }],
  [key("web", "s2"), { healthy: true, reason: "own: open" }],
]);
const told: PeerPool = {
  name: "web",
  backends: [
    { name: "s1", healthy: true, reason: "active: open" },
    { name: "gone", healthy: true, reason: "" },
  ],
};
const standby: HealthSources = { config, own, peer: new Map([["web", told]]), activeSince: new Map() };

describe("whose word counts on a backend", () => {
  it("is the active's on the standby, for what the active told of", () => {
    const { backends, nextTimeout } = viewHealth(standby, at(100));
    expect(backends.get("web.s1")).toEqual({ healthy: true, reason: "active: open", source: "active" });
    expect(backends.get("web.s2")).toEqual({ healthy: true, reason: "own: open", source: "own" });
    expect(backends.has("web.gone")).toBe(false);
    expect(nextTimeout).toBeUndefined();
  });

  it("stays the predecessor's for `fall` intervals after this box became active, then becomes its own", () => {
    const active = { ...standby, activeSince: new Map([["edge", at(100)]]) };
    const early = viewHealth(active, at(102.999));
    expect(early.backends.get("web.s1")?.source).toBe("active");
    expect(early.nextTimeout).toBe(103_000_000);
    const late = viewHealth(active, at(103));
    expect(late.backends.get("web.s1")).toEqual({ healthy: false, reason: "own: refused", source: "own" });
    expect(late.nextTimeout).toBeUndefined();
  });

  it("is its own at once when no peer ever told", () => {
    const alone = { ...standby, peer: new Map(), activeSince: new Map([["edge", at(100)]]) };
    expect(viewHealth(alone, at(100)).backends.get("web.s1")?.healthy).toBe(false);
  });

  it("holds a backend healthy that nothing checks", () => {
    expect(viewHealth(standby, at(0)).backends.get("spare.x")).toEqual({
      healthy: true,
      reason: "not checked",
      source: "own",
    });
  });

  it("tells the peer the pools of the groups it holds, and nothing as a standby", () => {
    const view = viewHealth({ ...standby, peer: new Map() }, at(0));
    expect(pictureForPeer(config, view, new Set())).toEqual([]);
    expect(pictureForPeer(config, view, new Set(["edge"]))).toEqual([
      {
        name: "web",
        backends: [
          { name: "s1", healthy: false, reason: "own: refused" },
          { name: "s2", healthy: true, reason: "own: open" },
        ],
      },
    ]);
  });
});

describe("a sorry pool", () => {
  const sorry = {
    ...config,
    services: [{ name: "www", group: "edge", pool: "gone", sorryPool: "web" }],
  } as unknown as Resolved;

  it("is told to the peer as the pool is, and the peer's word of it counts as long", () => {
    const { backends, nextTimeout } = viewHealth(
      { ...standby, config: sorry, activeSince: new Map([["edge", at(100)]]) },
      at(101),
    );
    expect(backends.get("web.s1")?.source).toBe("active");
    expect(nextTimeout).toBe(103_000_000);
    expect(pictureForPeer(sorry, { backends, nextTimeout }, new Set(["edge"])).map((pool) => pool.name)).toEqual([
      "web",
    ]);
    expect(pictureForPeer(sorry, { backends, nextTimeout }, new Set())).toEqual([]);
  });
});
