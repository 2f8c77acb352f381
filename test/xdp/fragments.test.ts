import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { toHex } from "@futago/hal/units/bytes.ts";
import { XDP_DROP, XDP_PASS, XDP_REDIRECT, XDP_TX } from "./box.ts";
import {
  ADDRESSES,
  allServices,
  countedBy,
  createOddBox,
  FAMILIES,
  FLOWS,
  GROUP,
  type KnownFlow,
  MACS,
  type OddBox,
  openFlow,
  startOver,
} from "./odd-box.ts";
import { fragmentOf, fragmentsOf, frameOf, ipPacket, type Packet, packetOf } from "./odd-packet.ts";
import { SYN } from "./packet.ts";

let box: OddBox;

beforeAll(async () => {
  box = await createOddBox();
});

afterAll(async () => {
  await box?.destroy();
});

beforeEach(() => startOver(box));

const PAYLOAD = Uint8Array.from({ length: 1900 }, (_, i) => i * 11);
const PIECE = 800;

/** What a client's packet becomes, but for the frame's addresses. */
function atBackend(flow: KnownFlow, fields: Partial<Packet>): Packet {
  return { ...flow.inner, ...fields, ttl: flow.mode === "direct" ? 64 : 63 };
}

const toBackend = (flow: KnownFlow, packet: Uint8Array) =>
  toHex(frameOf(packet, { to: MACS.backends[flow.mode], from: MACS.boxBackend }));
const toClient = (packet: Uint8Array) => toHex(frameOf(packet, { to: MACS.client, from: MACS.boxClient }));

describe.each(FLOWS)("$family, $mode, $protocol", ({ family, mode, protocol }) => {
  it("a client's fragments all go where the first goes, and together are the packet rewritten", () => {
    const flow = openFlow(box, family, mode, protocol);
    const expected = fragmentsOf(atBackend(flow, { payload: PAYLOAD }), PIECE);
    const counts = countedBy(box, () => {
      for (const [i, fragment] of fragmentsOf({ ...flow.request, payload: PAYLOAD }, PIECE).entries()) {
        const { verdict, output } = box.fromClient(fragment);
        expect(toHex(output)).toBe(toBackend(flow, expected[i]!));
        expect(verdict).toBe(XDP_REDIRECT);
      }
    });
    expect(counts).toEqual({});
  });

  it("a later fragment that comes first is dropped, and so is one of another packet", () => {
    const flow = openFlow(box, family, mode, protocol);
    const [first, second] = fragmentsOf({ ...flow.request, payload: PAYLOAD }, PIECE);
    const [, strange] = fragmentsOf({ ...flow.request, payload: PAYLOAD, id: 78 }, PIECE);
    const dropped = (fragment: Uint8Array) =>
      expect(countedBy(box, () => expect(box.fromClient(fragment).verdict).toBe(XDP_DROP))).toEqual({
        dropFragment: 1,
      });
    dropped(second!);
    box.fromClient(first!);
    dropped(strange!);
    expect(box.fromClient(second!).verdict).toBe(XDP_REDIRECT);
  });

  it("no fragment goes anywhere without the lease", () => {
    const flow = openFlow(box, family, mode, protocol);
    const requests = fragmentsOf({ ...flow.request, payload: PAYLOAD }, PIECE);
    const replies = fragmentsOf({ ...flow.reply, payload: PAYLOAD }, PIECE);
    for (const fragment of requests) box.fromClient(fragment);
    if (mode !== "direct") for (const fragment of replies) box.fromBackend(fragment);
    box.groups.set(GROUP, 3, 0n);
    for (const fragment of requests) {
      const counts = countedBy(box, () => expect(box.fromClient(fragment).verdict).toBe(XDP_PASS));
      expect(counts).toEqual({ passVipClosed: 1 });
    }
    if (mode !== "nat") return;
    for (const fragment of replies) expect(box.fromBackend(fragment).verdict).toBe(XDP_DROP);
  });

  it("later fragments do not follow to a backend whose number went to another", () => {
    const flow = openFlow(box, family, mode, protocol);
    const [first, second] = fragmentsOf({ ...flow.request, payload: PAYLOAD }, PIECE);
    box.fromClient(first!);
    for (const [key, value] of box.object.map("backends").entries()) {
      if (value.some((byte) => byte !== 0))
        box.object.map("backends").update(
          key,
          value.map((byte, i) => byte ^ +(i === 15)),
        );
    }
    expect(box.fromClient(second!).verdict).toBe(XDP_DROP);
    // The tables hold again what they are told to.
    box.serve([]);
    box.serve(allServices());
  });

  it("a first fragment that is cut before the end of its transport header is dropped", () => {
    const flow = openFlow(box, family, mode, protocol);
    const tiny = fragmentOf(
      flow.request,
      packetOf(flow.request)
        .slice(family === "ipv6" ? 40 : 20)
        .slice(0, protocol === "tcp" ? 16 : 0),
      0,
      true,
    );
    const counts = countedBy(box, () => expect(box.fromClient(tiny).verdict).toBe(XDP_DROP));
    expect(counts).toEqual({ dropFragment: 1 });
  });
});

