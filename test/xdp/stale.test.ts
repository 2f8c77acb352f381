/** What gate and balancer remember of hosts that send to this box what is for a VIP that the other box holds. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { BpfObject } from "@futago/hal/contract/bpf.ts";
import { type GateTables, gateTables } from "@futago/hal/xdp/tables.ts";
import {
  backend,
  BACKENDS,
  backendMac,
  BOX_BACKEND_MAC,
  CLIENT,
  createTestBox,
  GROUP as BOX_GROUP,
  OWN,
  service,
  type TestBox,
  VIP,
} from "./box.ts";
import { ACK, arpFrame, ethernet, ipv4, ipv6, SYN, tagged, tcp6Frame, tcpFrame, u16 } from "./packet.ts";
import { bootNanos, Groups } from "./pins.ts";
import { type LoadedGate, loadGate } from "./loaded-gate.ts";

const VIP6 = "2001:db8::1";
const HOST6 = "2001:db8::7";
const GROUP = 3;
const NONE = 0;
const ANSWER = 1;
const FORWARD = 2;
const BOTH = 3;
/** A test run without a device is one on loopback: ifindex 1, whose own Ethernet address is zero. */
const LOOPBACK = 1;
const ITS_MAC = "00:00:00:00:00:00";
const HOST_MAC = "02:00:00:00:00:07";

const SECOND = 1_000_000_000n;

describe("the gate, when it drops a packet to a VIP", () => {
  let loaded: LoadedGate;
  let gate: BpfObject;
  let tables: GateTables;
  let groups: Groups;

  beforeAll(() => {
    loaded = loadGate([VIP, VIP6], GROUP);
    ({ gate, tables, groups } = loaded);
  });
  afterAll(() => loaded.remove());
  beforeEach(() => {
    groups.set(GROUP, NONE, 0n);
    tables.takeStale();
  });

  const toVip = { source: CLIENT, destination: VIP, sourcePort: 40_000, destinationPort: 80 };
  const toVip6 = { source: HOST6, destination: VIP6, sourcePort: 40_000, destinationPort: 80 };
  const ends = { destinationMac: ITS_MAC, sourceMac: HOST_MAC };
  const run = (frame: Uint8Array) => gate.program("futago_ingress").testRun(frame);
  const sent4 = tcpFrame({ ...toVip, ...ends, flags: ACK });
  const readdressed = (frame: Uint8Array, mac: readonly number[]) => {
    frame.set(mac);
    frame.set([2, 0, 0, 0, 0, 7], 6);
    return frame;
  };
  const toBox = (frame: Uint8Array) => readdressed(frame, [0, 0, 0, 0, 0, 0]);

  it.each([
    ["a SYN", tcpFrame({ ...toVip, ...ends, flags: SYN }), VIP, CLIENT],
    ["a packet of a running connection", sent4, VIP, CLIENT],
    ["a ping", toBox(ethernet(0x0800, ipv4(CLIENT, VIP, 1, Uint8Array.of(8, 0, 0, 0)))), VIP, CLIENT],
    ["a later fragment", tcpFrame({ ...toVip, ...ends, flags: ACK, fragment: 0x0010 }), VIP, CLIENT],
    ["a packet in a VLAN tag", tagged(sent4, [0x8100, 10]), VIP, CLIENT],
    ["a SYN over IPv6", toBox(tcp6Frame({ ...toVip6, flags: SYN })), VIP6, HOST6],
    ["UDP over IPv6", toBox(ethernet(0x86dd, ipv6(HOST6, VIP6, 17, u16(5000, 5000, 8, 0)))), VIP6, HOST6],
  ])("remembers who sent %s", (_, frame, vip, source) => {
    run(frame);
    const [entry, ...more] = tables.takeStale();
    expect(more).toEqual([]);
    const expected = { vip, ifindex: LOOPBACK, mac: HOST_MAC, source, sentTo: ITS_MAC, packets: 1 };
    expect(entry).toMatchObject(expected);
    const age = bootNanos() - (entry?.seenNanos ?? 0n);
    expect(age > -SECOND && age < SECOND).toBe(true);
  });

  it("remembers a host behind a group that only lacks the bit", () => {
    groups.set(GROUP, FORWARD);
    run(sent4);
    expect(tables.takeStale()).toEqual([]);
    run(tcpFrame({ ...toVip, ...ends, flags: SYN }));
    expect(tables.takeStale()).toHaveLength(1);
    groups.set(GROUP, ANSWER);
    run(sent4);
    expect(tables.takeStale()).toHaveLength(1);
  });

  it("counts a host's packets, whatever address they come from, and forgets what was read", () => {
    for (const source of [CLIENT, "198.51.100.1", "198.51.100.2"])
      run(tcpFrame({ ...toVip, ...ends, source, flags: ACK }));
    run(tcpFrame({ ...toVip, ...ends, sourceMac: "02:00:00:00:00:08", flags: ACK }));
    const entries = [...tables.takeStale()].toSorted((a, b) => b.packets - a.packets);
    expect(entries.map(({ mac, packets, source }) => [mac, packets, source])).toEqual([
      [HOST_MAC, 3, CLIENT],
      ["02:00:00:00:00:08", 1, CLIENT],
    ]);
    expect(tables.takeStale()).toEqual([]);
  });

  it("remembers nobody whose packet it lets through", () => {
    groups.set(GROUP, BOTH);
    run(sent4);
    expect(tables.takeStale()).toEqual([]);
  });

  it.each([
    ["a frame for another station, seen by a port that hears all", tcpFrame({ ...toVip, flags: ACK })],
    ["a broadcast frame", readdressed(tcpFrame({ ...toVip, flags: ACK }), [255, 255, 255, 255, 255, 255])],
    ["ARP for the VIP", arpFrame({ kind: 1, sender: CLIENT, target: VIP })],
  ])("makes nothing of %s", (_, frame) => {
    run(frame);
    expect(tables.takeStale()).toEqual([]);
  });

  it("goes on when there are more hosts than it can remember", () => {
    for (let i = 0; i < 600; i++) {
      const frame = sent4.slice();
      frame.set(u16(i), 10);
      expect(run(frame).verdict).toBe(2);
    }
    const { length } = tables.takeStale();
    expect(length).toBeGreaterThan(0);
    expect(length).toBeLessThanOrEqual(256);
  });
});

