/**
 * Clients of UDP services stay at their server through power loss, a planned hand-over, and a power loss right after the
 * ring has changed; in `one-arm` with the same port of the virtual address, so that the server takes them for the same.
 */
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ask } from "@futago/firmware/cli/client.ts";
import type { Box } from "../lab/topology.ts";
import { other, type Pair, pause } from "./pair-fixture.ts";
import {
  FAMILIES,
  type FamilyName,
  healthyAre,
  MODES,
  type ModeName,
  poolName,
  powerOn,
  type ServerHost,
  startSurvivalPair,
  survivalDocument,
} from "./survival-hosts.ts";
import type { UdpOrder } from "./udp-client.ts";
import { UdpServers } from "./udp-servers.ts";

const PROGRAM = fileURLToPath(new URL("./udp-client.ts", import.meta.url));
const PER_CELL = 16;
const ANSWERED_MILLIS_MAX = 12_000;
/** A flow goes on when it is used a second later; its time is a second coarse. */
const GOES_ON_MILLIS = 1_200;

const families = Object.keys(FAMILIES) as FamilyName[];
const modes = Object.keys(MODES) as ModeName[];
const CELLS = families
  .flatMap((family) => modes.map((mode) => ({ mode, family })))
  .map((cell, i) => ({ ...cell, ids: Array.from({ length: PER_CELL }, (_, n) => i * PER_CELL + n) }));
const ALL = CELLS.flatMap(({ ids }) => ids);

let pair: Pair;
let hosts: readonly ServerHost[];
let servers: UdpServers;
let client: ChildProcess;
/** By word, then by client: the server that answered, and the port that it saw. */
const answers = new Map<string, Map<number, string>>();
/** The same, as it was before anything happened. */
let before: ReadonlyMap<number, string> = new Map();
let now: ReadonlyMap<number, string> = new Map();

function order(what: UdpOrder): void {
  client.stdin?.write(`${JSON.stringify(what)}\n`);
}

async function speak(word: string): Promise<ReadonlyMap<number, string>> {
  const heard = new Map<number, string>();
  answers.set(word, heard);
  order({ kind: "say", word });
  // Who hears nothing is missed in the comparison.
  await vi.waitUntil(() => heard.size === ALL.length, { timeout: ANSWERED_MILLIS_MAX }).catch(() => undefined);
  return heard;
}

/** The other box has every flow. */
async function allTold(active: Box): Promise<void> {
  let held = 0;
  const told = async () => {
    const { flows } = await ask(pair.files.state(other(active)), "flows", { limit: 1_000 });
    held = flows.filter(({ state }) => state === "udp").length;
    return held === ALL.length;
  };
  await vi.waitUntil(told, { timeout: 45_000, interval: 200 }).catch(() => {
    throw new Error(`${held} of ${ALL.length} flows are told`);
  });
}

const moved = (ids: readonly number[]) =>
  ids.filter((id) => now.get(id) !== before.get(id)).map((id) => `${before.get(id)} → ${now.get(id) ?? "silent"}`);

beforeAll(async () => {
  ({ pair, servers: hosts } = await startSurvivalPair(survivalDocument(["udp"])));
  servers = new UdpServers(hosts);
  for (const host of hosts) host.setHealthy(host.ordinal !== 3);
  await pair.settled("a");
  for (const box of ["a", "b"] as const)
    await pair.until(box, "every check's answer", (status) => healthyAre(status, [1, 2, 4]));
  client = pair.client.spawn([process.execPath, PROGRAM], { stdio: ["pipe", "pipe", "inherit"] });
  createInterface({ input: client.stdout! }).on("line", (line) => {
    const [id, word = "", server, port] = line.split(" ");
    answers.get(word)?.set(Number(id), `${server} sees port ${port}`);
  });
  const dials = CELLS.flatMap(({ mode, family, ids }) =>
    ids.map((id) => ({ id, host: FAMILIES[family].vip, port: MODES[mode].port })),
  );
  order({ kind: "dial", dials });
  before = await speak("first");
  expect(before.size).toBe(ALL.length);
  await pause(GOES_ON_MILLIS);
  expect(await speak("second")).toEqual(before);
  await allTold("a");
});
afterAll(async () => {
  client?.kill("SIGKILL");
  servers?.close();
  await pair?.destroy();
});

describe("UDP, ring change (one server more, one drained, one dead), then power loss at once", () => {
  const isOf = (ordinal: number) => (id: number) => before.get(id)?.slice(1, 2) === String(ordinal);

  beforeAll(async () => {
    for (const host of hosts) if (host.ordinal === 3) host.setHealthy(true);
    await pair.until("a", "a third server", (status) => healthyAre(status, [1, 2, 3, 4]));
    for (const { mode, family } of CELLS)
      await ask(pair.files.state("a"), "drain", { backend: `${poolName(mode, family, "udp")}/s2`, on: true });
    for (const host of hosts) if (host.ordinal === 4) host.setHealthy(false);
    await pair.until("a", "a dead fourth server", (status) => healthyAre(status, [1, 2, 3]));
    await pair.powerOff("a");
    now = await speak("ring-change");
  });

  it.each(CELLS)("$mode $family: all stay but those of the server that died", ({ ids }) => {
    const staying = ids.filter((id) => !isOf(4)(id));
    expect(staying.length).toBeGreaterThan(0);
    expect(moved(staying)).toEqual([]);
  });

  it("those of the server that died are answered by another", () => {
    const homeless = ALL.filter(isOf(4));
    const places = homeless.map((id) => now.get(id)?.slice(1, 2));
    expect(homeless.length).toBeGreaterThan(0);
    expect(places.filter((ordinal) => ordinal !== "1" && ordinal !== "3")).toEqual([]);
  });
});

describe("UDP, planned hand-over to the box that was dead", () => {
  beforeAll(async () => {
    await powerOn(pair, "a");
    // Those that found another server have spoken to it only once.
    await pause(GOES_ON_MILLIS);
    before = await speak("after-ring-change");
    expect(before).toEqual(now);
    await allTold("b");
    await pair.bringTo("a");
    now = await speak("hand-over");
  });

  it.each(CELLS)("$mode $family: all clients of the cell stay at their server", ({ ids }) => {
    expect(moved(ids)).toEqual([]);
  });
});

describe("UDP, power loss", () => {
  beforeAll(async () => {
    await allTold("a");
    await pair.powerOff("a");
    now = await speak("power-loss");
  });

  it.each(CELLS)("$mode $family: all clients of the cell stay at their server", ({ ids }) => {
    expect(moved(ids)).toEqual([]);
  });
});
