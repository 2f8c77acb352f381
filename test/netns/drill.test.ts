/** Drills of two whole boxes, beside a client that probes the same address at the same rate and knows nothing of them. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DrillResult, DrillsShown } from "@futago/firmware/runtime/control-drill.ts";
import type { TimelineEvent } from "@futago/firmware/runtime/control.ts";
import { longestSilence, monotonicMicros, Prober } from "../lab/prober.ts";
import { type Box, BOXES } from "../lab/topology.ts";
import { type Document, Pair, pairDocument, pause, switchPort, VIP } from "./pair-fixture.ts";

const VIP6 = "fd00:1::1";
/** Two probers, each with a probe a millisecond, do not see the same moment. Stalls of the machine they tell themselves. */
const AGREE_MICROS = 6_000;

let pair: Pair;
let prober: Prober;

/** As every pair of these tests, and IPv6 on the wan. */
function drillDocument(): Document {
  const heartbeat = { over: ["sync", "lan", "wan"], profile: "default", fixed: true };
  const document = pairDocument({ heartbeat, drill: "Sun 04:00" });
  const addresses = { a: ["10.1.0.2/24", "fd00:1::2/64"], b: ["10.1.0.3/24", "fd00:1::3/64"] };
  const [, ...others] = document.interfaces;
  const [group] = document.failoverGroups as readonly [{ readonly virtualRouters: readonly object[] }];
  const virtualRouters = [...group.virtualRouters, { interface: "wan", vrid: 12, addresses: [`${VIP6}/64`] }];
  const interfaces = [{ name: "wan", device: "eth0", addresses }, ...others];
  return { ...document, interfaces, failoverGroups: [{ ...group, virtualRouters }] };
}

beforeAll(async () => {
  pair = await Pair.start({ document: drillDocument() });
  await pair.settled("a");
  prober = await Prober.start(pair.client, { address: VIP, ping: true });
});
afterAll(async () => {
  try {
    await prober.stop();
  } finally {
    // The pair may never have settled, and the prober not been started.
    await pair.destroy();
  }
});

async function drilled(box: Box, ...options: readonly string[]) {
  const before = prober.tick.lost;
  const since = monotonicMicros();
  const { code, stdout, stderr } = await pair.box(box).futago("drill", "--json", ...options);
  // The prober gives an echo half a second.
  await pause(700);
  expect(`${code} ${stderr}`).toMatch(/^[01] /);
  const result = JSON.parse(stdout) as DrillResult;
  return { code, result, lost: prober.tick.lost - before, silence: longestSilence(prober, since) };
}

const figuresOf = (result: DrillResult, address: string) => result.vips.find((one) => one.address === address)!;
const shown = async (box: Box) =>
  JSON.parse((await pair.box(box).futago("drill", "report", "--json")).stdout) as DrillsShown;

