import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { formatInterfaceAddress } from "@futago/hal/units/address.ts";
import type { Orders } from "../../config/orders.ts";
import { cidr, ETH0, groupOf, PairMachine, pairOrders, pass, routerOf } from "./pair-machine.suite.ts";
import { VipKeeper } from "./vip-keeper.ts";

let machine: PairMachine;
let keeper: VipKeeper;
let held: Set<string>;
let kept: string[];

const ONE = ["10.1.0.1/24"];
const TWO = ["10.1.0.1/24", "10.1.0.7/24"];
/** In the subnet of the box's own address, 10.1.0.2/24, IPv4 VIPs stand alone. */
const standing = (vips: readonly string[]) => vips.map((vip) => vip.replace(/^(10\..*)\/24$/, "$1/32"));

beforeEach(async () => {
  vi.useFakeTimers();
  machine = await new PairMachine().ready();
  held = new Set(["edge"]);
  kept = [];
  await begin(pairOrders({ vips: ONE }));
});

afterEach(() => vi.useRealTimers());

/** As pulse left it: the VIPs of held groups are there. */
async function begin(orders: Orders): Promise<void> {
  const { network, hal, links } = machine;
  const context = { network, clock: hal.clock, links, holds: (group: string) => held.has(group) };
  keeper = new VipKeeper({ ...context, onKept: (group) => kept.push(group.name) }, orders);
  for (const router of orders.groups.flatMap((group) => group.virtualRouters))
    for (const vip of standing(router.addresses.map(formatInterfaceAddress)))
      if (held.size > 0) await network.addAddress(machine.eth0, cidr(vip));
}

async function change(orders: Orders): Promise<string[]> {
  keeper.setOrders(orders);
  await keeper.idle();
  return machine.addresses();
}

describe("new orders for a held group", () => {
  test("bring a new VIP to the link at once, without duplicate detection and a second route, and are announced", async () => {
    expect(await change(pairOrders({ vips: TWO }))).toEqual(standing(TWO));
    const entry = (await machine.network.addresses()).find((one) => one.address === "10.1.0.7");
    // IFA_F_NODAD, IFA_F_PERMANENT, IFA_F_NOPREFIXROUTE.
    expect(entry?.flags).toBe(0x02 | 0x80 | 0x200);
    expect(kept).toEqual(["edge"]);
  });

  test("take away a VIP that is no more", async () => {
    await change(pairOrders({ vips: TWO }));
    expect(await change(pairOrders({ vips: ["10.1.0.7/24"] }))).toEqual(["10.1.0.7/32"]);
  });

  test("leave an address that is the box's own now", async () => {
    const orders = pairOrders({ vips: ["10.1.0.7/24"] });
    const own = { name: "wan", device: ETH0, addresses: [cidr("10.1.0.1/24")], peerAddresses: [] };
    // Core adds it, in whichever order.
    await machine.network.addAddress(machine.eth0, cidr("10.1.0.1/24"));
    expect(await change({ ...orders, interfaces: [own] })).toEqual(["10.1.0.1/24", "10.1.0.7/32"]);
  });

  test("give a VIP another prefix length, never leaving it away", async () => {
    expect(await change(pairOrders({ vips: ["10.1.0.1/25"] }))).toEqual(["10.1.0.1/25"]);
  });

  test("take away the VIPs of a group that is no more", async () => {
    expect(await change(pairOrders({ groups: [] }))).toEqual([]);
  });

  test("that change no VIP touch no address", async () => {
    const add = vi.spyOn(machine.network, "addAddress");
    await change(pairOrders({ vips: ONE }));
    expect(add).not.toHaveBeenCalled();
    expect(kept).toEqual([]);
  });

  test("are carried out also when they come while the ones before are", async () => {
    keeper.setOrders(pairOrders({ vips: TWO }));
    keeper.setOrders(pairOrders({ vips: ["10.1.0.9/24"] }));
    await keeper.idle();
    expect(await machine.addresses()).toEqual(["10.1.0.9/32"]);
  });
});

