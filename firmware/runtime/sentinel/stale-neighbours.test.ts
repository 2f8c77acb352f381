import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { HalError } from "@futago/hal/contract/error.ts";
import type { Hal } from "@futago/hal/contract/hal.ts";
import type { Link } from "@futago/hal/contract/network.ts";
import { FakeBpf } from "@futago/hal/fake/bpf.ts";
import { FakeFrames, FakeSegment } from "@futago/hal/fake/frames.ts";
import {
  type Ifindex,
  macBytes,
  parseIfname,
  parseInterfaceAddress,
  parseIpAddress,
  parseMac,
} from "@futago/hal/units/address.ts";
import { concatBytes } from "@futago/hal/units/bytes.ts";
import { instant } from "@futago/hal/units/time.ts";
import { encodeAddress, encodeNumber } from "@futago/hal/xdp/layout.ts";
import { decodeArp } from "../../announce/arp.ts";
import { decodeNeighbour } from "../../announce/nd.ts";
import type { Orders } from "../../config/orders.ts";
import type { GroupMemory, PairState, RoleState } from "../../standby/pair/types.ts";
import type { StaleSighting } from "../messages.ts";
import { Announcer } from "./announcer.ts";
import { Gate } from "./gate.ts";
import { StaleNeighbours } from "./stale-neighbours.ts";

const ip = (text: string) => parseIpAddress(text)!;
const mac = (text: string) => parseMac(text)!;
const WAN = 2 as Ifindex;
const LAN = 3 as Ifindex;
const OURS = mac("02:00:00:00:00:0a");
const THEIRS = mac("02:00:00:00:00:0b");
const HOST = mac("02:00:00:00:00:99");

function ordersOf(): Orders {
  const router = (name: string, device: string, ...vips: readonly string[]) => ({
    interface: name,
    device: parseIfname(device)!,
    vrid: 10,
    family: vips[0]?.includes(":") === true ? ("ipv6" as const) : ("ipv4" as const),
    addresses: vips.map((vip) => parseInterfaceAddress(vip)!),
    advertisementIntervalMs: 1000,
    checksum: "rfc9568" as const,
    virtualMac: false,
  });
  const virtualRouters = [
    router("wan", "eth0", "10.1.0.1/24"),
    router("wan", "eth0", "fe80::1/64", "fd00::1/64"),
    router("lan", "eth1", "10.2.0.1/24", "10.2.0.5/24"),
  ];
  const group = { name: "edge", preferred: undefined, preempt: false, priority: 100, virtualRouters };
  const addresses = [parseInterfaceAddress("10.1.0.2/24")!];
  const wan = { name: "wan", device: parseIfname("eth0")!, addresses, peerAddresses: [] };
  return { revision: "0".repeat(64), box: "a", pair: undefined, interfaces: [wan], groups: [group] };
}

/** The part under test, on a machine in memory whose clock began with the test. */
class Machine {
  readonly bpf = new FakeBpf();
  readonly reported: (readonly StaleSighting[])[] = [];
  readonly heard: Uint8Array[] = [];
  readonly announcer: Announcer;
  readonly stale: StaleNeighbours;
  #state: RoleState = "standby";
  #since = Date.now();

  constructor() {
    const clock = { now: () => instant(Date.now() * 1000) };
    this.bpf.mount("/bpf");
    const gate = new Gate(this.bpf, "/bpf");
    const frames = new FakeFrames(clock.now);
    for (const ifindex of [WAN, LAN]) {
      const segment = new FakeSegment();
      frames.plug(ifindex, segment);
      segment.attach((frame) => this.heard.push(frame));
    }
    const hal = { clock, frames, bpf: this.bpf } as Partial<Hal> as Hal;
    const link = (ifindex: Ifindex, name: string) => [name, { ifindex, ifname: name, mac: OURS } as Link] as const;
    const links = new Map([link(WAN, "eth0"), link(LAN, "eth1")]);
    const context = { hal, gate, links, onEvent: () => undefined, onChange: () => undefined };
    this.announcer = new Announcer(hal, links);
    const orders = ordersOf();
    const holding = () => ({ orders, state: this.#pairState() });
    this.stale = new StaleNeighbours(context, this.announcer, holding, (hosts) => this.reported.push(hosts));
  }

  become(state: RoleState): void {
    this.#state = state;
    this.#since = Date.now();
  }

  /** What gate or balancer write when they drop a packet. */
  drop(vip: string, source: string, ifindex = WAN, sentTo = OURS, frames = 1): void {
    const key = concatBytes([encodeAddress(ip(vip)), encodeNumber(ifindex), macBytes(HOST), new Uint8Array(6)]);
    const counts = new BigUint64Array([BigInt(frames), BigInt(Date.now()) * 1_000_000n]);
    const ends = [encodeAddress(ip(source)), macBytes(sentTo), new Uint8Array(2)];
    this.map().update(key, concatBytes([new Uint8Array(counts.buffer), ...ends]));
  }

  map() {
    return this.bpf.mounts.get("/bpf")!.get("futago_stale")!;
  }

  close(): void {
    this.stale.close();
    this.announcer.close();
  }

  #pairState(): PairState {
    const edge = { state: this.#state, since: instant(this.#since * 1000) } as GroupMemory;
    return { bootedAt: instant(0), groups: { edge } } as unknown as PairState;
  }
}

let machine: Machine;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  machine = new Machine();
});
afterEach(() => {
  machine.close();
  vi.useRealTimers();
});