describe.each(FLOWS.filter(({ mode }) => mode !== "direct"))(
  "$family, $mode, $protocol",
  ({ family, mode, protocol }) => {
    it("a backend's fragments reach the client in the VIP's name", () => {
      const flow = openFlow(box, family, mode, protocol);
      const expected = fragmentsOf({ ...flow.answer, payload: PAYLOAD, ttl: 63 }, PIECE);
      for (const [i, fragment] of fragmentsOf({ ...flow.reply, payload: PAYLOAD }, PIECE).entries()) {
        const { verdict, output } = box.fromBackend(fragment);
        expect(toHex(output)).toBe(toClient(expected[i]!));
        expect(verdict).toBe(XDP_REDIRECT);
      }
    });
  },
);

describe.each(FLOWS.filter(({ mode }) => mode === "nat"))("$family, $mode, $protocol", ({ family, mode, protocol }) => {
  it("fragments of a backend that follow nothing do not leak", () => {
    const flow = openFlow(box, family, mode, protocol);
    const [, second] = fragmentsOf({ ...flow.reply, payload: PAYLOAD }, PIECE);
    const counts = countedBy(box, () => expect(box.fromBackend(second!).verdict).toBe(XDP_DROP));
    expect(counts).toEqual({ dropReplyFragment: 1 });
    const tiny = fragmentOf(flow.reply, new Uint8Array(8).subarray(0, protocol === "tcp" ? 8 : 0), 0, true);
    expect(box.fromBackend(tiny).verdict).toBe(XDP_DROP);
  });
});