describe("a group that the peer holds", () => {
  beforeEach(async () => {
    held.clear();
    await machine.network.deleteAddress(machine.eth0, cidr("10.1.0.1/32"));
    await begin(pairOrders({ vips: ONE }));
  });

  test("gets no address here", async () => {
    expect(await change(pairOrders({ vips: TWO }))).toEqual([]);
    expect(kept).toEqual([]);
  });

  test("gets none when a link comes back", async () => {
    await flapAdministratively();
    expect(await machine.addresses()).toEqual([]);
  });
});

async function flapAdministratively(): Promise<void> {
  machine.onLinks = () => keeper.linksChanged();
  await machine.network.setLinkUp(machine.eth0, false);
  await pass(0);
  await machine.network.setLinkUp(machine.eth0, true);
  await pass(0);
  await keeper.idle();
}

describe("a link", () => {
  test("that was set down and up again gets back the IPv6 VIPs that it lost", async () => {
    const orders = pairOrders({ groups: [groupOf([routerOf(["fe80::1/64", "fd00::1/64"], { family: "ipv6" })])] });
    await change(orders);
    expect(await machine.addresses()).toEqual(["fe80::1/64", "fd00::1/64"]);
    kept = [];
    await flapAdministratively();
    expect(await machine.addresses()).toEqual(["fe80::1/64", "fd00::1/64"]);
    expect(kept).toContain("edge");
  });

  test("that is another one now gets the VIPs", async () => {
    machine.onLinks = () => keeper.linksChanged();
    machine.network.unplug(machine.eth0);
    await pass(0);
    const again = machine.network.plug(ETH0);
    await pass(0);
    await keeper.idle();
    expect((await machine.network.addresses()).map((one) => [one.ifindex, one.address])).toEqual([[again, "10.1.0.1"]]);
  });
});

describe("a group that changes hands while its addresses are being added", () => {
  /** The kernel is about to carry out the addition when pulse lets go. */
  function letGoDuringAddition(told: boolean): void {
    const add = machine.network.addAddress.bind(machine.network);
    vi.spyOn(machine.network, "addAddress").mockImplementation(async (...request) => {
      // pulse's own removal came first.
      for (const vip of TWO) await machine.network.deleteAddress(machine.eth0, cidr(vip));
      if (told) held.clear();
      await add(...request);
    });
  }

  test("leaves no address behind when that is known at once", async () => {
    letGoDuringAddition(true);
    expect(await change(pairOrders({ vips: TWO }))).toEqual([]);
    expect(kept).toEqual([]);
  });

  test("leaves no address behind when that is known a moment later", async () => {
    letGoDuringAddition(false);
    expect(await change(pairOrders({ vips: TWO }))).not.toEqual([]);
    held.clear();
    keeper.changedHands("edge");
    await keeper.idle();
    expect(await machine.addresses()).toEqual([]);
  });

  test("is left to pulse when nothing was added lately", async () => {
    await change(pairOrders({ vips: TWO }));
    await pass(1_001);
    const remove = vi.spyOn(machine.network, "deleteAddress");
    held.clear();
    keeper.changedHands("edge");
    await keeper.idle();
    expect(remove).not.toHaveBeenCalled();
  });

  test("has its addresses when it comes back while they are being removed", async () => {
    await change(pairOrders({ vips: TWO }));
    held.clear();
    const remove = machine.network.deleteAddress.bind(machine.network);
    vi.spyOn(machine.network, "deleteAddress").mockImplementation(async (...request) => {
      held.add("edge");
      await remove(...request);
    });
    keeper.changedHands("edge");
    await keeper.idle();
    expect(await machine.addresses()).toEqual(standing(TWO));
  });

  test("that this box begins without leaves nothing of an earlier sentinel behind", async () => {
    held.clear();
    keeper.begunWithout("edge");
    await keeper.idle();
    expect(await machine.addresses()).toEqual([]);
  });
});
