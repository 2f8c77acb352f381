import type { Link } from "@futago/hal/contract/network.ts";
import { type Ifindex, type Ifname, type Mac, parseInterfaceAddress } from "@futago/hal/units/address.ts";
import { describe, expect, it } from "vitest";
import type { Resolved } from "../../../config/resolved.ts";
import type { SentinelStatus } from "../../messages.ts";
import { decodeLongMessage } from "../peer-link/long-message.ts";
import { ownBox, type OwnBoxFacts, ownFacts } from "./own-box.ts";

const on = (text: string) => parseInterfaceAddress(text)!;
const link = (ifindex: number, ifname: string, more: Partial<Link> = {}): Link => ({
  ifindex: ifindex as Ifindex,
  ifname: ifname as Ifname,
  mac: `02:00:00:00:00:0${ifindex}` as Mac,
  mtu: 1_500,
  up: true,
  carrier: true,
  operstate: "up",
  kind: undefined,
  upper: undefined,
  ...more,
});
const router = (name: string, address: string) => ({ interface: name, addresses: [on(address)] });
const config = {
  box: "a",
  system: { hostname: "edge-a" },
  interfaces: [
    { name: "wan", device: "eth0" },
    { name: "lan", device: "eth1" },
    { name: "far", device: "eth9" },
  ],
  groups: [
    { name: "edge", virtualRouters: [router("wan", "10.1.0.1/24"), router("lan", "10.2.0.1/24")] },
    { name: "other", virtualRouters: [router("far", "10.9.0.1/24")] },
  ],
} as unknown as Resolved;
const group = (name: string, state: string, answering: boolean) => ({ name, state, answering, reason: "" });
const sentinel = {
  role: "active",
  groups: [group("edge", "active", true), group("other", "active", false)],
  peer: { paths: [{ interface: "lan", alive: true, rttMicros: 180 }] },
  alarms: [{ kind: "unfit" }, { kind: "unfit" }],
} as unknown as SentinelStatus;
const entry = (ifindex: number, address: string, scope: "global" | "link" = "global") => ({
  ...on(address),
  ifindex: ifindex as Ifindex,
  scope,
  flags: 0,
});
const facts: OwnBoxFacts = {
  box: "a",
  config,
  revision: "ab".repeat(32),
  version: "1.2.3",
  sentinel,
  alarms: [{ kind: "missing-device", since: "", sentence: "" }],
  told: true,
  links: [
    link(1, "lo"),
    link(2, "spare0", { carrier: false }),
    link(3, "eth1"),
    link(4, "eth0"),
    link(5, "vrrp.10", { kind: "macvlan" }),
    link(6, "tun0", { mac: undefined, kind: "tun" }),
  ],
  addresses: [
    entry(4, "10.1.0.2/24"),
    entry(4, "10.1.0.1/24"),
    entry(4, "fe80::2/64", "link"),
    entry(3, "10.2.0.2/24"),
  ],
  virtualAddresses: new Set([on("10.1.0.1/24").address, on("10.2.0.1/24").address]),
  statistics: [
    { ifindex: 4 as Ifindex, receivedPackets: 1, receivedBytes: 2, sentPackets: 3, sentBytes: 4, troubles: 5 },
  ],
  speeds: new Map([
    [4 as Ifindex, 1_000],
    [2 as Ifindex, 100],
  ]),
  uptimeSeconds: 77,
  at: "2026-01-05T03:04:05.678Z",
  urls: [],
};

describe("this box as a thing with ports", () => {
  it("shows what is configured in its order, then what else a cable fits into", () => {
    expect(ownBox(facts).ports.map((port) => `${port.device} ${port.interface}`)).toEqual([
      "eth0 wan",
      "eth1 lan",
      "eth9 far",
      "spare0 null",
    ]);
  });

  it("shows of a port its own addresses, the virtual ones that are answered there, and what it carried", () => {
    expect(ownBox(facts).ports[0]).toEqual({
      device: "eth0",
      interface: "wan",
      mac: "02:00:00:00:00:04",
      up: true,
      carrier: true,
      speedMbps: 1_000,
      mtu: 1_500,
      addresses: ["10.1.0.2/24"],
      virtualAddresses: ["10.1.0.1/24"],
      receivedBytes: 2,
      sentBytes: 4,
      receivedPackets: 1,
      sentPackets: 3,
      troubles: 5,
      heartbeat: null,
    });
  });

  it("shows a device that is not there, and answers nothing on a group whose lease lapsed", () => {
    const [, lan, far, unplugged] = ownBox(facts).ports;
    expect(lan?.heartbeat).toEqual({ alive: true, rttMicros: 180 });
    expect(far).toMatchObject({ mac: null, up: false, carrier: false, virtualAddresses: [], addresses: [] });
    expect(unplugged).toMatchObject({ speedMbps: null, carrier: false });
  });

  it("knows which interfaces a group lacks here, and each alarm once", () => {
    expect(ownFacts(facts)).toEqual({
      role: "active",
      revision: "ab".repeat(32),
      groups: [
        { name: "edge", state: "active", down: [] },
        { name: "other", state: "active", down: ["far"] },
      ],
      alarms: ["unfit", "missing-device"],
      told: true,
    });
  });

  it("says nothing of roles while the sentinel is away", () => {
    const away = { ...facts, sentinel: undefined };
    expect(ownBox(away).role).toBe("unknown");
    expect(ownFacts(away).groups).toEqual([]);
  });

  it("fits into a message, however much there is", () => {
    const links = Array.from({ length: 300 }, (_, i) => link(i + 10, `eth${i}`, { mac: "02:00:00:00:00:01" as Mac }));
    const addresses = Array.from({ length: 300 }, (_, i) => entry(10, `10.3.${i % 250}.1/24`));
    const much = {
      ...facts,
      links,
      addresses,
      alarms: Array.from({ length: 300 }, (_, i) => ({ kind: `alarm${i}`, since: "", sentence: "" })),
    };
    const told = { shown: ownBox(much), facts: ownFacts(much) };
    expect(decodeLongMessage(JSON.stringify({ kind: "boxAnswer", request: 1, told })).ok).toBe(true);
  });
});
