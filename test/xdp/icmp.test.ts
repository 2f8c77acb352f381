import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { addressFromBytes } from "@futago/hal/units/address.ts";
import { toHex } from "@futago/hal/units/bytes.ts";
import { XDP_DROP, XDP_PASS, XDP_REDIRECT, XDP_TX } from "./box.ts";
import {
  ADDRESSES,
  BACKEND_PORTS,
  countedBy,
  createOddBox,
  FAMILIES,
  FLOWS,
  flowOf,
  GROUP,
  type KnownFlow,
  MACS,
  type OddBox,
  openFlow,
  startOver,
} from "./odd-box.ts";
import { type Family, fragmentsOf, frameOf, icmpOf, ipPacket, packetOf } from "./odd-packet.ts";

let box: OddBox;

beforeAll(async () => {
  box = await createOddBox();
});

afterAll(async () => {
  await box?.destroy();
});

beforeEach(() => startOver(box));

interface ErrorKind {
  readonly name: string;
  readonly type: number;
  readonly code: number;
  readonly rest?: number;
}

const ERRORS: Readonly<Record<Family, readonly ErrorKind[]>> = {
  ipv4: [
    { name: "network unreachable", type: 3, code: 0 },
    { name: "port unreachable", type: 3, code: 3 },
    { name: "fragmentation needed", type: 3, code: 4, rest: 1400 },
    { name: "time exceeded", type: 11, code: 0 },
    { name: "parameter problem", type: 12, code: 0, rest: 0x14000000 },
  ],
  ipv6: [
    { name: "no route", type: 1, code: 0 },
    { name: "port unreachable", type: 1, code: 4 },
    { name: "packet too big", type: 2, code: 0, rest: 1400 },
    { name: "time exceeded", type: 3, code: 0 },
    { name: "parameter problem", type: 4, code: 1, rest: 6 },
  ],
};

const PAYLOAD = Uint8Array.from({ length: 33 }, (_, i) => i * 7);

/** Of a router on the client's side, about the service's answer, as it comes in. */
function toVip(flow: KnownFlow, kind: ErrorKind, quoted = packetOf({ ...flow.answer, payload: PAYLOAD })): Uint8Array {
  const { router, vip } = ADDRESSES[flow.family];
  return icmpOf({ source: router, destination: vip, ...kind, quoted });
}

/** The same as the backend is to get it. */
function toBackend(
  flow: KnownFlow,
  kind: ErrorKind,
  quoted = packetOf({ ...flow.reply, payload: PAYLOAD }),
): Uint8Array {
  const { router, vip, backends } = ADDRESSES[flow.family];
  if (flow.mode === "direct") return icmpOf({ source: router, destination: vip, ...kind, quoted });
  const source = flow.mode === "one-arm" ? vip : router;
  return icmpOf({ source, destination: backends[flow.mode], ...kind, quoted, ttl: 63 });
}

/** Of the backend or a router before it, about a client's request as it reached them. */
function fromInside(flow: KnownFlow, kind: ErrorKind, source: string): Uint8Array {
  const quoted = packetOf({ ...flow.inner, payload: PAYLOAD });
  return icmpOf({ source, destination: flow.inner.source, ...kind, quoted });
}

/** The same as the client is to get it. */
function toClient(flow: KnownFlow, kind: ErrorKind): Uint8Array {
  const { vip, client } = ADDRESSES[flow.family];
  const quoted = packetOf({ ...flow.request, payload: PAYLOAD });
  return icmpOf({ source: vip, destination: client, ...kind, quoted, ttl: 63 });
}

const backendFrame = (flow: KnownFlow, packet: Uint8Array) =>
  toHex(frameOf(packet, { to: MACS.backends[flow.mode], from: MACS.boxBackend }));
const clientFrame = (packet: Uint8Array) => toHex(frameOf(packet, { to: MACS.client, from: MACS.boxClient }));

