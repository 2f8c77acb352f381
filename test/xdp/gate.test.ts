import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { BpfObject } from "@futago/hal/contract/bpf.ts";
import { type IpAddress, parseIpAddress } from "@futago/hal/units/address.ts";
import { encodeAddress, encodeNumber, type GateReason } from "@futago/hal/xdp/layout.ts";
import type { GateTables } from "@futago/hal/xdp/tables.ts";
import { ACK, arpFrame, ethernet, ipv4, ipv6, ndFrame, SYN, tagged, tcp6Frame, tcpFrame, u16 } from "./packet.ts";
import { Groups } from "./pins.ts";
import { type LoadedGate, loadGate } from "./loaded-gate.ts";

const VIP = "10.1.0.1";
const VIP6 = "2001:db8::1";
const STRANGER = "10.1.0.7";
const STRANGER6 = "2001:db8::7";
const GROUP = 3;
const NONE = 0;
const ANSWER = 1;
const FORWARD = 2;
const BOTH = 3;

/** TC_ACT_UNSPEC, -1: the next filter decides, or the kernel. */
const PASS = 0xffffffff;
/** TC_ACT_SHOT. */
const DROP = 2;

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
  for (let group = 0; group < 16; group++) groups.set(group, NONE, 0n);
});

function run(way: "in" | "out", frame: Uint8Array): number {
  return gate.program(way === "in" ? "futago_ingress" : "futago_egress").testRun(frame).verdict;
}

const toVip = { source: "192.0.2.9", destination: VIP, sourcePort: 40_000, destinationPort: 80 };
const fromVip = { source: VIP, destination: "192.0.2.9", sourcePort: 80, destinationPort: 40_000 };
const toVip6 = { source: "2001:db8:9::9", destination: VIP6, sourcePort: 40_000, destinationPort: 80 };
const udp = u16(5000, 5000, 8, 0);

interface Row {
  readonly name: string;
  readonly way: "in" | "out";
  readonly frame: Uint8Array;
  /** The bits it takes. */
  readonly needs: number;
  readonly lapsed: GateReason;
  readonly withheld: GateReason;
}

const IN_ARP = { way: "in", needs: ANSWER, lapsed: "inArpLapsed", withheld: "inArpWithheld" } as const;
const IN_NS = {
  way: "in",
  needs: ANSWER,
  lapsed: "inSolicitationLapsed",
  withheld: "inSolicitationWithheld",
} as const;
const IN_FLOW = { way: "in", needs: BOTH, lapsed: "inNewFlowLapsed", withheld: "inNewFlowWithheld" } as const;
const IN_PACKET = { way: "in", needs: FORWARD, lapsed: "inPacketLapsed", withheld: "inPacketWithheld" } as const;
const OUT_ARP = { way: "out", needs: ANSWER, lapsed: "outArpLapsed", withheld: "outArpWithheld" } as const;
const OUT_NA = {
  way: "out",
  needs: ANSWER,
  lapsed: "outAdvertisementLapsed",
  withheld: "outAdvertisementWithheld",
} as const;
const OUT_PACKET = { way: "out", needs: FORWARD, lapsed: "outPacketLapsed", withheld: "outPacketWithheld" } as const;

const request = arpFrame({ kind: 1, sender: STRANGER, target: VIP });
const syn = tcpFrame({ ...toVip, flags: SYN });
const solicitation = { kind: 135, source: STRANGER6, destination: "ff02::1:ff00:1", target: VIP6 } as const;
const hopByHop = { kind: 0, content: Uint8Array.of(0, 1, 4, 0, 0, 0, 0) };
const destinationOptions = { kind: 60, content: new Uint8Array(15).fill(0).fill(1, 0, 1) };
const authentication = { kind: 51, content: new Uint8Array(23).fill(4, 0, 1) };
const firstFragment = { kind: 44, content: Uint8Array.of(0, 0, 1, 0, 0, 0, 7) };
const laterFragment = { kind: 44, content: Uint8Array.of(0, 0, 8, 0, 0, 0, 7) };

