/**
 * Transfers over paths that are narrower somewhere than their ends know. TCP must find out by ICMP errors, which name
 * addresses that the receiver has never heard of: the box translates them, or makes them itself.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Namespace } from "../netns/namespaces.ts";
import { sha256 } from "./clients.ts";
import { PORTS } from "./document.ts";
import { type Fixture, startFixture } from "./fixture.ts";
import { CLIENT, FAMILIES, type Family, MODES, type Mode, type Place, PLACES, VIPS } from "./network.ts";
import { BIG_STRINGS } from "./servers.ts";

/** A different one for each place, so that nobody can have learned it elsewhere. */
const WIDTH: Readonly<Record<Place, number>> = {
  "between the client's routers": 1400,
  "at the box, towards the clients": 1360,
  "at the box, towards the servers": 1380,
  "between the servers' routers": 1420,
};
/** Whose packets pass there. The box and the servers of `direct` are on one link, which is as wide for all. */
const PASSING: Readonly<Record<Place, readonly Mode[]>> = {
  "between the client's routers": MODES,
  "at the box, towards the clients": ["nat", "one-arm"],
  "at the box, towards the servers": ["nat", "one-arm"],
  "between the servers' routers": ["nat", "one-arm"],
};
/** Where the box itself finds a packet too big; elsewhere a router behind it does, whose error it has to translate. */
const AT_THE_BOX: readonly Place[] = ["at the box, towards the clients", "at the box, towards the servers"];
const CELLS = FAMILIES.flatMap((family) =>
  PLACES.flatMap((place) => PASSING[place].map((mode) => ({ family, place, mode }))),
);

let all: Fixture;

beforeAll(async () => {
  all = await startFixture();
}, 90_000);
afterAll(async () => {
  await all?.destroy();
});
afterEach(async () => {
  expect(await all.evidence.complaints()).toEqual([]);
});

/** How large a packet may be to an address, by what the host has learned; undefined when it has learned nothing. */
async function learned(host: Namespace, to: string): Promise<number | undefined> {
  const [route] = JSON.parse(await host.ip(`-j route get ${to}`)) as { metrics?: { mtu?: number }[] }[];
  return route?.metrics?.find(({ mtu }) => mtu !== undefined)?.mtu;
}

/** To whom the servers of a mode send what is for the client. */
const answered = (family: Family, mode: Mode) => (mode === "one-arm" ? VIPS[family]["one-arm"] : CLIENT[family]);

describe.each(PLACES)("a path that is narrow %s", (place) => {
  beforeAll(async () => {
    await all.net.setWidths({ [place]: WIDTH[place] });
  });

  const cells = CELLS.filter((cell) => cell.place === place);
  it.each(cells)("carries HTTP, iperf3 and ssh both ways: $mode, $family", async ({ family, mode }) => {
    const { clients, net, small } = all;
    const vip = VIPS[family][mode];
    const server = () => learned(net.serverOf(mode), answered(family, mode));
    const client = () => learned(net.client, vip);
    const before = (await all.box.status()).counters;
    const width = WIDTH[place];

    await net.forgetPaths();
    expect((await clients.fetch(vip, small)).hashes).toEqual([small.sha256]);
    expect([await server(), await client()]).toEqual([width, undefined]);
    await net.forgetPaths();
    const name = `${mode}-${family}-${width}`;
    await clients.bring(vip, small, name);
    expect(sha256(all.broughtPath(mode, name))).toBe(small.sha256);
    expect([await server(), await client()]).toEqual([undefined, width]);

    await net.forgetPaths();
    expect((await clients.iperf(vip, "-n", "10M", "-w", "512K")).bytes).toBeGreaterThan(5 << 20);
    expect(await client()).toBe(width);
    await net.forgetPaths();
    expect((await clients.iperf(vip, "-n", "10M", "-w", "512K", "-R")).bytes).toBeGreaterThan(5 << 20);
    expect(await server()).toBe(width);
    await net.forgetPaths();
    expect(await clients.sshBothWays(vip, small)).toEqual([small.sha256, small.sha256]);
    expect([await server(), await client()]).toEqual([width, width]);

    const after = (await all.box.status()).counters;
    const grown = (counter: string) => (after[counter] ?? 0) > (before[counter] ?? 0);
    expect(grown("sentTooBig")).toBe(AT_THE_BOX.includes(place));
    expect(grown("forwardedIcmp")).toBe(!AT_THE_BOX.includes(place));
  });

  it.each(cells)("tells who sends datagrams in one piece that they are too big: $mode, $family", async (cell) => {
    const { clients, net } = all;
    const vip = VIPS[cell.family][cell.mode];
    await net.forgetPaths();
    // As much as a frame of 1,500 bytes holds.
    const most = cell.family === "ipv4" ? 1472 : 1452;
    expect(await clients.sendTooBig(vip, PORTS.dns, most)).toEqual({ error: "EMSGSIZE", width: WIDTH[place] });
    // Datagrams that may be cut still get through.
    const big = await clients.ask(vip, "big.example.test", "TXT", "-u", "-b", "8192");
    expect(BIG_STRINGS.filter((text) => !big.includes(`"${text}"`))).toEqual([]);

    // A server of datagrams is told, too: the kernel refuses iperf3 there the second one, and with that the test ends.
    const refused = clients.iperf(vip, "-u", "-R", "-b", "16M", "-l", "1440", "-k", "500");
    await expect(refused).rejects.toThrow("control socket has closed unexpectedly");
    expect(await learned(net.serverOf(cell.mode), answered(cell.family, cell.mode))).toBe(WIDTH[place]);
  });
});

it.each(FAMILIES)("a path that is ever narrower in both directions is learned step by step: %s", async (family) => {
  const widths = [1460, 1440, 1420, 1400].map((width, i) => [PLACES[i], width] as const);
  await all.net.setWidths(Object.fromEntries(widths));
  await all.net.forgetPaths();
  for (const mode of ["nat", "one-arm"] as const) {
    const vip = VIPS[family][mode];
    await all.clients.bring(vip, all.small, `${mode}-${family}-steps`);
    expect(sha256(all.broughtPath(mode, `${mode}-${family}-steps`))).toBe(all.small.sha256);
    expect(await learned(all.net.client, vip)).toBe(1400);
  }
  await all.net.setWidths(Object.fromEntries(widths.map(([place], i) => [place, widths[3 - i]?.[1]])));
  await all.net.forgetPaths();
  for (const mode of ["nat", "one-arm"] as const) {
    expect((await all.clients.fetch(VIPS[family][mode], all.small)).hashes).toEqual([all.small.sha256]);
    expect(await learned(all.net.server, answered(family, mode))).toBe(1400);
  }
});

it("the watches for untranslated packets look where they should", async () => {
  await expect(all.evidence.prove()).resolves.toBeUndefined();
});
