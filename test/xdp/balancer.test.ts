import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fromHex, toHex } from "@futago/hal/units/bytes.ts";
import type { BalancerReason } from "@futago/hal/xdp/layout.ts";
import {
  backend,
  backendMac,
  BOX_BACKEND_MAC,
  BOX_CLIENT_MAC,
  CLIENT,
  createTestBox,
  FAR_CLIENT,
  GATEWAY_MAC,
  GROUP,
  OWN,
  service,
  type TestBox,
  UNKNOWN_BACKEND,
  VIP,
  XDP_DROP,
  XDP_PASS,
  XDP_REDIRECT,
  XDP_TX,
} from "./box.ts";
import { ACK, arpFrame, ethernet, ipv4, PSH, readTcp, SYN, tagged, type TcpFields, tcpFrame, u16 } from "./packet.ts";
import { BOTH, FORWARD, counted, handshake, outcome, reply, S1, startAnew, toVip } from "./talk.ts";

let box: TestBox;

beforeAll(async () => {
  box = await createTestBox();
});

afterAll(async () => {
  await box?.destroy();
});

beforeEach(() => startAnew(box));

/** META_REWRITTEN of consts.h, as it lies in memory. */
const REWRITTEN = "41545546";
const RIGHT = { ipChecksumRight: true, tcpChecksumRight: true };

describe("golden packets, worked out by hand", () => {
  it("rewrites a SYN to the backend, MACs, TTL, both checksums", () => {
    const input = fromHex(
      "020000000001020000000002080045000028000040004006" +
        "26c50a0100090a0100019c400050000003e8000000005002faf0006e0000",
    );
    const output = fromHex(
      "02000000020b020000000202080045000028000040003f06" +
        "27ba0a0100090a02000b9c401f90000003e8000000005002faf0e1220000",
    );
    expect([readTcp(input!), readTcp(output!)]).toMatchObject([RIGHT, RIGHT]);
    const { verdict, output: got } = box.fromClient(input!);
    expect(verdict).toBe(XDP_REDIRECT);
    expect(toHex(got)).toBe(toHex(output!));
  });

  it("rewrites the backend's SYN-ACK into the VIP's", () => {
    const input = fromHex(
      "020000000001020000000002080045000028000040004006" +
        "26ba0a02000b0a0100091f909c40000007d0000003e95012faf0d9410000",
    );
    const output = fromHex(
      "020000000109020000000102080045000028000040003f06" +
        "27c50a0100010a01000900509c40000007d0000003e95012faf0f88c0000",
    );
    expect([readTcp(input!), readTcp(output!)]).toMatchObject([RIGHT, RIGHT]);
    const { verdict, output: got } = box.fromBackend(input!);
    expect(verdict).toBe(XDP_REDIRECT);
    expect(toHex(got)).toBe(toHex(output!));
  });
});

