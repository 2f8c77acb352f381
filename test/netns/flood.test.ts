/**
 * A box with a thousand established connections, half of them silent all along, under floods from made-up senders, each
 * ten times what the table of established connections holds: every connection lives, no role moves, no table grows.
 */
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ask } from "@futago/firmware/cli/client.ts";
import { processesIn, summedPssKilobytes } from "../lab/processes.ts";
import { FloodSource, type Target } from "./flood-source.ts";
import { type Pair, pause, VIP } from "./pair-fixture.ts";
import { Clients } from "./survival-clients.ts";
import {
  FAMILIES,
  type FamilyName,
  MODES,
  type ModeName,
  type ServerHost,
  Servers,
  startSurvivalPair,
  survivalDocument,
} from "./survival-hosts.ts";
import { UdpServers } from "./udp-servers.ts";

/** Established connections that the box remembers; its half-open ones are then 1,024 at most, as are those of UDP. */
const TABLE = 2_048;
const FLOOD = 10 * TABLE;
const COUNT = 1_000;
const SPOKEN_MILLIS_MAX = 20_000;

const modes = Object.keys(MODES) as ModeName[];
const families = Object.keys(FAMILIES) as FamilyName[];
const kindOf = (id: number) => ({ mode: modes[id % 3]!, family: families[id % 2]! });
const ALL = Array.from({ length: COUNT }, (_, id) => id);
const BUSY = ALL.filter((id) => id % 4 < 2);
const IDLE = ALL.filter((id) => id % 4 >= 2);
const target = (mode: ModeName, family: FamilyName) => ({ address: FAMILIES[family].vip, port: MODES[mode].port });

let pair: Pair;
let hosts: readonly ServerHost[];
let servers: Servers;
let udpServers: UdpServers;
let clients: Clients;
let flood: FloodSource;

beforeAll(async () => {
  // So that what is answered to made-up senders goes out, and is lost behind the client.
  const routes = [
    { to: "default", via: FAMILIES.IPv4.wan(10) },
    { to: "::/0", via: FAMILIES.IPv6.wan(10) },
  ];
  const document = survivalDocument(["tcp", "udp"], { balancer: { flows: TABLE }, routes });
  ({ pair, servers: hosts } = await startSurvivalPair(document));
  servers = new Servers(hosts);
  udpServers = new UdpServers(hosts);
  for (const host of hosts) host.setHealthy(true);
  await pair.settled("a");
  await pair.until("a", "healthy servers", ({ services }) =>
    services.every(({ backends }) => backends.every(({ reason }) => reason === "accepted the connection")),
  );
  clients = new Clients(pair.client);
  clients.dial(
    ALL.map((id) => ({
      id,
      host: target(kindOf(id).mode, kindOf(id).family).address,
      port: MODES[kindOf(id).mode].port,
    })),
  );
  await vi.waitUntil(() => clients.open.size === COUNT, { timeout: 30_000 });
  await pair.until("a", "all told", ({ connections }) => connections.replicated === COUNT);
  flood = await FloodSource.open(pair.client, "eth0", await pair.mac(pair.hosts.a));
});
afterAll(async () => {
  flood?.close();
  clients?.close();
  servers?.close();
  udpServers?.close();
  await pair?.destroy();
});

/** Those that did not hear what they said, with the reason. */
async function silent(ids: readonly number[], word: string): Promise<readonly string[]> {
  clients.say(ids, word);
  const heard = () => clients.heard.get(word);
  await vi
    .waitUntil(() => ids.every((id) => heard()?.has(id) === true || clients.lost.has(id)), {
      timeout: SPOKEN_MILLIS_MAX,
    })
    .catch(() => undefined);
  return ids
    .filter((id) => heard()?.has(id) !== true)
    .map((id) => `${kindOf(id).mode} ${kindOf(id).family}: ${clients.lost.get(id) ?? "silent"}`);
}

/** Kilobytes of the kernel's maps that core holds open. @see proc_pid_fdinfo(5): memlock */
function mapBytes(core: number): number {
  return readdirSync(`/proc/${core}/fdinfo`)
    .map((fd) => textOf(`/proc/${core}/fdinfo/${fd}`))
    .filter((text) => text.includes("map_id"))
    .reduce((sum, text) => sum + Number(/^memlock:\s+(\d+)/m.exec(text)?.[1] ?? 0), 0);
}

/** Empty for what was closed meanwhile: a connection, and no map. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

describe("a thousand established connections under a flood", () => {
  let before: { moves: unknown; maps: number; kilobytes: number };
  const memory = () => summedPssKilobytes(processesIn(pair.hosts.a.path).map(({ pid }) => pid));

  beforeAll(async () => {
    before = { moves: await pair.moves(), maps: mapBytes(pair.box("a").pid("core")), kilobytes: memory() };
  });

  const floods = {
    "first segments": (to: Target) => flood.syns(FLOOD / 2, to),
    "made-up handshakes": (to: Target) => flood.handshakes(FLOOD / 2, to),
    datagrams: (to: Target) => flood.datagrams(FLOOD / 2, to),
    fragments: (to: Target) => (to.address === VIP ? flood.fragments(FLOOD, to) : undefined),
  } as const;
  const rows = Object.keys(floods).flatMap((kind) =>
    modes.map((mode) => ({ kind: kind as keyof typeof floods, mode })),
  );

  it.each(rows)(`${FLOOD} $kind to $mode: those that talk go on meanwhile`, async ({ kind, mode }) => {
    for (const family of families) {
      const flooded = floods[kind](target(mode, family));
      await pause(200);
      const lost = await silent(BUSY, `${kind.replace(" ", "-")}-${mode}-${family}`);
      await flooded;
      expect(lost).toEqual([]);
    }
  });

  it("afterwards 1,000 of 1,000 live, those too that were silent since before the first", async () => {
    expect(await silent(IDLE, "after")).toEqual([]);
    expect(await silent(BUSY, "after-all")).toEqual([]);
  });

  it("meanwhile no role moved, and the heartbeats go on over every path", async () => {
    await pair.settled("a");
    expect(await pair.moves()).toEqual(before.moves);
  });

  it("the tables hold no more than their sizes, and neither they nor the box have grown", async () => {
    const { flows, total } = await ask(pair.files.state("a"), "flows", { limit: 50_000 });
    const of = (state: string) => flows.filter((flow) => flow.state === state).length;
    expect(total).toBe(flows.length);
    expect(of("established")).toBeLessThanOrEqual(TABLE);
    expect(of("half-open")).toBeLessThanOrEqual(1_024);
    expect(of("udp")).toBeLessThanOrEqual(1_024);
    expect(mapBytes(pair.box("a").pid("core"))).toBe(before.maps);
    expect(before.maps).toBeGreaterThan(1_000_000);
    expect(memory() - before.kilobytes).toBeLessThan(48 * 1_024);
  });

  it("and they all live on when the box loses its power after that", async () => {
    await pair.until("a", "all told again", ({ replication }) => replication?.whole === true);
    await pair.powerOff("a");
    await pair.role("b", "active");
    expect(await silent(ALL, "fail-over")).toEqual([]);
  });
});