describe.each(FLOWS)("$family, $mode, $protocol", ({ family, mode, protocol }) => {
  it.each(ERRORS[family])("$name about the service's answer reaches the backend as about its own", (kind) => {
    const flow = openFlow(box, family, mode, protocol);
    const counts = countedBy(box, () => {
      const { verdict, output } = box.fromClient(toVip(flow, kind), MACS.router);
      expect(toHex(output)).toBe(backendFrame(flow, toBackend(flow, kind)));
      expect(verdict).toBe(XDP_REDIRECT);
    });
    expect(counts).toEqual({ forwardedIcmp: 1 });
  });

  it.each(ERRORS[family])("$name about a client's request reaches the client as about its own", (kind) => {
    const flow = openFlow(box, family, mode, protocol);
    const { backends, inside } = ADDRESSES[family];
    for (const source of [backends[mode], inside]) {
      const error = fromInside(flow, kind, source);
      const { verdict, output } = box.fromBackend(error);
      // In `direct` the request was never changed, and the error goes to the client by itself.
      const untouched = toHex(frameOf(error, { to: MACS.boxBackend, from: MACS.inside }));
      expect(toHex(output)).toBe(mode === "direct" ? untouched : clientFrame(toClient(flow, kind)));
      expect(verdict).toBe(mode === "direct" ? XDP_PASS : XDP_REDIRECT);
    }
  });

  const [kind] = ERRORS[family];

  it("an error that quotes only eight bytes behind the IP header is translated as far as it goes", () => {
    const flow = openFlow(box, family, mode, protocol);
    const headers = family === "ipv6" ? 48 : 28;
    const quoted = packetOf({ ...flow.answer, payload: PAYLOAD }).slice(0, headers);
    const expected = packetOf({ ...flow.reply, payload: PAYLOAD }).slice(0, headers);
    const { output } = box.fromClient(toVip(flow, kind!, quoted), MACS.router);
    expect(toHex(output)).toBe(backendFrame(flow, toBackend(flow, kind!, expected)));
  });

  it("an error about a packet with options or extension headers is translated", () => {
    const flow = openFlow(box, family, mode, protocol);
    const more = { payload: PAYLOAD, options: new Uint8Array(8).fill(1), extensions: 2, ttl: 9 };
    const quoted = packetOf({ ...flow.answer, ...more });
    const { output } = box.fromClient(toVip(flow, kind!, quoted), MACS.router);
    expect(toHex(output)).toBe(backendFrame(flow, toBackend(flow, kind!, packetOf({ ...flow.reply, ...more }))));
  });

  it("an error in a frame with padding is translated, and the padding is no part of it", () => {
    const flow = openFlow(box, family, mode, protocol);
    const headers = family === "ipv6" ? 48 : 28;
    const quoted = packetOf(flow.answer).slice(0, headers);
    const padding = new Uint8Array(20).fill(0xee);
    const { output } = box.fromClient(Uint8Array.of(...toVip(flow, kind!, quoted), ...padding), MACS.router);
    const expected = toBackend(flow, kind!, packetOf(flow.reply).slice(0, headers));
    expect(toHex(output)).toBe(backendFrame(flow, Uint8Array.of(...expected, ...padding)));
  });

  it("an error for a VIP without a lease is left to the gate", () => {
    const flow = openFlow(box, family, mode, protocol);
    box.groups.set(GROUP, 3, 0n);
    expect(countedBy(box, () => expect(box.fromClient(toVip(flow, kind!)).verdict).toBe(XDP_PASS))).toEqual({
      passVipClosed: 1,
    });
    const inside = fromInside(flow, kind!, ADDRESSES[family].inside);
    const { verdict } = box.fromBackend(inside);
    expect(verdict).toBe(mode === "nat" ? XDP_DROP : XDP_PASS);
  });
});

