/** One configuration, two boxes: every commit reaches both or neither, and what was missed is caught up. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Committed, HistoryEntry } from "@futago/firmware/runtime/control-configuration.ts";
import { type Box, BOXES, PORTS } from "../lab/topology.ts";
import { CORE_LINK, type Document, other, Pair, pairDocument } from "./pair-fixture.ts";

const pools = [{ name: "web", backends: [{ name: "s1", address: "10.2.0.11", port: 80 }], check: { type: "none" } }];
const document: Document = { ...pairDocument(), pools };

let pair: Pair;
beforeAll(async () => {
  pair = await Pair.start({ document });
  await pair.settled("a");
});
afterAll(async () => await pair.destroy());

async function said(box: Box, ...argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await pair.box(box).futago(...argv);
  expect([argv, code, stderr]).toEqual([argv, 0, ""]);
  return stdout;
}

async function asked<T>(box: Box, ...argv: readonly string[]): Promise<T> {
  return JSON.parse(await said(box, ...argv, "--json")) as T;
}

async function revisions(): Promise<readonly string[]> {
  return Promise.all(BOXES.map(async (box) => (await pair.status(box)).revision));
}

async function weights(): Promise<readonly unknown[]> {
  const shown = BOXES.map((box) => asked<{ pools: [{ backends: [{ weight?: number }] }] }>(box, "show", "config"));
  return (await Promise.all(shown)).map((config) => config.pools[0].backends[0].weight);
}

/** Both boxes hold and run the same, and remember the same of how it came to that. */
async function agree(): Promise<void> {
  await expect.poll(async () => new Set(await revisions()).size, { timeout: 15_000 }).toBe(1);
  const [a, b] = await Promise.all(BOXES.map((box) => asked<readonly HistoryEntry[]>(box, "history", "--limit", "5")));
  const told = ({ id, author, comment, confirmedBy }: HistoryEntry) => {
    // Each box took the first one from a file of its own.
    return { id, author, comment: author === "import" ? "" : comment, confirmedBy };
  };
  // A sibling that lost stands where each box learnt of it.
  const line = (past: readonly HistoryEntry[] | undefined) => past?.filter(({ age }) => age >= 0 && age < 3).map(told);
  expect(line(b)).toEqual(line(a));
}

async function powerOn(name: Box): Promise<void> {
  for (const port of PORTS) await pair.setCable(name, port, true);
  await pair.startBox(name, []);
}

const weight = (value: number) => ["set", "pools.web.backends.s1.weight", String(value)];

describe("a commit", () => {
  it("on the active box is in force on both when it is answered", async () => {
    await said("a", ...weight(2));
    expect(await said("a", "commit", "--comment", "heavier")).toContain("Both boxes have it.");
    expect(new Set(await revisions()).size).toBe(1);
    expect(await weights()).toEqual([2, 2]);
    await agree();
  });

  it("on the standby is made by the active box", async () => {
    await said("b", ...weight(3));
    const { revision, remarks } = await asked<Committed>("b", "commit");
    expect(remarks).toEqual(["Both boxes have it."]);
    expect(await revisions()).toEqual([revision, revision]);
    expect(await weights()).toEqual([3, 3]);
  });

  it("that one box cannot carry out is refused for both", async () => {
    const before = await revisions();
    const interfaces = [...document.interfaces.slice(0, 2), { name: "sync", device: { a: "eth2", b: "eth9" } }];
    const file = pair.files.document("torn.json", { ...document, interfaces });
    for (const box of BOXES) {
      const refused = await pair.box(box).futago("config", "apply", file);
      expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining("eth9")]);
    }
    expect(await revisions()).toEqual(before);
  });

  it("of a box alone is refused while there are two, which would take the same addresses", async () => {
    const before = await revisions();
    const { pair: _pair, ...rest } = document;
    const interfaces = [
      { name: "wan", device: "eth0", addresses: ["10.1.0.2/24"] },
      { name: "lan", device: "eth1", addresses: ["10.2.0.2/24"] },
    ];
    const alone = {
      ...rest,
      interfaces,
      failoverGroups: pairDocument().failoverGroups.map((group) => ({ ...group, preferred: undefined })),
    };
    const refused = await pair.box("b").futago("config", "apply", pair.files.document("alone.json", alone));
    expect([refused.code, refused.stderr]).toEqual([6, expect.stringContaining("describes a box alone")]);
    expect(await revisions()).toEqual(before);
  });

  it("goes to the active box alone while the two cores cannot speak, says so, and is caught up", async () => {
    await pair.lose([], CORE_LINK);
    const { remarks } = await asked<Committed>("a", "config", "apply", pair.files.document("x.json", document));
    expect(remarks[0]).toContain("Box b is away.");
    const refused = await pair.box("b").futago("config", "apply", pair.files.document("y.json", pairDocument()));
    expect([refused.code, refused.stderr]).toEqual([5, expect.stringContaining("the connection to it is down")]);
    await pair.lose([]);
    await agree();
    expect(await weights()).toEqual([undefined, undefined]);
  });

  it("is caught up by a box that had no power, with all that led to it", async () => {
    await pair.powerOff("b");
    for (const value of [4, 5, 6]) {
      await said("a", ...weight(value));
      expect(await said("a", "commit", "--comment", `weight ${value}`)).toContain("Box b is away.");
    }
    await powerOn("b");
    await pair.settled("a");
    await agree();
    expect(await weights()).toEqual([6, 6]);
    // The documents that it missed follow by and by, and may be brought back from there.
    const whole = async () =>
      (await asked<readonly HistoryEntry[]>("b", "history", "--limit", "4")).map((one) => one.whole);
    await expect.poll(whole, { timeout: 5_000 }).toEqual([true, true, true, true]);
    expect(await said("b", "rollback", "2")).toContain("is in force");
    expect(await weights()).toEqual([4, 4]);
  });

  it("is what both come to when both lost their power, and the one without it is back first and serves", async () => {
    await pair.powerOff("b");
    await said("a", ...weight(9));
    await said("a", "commit");
    await pair.powerOff("a");
    await powerOn("b");
    const { revision } = await pair.role("b", "active");
    await powerOn("a");
    await pair.settled("b");
    await agree();
    expect(await weights()).toEqual([9, 9]);
    expect(await revisions()).not.toContain(revision);
  });
});