describe("a client's packet", () => {
  const shapes: readonly (readonly [string, Partial<TcpFields>])[] = [
    ["a bare SYN", {}],
    ["a payload of odd length", { flags: ACK | PSH, payload: Uint8Array.of(1, 2, 3, 4, 5) }],
    ["IP options", { ipOptions: Uint8Array.of(0x94, 4, 0, 0) }],
    ["the most IP options", { ipOptions: new Uint8Array(40).fill(1) }],
    ["TCP options", { tcpOptions: Uint8Array.of(2, 4, 5, 0xb4, 1, 1, 1, 0) }],
    ["DSCP and ECN bits", { tos: 0xb9 }],
    ["the lowest TTL that goes on", { ttl: 2 }],
    ["the highest TTL", { ttl: 255 }],
    ["a port of all ones", { sourcePort: 65_535 }],
    ["a payload that makes the checksum's word zero", { payload: u16(0x5a95) }],
    ["a frame with padding behind the packet", {}],
  ];
  for (const [name, fields] of shapes) {
    it(`with ${name} arrives at the backend with right checksums and all else untouched`, () => {
      const frame = toVip(SYN, fields);
      const padded = name.includes("padding") ? Uint8Array.of(...frame, ...new Uint8Array(6)) : frame;
      const { verdict, output } = box.fromClient(padded);
      expect(verdict).toBe(XDP_REDIRECT);
      expect(readTcp(output)).toEqual({
        destinationMac: backendMac(S1),
        sourceMac: BOX_BACKEND_MAC,
        source: CLIENT,
        destination: S1,
        sourcePort: fields.sourcePort ?? 40_000,
        destinationPort: 8080,
        ttl: (fields.ttl ?? 64) - 1,
        ipChecksumRight: true,
        tcpChecksumRight: true,
      });
      const at = 14 + (output[14]! & 15) * 4;
      expect(toHex(output.slice(at + 4, at + 16))).toBe(toHex(padded.slice(at + 4, at + 16)));
      expect(toHex(output.slice(at + 18))).toBe(toHex(padded.slice(at + 18)));
      expect(output[15]).toBe(fields.tos ?? 0);
    });
  }

  it("to a port without a service is left to the kernel", () => {
    expect(outcome(box, () => box.fromClient(toVip(SYN, { destinationPort: 22 })))).toEqual([
      XDP_PASS,
      { passNoService: 1 },
    ]);
  });

  it("in UDP to a port that has a service only in TCP is left to the kernel", () => {
    const frame = ethernet(0x0800, ipv4(CLIENT, VIP, 17, u16(5, 80, 8, 0)));
    expect(outcome(box, () => box.fromClient(frame))).toEqual([XDP_PASS, { passNoService: 1 }]);
  });

  it("to a service without backends is dropped", () => {
    expect(outcome(box, () => box.fromClient(toVip(SYN, { destinationPort: 82 })))).toEqual([
      XDP_DROP,
      { dropNoBackend: 1 },
    ]);
  });

  it("for a backend whose neighbour is not resolved goes to the kernel, rewritten, with its TTL and a note for the gate", () => {
    expect(
      counted(box, () => {
        const { verdict, output } = box.fromClient(toVip(SYN, { destinationPort: 83 }));
        expect(verdict).toBe(XDP_PASS);
        expect(toHex(output.slice(0, 4))).toBe(REWRITTEN);
        expect(readTcp(output.slice(4))).toMatchObject({
          destination: UNKNOWN_BACKEND,
          destinationPort: 8083,
          ttl: 64,
          ipChecksumRight: true,
          tcpChecksumRight: true,
        });
      }),
    ).toEqual({ passNoNeighbour: 1 });
  });

  it("goes to the kernel, rewritten, when the way out takes no redirected frames", () => {
    const key = new Uint8Array(Uint32Array.of(box.eth1).buffer);
    box.object.map("futago_ports").delete(key);
    expect(
      counted(box, () => {
        const { verdict, output } = box.fromClient(toVip(SYN));
        expect(verdict).toBe(XDP_PASS);
        expect(readTcp(output.slice(4))).toMatchObject({ destination: S1, ttl: 64, tcpChecksumRight: true });
      }),
    ).toEqual({ passNoPort: 1 });
    // An ifindex means a port of the namespace that the writer is in.
    box.namespace.inside(() => box.object.map("futago_ports").update(key, key));
  });

  it("is counted for its service and its backend", () => {
    const index = box.tables.read().find((entry) => entry.kind === "service" && entry.port === 80);
    if (index?.kind !== "service") throw new Error("no such service");
    const before = box.tables.serviceTraffic(index.index);
    box.fromClient(toVip(SYN));
    box.fromBackend(reply(SYN | ACK));
    const after = box.tables.serviceTraffic(index.index);
    expect(after.packetsIn - before.packetsIn).toBe(1);
    expect(after.bytesIn - before.bytesIn).toBe(40);
    expect(after.packetsOut - before.packetsOut).toBe(1);
    expect(after.flows).toBe(before.flows);
    box.fromClient(toVip(ACK, { acknowledgement: 1001 }));
    expect(box.tables.serviceTraffic(index.index).flows - before.flows).toBe(1);
    expect(box.tables.backendTraffic(index.index * 128)).toEqual(box.tables.serviceTraffic(index.index));
  });
});

describe("packets that are none of the balancer's", () => {
  const others: readonly (readonly [string, Uint8Array])[] = [
    ["ARP for the VIP", arpFrame({ kind: 1, sender: CLIENT, target: VIP })],
    ["UDP to another address", ethernet(0x0800, ipv4(CLIENT, "10.9.0.1", 17, u16(5, 80, 8, 0)))],
    ["a VRRP advertisement", ethernet(0x0800, ipv4("10.1.0.3", "224.0.0.18", 112, new Uint8Array(12)))],
    ["a tagged packet to the VIP", tagged(toVip(SYN), [0x8100, 5])],
    [
      "a multicast frame",
      tcpFrame({
        source: CLIENT,
        destination: VIP,
        sourcePort: 1,
        destinationPort: 80,
        flags: SYN,
        destinationMac: "01:00:5e:00:00:01",
      }),
    ],
    [
      "TCP to another address",
      tcpFrame({ source: CLIENT, destination: "10.9.0.1", sourcePort: 1, destinationPort: 80, flags: SYN }),
    ],
    ["TCP from a backend's other port", reply(ACK, { sourcePort: 22 })],
    ["a connection that a backend opens from its service's port", reply(SYN)],
    ["IPv6", ethernet(0x86dd, new Uint8Array(60))],
    ["an IPv4 header that is too small", Uint8Array.from(toVip(SYN), (byte, i) => (i === 14 ? 0x44 : byte))],
    ["a cut IPv4 header", toVip(SYN).slice(0, 30)],
  ];
  for (const [name, frame] of others) {
    it(`leaves ${name} as it is`, () => {
      expect(
        counted(box, () => {
          for (const run of [box.fromClient, box.fromBackend]) {
            const { verdict, output } = run(frame);
            expect(verdict).toBe(XDP_PASS);
            expect(toHex(output)).toBe(toHex(frame));
          }
        }),
      ).toEqual({});
    });
  }
});

