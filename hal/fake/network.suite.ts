/** What hal/contract/network.ts promises of a Network, as tests that the fake and the real kernel both pass. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { HalError } from "../contract/error.ts";
import { type Link, type Network, type NetworkEvent, RTPROT_FUTAGO } from "../contract/network.ts";
import { type Ifindex, type Ifname, parseInterfaceAddress, parseIpAddress, type Mac } from "../units/address.ts";

/** A machine with one Ethernet link, eth0, that is up and has a carrier, and nothing configured by hand. */
export interface NetworkUnderTest {
  readonly network: Network;
  setCable(plugged: boolean): Promise<void>;
  /** Makes changes that the listeners are not told of, and then lets them hear of the overrun. */
  overrun(network: Network): Promise<void>;
  destroy(): Promise<void>;
}

/** The kernel may hold a change of carrier back for a second (net/core/link_watch.c). */
const PATIENCE = { timeout: 5_000, interval: 10 };
const NOWHERE = 99_999 as Ifindex;
const on = (text: string) => parseInterfaceAddress(text)!;
const at = (text: string) => parseIpAddress(text)!;
const MAC = "00:00:5e:00:01:0a" as Mac;

export function describeNetwork(name: string, make: () => Promise<NetworkUnderTest>): void {
  describe(`Network: ${name}`, () => {
    let machine: NetworkUnderTest;
    let network: Network;
    let events: NetworkEvent[];
    let eth0: Ifindex;

    beforeEach(async () => {
      machine = await make();
      network = machine.network;
      events = [];
      eth0 = (await linkNamed("eth0")).ifindex;
      network.subscribe((event) => events.push(event));
    });
    afterEach(async () => {
      network.close();
      await machine.destroy();
    });

    const linkNamed = async (ifname: string): Promise<Link> => {
      const link = (await network.links()).find((one) => one.ifname === ifname);
      if (link === undefined) throw new Error(`no link ${ifname}`);
      return link;
    };
    const heard = (event: object) =>
      vi.waitFor(() => expect(events).toContainEqual(expect.objectContaining(event)), PATIENCE);
    const addressesOf = async (ifindex: Ifindex) =>
      (await network.addresses()).filter((entry) => entry.ifindex === ifindex && entry.scope === "global");
    const ours = async () => (await network.routes()).filter((route) => route.protocol === RTPROT_FUTAGO);
    const routeTo = async (address: string) =>
      (await network.routes()).filter((route) => route.destination?.address === at(address));
    const refusal = async (request: Promise<unknown>): Promise<HalError> => {
      const error = await request.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(HalError);
      return error as HalError;
    };

    test("the counters of every link are whole numbers", async () => {
      const all = await network.statistics();
      expect(all.map(({ ifindex }) => ifindex)).toContain(eth0);
      for (const { ifindex: _, ...counters } of all) {
        expect(Object.values(counters).filter((count) => !Number.isSafeInteger(count) || count < 0)).toEqual([]);
      }
    });

    test("a speed is told of links that are there, and is more than nothing", async () => {
      const indexes = (await network.links()).map(({ ifindex }) => ifindex);
      for (const [ifindex, megabits] of await network.speeds()) {
        expect(indexes).toContain(ifindex);
        expect(megabits).toBeGreaterThan(0);
      }
    });

    test("lists a link with what it is and how it is", async () => {
      const link = await linkNamed("eth0");
      expect(link).toMatchObject({ mtu: 1500, up: true, carrier: true, operstate: "up", upper: undefined });
      expect(link.mac).toMatch(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
    });

    test("tells when the cable is pulled and when it is back", async () => {
      await machine.setCable(false);
      await heard({ kind: "link", link: expect.objectContaining({ ifindex: eth0, up: true, carrier: false }) });
      expect(await linkNamed("eth0")).toMatchObject({ carrier: false });
      events.length = 0;
      await machine.setCable(true);
      await heard({ kind: "link", link: expect.objectContaining({ ifindex: eth0, carrier: true, operstate: "up" }) });
    });

    test("sets a link down and up, and tells", async () => {
      await network.setLinkUp(eth0, false);
      expect(await linkNamed("eth0")).toMatchObject({ up: false, carrier: false });
      await heard({ kind: "link", link: expect.objectContaining({ ifindex: eth0, up: false }) });
      await network.setLinkUp(eth0, true);
      await vi.waitFor(
        async () => expect(await linkNamed("eth0")).toMatchObject({ up: true, carrier: true }),
        PATIENCE,
      );
    });

    test("gives a link that is down another name, tells, and gives no name twice", async () => {
      await network.setLinkUp(eth0, false);
      await network.renameLink(eth0, "port1" as Ifname);
      await heard({ kind: "link", link: expect.objectContaining({ ifindex: eth0, ifname: "port1" }) });
      await network.renameLink(eth0, "port1" as Ifname);
      await network.addMacvlan(eth0, "vr10" as Ifname, MAC);
      const { ifindex } = await linkNamed("vr10");
      expect(await refusal(network.renameLink(ifindex, "port1" as Ifname))).toMatchObject({ code: "EEXIST" });
      await network.deleteLink(ifindex);
      await network.renameLink(eth0, "eth0" as Ifname);
      await network.setLinkUp(eth0, true);
    });

    test.each(["10.1.0.1/24", "fd00:1::1/64"])("adds %s twice, lists it once, deletes it twice", async (text) => {
      await network.addAddress(eth0, on(text));
      await network.addAddress(eth0, on(text));
      expect(await addressesOf(eth0)).toMatchObject([{ ...on(text), ifindex: eth0, scope: "global" }]);
      await heard({ kind: "address", entry: expect.objectContaining(on(text)) });
      await network.deleteAddress(eth0, on(text));
      await network.deleteAddress(eth0, on(text));
      expect(await addressesOf(eth0)).toEqual([]);
      await heard({ kind: "addressGone", entry: expect.objectContaining(on(text)) });
    });

    test("an address brings its on-link route, unless told not to", async () => {
      await network.addAddress(eth0, on("10.1.0.1/24"));
      await network.addAddress(eth0, on("10.2.0.1/24"), { noPrefixRoute: true });
      await network.addAddress(eth0, on("fd00:1::1/64"), { skipDuplicateDetection: true });
      await network.addAddress(eth0, on("fd00:2::1/64"), { skipDuplicateDetection: true, noPrefixRoute: true });
      expect(await routeTo("10.1.0.0")).toMatchObject([{ via: undefined, ifindex: eth0, metric: 0 }]);
      expect(await routeTo("fd00:1::")).toMatchObject([{ via: undefined, ifindex: eth0, metric: 256 }]);
      expect(await routeTo("10.2.0.0")).toEqual([]);
      expect(await routeTo("fd00:2::")).toEqual([]);
      const flags = new Map((await addressesOf(eth0)).map((entry) => [entry.address as string, entry.flags & 0x202]));
      expect(flags.get("fd00:2::1")).toBe(0x202);
      expect(flags.get("10.2.0.1")).toBe(0x200);
    });

    test("an IPv6 address can be kept from being anybody's source, and stays in force", async () => {
      await network.addAddress(eth0, on("fd00:1::1/64"), { skipDuplicateDetection: true, neverSource: true });
      await network.addAddress(eth0, on("10.1.0.1/24"), { neverSource: true });
      const flags = new Map((await addressesOf(eth0)).map((entry) => [entry.address as string, entry.flags & 0xa2]));
      expect(flags.get("fd00:1::1")).toBe(0xa2);
      expect(flags.get("10.1.0.1")).toBe(0x80);
    });

    test("an address on a link that is not there is refused with the errno and a sentence", async () => {
      const error = await refusal(network.addAddress(NOWHERE, on("10.1.0.1/24")));
      expect(error).toMatchObject({ code: "ENODEV", syscall: "RTM_NEWADDR" });
      expect(error.message.length).toBeGreaterThan("RTM_NEWADDR:  (ENODEV)".length);
      await network.deleteAddress(NOWHERE, on("10.1.0.1/24"));
    });

    const families = [
      { family: "ipv4", own: on("10.1.0.1/24"), gateways: [at("10.1.0.253"), at("10.1.0.254")], to: on("10.9.0.0/16") },
      { family: "ipv6", own: on("fd00:1::1/64"), gateways: [at("fd00:1::fd"), at("fd00:1::fe")], to: on("fd09::/32") },
    ] as const;
    test.each(families)("replaces and deletes an $family route", async ({ family, own, gateways, to }) => {
      await network.addAddress(eth0, own);
      for (const destination of [undefined, to]) {
        const route = { family, destination, ifindex: eth0, metric: 20 };
        for (const via of gateways) await network.replaceRoute({ ...route, via });
        expect(await ours()).toEqual([{ ...route, via: gateways[1], protocol: RTPROT_FUTAGO }]);
        await heard({ kind: "route", entry: { ...route, via: gateways[1], protocol: RTPROT_FUTAGO } });
        for (let i = 0; i < 2; i++) await network.deleteRoute({ ...route, via: gateways[1] });
        expect(await ours()).toEqual([]);
        await heard({ kind: "routeGone", entry: { ...route, via: gateways[1], protocol: RTPROT_FUTAGO } });
      }
    });

    test("metric 0 is 1024 for IPv6, host bits of a destination do not matter", async () => {
      await network.addAddress(eth0, on("fd00:1::1/64"));
      const route = { family: "ipv6", destination: on("fd09::77/32"), via: at("fd00:1::fe"), metric: 0 } as const;
      await network.replaceRoute({ ...route, ifindex: undefined });
      expect(await ours()).toMatchObject([{ destination: on("fd09::/32"), ifindex: eth0, metric: 1024 }]);
    });

    test("does not delete a route that is not ours", async () => {
      await network.addAddress(eth0, on("10.1.0.1/24"));
      const [connected] = await routeTo("10.1.0.0");
      await network.deleteRoute(connected!);
      expect(await routeTo("10.1.0.0")).toEqual([connected]);
    });

    test("a gateway that no link reaches is refused in words", async () => {
      const route = {
        family: "ipv4",
        destination: undefined,
        via: at("10.9.0.254"),
        ifindex: eth0,
        metric: 0,
      } as const;
      const error = await refusal(network.replaceRoute(route));
      expect(error.message).toBe("RTM_NEWROUTE: Nexthop has invalid gateway (ENETUNREACH)");
    });

    test("IPv4 routes of a link that goes down vanish without an event, IPv6 ones with one", async () => {
      await network.addAddress(eth0, on("10.1.0.1/24"));
      await network.addAddress(eth0, on("fd00:1::1/64"));
      await network.setLinkUp(eth0, false);
      await heard({ kind: "routeGone", entry: expect.objectContaining({ destination: on("fd00:1::/64") }) });
      expect(await network.routes()).toEqual([]);
      const gone = events.filter((event) => event.kind === "routeGone");
      expect(gone.map((event) => event.entry.family)).not.toContain("ipv4");
    });

    test("makes a macvlan once, tells of it and of its end", async () => {
      await network.addMacvlan(eth0, "vr10" as Ifname, MAC);
      const link = await linkNamed("vr10");
      expect(link).toMatchObject({ mac: MAC, kind: "macvlan", up: false });
      await heard({ kind: "link", link: expect.objectContaining({ ifname: "vr10", mac: MAC }) });
      const error = await refusal(network.addMacvlan(eth0, "vr10" as Ifname, MAC));
      expect(error).toMatchObject({ code: "EEXIST", syscall: "RTM_NEWLINK" });
      await network.setLinkUp(link.ifindex, true);
      await vi.waitFor(
        async () => expect(await linkNamed("vr10")).toMatchObject({ carrier: true, operstate: "up" }),
        PATIENCE,
      );
      await machine.setCable(false);
      await vi.waitFor(async () => expect(await linkNamed("vr10")).toMatchObject({ carrier: false }), PATIENCE);
      await network.deleteLink(link.ifindex);
      await heard({ kind: "linkGone", ifindex: link.ifindex, ifname: "vr10" });
      expect(await refusal(network.deleteLink(link.ifindex))).toMatchObject({ code: "ENODEV" });
    });

    test("keeps a managed neighbour until it is deleted", async () => {
      await network.addAddress(eth0, on("10.1.0.1/24"));
      const mine = async () => (await network.neighbours()).filter((entry) => entry.address === at("10.1.0.77"));
      for (let i = 0; i < 2; i++) await network.addManagedNeighbour(eth0, at("10.1.0.77"));
      expect(await mine()).toMatchObject([{ ifindex: eth0, managed: true }]);
      for (let i = 0; i < 2; i++) await network.deleteNeighbour(eth0, at("10.1.0.77"));
      expect(await mine()).toEqual([]);
      await heard({ kind: "neighbourGone", entry: expect.objectContaining({ address: "10.1.0.77" }) });
      await network.addManagedNeighbour(eth0, at("10.1.0.77"));
      await machine.setCable(false);
      await vi.waitFor(async () => expect(await mine()).toEqual([]), PATIENCE);
    });

    test("takes hundreds of requests at once and refuses only the bad ones", async () => {
      const good = Array.from({ length: 300 }, (_, i) => on(`10.3.${i >> 8}.${i & 255}/32`));
      const bad = Array.from({ length: 30 }, () => refusal(network.addAddress(NOWHERE, on("10.4.0.1/32"))));
      await Promise.all([...good.map((address) => network.addAddress(eth0, address)), ...bad]);
      const [lists, links] = await Promise.all([Promise.all([1, 2, 3].map(() => addressesOf(eth0))), network.links()]);
      for (const list of lists) expect(list).toHaveLength(300);
      expect(links.length).toBeGreaterThan(0);
    });

    test("tells of an overrun, after which a listing is whole", async () => {
      await machine.overrun(network);
      await heard({ kind: "overrun" });
      const end = events.findIndex((event) => event.kind === "overrun");
      const listed = await addressesOf(eth0);
      expect(events.slice(0, end).filter((event) => event.kind === "address").length).toBeLessThan(listed.length);
      events.length = 0;
      await network.addAddress(eth0, on("10.200.0.1/32"));
      await heard({ kind: "address", entry: expect.objectContaining({ address: "10.200.0.1" }) });
    });

    test("a subscription that was closed hears nothing more, even from inside its own call", async () => {
      const seen: NetworkEvent[] = [];
      const subscription = network.subscribe((event) => {
        seen.push(event);
        subscription.close();
        subscription.close();
      });
      await network.addAddress(eth0, on("10.1.0.1/24"));
      await heard({ kind: "address" });
      await network.addAddress(eth0, on("10.1.0.2/24"));
      await heard({ kind: "address", entry: expect.objectContaining({ address: "10.1.0.2" }) });
      expect(seen).toHaveLength(1);
    });

    test("closes while it tells, closes twice, and refuses afterwards", async () => {
      const closed = new Promise<void>((resolve) => {
        network.subscribe(() => {
          network.close();
          resolve();
        });
      });
      void network.addAddress(eth0, on("10.1.0.1/24")).catch(() => undefined);
      await closed;
      network.close();
      expect(await refusal(network.links())).toMatchObject({ code: "EBADF", syscall: "RTM_GETLINK" });
    });
  });
}