describe("two commits that did not know of each other", () => {
  it("leave one in force, the other one kept on both boxes, told, and ready to be brought back", async () => {
    const all = BOXES.flatMap((box) => (["wan", "lan", "sync"] as const).map((port) => `${box} ${port}` as const));
    await pair.lose(all, CORE_LINK);
    for (const box of BOXES) await pair.role(box, "active");
    for (const [box, value] of [
      ["a", 20],
      ["b", 30],
    ] as const) {
      await said(box, ...weight(value));
      expect(await said(box, "commit", "--comment", `made on ${box}`)).toContain("is away.");
    }
    await pair.lose([]);
    await agree();
    const [value] = await weights();
    const loser = value === 20 ? "b" : "a";
    const [sentence, told] = [
      await pair.alarm(loser, "revision-lost"),
      await pair.alarm(other(loser), "revision-lost"),
    ];
    expect(told).toBe(sentence);
    const id = /rollback ([0-9a-f]{16})/.exec(sentence)?.[1] ?? "none";
    for (const box of BOXES) {
      const past = await asked<readonly HistoryEntry[]>(box, "history", "--limit", "5");
      const kept = past.find((one) => one.id.startsWith(id));
      expect(kept).toMatchObject({ age: -1, whole: true, comment: `made on ${loser}` });
    }
    expect(await said("a", "rollback", id)).toContain("Both boxes have it.");
    expect(await weights()).toEqual(value === 20 ? [30, 30] : [20, 20]);
    for (const box of BOXES) await pair.noAlarm(box, "revision-lost");
  });
});

describe("a commit that must be confirmed", () => {
  it("is rolled back by both boxes when nobody confirms it", async () => {
    const [before] = await weights();
    await said("a", ...weight(7));
    await said("a", "commit", "--confirm", "2");
    expect(await weights()).toEqual([7, 7]);
    expect(await pair.alarm("b", "unconfirmed")).toContain("futago confirm");
    for (const box of BOXES) {
      const { unconfirmed, revision } = await pair.status(box);
      expect(unconfirmed).toMatchObject({ revision, rollsBackAt: expect.stringMatching(/^20.*Z$/) });
    }
    await expect.poll(weights, { timeout: 8_000 }).toEqual([before, before]);
    await agree();
    await pair.noAlarm("b", "unconfirmed");
    const [undone] = await asked<readonly HistoryEntry[]>("b", "history", "--limit", "1");
    expect(undone).toMatchObject({ author: "futago", comment: "rolled back: not confirmed within 2 s" });
  });

  it("gives the operator back the way to the box that the change itself cut, though nobody can confirm it", async () => {
    const reached = async () => (await pair.client.tryRun(["ping", "-c1", "-W1", "10.1.0.2"])).code === 0;
    expect(await reached()).toBe(true);
    await said("a", "set", "interfaces.wan.addresses.a", '["10.1.0.77/24"]');
    await said("a", "commit", "--confirm", "10");
    expect(await reached()).toBe(false);
    const cut = await revisions();
    expect(new Set(cut).size).toBe(1);
    await expect.poll(reached, { timeout: 30_000 }).toBe(true);
    await agree();
    expect(await revisions()).not.toEqual(cut);
    expect((await pair.hosts.a.ip("addr show dev eth0")).includes("10.1.0.77/")).toBe(false);
  });

  it("stays when it is confirmed on the other box", async () => {
    await said("a", ...weight(8));
    await said("a", "commit", "--confirm", "3");
    expect(await said("b", "confirm")).toContain("is confirmed and stays. Both boxes have it.");
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    expect(await weights()).toEqual([8, 8]);
    await agree();
  });

  it("comes back on both boxes though it cut the cores from each other and the coordinator died", async () => {
    const [before] = await weights();
    await said("a", ...weight(9));
    await said("a", "commit", "--confirm", "4");
    await pair.lose([], CORE_LINK);
    process.kill(pair.box("a").pid("core"), "SIGKILL");
    await expect.poll(() => weights().catch(() => []), { timeout: 15_000 }).toEqual([before, before]);
    const [a, b] = await revisions();
    expect(a).toBe(b);
    await pair.lose([]);
    await agree();
  });
});