describe("the lease", () => {
  it("lapsed leaves a VIP's packets to the gate, untouched", () => {
    box.groups.set(GROUP, BOTH, -1n);
    const frame = toVip(ACK);
    expect(outcome(box, () => box.fromClient(frame))).toEqual([XDP_PASS, { passVipClosed: 1 }]);
    expect(toHex(box.fromClient(frame).output)).toBe(toHex(frame));
  });

  it("without `answer` takes no new flows and keeps the old", () => {
    handshake(box);
    box.groups.set(GROUP, FORWARD);
    expect(outcome(box, () => box.fromClient(toVip(SYN, { sourcePort: 40_001 })))).toEqual([
      XDP_PASS,
      { passNewFlowClosed: 1 },
    ]);
    expect(outcome(box, () => box.fromClient(toVip(ACK)))).toEqual([XDP_REDIRECT, {}]);
  });

  it("lapsed drops what backends send to clients, and nothing that is for the box itself", () => {
    box.groups.set(GROUP, BOTH, 0n);
    expect(outcome(box, () => box.fromBackend(reply(ACK)))).toEqual([XDP_DROP, { dropReplyClosed: 1 }]);
    expect(outcome(box, () => box.fromBackend(reply(ACK, { destination: OWN })))).toEqual([XDP_PASS, { passOwn: 1 }]);
  });
});

describe("a backend's packet", () => {
  it("reaches a far client through the gateway in the VIP's name", () => {
    const { verdict, output } = box.fromBackend(
      reply(ACK, { destination: FAR_CLIENT, payload: Uint8Array.of(1, 2, 3) }),
    );
    expect(verdict).toBe(XDP_REDIRECT);
    expect(readTcp(output)).toEqual({
      destinationMac: GATEWAY_MAC,
      sourceMac: BOX_CLIENT_MAC,
      source: VIP,
      destination: FAR_CLIENT,
      sourcePort: 80,
      destinationPort: 40_000,
      ttl: 63,
      ipChecksumRight: true,
      tcpChecksumRight: true,
    });
  });

  it("goes out by the port it came in when the client is there", () => {
    box.serve([service(80, [backend(CLIENT, 8080)])]);
    const { verdict, output } = box.fromClient(
      tcpFrame({ source: CLIENT, destination: FAR_CLIENT, sourcePort: 8080, destinationPort: 5, flags: ACK }),
    );
    expect(verdict).toBe(XDP_TX);
    expect(readTcp(output)).toMatchObject({ source: VIP, destinationMac: GATEWAY_MAC, tcpChecksumRight: true });
  });

  it("to the box's own address passes as it is: health checks", () => {
    const frame = reply(SYN | ACK, { destination: OWN });
    expect(outcome(box, () => box.fromBackend(frame))).toEqual([XDP_PASS, { passOwn: 1 }]);
    expect(toHex(box.fromBackend(frame).output)).toBe(toHex(frame));
    expect([...box.tables.halfOpenFlows()]).toEqual([]);
  });

  it("to the VIP itself passes as it is: the box may ask in the VIP's name", () => {
    expect(outcome(box, () => box.fromBackend(reply(ACK, { destination: VIP })))).toEqual([
      XDP_PASS,
      { passNoService: 1 },
    ]);
  });

  const untranslatable: readonly (readonly [string, Partial<TcpFields>, BalancerReason])[] = [
    ["nowhere to go", { destination: "203.0.113.5" }, "dropNoRoute"],
    ["a fragment's offset", { fragment: 0x0008 }, "dropReplyFragment"],
  ];
  for (const [name, fields, reason] of untranslatable) {
    it(`with ${name} is dropped, never leaked`, () => {
      expect(outcome(box, () => box.fromBackend(reply(ACK, fields)))).toEqual([XDP_DROP, { [reason]: 1 }]);
    });
  }

  it("cut inside the TCP header is dropped, never leaked", () => {
    const frame = reply(ACK).slice(0, 46);
    frame.set(u16(32), 16);
    expect(outcome(box, () => box.fromBackend(frame))).toEqual([XDP_DROP, { dropReplyTruncated: 1 }]);
  });

  it("in fragments to the box itself passes", () => {
    expect(outcome(box, () => box.fromBackend(reply(ACK, { destination: OWN, fragment: 0x0008 })))).toEqual([
      XDP_PASS,
      {},
    ]);
  });
});