describe("a drill", () => {
  /** The client saw the same silence: the dead time less what the lease still answered. */
  function agrees({ result, silence }: Awaited<ReturnType<typeof drilled>>, killed: Box): void {
    const { from, silenceMicros, lost, pauseMicros } = figuresOf(result, VIP);
    expect(from).toBe(killed);
    const { micros, stallMicros } = silence!;
    expect(micros).toBeGreaterThan(20_000);
    expect(Math.abs((silenceMicros ?? 0) - micros)).toBeLessThan(AGREE_MICROS + stallMicros + pauseMicros);
    // A probe each millisecond, but for those that a box which stalled could not send.
    const least = micros - AGREE_MICROS - 2 * (stallMicros + pauseMicros);
    const figures = JSON.stringify({ ...figuresOf(result, VIP), stallMicros, micros });
    expect(lost, `lost, of ${figures}`).toBeGreaterThan(Math.max(0, least / 1_000));
  }

  it("with --kill agrees with the client on the silence, and leaves no VIP on the box that was killed", async () => {
    const drill = await drilled("b", "--kill");
    expect(drill).toMatchObject({ code: 0, result: { worse: [], back: "stayed" } });
    agrees(drill, "a");
    await pair.settled("b");
    const stands = async () => (await pair.hosts.a.ip("addr")).includes(` ${VIP}/`);
    await expect.poll(stands, { timeout: 5_000 }).toBe(false);
  });

  it("agrees with it, too, where the box that was killed takes over, and the roles go back when told", async () => {
    const drill = await drilled("a", "--kill", "--return");
    expect(drill).toMatchObject({ code: 0, result: { worse: [], back: "ordered" } });
    await pair.settled("b");
    agrees(drill, "b");
    const ends = (await pair.why("a")).filter(({ event, to }) => event === "role" && to === "active");
    expect(ends.some(({ reason }) => reason.startsWith("the peer was silent on every path"))).toBe(true);
  });

  it("hands over for real, loses nothing, and a client beside it lost nothing either", async () => {
    const { code, result, lost } = await drilled("b", "--return");
    expect({ code, lost, worse: result.worse }).toEqual({ code: 0, lost: 0, worse: [] });
    await pair.settled("b");
    expect(result.vips).toHaveLength(4);
    for (const { address } of result.vips) {
      const figures = figuresOf(result, address);
      expect(figures).toMatchObject({ group: "edge", from: "b", lost: 0 });
      expect(figures.sent).toBeGreaterThan(200);
      expect(figures.silenceMicros).toBeLessThan(50_000);
    }
  });

  it("goes back by itself when the other box does not answer as it must, and says so until the next one", async () => {
    const drop = `iifname "${switchPort("a", "lan")}" ether type ip ip protocol icmp drop`;
    await pair.lose([], [drop]);
    const { code, result } = await drilled("b");
    await pair.lose([]);
    expect({ code, back: result.back }).toEqual({ code: 1, back: "worse" });
    expect(result.worse.join()).toMatch(/^10\.2\.0\.1 did not answer \d+ of \d+ probes, and 0 are allowed$/);
    await pair.settled("b");
    for (const box of BOXES) expect(await pair.alarm(box, "drill-failed")).toContain("worse than allowed");
    expect((await drilled("b", "--return")).code).toBe(0);
    for (const box of BOXES) await pair.noAlarm(box, "drill-failed");
  });

  it("is kept by both boxes, and the report is a page", async () => {
    const [a, b] = await Promise.all(BOXES.map(shown));
    expect(a!.results.map(({ how, worse }) => [how, worse.length])).toEqual([
      ["planned", 0],
      ["planned", 1],
      ["planned", 0],
      ["killed", 0],
      ["killed", 0],
    ]);
    expect(b!.results).toEqual(a!.results);
    expect(b!.schedule).toBe("Sun 04:00 (UTC)");
    const { stdout } = await pair.box("a").futago("drill", "report");
    expect(stdout).toContain("FAIL-OVER DRILL REPORT");
    expect(stdout).toContain("PASSED");
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThan(80);
    expect((await pair.box("b").futago("status")).stdout).toContain("Last proven fail-over: just now, 0 lost.");
  });
});

async function timeline(): Promise<readonly TimelineEvent[]> {
  const { stdout } = await pair.box("a").futago("show", "why", "--json");
  return JSON.parse(stdout) as readonly TimelineEvent[];
}

const PATHS = ["lan", "sync", "wan"];

it("stands in one line of time, with what both boxes saw of it", async () => {
  const events = await timeline();
  expect(events.map(({ at }) => at)).toEqual(events.map(({ at }) => at).toSorted());
  const last = events.filter(({ event }) => event === "role" || event === "drill").slice(-5);
  expect(last.map(({ box, event, to }) => `${box} ${event} ${to ?? ""}`.trim())).toEqual([
    "a role active",
    "b role standby",
    "b role active",
    "a role standby",
    "b drill",
  ]);
  expect(events.findLast(({ event }) => event === "drill-begins")?.reason).toContain("ordered by root");
  expect(last[2]?.clock?.exactMillis).toBeLessThan(100);
  expect(last[2]?.evidence).toMatchObject({ "carrier eth0": "up", "gapMicros sync": expect.any(Number) });
  expect(last[4]?.evidence).toMatchObject({ [`lost ${VIP}`]: expect.stringMatching(/^0 of \d+$/) });
});