const pass = (millis: number) => vi.advanceTimersByTime(millis);
const sighting = (more: Partial<StaleSighting> = {}): StaleSighting => ({
  interface: "wan",
  virtualAddress: ip("10.1.0.1"),
  host: { mac: HOST, address: ip("10.1.0.99") },
  sentTo: THEIRS,
  frames: 2,
  ...more,
});

describe("the box that does not hold the VIP", () => {
  test("reports once a second who sent to it, and forgets them", () => {
    pass(1_500);
    machine.drop("10.1.0.1", "10.1.0.99", WAN, OURS, 7);
    pass(1_000);
    expect(machine.reported).toEqual([[sighting({ sentTo: OURS, frames: 7 })]]);
    pass(5_000);
    expect(machine.reported).toHaveLength(1);
    expect(machine.stale.counters).toMatchObject({ staleReported: 1 });
  });

  test("names the VIPs that are the host's gateway when the packet was for one on another link", () => {
    pass(1_500);
    machine.drop("10.1.0.1", "10.2.0.11", LAN);
    pass(1_000);
    expect(machine.reported.flat().map((each) => [each.interface, each.virtualAddress])).toEqual([
      ["lan", "10.2.0.1"],
      ["lan", "10.2.0.5"],
    ]);
  });

  test.each(["maintenance", "initialize", "fault"] as const)("reports in %s, too", (state) => {
    machine.become(state);
    pass(1_500);
    machine.drop("fd00::1", "fd00::99");
    pass(1_000);
    expect(machine.reported.flat()).toMatchObject([{ interface: "wan", virtualAddress: "fd00::1" }]);
  });

  test("says nothing of the first second, in which packets are still on their way", () => {
    machine.become("active");
    pass(2_000);
    machine.become("standby");
    pass(900);
    machine.drop("10.1.0.1", "10.1.0.99");
    pass(2_000);
    expect(machine.reported).toEqual([]);
  });

  test.each([
    ["what was meant for another station", () => machine.drop("10.1.0.1", "10.1.0.99", WAN, THEIRS)],
    ["an address that is no VIP any more", () => machine.drop("10.1.0.77", "10.1.0.99")],
    ["a link that went away", () => machine.drop("10.1.0.1", "10.1.0.99", 9 as Ifindex)],
    ["a link without a VIP of the family", () => machine.drop("fd00::1", "fd00:2::11", LAN)],
  ])("says nothing of %s", (_, drop) => {
    pass(1_500);
    drop();
    pass(2_000);
    expect(machine.reported).toEqual([]);
    expect([...machine.map().entries()]).toEqual([]);
  });

  test("forgets what it drops while it holds the VIP, as it may with a lapsed lease", () => {
    machine.become("active");
    machine.drop("10.1.0.1", "10.1.0.99");
    pass(2_000);
    machine.become("standby");
    pass(3_000);
    expect(machine.reported).toEqual([]);
  });

  test("goes on when the kernel refuses to read for once", () => {
    pass(1_500);
    machine.drop("10.1.0.1", "10.1.0.99");
    const refused = vi.spyOn(machine.map(), "entries").mockImplementationOnce(() => {
      throw new HalError("ENOMEM", "bpf(BPF_MAP_LOOKUP_BATCH)", "");
    });
    pass(1_000);
    expect([refused.mock.calls.length, machine.reported.length]).toEqual([1, 0]);
    pass(1_000);
    expect(machine.reported).toHaveLength(1);
  });

  test("tells nobody itself", () => {
    machine.stale.hear([sighting()]);
    expect(machine.heard).toEqual([]);
    expect(machine.stale.alarms()).toEqual([]);
    expect(machine.stale.counters).toMatchObject({ staleTold: 0, staleRefused: 0 });
  });
});