describe.each(FAMILIES)("%s", (family) => {
  const { vip, client, far, own, backends } = ADDRESSES[family];
  const elsewhere: Packet = { source: client, destination: vip, protocol: "udp", sourcePort: 5, destinationPort: 999 };

  it("a new connection's first fragment is balanced as the packet is", () => {
    const packet: Packet = { source: client, destination: vip, protocol: "tcp", sourcePort: 7, destinationPort: 80 };
    const [first, second] = fragmentsOf({ ...packet, flags: SYN, payload: PAYLOAD }, PIECE);
    expect(box.fromClient(first!).verdict).toBe(XDP_REDIRECT);
    expect(box.fromClient(second!).verdict).toBe(XDP_REDIRECT);
  });

  it("fragments to a port of the VIP without a service are all the kernel's", () => {
    const [first, second, third] = fragmentsOf({ ...elsewhere, payload: PAYLOAD }, PIECE);
    for (const fragment of [first, second, third]) {
      const { verdict, output } = box.fromClient(fragment!);
      expect(verdict).toBe(XDP_PASS);
      expect(toHex(output.slice(14))).toBe(toHex(fragment!));
    }
  });

  it("so are those that a backend sends from another port, and those to the box itself", () => {
    const foreign = { ...elsewhere, source: backends.nat, destination: client, payload: PAYLOAD };
    for (const fragment of fragmentsOf(foreign, PIECE)) expect(box.fromBackend(fragment).verdict).toBe(XDP_PASS);
    const check = { ...elsewhere, source: backends.nat, sourcePort: 8080, destination: own, payload: PAYLOAD };
    for (const fragment of fragmentsOf(check, PIECE)) expect(box.fromBackend(fragment).verdict).toBe(XDP_PASS);
  });

  it("so are those of strangers, in any order, and those of large pings", () => {
    const foreign = fragmentsOf({ ...elsewhere, destination: far, payload: PAYLOAD }, PIECE);
    for (const fragment of foreign.toReversed()) expect(box.fromClient(fragment).verdict).toBe(XDP_PASS);
    const kind = family === "ipv6" ? 58 : 1;
    const first = fragmentOf(elsewhere, PAYLOAD.slice(0, 800), 0, true);
    const later = fragmentOf(elsewhere, PAYLOAD.slice(0, 800), 800, false);
    for (const fragment of [later, first]) {
      fragment[family === "ipv6" ? 40 : 9] = kind;
      expect(countedBy(box, () => expect(box.fromClient(fragment).verdict).toBe(XDP_PASS))).toEqual({});
    }
  });

  it("a fragment that overwrites the TCP header behind the first's back is dropped: RFC 3128", () => {
    const { request } = openFlow(box, family, "nat", "tcp");
    box.fromClient(fragmentsOf({ ...request, payload: PAYLOAD }, PIECE)[0]!);
    const counts = countedBy(box, () => {
      for (const at of [8, 16])
        expect(box.fromClient(fragmentOf(request, new Uint8Array(8), at, true)).verdict).toBe(XDP_DROP);
    });
    expect(counts).toEqual({ dropMalformed: 2 });
    expect(box.fromClient(fragmentOf(request, new Uint8Array(8), 24, true)).verdict).toBe(XDP_REDIRECT);
  });

  it("a fragment without TTL ends here, and the sender of the first is told", () => {
    const { request } = openFlow(box, family, "nat", "udp");
    const [first, second] = fragmentsOf({ ...request, payload: PAYLOAD, ttl: 1 }, PIECE);
    box.fromClient(fragmentsOf({ ...request, payload: PAYLOAD }, PIECE)[0]!);
    const counts = countedBy(box, () => {
      expect(box.fromClient(second!).verdict).toBe(XDP_DROP);
      expect(box.fromClient(first!).verdict).toBe(XDP_TX);
    });
    expect(counts).toEqual({ dropTtl: 2, sentTimeExceeded: 1 });
  });

  it("a first fragment to a dead backend is answered as the packet is", () => {
    const { request } = openFlow(box, family, "nat", "tcp");
    box.serve(allServices(["nat"]));
    const [first, second] = fragmentsOf({ ...request, payload: PAYLOAD }, PIECE);
    expect(countedBy(box, () => expect(box.fromClient(first!).verdict).toBe(XDP_TX))).toEqual({
      dropDeadBackend: 1,
      sentReset: 1,
    });
    expect(box.fromClient(second!).verdict).toBe(XDP_DROP);
  });

  it("a first fragment that is too big is answered, a later one is not", () => {
    const { request } = openFlow(box, family, "direct", "udp", { narrow: true });
    const [first] = fragmentsOf({ ...request, payload: PAYLOAD }, 1400);
    expect(countedBy(box, () => expect(box.fromClient(first!).verdict).toBe(XDP_TX))).toEqual({
      dropTooBig: 1,
      sentTooBig: 1,
    });
    const [small] = fragmentsOf({ ...request, payload: PAYLOAD }, PIECE);
    expect(box.fromClient(small!).verdict).toBe(XDP_REDIRECT);
    const later = fragmentOf(request, PAYLOAD.slice(0, 1400), PIECE, false);
    expect(countedBy(box, () => expect(box.fromClient(later).verdict).toBe(XDP_DROP))).toEqual({ dropTooBig: 1 });
  });
});