const rows: readonly Row[] = [
  { name: "ARP request for the VIP", frame: request, ...IN_ARP },
  { name: "ARP reply to the VIP", frame: arpFrame({ kind: 2, sender: STRANGER, target: VIP }), ...IN_ARP },
  { name: "ARP request in one VLAN tag", frame: tagged(request, [0x8100, 10]), ...IN_ARP },
  { name: "ARP request in two VLAN tags", frame: tagged(request, [0x88a8, 20], [0x8100, 10]), ...IN_ARP },
  { name: "solicitation for the VIP to its group", frame: ndFrame(solicitation), ...IN_NS },
  { name: "solicitation to the VIP itself", frame: ndFrame({ ...solicitation, destination: VIP6 }), ...IN_NS },
  {
    name: "solicitation behind extension headers",
    frame: ndFrame({ ...solicitation, extensions: [hopByHop, destinationOptions, authentication] }),
    ...IN_NS,
  },
  { name: "SYN to the VIP", frame: syn, ...IN_FLOW },
  {
    name: "SYN behind IP options",
    frame: tcpFrame({ ...toVip, flags: SYN, ipOptions: Uint8Array.of(1, 1, 1, 0) }),
    ...IN_FLOW,
  },
  { name: "SYN in a first fragment", frame: tcpFrame({ ...toVip, flags: SYN, fragment: 0x2000 }), ...IN_FLOW },
  { name: "SYN in one VLAN tag", frame: tagged(syn, [0x8100, 10]), ...IN_FLOW },
  { name: "SYN over IPv6", frame: tcp6Frame({ ...toVip6, flags: SYN }), ...IN_FLOW },
  {
    name: "SYN over IPv6 behind extension headers and a first fragment",
    frame: tcp6Frame({ ...toVip6, flags: SYN, extensions: [hopByHop, destinationOptions, firstFragment] }),
    ...IN_FLOW,
  },
  { name: "SYN-ACK to the VIP", frame: tcpFrame({ ...toVip, flags: SYN | ACK }), ...IN_PACKET },
  { name: "ACK to the VIP", frame: tcpFrame({ ...toVip, flags: ACK }), ...IN_PACKET },
  { name: "UDP to the VIP", frame: ethernet(0x0800, ipv4(STRANGER, VIP, 17, udp)), ...IN_PACKET },
  { name: "ping to the VIP", frame: ethernet(0x0800, ipv4(STRANGER, VIP, 1, Uint8Array.of(8, 0, 0, 0))), ...IN_PACKET },
  {
    name: "a later fragment whose bytes look like a SYN",
    frame: tcpFrame({ ...toVip, flags: SYN, fragment: 0x0010 }),
    ...IN_PACKET,
  },
  {
    name: "a later IPv6 fragment whose bytes look like a SYN",
    frame: tcp6Frame({ ...toVip6, flags: SYN, extensions: [laterFragment] }),
    ...IN_PACKET,
  },
  { name: "a TCP header cut off", frame: syn.slice(0, 40), ...IN_PACKET },
  {
    name: "ping to the IPv6 VIP",
    frame: ethernet(0x86dd, ipv6(STRANGER6, VIP6, 58, Uint8Array.of(128, 0, 0, 0))),
    ...IN_PACKET,
  },
  { name: "ARP request from the VIP", frame: arpFrame({ kind: 1, sender: VIP, target: STRANGER }), ...OUT_ARP },
  { name: "gratuitous ARP", frame: arpFrame({ kind: 2, sender: VIP, target: VIP }), ...OUT_ARP },
  {
    name: "advertisement of the VIP from a link-local address",
    frame: ndFrame({ kind: 136, source: "fe80::1", destination: "ff02::1", target: VIP6 }),
    ...OUT_NA,
  },
  { name: "packet from the VIP", frame: tcpFrame({ ...fromVip, flags: SYN | ACK }), ...OUT_PACKET },
  { name: "a fragment from the VIP", frame: tcpFrame({ ...fromVip, flags: ACK, fragment: 0x0010 }), ...OUT_PACKET },
  {
    name: "UDP from the VIP in a VLAN tag",
    frame: tagged(ethernet(0x0800, ipv4(VIP, STRANGER, 17, udp)), [0x8100, 10]),
    ...OUT_PACKET,
  },
  { name: "packet from the IPv6 VIP", frame: ethernet(0x86dd, ipv6(VIP6, STRANGER6, 17, udp)), ...OUT_PACKET },
  {
    name: "solicitation from the VIP for a stranger",
    frame: ndFrame({ kind: 135, source: VIP6, destination: STRANGER6, target: STRANGER6 }),
    ...OUT_PACKET,
  },
];

function countedBy(act: () => void): Partial<Record<GateReason, number>> {
  const before = tables.counters();
  act();
  const after = Object.entries(tables.counters()) as [GateReason, number][];
  return Object.fromEntries(after.filter(([reason, n]) => n !== before[reason]).map(([r, n]) => [r, n - before[r]]));
}

