/**
 * The survival matrix: what happens to the boxes, times mode and family, times who speaks first afterwards. Each cell is
 * twenty real connections, and each of them is used in both directions after each event. What a cell may lose is said in
 * the one place where it may: connections to a server that died.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ask } from "@futago/firmware/cli/client.ts";
import type { Box } from "../lab/topology.ts";
import { type Pair, pause } from "./pair-fixture.ts";
import { Clients } from "./survival-clients.ts";
import {
  FAMILIES,
  type FamilyName,
  healthyAre,
  MODES,
  type ModeName,
  poolName,
  powerOn,
  type ServerHost,
  Servers,
  startSurvivalPair,
  survivalDocument,
} from "./survival-hosts.ts";

const SPEAKERS = ["client first", "server first", "idle, then client"] as const;
type Speaker = (typeof SPEAKERS)[number];
const PER_CELL = 20;
/** Longer than TCP's second attempt to resend, many times over. */
const SPOKEN_MILLIS_MAX = 15_000;
/** An idle connection stays so for this long after the others have spoken. */
const IDLE_MILLIS = 1_500;

interface Cell {
  readonly mode: ModeName;
  readonly family: FamilyName;
  readonly speaker: Speaker;
  readonly ids: readonly number[];
}

const families = Object.keys(FAMILIES) as FamilyName[];
const modes = Object.keys(MODES) as ModeName[];
const CELLS: readonly Cell[] = families
  .flatMap((family) => modes.flatMap((mode) => SPEAKERS.map((speaker) => ({ family, mode, speaker }))))
  .map((cell, i) => ({ ...cell, ids: Array.from({ length: PER_CELL }, (_, n) => i * PER_CELL + n) }));
const COUNT = CELLS.length * PER_CELL;
const idsOf = (speaker: Speaker) => CELLS.flatMap((cell) => (cell.speaker === speaker ? cell.ids : []));

let pair: Pair;
let hosts: readonly ServerHost[];
let servers: Servers;
let clients: Clients;
let word = "";

beforeAll(async () => {
  ({ pair, servers: hosts } = await startSurvivalPair(survivalDocument(["tcp"])));
  servers = new Servers(hosts);
  // The third server of each kind comes later, the fourth dies: see the ring's change.
  for (const host of hosts) host.setHealthy(host.ordinal !== 3);
  await pair.settled("a");
  for (const box of ["a", "b"] as const)
    await pair.until(box, "every check's answer", (status) => healthyAre(status, [1, 2, 4]));
  clients = new Clients(pair.client);
  clients.dial(
    CELLS.flatMap(({ mode, family, ids }) =>
      ids.map((id) => ({ id, host: FAMILIES[family].vip, port: MODES[mode].port })),
    ),
  );
  await vi.waitUntil(() => clients.open.size === COUNT, { timeout: 20_000 }).catch(() => undefined);
  const begun = (cell: Cell) => cell.ids.filter((id) => clients.open.has(id)).length;
  const missing = CELLS.filter((cell) => begun(cell) < PER_CELL);
  expect(missing.map((cell) => `${cell.mode} ${cell.family} ${begun(cell)}`)).toEqual([]);
});
afterAll(async () => {
  clients?.close();
  servers?.close();
  await pair?.destroy();
});

/** All connections of the box that serves are known to the other. */
async function allTold(active: Box, count: number): Promise<void> {
  await pair.until(active, `${count} connections told`, ({ connections, replication }) => {
    return replication?.whole === true && connections.replicated === count;
  });
}

/** Of the cell, what did not speak after the newest event, with the reason. */
function silent({ speaker, ids }: Cell): readonly string[] {
  const spoke = (speaker === "server first" ? servers.answered : clients.heard).get(word);
  return ids.flatMap((id) => (spoke?.has(id) ? [] : [`${hostName(id)}: ${clients.lost.get(id) ?? "silent"}`]));
}

function hostName(id: number): string {
  return servers.hostOf.get(id)?.name ?? "no server";
}