describe("IPv6", () => {
  it("a fragment header around a whole packet changes nothing", () => {
    const flow = openFlow(box, "ipv6", "nat", "tcp");
    const whole = (packet: Packet) =>
      fragmentOf(packet, packetOf({ ...packet, payload: PAYLOAD.slice(0, 100) }).slice(40), 0, false);
    const { output } = box.fromClient(whole(flow.request));
    expect(toHex(output)).toBe(toBackend(flow, whole(atBackend(flow, {}))));
    expect([...box.object.map("fragments").entries()]).toEqual([]);
  });

  it("later fragments follow whatever protocol they state: RFC 8200 section 4.5", () => {
    const flow = openFlow(box, "ipv6", "nat", "udp");
    const [first, second] = fragmentsOf({ ...flow.request, payload: PAYLOAD }, PIECE);
    box.fromClient(first!);
    second![40] = 6;
    expect(box.fromClient(second!).verdict).toBe(XDP_REDIRECT);
  });
});

describe.each(FAMILIES)("%s that is cut or malformed", (family) => {
  const { vip, client, own, backends } = ADDRESSES[family];
  const header = family === "ipv6" ? 40 : 20;
  const request: Packet = { source: client, destination: vip, protocol: "tcp", sourcePort: 7, destinationPort: 80 };
  const reply: Packet = {
    source: backends.nat,
    destination: client,
    protocol: "tcp",
    sourcePort: 8080,
    destinationPort: 7,
  };
  /** An IP packet with `bytes` of the segment. */
  const cut = (packet: Packet, bytes: number) => {
    const { source, destination } = packet;
    return ipPacket({ source, destination, protocol: 6 }, packetOf(packet).slice(header, header + bytes));
  };

  it.each([0, 2, 3])("to a VIP, with %i bytes of its ports, is the kernel's, which cannot read it either", (bytes) => {
    const counts = countedBy(box, () => expect(box.fromClient(cut(request, bytes)).verdict).toBe(XDP_PASS));
    expect(counts).toEqual({ passVipUnread: 1 });
  });

  it.each([4, 8, 19])("to a service, with %i bytes of its header, is dropped", (bytes) => {
    const counts = countedBy(box, () => expect(box.fromClient(cut(request, bytes)).verdict).toBe(XDP_DROP));
    expect(counts).toEqual({ dropMalformed: 1 });
  });

  it.each([0, 4, 19])("from a backend, with %i bytes of its header, does not leak", (bytes) => {
    const counts = countedBy(box, () => expect(box.fromBackend(cut(reply, bytes)).verdict).toBe(XDP_DROP));
    expect(counts).toEqual({ dropReplyTruncated: 1 });
    const check = cut({ ...reply, destination: own }, bytes);
    expect(countedBy(box, () => expect(box.fromBackend(check).verdict).toBe(XDP_PASS))).toEqual({});
  });

  it("from a backend, in a frame that is shorter than it says, does not leak", () => {
    const packet = packetOf({ ...reply, payload: PAYLOAD.slice(0, 200) }).slice(0, 150);
    expect(box.fromBackend(packet).verdict).toBe(XDP_DROP);
  });
});

describe("IPv6 with more headers than can be followed", () => {
  const { vip, client, backends } = ADDRESSES.ipv6;
  const request: Packet = { source: client, destination: vip, protocol: "tcp", sourcePort: 7, destinationPort: 80 };
  const reply: Packet = {
    source: backends.nat,
    destination: client,
    protocol: "tcp",
    sourcePort: 8080,
    destinationPort: 7,
  };

  it.each([5, 6, 9])("%i of them: dropped to a service and from a backend", (extensions) => {
    const counts = countedBy(box, () => {
      expect(box.fromClient(packetOf({ ...request, extensions })).verdict).toBe(XDP_DROP);
      expect(box.fromBackend(packetOf({ ...reply, extensions })).verdict).toBe(XDP_DROP);
    });
    expect(Object.values(counts).reduce((sum, n) => sum + n, 0)).toBe(2);
  });

  it("those of strangers pass", () => {
    const packet = packetOf({ ...request, destination: "2001:db8::1", extensions: 9 });
    expect(box.fromClient(packet).verdict).toBe(XDP_PASS);
  });
});