describe("the box that holds the VIP", () => {
  beforeEach(() => machine.become("active"));

  test("tells the host by an ARP reply to it alone, and shows it until it has been silent for a minute", () => {
    machine.stale.hear([sighting()]);
    expect(machine.heard.map(decodeArp)).toEqual([
      {
        kind: "arp",
        operation: "reply",
        senderMac: OURS,
        senderAddress: "10.1.0.1",
        targetMac: OURS,
        targetAddress: "10.1.0.1",
        ethernetSource: OURS,
        ethernetDestination: HOST,
      },
    ]);
    pass(1_000);
    machine.stale.hear([sighting()]);
    const [alarm, ...more] = machine.stale.alarms();
    expect(more).toEqual([]);
    expect(alarm).toEqual({
      kind: "stale-neighbour",
      since: "1970-01-01T00:16:40.000Z",
      sentence:
        "02:00:00:00:00:99 on wan (packets from 10.1.0.99) still sends to 02:00:00:00:00:0b, where 10.1.0.1 was " +
        "before: 4 packets so far; told again 2 times; if that does not help, look for a fixed entry in its neighbour table",
    });
    expect(machine.stale.counters).toMatchObject({ staleTold: 2 });
    pass(59_900);
    expect(machine.stale.alarms()).toHaveLength(1);
    pass(200);
    expect(machine.stale.alarms()).toEqual([]);
  });

  test("tells an IPv6 host by an advertisement to its own address", () => {
    machine.stale.hear([
      sighting({ virtualAddress: ip("fd00::1"), host: { mac: HOST, address: ip("fd00::99") } }),
      sighting({ virtualAddress: ip("fe80::1"), host: { mac: HOST, address: ip("fe80::99") } }),
    ]);
    expect(machine.heard.map(decodeNeighbour)).toMatchObject([
      { target: "fd00::1", linkLayer: OURS, override: true, ethernetDestination: HOST },
      { target: "fe80::1", linkLayer: OURS, override: true, ethernetDestination: HOST },
    ]);
    const destinations = machine.heard.map((frame) => frame.subarray(38, 54));
    expect(destinations).toEqual([encodeAddress(ip("fd00::99")), encodeAddress(ip("fe80::99"))]);
  });

  test("tells an IPv6 router, whose own address no packet shows, as one of all nodes at its Ethernet address", () => {
    machine.stale.hear([sighting({ virtualAddress: ip("fd00::1"), host: { mac: HOST, address: ip("2001:db8::9") } })]);
    expect(machine.heard.map(decodeNeighbour)).toMatchObject([{ target: "fd00::1", ethernetDestination: HOST }]);
    expect(machine.heard[0]?.subarray(38, 54)).toEqual(encodeAddress(ip("ff02::1")));
  });

  test.each([
    ["an interface that there is not", { interface: "dmz" }],
    ["an address that is no VIP", { virtualAddress: ip("10.1.0.2") }],
    ["a VIP of another interface", { interface: "lan" }],
    ["a host of the other family", { host: { mac: HOST, address: ip("fd00::99") } }],
    ["a host that is a group", { host: { mac: mac("ff:ff:ff:ff:ff:ff"), address: ip("10.1.0.99") } }],
  ])("refuses what the peer says of %s", (_, wrong) => {
    machine.stale.hear([sighting(wrong)]);
    expect(machine.heard).toEqual([]);
    expect(machine.stale.alarms()).toEqual([]);
    expect(machine.stale.counters).toMatchObject({ staleTold: 0, staleRefused: 1 });
  });

  test("is not told about itself", () => {
    machine.stale.hear([sighting({ host: { mac: OURS, address: ip("10.1.0.2") } })]);
    expect([machine.heard.length, machine.stale.alarms().length]).toEqual([0, 0]);
  });

  test("tells 32 hosts within a second and names eight of many", () => {
    const hosts = Array.from({ length: 40 }, (_, i) => {
      return sighting({
        host: { mac: mac(`02:00:00:00:01:${i.toString(16).padStart(2, "0")}`), address: ip("10.1.0.99") },
      });
    });
    machine.stale.hear(hosts);
    expect(machine.heard).toHaveLength(32);
    const alarms = machine.stale.alarms();
    expect(alarms).toHaveLength(9);
    expect(alarms[0]?.sentence).toMatch(/^02:00:00:00:01:00 on wan/);
    expect(alarms[8]?.sentence).toMatch(/^32 more hosts still send to where a VIP was before/);
  });

  test("forgets them when it lets go: what they do is right then", () => {
    machine.stale.hear([sighting()]);
    machine.become("standby");
    expect(machine.stale.alarms()).toEqual([]);
    pass(1_000);
    machine.become("active");
    expect(machine.stale.alarms()).toEqual([]);
  });
});