describe.each(FAMILIES)("%s", (family) => {
  const { vip, client, router, backends, own, inside } = ADDRESSES[family];
  const [kind] = ERRORS[family];

  it.each(["tcp", "udp"] as const)(
    "an error about a %s flow that nobody remembers follows the ring in nat and direct",
    (protocol) => {
      for (const mode of ["nat", "direct"] as const) {
        const flow = flowOf(family, mode, protocol, 0);
        const { output } = box.fromClient(toVip(flow, kind!), MACS.router);
        expect(toHex(output)).toBe(backendFrame(flow, toBackend(flow, kind!)));
      }
    },
  );

  it("an error about a one-arm flow that nobody remembers is dropped", () => {
    const flow = flowOf(family, "one-arm", "tcp", 5000);
    const counts = countedBy(box, () => expect(box.fromClient(toVip(flow, kind!)).verdict).toBe(XDP_DROP));
    expect(counts).toEqual({ dropIcmpUnknown: 1 });
  });

  const icmp = family === "ipv6" ? 58 : 1;
  const echo = { type: family === "ipv6" ? 128 : 8, code: 0, rest: 0x00010002, quoted: new Uint8Array(56) };
  const stranger = { source: vip, destination: client, protocol: "tcp", sourcePort: 22, destinationPort: 5 } as const;
  const pinged = icmpOf({ source: vip, destination: client, ...echo });
  const foreign = {
    source: client,
    destination: backends.nat,
    protocol: "tcp",
    sourcePort: 5,
    destinationPort: 22,
  } as const;
  const reverse = { ...foreign, destinationPort: BACKEND_PORTS.nat };
  const untouched: readonly (readonly [string, Uint8Array])[] = [
    ["a ping to the VIP", icmpOf({ source: client, destination: vip, ...echo })],
    ["a ping to somebody else", icmpOf({ source: client, destination: backends.nat, ...echo })],
    ["the answer to a ping", icmpOf({ source: backends.nat, destination: client, ...echo, type: echo.type - 8 })],
    [
      "an error about what the box itself sent",
      icmpOf({ source: router, destination: vip, ...kind!, quoted: packetOf(stranger) }),
    ],
    ["an error about the box's own ping", icmpOf({ source: router, destination: vip, ...kind!, quoted: pinged })],
    ["an error that quotes nothing", icmpOf({ source: router, destination: vip, ...kind!, quoted: new Uint8Array(0) })],
    [
      "an error about somebody else's flow",
      icmpOf({ source: inside, destination: client, ...kind!, quoted: packetOf(foreign) }),
    ],
    [
      "a backend's error to the box itself, such as about a health check",
      icmpOf({ source: backends.nat, destination: own, ...kind!, quoted: packetOf({ ...reverse, source: own }) }),
    ],
    ["a message of a single byte", ipPacket({ source: router, destination: client, protocol: icmp }, Uint8Array.of(3))],
    [
      "a redirect",
      icmpOf({
        source: router,
        destination: vip,
        type: family === "ipv6" ? 137 : 5,
        code: 1,
        quoted: packetOf(stranger),
      }),
    ],
  ];
  it.each(untouched)("%s passes untouched", (_, packet) => {
    for (const run of [box.fromClient, box.fromBackend]) {
      const { verdict, output } = run(packet);
      expect(verdict).toBe(XDP_PASS);
      expect(toHex(output.slice(14))).toBe(toHex(packet));
    }
  });

  const leaks: readonly (readonly [string, Uint8Array])[] = [
    [
      "about another's request",
      icmpOf({ source: backends.nat, destination: router, ...kind!, quoted: packetOf(reverse) }),
    ],
    [
      "that quotes too little to tell about what",
      icmpOf({
        source: backends.nat,
        destination: client,
        ...kind!,
        quoted: packetOf(reverse).slice(0, family === "ipv6" ? 42 : 22),
      }),
    ],
  ];
  it.each(leaks)("a backend's error %s does not leak", (_, packet) => {
    const counts = countedBy(box, () => expect(box.fromBackend(packet).verdict).toBe(XDP_DROP));
    expect(counts).toEqual({ dropIcmpUnknown: 1 });
  });

  it("an error without TTL ends here", () => {
    const flow = openFlow(box, family, "nat", "tcp");
    const error = icmpOf({ source: router, destination: vip, ...kind!, quoted: packetOf(flow.answer), ttl: 1 });
    const counts = countedBy(box, () => expect(box.fromClient(error).verdict).toBe(XDP_DROP));
    expect(counts).toEqual({ dropTtl: 1 });
  });

  it("an error about a datagram of any sum has right sums itself", () => {
    const flow = openFlow(box, family, "nat", "udp");
    for (let word = 0; word < 65_536; word += 257) {
      const payload = Uint8Array.of(word >> 8, word & 0xff);
      const quoted = packetOf({ ...flow.answer, payload });
      const { output } = box.fromClient(toVip(flow, kind!, quoted), MACS.router);
      expect(toHex(output)).toBe(backendFrame(flow, toBackend(flow, kind!, packetOf({ ...flow.reply, payload }))));
    }
  });
});

it("UDP without a checksum stays without, which IPv4 alone allows", () => {
  const [kind] = ERRORS.ipv4;
  const flow = openFlow(box, "ipv4", "nat", "udp");
  const quoted = packetOf({ ...flow.answer, unsummed: true });
  const { output } = box.fromClient(toVip(flow, kind!, quoted), MACS.router);
  expect(toHex(output)).toBe(backendFrame(flow, toBackend(flow, kind!, packetOf({ ...flow.reply, unsummed: true }))));
});

describe("random bytes", () => {
  it("in errors and fragments of a backend never let its address out by the balancer's own hand", () => {
    const random = generator(20_261_122);
    for (const { family, mode, protocol } of FLOWS) {
      const flow = openFlow(box, family, mode, protocol);
      const { inside, backends, own } = ADDRESSES[family];
      const seeds = [
        ...ERRORS[family].map((kind) => fromInside(flow, kind, inside)),
        ...fragmentsOf({ ...flow.reply, payload: PAYLOAD.slice(0, 32) }, 24),
        packetOf({ ...flow.reply, payload: PAYLOAD }),
      ];
      for (let i = 0; i < 300; i++) {
        const packet = Uint8Array.from(seeds[random() % seeds.length]!);
        for (let n = random() % 4; n >= 0; n--) packet[random() % packet.length] = random() & 0xff;
        const { verdict, output } = box.fromBackend(
          packet.slice(0, random() % 3 === 0 ? 1 + (random() % packet.length) : undefined),
        );
        if (verdict !== XDP_TX && verdict !== XDP_REDIRECT) continue;
        const source = sourceOf(output);
        expect([...Object.values(backends), inside, own]).not.toContain(source);
      }
    }
  });
});

/** Numerical Recipes' linear congruence, its upper bits. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 8;
  };
}

function sourceOf(frame: Uint8Array): string | undefined {
  const at = frame[12] === 0x86 ? frame.slice(22, 38) : frame.slice(26, 30);
  return addressFromBytes(at)?.toString();
}
