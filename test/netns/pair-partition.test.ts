/** What a pair does when its heartbeats are lost, on any subset of its paths and in either direction alone. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Box, BOXES, type Port, PORTS } from "../lab/topology.ts";
import { CLIENT, Pair, pairDocument, switchPort, VIP } from "./pair-fixture.ts";

const both = (ports: readonly Port[]) => ports.flatMap((port) => BOXES.map((box) => `${box} ${port}` as const));
const sentBy = (box: Box) => PORTS.map((port) => `${box} ${port}` as const);
/** The witness stays on the wan, but this box cannot reach it. */
const blind = (...boxes: readonly Box[]) =>
  boxes.map((box) => `iifname "${switchPort(box, "wan")}" ether type ip ip protocol icmp drop`);

let pair: Pair;

async function heardOver(box: Box): Promise<string> {
  const { peer } = await pair.status(box);
  return (peer?.paths ?? []).flatMap((path) => (path.alive ? [path.interface] : [])).join();
}

describe("a pair that prefers availability", () => {
  beforeAll(async () => {
    pair = await Pair.start();
    await pair.settled("a");
  });
  afterAll(() => pair.destroy());

  it.each(["sync", "lan", "wan", "sync and lan", "sync and wan", "lan and wan"])(
    "moves nothing while the heartbeats are lost over %s",
    async (lost) => {
      const cut = lost.split(" and ") as Port[];
      const before = await pair.moves();
      const left = ["sync", "lan", "wan"].filter((port) => !cut.includes(port as Port)).join();
      await pair.lose(both(cut));
      for (const box of BOXES) {
        await expect.poll(() => heardOver(box), { timeout: 10_000 }).toBe(left);
        expect((await pair.status(box)).peer?.alive).toBe(true);
      }
      await pair.lose([]);
      await pair.settled("a");
      expect(await pair.moves()).toEqual(before);
    },
  );

  it("has two actives only while every path is cut, says so, and one right after", async () => {
    // An announcement changes an entry; it makes none.
    await pair.client.run(["ping", "-c1", "-W2", VIP]);
    const lapses = (await pair.counters("a"))["lapses"];
    await pair.lose(both(PORTS));
    await pair.role("b", "active");
    for (const box of BOXES) {
      expect(await pair.alarm(box, "peer-lost")).toContain("look at its power and at the cables of the heartbeat");
      expect((await pair.status(box)).role).toBe("active");
    }
    // Each tells the neighbours that it has the address. This one heard b last.
    await pair.client.ip(`neigh replace ${VIP} lladdr ${await pair.mac(pair.hosts.b)} dev eth0 nud reachable`);
    // The silence of the other one interrupts nobody.
    expect((await pair.counters("a"))["lapses"]).toBe(lapses);
    await pair.lose([]);
    await pair.settled("a");
    for (const box of BOXES) {
      await pair.noAlarm(box, "peer-lost");
      const back = (await pair.why(box)).findLast(({ event }) => event === "peer-back");
      expect(back?.evidence["silentMicros"]).toBeGreaterThan(600_000);
    }
    const told = (await pair.why("b")).findLast(({ event }) => event === "role");
    expect(told).toMatchObject({ to: "standby", reason: "both boxes held it and this one let go" });
    expect(told?.evidence["heldMicros"]).toBeGreaterThan(0);
    // The one that stays tells the neighbours again.
    await expect.poll(() => pair.clientSendsTo(VIP), { timeout: 5_000 }).toBe(await pair.mac(pair.hosts.a));
  });

  it("keeps the active box when only the other one's heartbeats are lost", async () => {
    const before = await pair.moves();
    await pair.lose(sentBy("b"));
    expect(await pair.alarm("b", "one-way")).toContain("does not hear this box");
    await pair.alarm("a", "peer-lost");
    expect(await pair.status("a")).toMatchObject({ groups: [{ state: "active", answering: true }] });
    await pair.lose([]);
    await pair.settled("a");
    expect(await pair.moves()).toEqual(before);
  });

  it("silences an active box that nobody hears, and the other one takes over", async () => {
    await pair.lose(sentBy("a"));
    await pair.role("b", "active");
    await pair.role("a", "standby");
    expect((await pair.status("b")).groups[0]?.answering).toBe(true);
    await pair.lose([]);
    await pair.settled("b");
    await pair.bringTo("a");
  });
});

describe("a pair that prefers safety", () => {
  beforeAll(async () => {
    pair = await Pair.start({ document: pairDocument({ partition: "safety", witnesses: [CLIENT] }) });
    await pair.settled("a");
  });
  afterEach(async () => {
    await pair.lose([]);
  });
  afterAll(() => pair.destroy());

  /** A box that sees the witness again before its peer may rightly serve for a moment, whoever else does. */
  async function healHeartbeatsFirst(...stillBlind: readonly Box[]): Promise<void> {
    await pair.lose([], blind(...stillBlind));
    for (const box of BOXES) await pair.noAlarm(box, "peer-lost");
    await pair.lose([]);
  }

  const lapses = async (box: Box) => (await pair.counters(box))["lapses"];
  const answering = async (box: Box) => (await pair.status(box)).groups[0]?.answering;

  it("goes on where the witness is seen, and the blind box takes nothing", async () => {
    const before = await pair.moves();
    const lapsed = await lapses("a");
    await pair.lose(both(PORTS), blind("b"));
    for (const box of BOXES) await pair.alarm(box, "peer-lost");
    expect(await answering("a")).toBe(true);
    expect(await pair.status("b")).toMatchObject({ role: "standby", groups: [{ answering: false }] });
    expect(await lapses("a")).toBe(lapsed);
    await healHeartbeatsFirst("b");
    await pair.settled("a");
    expect(await pair.moves()).toEqual(before);
  });

  it("falls silent where the witness is not seen, and the box that sees it takes over", async () => {
    await pair.lose(both(PORTS), blind("a"));
    await pair.role("b", "active");
    expect(await answering("a")).toBe(false);
    expect(await answering("b")).toBe(true);
    await healHeartbeatsFirst("a");
    // The box that was silent lets go, though it is preferred.
    await pair.settled("b");
    await pair.bringTo("a");
  });

  it("serves nowhere when neither box sees the witness, and goes on where it was when they hear each other", async () => {
    const before = await pair.moves();
    await pair.lose(both(PORTS), blind("a", "b"));
    await pair.until("a", "silence", ({ groups }) => groups[0]?.answering === false);
    await pair.alarm("b", "peer-lost");
    expect(await answering("b")).toBe(false);
    await healHeartbeatsFirst("a", "b");
    await pair.settled("a");
    await pair.until("a", "an answer", ({ groups }) => groups[0]?.answering === true);
    expect(await pair.moves()).toEqual(before);
  });

  it("goes on without its peer as long as the witness answers", async () => {
    const before = await lapses("a");
    await pair.powerOff("b");
    await pair.alarm("a", "peer-lost");
    expect(await answering("a")).toBe(true);
    expect(await pair.status("a")).toMatchObject({ role: "active" });
    expect(await lapses("a")).toBe(before);
    await pair.lose([], blind("a"));
    await pair.until("a", "silence", ({ groups }) => groups[0]?.answering === false);
    await pair.lose([]);
    await pair.until("a", "an answer", ({ groups }) => groups[0]?.answering === true);
  });
});
