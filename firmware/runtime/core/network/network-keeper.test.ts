import { HalError } from "@futago/hal/contract/error.ts";
import { FakeSysctl } from "@futago/hal/fake/machine.ts";
import { FakeNetwork } from "@futago/hal/fake/network.ts";
import { type Ifname, type IpAddress, parseInterfaceAddress } from "@futago/hal/units/address.ts";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Log } from "../log.ts";
import type { DesiredNetwork } from "./desired.ts";
import { NetworkKeeper } from "./network-keeper.ts";

const eth0 = "eth0" as Ifname;
const eth1 = "eth1" as Ifname;
const ip = (text: string) => text as IpAddress;
const subnet = (text: string) => parseInterfaceAddress(text)!;

const desired: DesiredNetwork = {
  down: [],
  untouched: [],
  devices: [eth0, eth1],
  addresses: [{ device: eth0, address: subnet("10.1.0.2/24") }],
  routes: [{ family: "ipv4", destination: undefined, via: ip("10.1.0.254"), device: eth0, metric: 0 }],
  neighbours: [{ device: eth0, address: ip("10.1.0.254") }],
  sysctls: [
    { name: "net.ipv4.ip_forward", value: "1" },
    { name: "net.ipv4.conf.eth1.arp_ignore", value: "1" },
  ],
  virtualAddresses: new Set([ip("10.1.0.1")]),
};

let network: FakeNetwork;
let sysctl: FakeSysctl;
let keeper: NetworkKeeper;
let logged: string[];

beforeEach(() => {
  network = new FakeNetwork();
  network.plug(eth0, { up: false });
  sysctl = new FakeSysctl({ "net.ipv4.ip_forward": "0" });
  logged = [];
  const note = (event: string) => logged.push(event);
  const log: Log = { info: note, warn: note, error: note, lines: () => [] };
  keeper = new NetworkKeeper(network, sysctl, log, () => undefined);
});
afterEach(() => keeper.close());

const addresses = async () => (await network.addresses()).map((entry) => `${entry.address}/${entry.prefixLength}`);
const ifindex = async (device: Ifname) => (await network.links()).find((link) => link.ifname === device)!.ifindex;

describe("the keeper of the network", () => {
  it("knows the ports and addresses of a box that has no configuration, and changes nothing", async () => {
    expect(keeper.links).toEqual([]);
    await vi.waitFor(() => expect(keeper.links.map(({ ifname }) => ifname)).toContain("eth0"));
    expect(await addresses()).toEqual([]);
    expect(sysctl.values.get("net.ipv4.ip_forward")).toBe("0");
    expect(logged).toEqual([]);
  });

  it("brings a bare box to what is wanted, switches included, and names the device that is missing", async () => {
    await keeper.apply(desired);
    expect(await addresses()).toEqual(["10.1.0.2/24"]);
    expect((await network.routes()).some((route) => route.via === "10.1.0.254")).toBe(true);
    expect(sysctl.values.get("net.ipv4.ip_forward")).toBe("1");
    expect(keeper.missingDevices).toEqual([eth1]);
    expect(keeper.troubles).toEqual([]);
    expect(keeper.ownAddresses).toEqual(["10.1.0.2"]);
  });

  it("raises a limit that is too low, and lets be one that is high enough or that is not there", async () => {
    const limit = (value: string) => ({ name: "net.ipv4.neigh.default.gc_thresh3", value, atLeast: true }) as const;
    await keeper.apply({ ...desired, sysctls: [limit("4096")] });
    expect(keeper.troubles).toEqual([]);
    expect(sysctl.values.has("net.ipv4.neigh.default.gc_thresh3")).toBe(false);
    sysctl.values.set("net.ipv4.neigh.default.gc_thresh3", "1024");
    await keeper.apply({ ...desired, sysctls: [limit("4096")] });
    expect(sysctl.values.get("net.ipv4.neigh.default.gc_thresh3")).toBe("4096");
    await keeper.apply({ ...desired, sysctls: [limit("2048")] });
    expect(sysctl.values.get("net.ipv4.neigh.default.gc_thresh3")).toBe("4096");
  });

  it("serves a device that is plugged in later", async () => {
    await keeper.apply({
      ...desired,
      addresses: [...desired.addresses, { device: eth1, address: subnet("10.2.0.2/24") }],
    });
    sysctl.values.set("net.ipv4.conf.eth1.arp_ignore", "0");
    network.plug(eth1);
    await expect.poll(addresses).toEqual(["10.1.0.2/24", "10.2.0.2/24"]);
    await expect.poll(() => keeper.missingDevices).toEqual([]);
    expect(sysctl.values.get("net.ipv4.conf.eth1.arp_ignore")).toBe("1");
  });

  it("puts back what somebody took, takes what somebody put, and lets the sentinel's address be", async () => {
    await keeper.apply(desired);
    const index = await ifindex(eth0);
    await network.deleteAddress(index, subnet("10.1.0.2/24"));
    await network.addAddress(index, subnet("10.7.0.7/24"));
    await network.addAddress(index, subnet("10.1.0.1/24"));
    await expect.poll(async () => (await addresses()).sort()).toEqual(["10.1.0.1/24", "10.1.0.2/24"]);
    expect(keeper.ownAddresses).toEqual(["10.1.0.2"]);
  });

  it("looks at everything again after an overrun", async () => {
    await keeper.apply(desired);
    const index = await ifindex(eth0);
    await network.setLinkUp(index, true);
    network.overrun(() => void network.deleteAddress(index, subnet("10.1.0.2/24")));
    await expect.poll(addresses).toEqual(["10.1.0.2/24"]);
  });

  it("shows what the kernel refused, in its words, until it works", async () => {
    const unrouted = { ...desired, routes: [] };
    await keeper.apply({ ...unrouted, addresses: [] });
    const refusing = network.addAddress.bind(network);
    let refused = 0;
    network.addAddress = async (...given) => {
      if (refused++ === 0) throw new HalError("ENOSPC", "RTM_NEWADDR", "no room");
      return refusing(...given);
    };
    await keeper.apply(unrouted);
    expect(keeper.troubles).toEqual([
      { action: "addAddress eth0 10.1.0.2/24", sentence: "addAddress eth0 10.1.0.2/24: RTM_NEWADDR: no room (ENOSPC)" },
    ]);
    expect(logged.filter((event) => event === "network-refused")).toHaveLength(1);
    await expect.poll(addresses, { timeout: 3_000 }).toEqual(["10.1.0.2/24"]);
    await expect.poll(() => keeper.troubles).toEqual([]);
  });
});