/** Every connection is done with this word: it spoke, or it is lost. */
async function spoken(ids: readonly number[], speakers: "clients" | "servers"): Promise<void> {
  const heard = () => (speakers === "clients" ? clients.heard : servers.answered).get(word);
  const isDone = () => ids.every((id) => heard()?.has(id) === true || clients.lost.has(id));
  // What never answers is each cell's to complain of.
  await vi.waitUntil(isDone, { timeout: SPOKEN_MILLIS_MAX }).catch(() => undefined);
}

/** The event; clients that speak first do so at once, the servers when `serving` has the role, the idle ones last. */
async function happens(name: string, serving: Box, event: () => Promise<void>): Promise<void> {
  word = name;
  await event();
  clients.say(idsOf("client first"), word);
  await pair.role(serving, "active");
  servers.ask(idsOf("server first"), word);
  await spoken(idsOf("client first"), "clients");
  await spoken(idsOf("server first"), "servers");
  await pause(IDLE_MILLIS);
  clients.say(idsOf("idle, then client"), word);
  await spoken(idsOf("idle, then client"), "clients");
}

function cellsKeepAll(): void {
  it.each(CELLS)(`$mode $family, $speaker: ${PER_CELL} of ${PER_CELL} alive`, (cell) => {
    expect(silent(cell)).toEqual([]);
  });
}

describe("power loss", () => {
  beforeAll(async () => {
    await allTold("a", COUNT);
    await happens("power-loss", "b", () => pair.powerOff("a"));
  });
  cellsKeepAll();
});

describe("a second fail-over back, after the whole table was told to the box that was dead", () => {
  beforeAll(async () => {
    await powerOn(pair, "a");
    await allTold("b", COUNT);
    await happens("back-again", "a", () => pair.powerOff("b"));
  });
  cellsKeepAll();
});

describe("planned hand-over", () => {
  beforeAll(async () => {
    await powerOn(pair, "b");
    await allTold("a", COUNT);
    await happens("hand-over", "b", () => pair.bringTo("b"));
  });
  cellsKeepAll();
});

describe("crash of the core that serves", () => {
  let before = 0;
  beforeAll(async () => {
    before = pair.box("b").pid("core");
    await happens("core-crash", "b", async () => void process.kill(before, "SIGKILL"));
  });
  cellsKeepAll();

  it("moves no role, and the core that comes after it has told every connection again", async () => {
    await pair.settled("b");
    expect(pair.box("b").pid("core")).not.toBe(before);
    await allTold("b", COUNT);
  });
});

describe("ring change (one server more, one drained, one dead), then power loss at once", () => {
  const lives = (id: number) => servers.hostOf.get(id)?.ordinal !== 4;

  beforeAll(async () => {
    for (const host of hosts) if (host.ordinal === 3) host.setHealthy(true);
    await pair.until("b", "a third server", (status) => healthyAre(status, [1, 2, 3, 4]));
    for (const { mode, family } of CELLS)
      await ask(pair.files.state("b"), "drain", { backend: `${poolName(mode, family)}/s2`, on: true });
    for (const host of hosts) if (host.ordinal === 4) host.setHealthy(false);
    await pair.until("b", "a dead fourth server", (status) => healthyAre(status, [1, 2, 3]));
    await happens("ring-change", "a", () => pair.powerOff("b"));
  });

  it.each(CELLS)("$mode $family, $speaker: all alive but those of the server that died", (cell) => {
    const living = cell.ids.filter(lives);
    expect(living.length).toBeGreaterThan(3);
    expect(silent({ ...cell, ids: living })).toEqual([]);
  });

  it.each(CELLS.filter(({ speaker }) => speaker !== "server first"))(
    "$mode $family, $speaker: those of the server that died are told so by a reset, none is left waiting",
    (cell) => {
      // The box that takes over may hear of the death a moment later, and the server itself still answers here.
      const waiting = silent({ ...cell, ids: cell.ids.filter((id) => !lives(id)) });
      expect(waiting.filter((text) => !text.endsWith(": ECONNRESET"))).toEqual([]);
    },
  );
});