describe("the balancer, when it drops a backend's reply because the VIP is elsewhere", () => {
  let box: TestBox;
  let tables: GateTables;

  beforeAll(async () => {
    box = await createTestBox();
    tables = gateTables(box.object);
    box.serve([service(80, [backend(BACKENDS[0], 80)])]);
  });
  afterAll(() => box.destroy());

  const [address] = BACKENDS;
  const reply = { source: address, destination: CLIENT, sourcePort: 80, destinationPort: 40_000, flags: ACK };
  const macs = { destinationMac: BOX_BACKEND_MAC, sourceMac: backendMac(address) };

  it("remembers the backend, by its own port and the service's VIP", () => {
    box.groups.set(BOX_GROUP, BOTH, 0n);
    box.fromBackend(tcpFrame({ ...reply, ...macs }));
    box.fromBackend(tcpFrame({ ...reply, ...macs }));
    expect(tables.takeStale()).toMatchObject([
      {
        vip: VIP,
        ifindex: box.eth1,
        mac: backendMac(address),
        source: address,
        sentTo: BOX_BACKEND_MAC,
        packets: 2,
      },
    ]);
  });

  it("remembers none while it holds the VIP, and none that speaks to the box itself", () => {
    box.groups.set(BOX_GROUP, BOTH);
    box.fromBackend(tcpFrame({ ...reply, ...macs }));
    box.groups.set(BOX_GROUP, BOTH, 0n);
    box.fromBackend(tcpFrame({ ...reply, ...macs, destination: OWN }));
    expect(tables.takeStale()).toEqual([]);
  });
});