describe("the gate, by what the group may do", () => {
  for (const row of rows) {
    for (const bits of [NONE, ANSWER, FORWARD, BOTH]) {
      const open = (bits & row.needs) === row.needs;
      it(`${open ? "lets through" : "drops and counts"} ${row.name} with bits ${bits}`, () => {
        groups.set(GROUP, bits);
        const expected = open ? {} : { [bits === NONE ? row.lapsed : row.withheld]: 1 };
        expect(countedBy(() => expect(run(row.way, row.frame)).toBe(open ? PASS : DROP))).toEqual(expected);
      });
    }

    it(`drops ${row.name} when the lease has lapsed by a millisecond, whatever the bits say`, () => {
      groups.set(GROUP, BOTH, -1_000_000n);
      expect(countedBy(() => expect(run(row.way, row.frame)).toBe(DROP))).toEqual({ [row.lapsed]: 1 });
    });
  }

  it("drops an advertisement of the VIP from the VIP unless it may both answer and forward", () => {
    const frame = ndFrame({ kind: 136, source: VIP6, destination: STRANGER6, target: VIP6 });
    const verdicts = [NONE, ANSWER, FORWARD, BOTH].map((bits) => {
      groups.set(GROUP, bits);
      return run("out", frame);
    });
    expect(verdicts).toEqual([DROP, DROP, DROP, PASS]);
  });

  it("heeds the VIP's own group and no other", () => {
    groups.set(GROUP + 1, BOTH);
    expect(run("in", request)).toBe(DROP);
    groups.set(GROUP, BOTH);
    expect(run("in", request)).toBe(PASS);
  });

  it("treats a VIP of a group that does not exist as lapsed", () => {
    gate.map("futago_vips").update(encodeAddress(parseIpAddress("10.1.0.200") as IpAddress), encodeNumber(16));
    const frame = arpFrame({ kind: 1, sender: STRANGER, target: "10.1.0.200" });
    expect(countedBy(() => expect(run("in", frame)).toBe(DROP))).toEqual({ inArpLapsed: 1 });
    gate.map("futago_vips").delete(encodeAddress(parseIpAddress("10.1.0.200") as IpAddress));
  });

  it("closes within the lease's time by itself", () => {
    groups.set(GROUP, BOTH, 20_000_000n);
    expect(run("in", request)).toBe(PASS);
    const end = performance.now() + 25;
    while (performance.now() < end) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    expect(run("in", request)).toBe(DROP);
  });
});

describe("the gate, for what is none of its business", () => {
  const others: readonly (readonly [string, "in" | "out", Uint8Array])[] = [
    ["ARP for another address", "in", arpFrame({ kind: 1, sender: STRANGER, target: "10.1.0.2" })],
    ["a stranger's ARP that claims the VIP", "in", arpFrame({ kind: 1, sender: VIP, target: STRANGER })],
    ["ARP for the VIP on its way out", "out", arpFrame({ kind: 1, sender: "10.1.0.2", target: VIP })],
    ["a solicitation for another address", "in", ndFrame({ ...solicitation, target: STRANGER6 })],
    [
      "an advertisement of another address",
      "out",
      ndFrame({ ...solicitation, kind: 136, source: "fe80::1", target: STRANGER6 }),
    ],
    [
      "an advertisement of the VIP by a stranger",
      "in",
      ndFrame({ ...solicitation, kind: 136, destination: "ff02::1" }),
    ],
    ["a packet to another address", "in", tcpFrame({ ...toVip, destination: "10.1.0.2", flags: SYN })],
    ["a packet from another address", "out", tcpFrame({ ...fromVip, source: "10.1.0.2", flags: ACK })],
    ["a packet to the VIP on its way out", "out", tcpFrame({ ...toVip, flags: SYN })],
    ["a VRRP advertisement", "out", ethernet(0x0800, ipv4("10.1.0.2", "224.0.0.18", 112, new Uint8Array(12)))],
    ["a frame of three VLAN tags", "in", tagged(request, [0x8100, 1], [0x8100, 2], [0x8100, 3])],
    ["ARP of another hardware", "in", Uint8Array.from(request, (byte, i) => (i === 15 ? 6 : byte))],
    ["a cut ARP", "in", request.slice(0, 40)],
    // Behind a tag, for a test run refuses to make such packets without one.
    ["a cut IPv4 header", "in", tagged(syn, [0x8100, 10]).slice(0, 37)],
    ["an IPv4 header that is too small", "in", Uint8Array.from(syn, (byte, i) => (i === 14 ? 0x44 : byte))],
    ["a cut IPv6 header", "in", tagged(ndFrame(solicitation), [0x8100, 10]).slice(0, 50)],
    ["an unknown ethertype", "in", ethernet(0x88cc, new Uint8Array(46))],
  ];
  for (const [name, way, frame] of others) {
    it(`lets through ${name}`, () => {
      expect(countedBy(() => expect(run(way, frame)).toBe(PASS))).toEqual({});
    });
  }

  it("does not see a SYN behind more extension headers than it walks, and asks for the lease all the same", () => {
    const extensions = Array.from({ length: 9 }, () => destinationOptions);
    const frame = tcp6Frame({ ...toVip6, flags: SYN, extensions });
    groups.set(GROUP, FORWARD);
    expect(run("in", frame)).toBe(PASS);
    groups.set(GROUP, NONE);
    expect(run("in", frame)).toBe(DROP);
  });

  it("passes or drops any bytes without harm", () => {
    let seed = 7;
    const random = () => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 16;
    const frames = rows.map((row) => tagged(row.frame, [0x8100, 10]));
    for (let i = 0; i < 4000; i++) {
      const base = frames[i % frames.length] ?? request;
      const cut = base.slice(0, 18 + (random() % (base.length - 17)));
      for (let flips = random() % 6; flips > 0; flips--) cut[14 + (random() % (cut.length - 14))] = random() & 0xff;
      for (const way of ["in", "out"] as const) expect([PASS, DROP]).toContain(run(way, cut));
    }
  });
});