describe("the minute before a role changed", () => {
  it("was recorded on both boxes: heartbeats on every path, and every cable in", async () => {
    const roles = (await timeline()).filter(({ event }) => event === "role").slice(-4);
    expect(roles.map(({ box }) => box)).toEqual(["a", "b", "b", "a"]);
    for (const { record } of roles) {
      const { whole, cells } = record!;
      expect(whole.paths.map((path) => path.interface).toSorted()).toEqual(PATHS);
      expect(Math.min(...whole.paths.map(({ beats }) => beats))).toBeGreaterThan(20);
      expect(whole).toMatchObject({ down: [], stealPercent: expect.any(Number) });
      expect(cells.length).toBeGreaterThan(1);
      const ends = cells.map(({ endedMicros }) => endedMicros);
      expect(ends).toEqual(ends.toSorted((one, other) => other - one));
    }
  });
});

describe("a drill", () => {
  it("is refused while another one is under way", async () => {
    const first = pair.box("a").futago("drill", "--return");
    await expect.poll(async () => (await shown("a")).running?.phase, { timeout: 5_000, interval: 20 }).toBeDefined();
    for (const box of BOXES) {
      const second = await pair.box(box).futago("drill");
      expect(second).toMatchObject({ code: 6, stderr: expect.stringContaining("a drill is under way already") });
    }
    // How good it was is not asked here.
    expect([0, 1]).toContain((await first).code);
  });
});

it("names the cable that was pulled, on the box where it was", async () => {
  await pair.bringTo("b");
  await pair.setCable("b", "wan", false);
  await pair.role("a", "active");
  await pair.role("b", "standby");
  const moved = async () => {
    const roles = (await timeline()).filter(({ event }) => event === "role");
    return [roles.findLast(({ box }) => box === "b"), roles.findLast(({ box }) => box === "a")];
  };
  // What the other box knows comes over the link between them.
  const down = async () => (await moved()).map((role) => role?.record?.whole.down);
  await expect.poll(down, { timeout: 5_000 }).toEqual([["eth0"], []]);
  const [gave] = await moved();
  // It went on forwarding for 100 ms, and heard nothing over that cable.
  expect(gave?.evidence["gapMicros wan"]).toBeGreaterThanOrEqual(100_000);
  expect((await pair.box("a").futago("show", "why")).stdout).toContain("carrier was down on eth0");
  await pair.setCable("b", "wan", true);
  await pair.settled("a");
});

describe("a drill", () => {
  it("is refused when the other box is gone", async () => {
    await pair.powerOff("a");
    await pair.alarm("b", "peer-lost");
    const alone = await pair.box("b").futago("drill");
    expect(alone).toMatchObject({ code: 5, stderr: expect.stringContaining("the peer is not there") });
  });

  it("leaves, when the other box is gone, what that one saw missing from the line of time", async () => {
    const { stdout } = await pair.box("b").futago("show", "why");
    expect(stdout).toContain("what the other box saw is missing here: ");
  });
});

it("a death is explained by the box that saw it: what came until then, and that every path fell silent", async () => {
  const died = (await pair.why("b")).findLast(({ event, to }) => event === "role" && to === "active")!;
  const silent = Number(died.evidence["silentMicros"]);
  for (const path of PATHS) expect(Number(died.evidence[`gapMicros ${path}`])).toBeGreaterThanOrEqual(silent);
  expect(died.record!.whole.paths.map((path) => path.interface).toSorted()).toEqual(PATHS);
  const heard = died.record!.cells.filter(({ paths }) => paths.some(({ beats }) => beats > 0));
  expect(heard.at(-1)!.endedMicros).toBeGreaterThan(0);
  const { stdout } = await pair.box("b").futago("show", "why");
  expect(stdout).toMatch(/last beat on sync [\d.]+ ms before/);
  expect(stdout).toMatch(/s before: \w+ \d+ beats, at most [\d.]+ ms apart/);
});
