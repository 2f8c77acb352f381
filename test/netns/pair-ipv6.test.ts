/** IPv6 virtual addresses of a pair, on boxes whose kernel looks for duplicates as it does by itself. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { encodeUnsolicitedAdvertisement } from "@futago/firmware/announce/nd.ts";
import { encodeVrrpFrame } from "@futago/firmware/announce/vrrp-frame.ts";
import { encodeAdvertisement } from "@futago/firmware/standby/vrrp/packet.ts";
import type { Ipv6 } from "@futago/hal/units/address.ts";
import { seconds } from "@futago/hal/units/time.ts";
import type { Box } from "../lab/topology.ts";
import { type Document, LAN_VIP, Pair, pairDocument, pause, VIP } from "./pair-fixture.ts";
import { Injector, linkLocal } from "./pair-frames.ts";

const VIP6 = "fd01::1";
const LAN_VIP6 = "fd02::1";
const document: Document = {
  ...pairDocument(),
  interfaces: [
    { name: "wan", device: "eth0", addresses: { a: ["10.1.0.2/24", "fd01::2/64"], b: ["10.1.0.3/24", "fd01::3/64"] } },
    { name: "lan", device: "eth1", addresses: { a: ["10.2.0.2/24", "fd02::2/64"], b: ["10.2.0.3/24", "fd02::3/64"] } },
    { name: "sync", device: "eth2", addresses: { a: ["10.3.0.1/30"], b: ["10.3.0.2/30"] } },
  ],
  failoverGroups: [
    {
      name: "edge",
      preferred: "a",
      virtualRouters: [
        { interface: "wan", vrid: 10, addresses: [`${VIP}/24`] },
        { interface: "wan", vrid: 10, addresses: [`${VIP6}/64`] },
        { interface: "lan", vrid: 11, addresses: [`${LAN_VIP}/24`] },
        { interface: "lan", vrid: 11, addresses: [`${LAN_VIP6}/64`] },
      ],
    },
  ],
};

interface Address {
  readonly local: string;
  readonly scope: string;
  readonly tentative?: boolean;
  readonly dadfailed?: boolean;
  readonly nodad?: boolean;
}

let pair: Pair;

beforeAll(async () => {
  pair = await Pair.start({ document, duplicateDetection: true });
  await pair.client.ip("addr add fd01::10/64 dev eth0 nodad");
  await pair.stranger.ip("addr add fd02::10/64 dev eth1 nodad");
  await pair.settled("a");
});
afterAll(() => pair.destroy());

async function addresses(box: Box, device: string): Promise<readonly Address[]> {
  const [link] = JSON.parse(await pair.hosts[box].ip(`-j -6 addr show dev ${device}`)) as { addr_info: Address[] }[];
  return link!.addr_info;
}

/** The kernel counts these among the flags by name only when they are set. */
async function usable(box: Box, device: string, vip: string): Promise<boolean> {
  const found = (await addresses(box, device)).find(({ local }) => local === vip);
  return found !== undefined && found.tentative !== true && found.dadfailed !== true && found.nodad === true;
}

const virtualLinkLocals = async (box: Box, device: string) =>
  (await addresses(box, device))
    .filter(({ scope, nodad }) => scope === "link" && nodad === true)
    .map((one) => one.local);
const answers = async () => (await pair.client.tryRun(["ping", "-6", "-c1", "-W1", VIP6])).code === 0;

it("answer from the box that holds them, usable at once, and are not on the other one", async () => {
  expect(await usable("a", "eth0", VIP6)).toBe(true);
  expect(await usable("a", "eth1", LAN_VIP6)).toBe(true);
  expect(await answers()).toBe(true);
  expect(await pair.clientSendsTo(VIP6)).toBe(await pair.mac(pair.hosts.a));
  expect((await pair.stranger.tryRun(["ping", "-6", "-c1", "-W1", LAN_VIP6])).code).toBe(0);
  for (const device of ["eth0", "eth1"]) {
    expect((await addresses("b", device)).map(({ local }) => local)).not.toContain(VIP6);
    expect(await virtualLinkLocals("a", device)).toHaveLength(1);
    expect(await virtualLinkLocals("b", device)).toEqual([]);
  }
});

it("are no conflict and no stranger's between the boxes of the pair", async () => {
  // The active advertises each VRID once a second, for IPv6 from its link-local address.
  await pause(2_500);
  for (const box of ["a", "b"] as const) expect((await pair.status(box)).alarms).toEqual([]);
});

it("are nobody's source: the heartbeats come from the boxes' own addresses, whoever holds the group", async () => {
  const virtual = await virtualLinkLocals("a", "eth0");
  for (const to of ["b", "a"] as const) {
    await pair.bringTo(to);
    for (const box of ["a", "b"] as const) {
      const seen = (await pair.status(box)).peer?.addresses ?? [];
      expect(seen).toHaveLength(3);
      for (const { address } of seen) expect(virtual).not.toContain(address);
      const own = await pair.hosts[box].ip("-6 route get fd01::10");
      expect(own).not.toContain(`src ${VIP6} `);
    }
  }
});

it("move by a planned hand-over, and neighbours that ask nothing learn it from unsolicited advertisements", async () => {
  const linkLocals = await virtualLinkLocals("a", "eth0");
  for (const to of ["b", "a"] as const) {
    await pair.bringTo(to);
    await expect.poll(() => pair.clientSendsTo(VIP6), { timeout: 5_000 }).toBe(await pair.mac(pair.hosts[to]));
    expect(await usable(to, "eth0", VIP6)).toBe(true);
    expect(await virtualLinkLocals(to, "eth0")).toEqual(linkLocals);
    expect(await answers()).toBe(true);
  }
});

it("stay when a stranger advertises their VRID or claims one of them: it is named, the neighbours are told again", async () => {
  const wan = await Injector.open(pair, "wan");
  const before = await pair.moves();
  const source = await linkLocal(pair.stranger, "eth0");
  const packet = { vrid: 10, priority: 255, maxAdvertiseInterval: seconds(1), addresses: [source, VIP6 as Ipv6] };
  wan.frame(encodeVrrpFrame(10, source, encodeAdvertisement(packet, source, "rfc5798")));
  for (const box of ["a", "b"] as const) {
    expect(await pair.alarm(box, "vrid-conflict")).toContain(`${source} (00:00:5e:00:02:0a) advertises VRID 10 on wan`);
  }
  wan.frame(encodeUnsolicitedAdvertisement(VIP6 as Ipv6, wan.mac));
  expect(await pair.alarm("a", "address-conflict")).toContain(`${wan.mac} on wan says that it holds ${VIP6}`);
  wan.close();
  await expect.poll(() => pair.clientSendsTo(VIP6), { timeout: 5_000 }).toBe(await pair.mac(pair.hosts.a));
  await pair.settled("a");
  expect(await pair.moves()).toEqual(before);
});

it("move when the active box loses its power, without a wait for duplicate address detection", async () => {
  expect(await answers()).toBe(true);
  await pair.powerOff("a");
  await pair.role("b", "active");
  expect(await usable("b", "eth0", VIP6)).toBe(true);
  expect(await usable("b", "eth1", LAN_VIP6)).toBe(true);
  await expect.poll(() => pair.clientSendsTo(VIP6), { timeout: 5_000 }).toBe(await pair.mac(pair.hosts.b));
  expect(await answers()).toBe(true);
  expect((await pair.stranger.tryRun(["ping", "-6", "-c1", "-W1", LAN_VIP6])).code).toBe(0);
});
