import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { concatBytes, toHex } from "@futago/hal/units/bytes.ts";
import { encodeNumber } from "@futago/hal/xdp/layout.ts";
import { XDP_DROP, XDP_PASS, XDP_REDIRECT, XDP_TX } from "./box.ts";
import {
  ADDRESSES,
  countedBy,
  createOddBox,
  FAMILIES,
  FLOWS,
  MACS,
  type OddBox,
  openFlow,
  startOver,
} from "./odd-box.ts";
import { type Ends, type Family, familyOf, frameOf, icmpOf, type Packet, packetOf } from "./odd-packet.ts";

let box: OddBox;

beforeAll(async () => {
  box = await createOddBox();
});

afterAll(async () => {
  await box?.destroy();
});

beforeEach(() => startOver(box));

const PAYLOAD = Uint8Array.from({ length: 1400 }, (_, i) => i * 13);
/** META_REWRITTEN of consts.h, as it lies in memory. */
const REWRITTEN = "41545546";

/** What is to be told of a packet: RFC 1191 section 4 and RFC 1812 4.3.2.3, or RFC 4443 sections 2.4 and 3.2. */
function told({ source, destination }: Ends, packet: Uint8Array, mtu: number): Uint8Array {
  return familyOf({ source, destination }) === "ipv6"
    ? icmpOf({ source, destination, type: 2, code: 0, rest: mtu, quoted: packet.slice(0, 1232) })
    : icmpOf({
        source,
        destination,
        type: 3,
        code: 4,
        rest: mtu,
        tos: 0xc0,
        quoted: packet.slice(0, packet.length < 548 ? 68 : 548),
      });
}

describe.each(FLOWS)("$family, $mode, $protocol", ({ family, mode, protocol }) => {
  const { vip } = ADDRESSES[family];

  it("a client's packet that is too big for the backend's link is answered in the VIP's name", () => {
    const { request } = openFlow(box, family, mode, protocol, { narrow: true });
    const packet = packetOf({ ...request, payload: PAYLOAD, ttl: 44 });
    const counts = countedBy(box, () => {
      const { verdict, output } = box.fromClient(packet);
      const answer = told({ source: vip, destination: request.source }, packet, 1300);
      expect(toHex(output)).toBe(toHex(frameOf(answer, { to: MACS.client, from: MACS.boxClient })));
      expect(verdict).toBe(XDP_TX);
    });
    expect(counts).toEqual({ dropTooBig: 1, sentTooBig: 1 });
  });
});

describe.each(FLOWS.filter(({ mode }) => mode !== "direct"))(
  "$family, $mode, $protocol",
  ({ family, mode, protocol }) => {
    const { vip, narrow } = ADDRESSES[family];

    it("a backend's packet that is too big for the client's link is answered in the VIP's name", () => {
      const { reply } = openFlow(box, family, mode, protocol, { client: narrow });
      const packet = packetOf({ ...reply, payload: PAYLOAD });
      const counts = countedBy(box, () => {
        const { verdict, output } = box.fromBackend(packet);
        const answer = told({ source: vip, destination: reply.source }, packet, 1300);
        expect(toHex(output)).toBe(toHex(frameOf(answer, { to: MACS.inside, from: MACS.boxBackend })));
        expect(verdict).toBe(XDP_TX);
      });
      expect(counts).toEqual({ dropTooBig: 1, sentTooBig: 1 });
    });

    it("a packet of just the link's size goes on, and one of a byte more does not", () => {
      const { request } = openFlow(box, family, mode, protocol, { narrow: true });
      const headers = (family === "ipv6" ? 40 : 20) + (protocol === "tcp" ? 20 : 8);
      const sized = (bytes: number) => packetOf({ ...request, payload: PAYLOAD.slice(0, bytes - headers) });
      expect(countedBy(box, () => box.fromClient(sized(1300)))).toEqual({});
      expect(countedBy(box, () => box.fromClient(sized(1301)))).toEqual({ dropTooBig: 1, sentTooBig: 1 });
    });
  },
);

/** How much is quoted of a packet of this size. */
const QUOTED = { ipv4: [548, 68, 40, 28], ipv6: [1232, 80, 60, 48] } as const;
const quotation = (family: Family, packet: Uint8Array) =>
  packet.slice(0, QUOTED[family].find((bytes) => packet.length >= bytes) ?? 0);

/** RFC 1812 section 5.3.1, or RFC 4443 section 3.3. */
function timeExceeded({ source, destination }: Ends, packet: Uint8Array): Uint8Array {
  const family = familyOf({ source, destination });
  const quoted = quotation(family, packet);
  return family === "ipv6"
    ? icmpOf({ source, destination, type: 3, code: 0, quoted })
    : icmpOf({ source, destination, type: 11, code: 0, tos: 0xc0, quoted });
}

describe.each(FLOWS.filter(({ mode }) => mode !== "direct"))(
  "$family, $mode, $protocol",
  ({ family, mode, protocol }) => {
    const { vip } = ADDRESSES[family];

    it.each([0, 1, 11, 12, 13, 19, 20, 21, 28, 40, 519, 520, 521, 528, 1171, 1172, 1184, 1200])(
      "a client hears of a packet of %i bytes more than its headers whose time to live is over",
      (bytes) => {
        const { request } = openFlow(box, family, mode, protocol);
        const packet = packetOf({ ...request, payload: PAYLOAD.slice(0, bytes), ttl: 1 });
        const counts = countedBy(box, () => {
          const { verdict, output } = box.fromClient(packet);
          const answer = timeExceeded({ source: vip, destination: request.source }, packet);
          expect(toHex(output)).toBe(toHex(frameOf(answer, { to: MACS.client, from: MACS.boxClient })));
          expect(verdict).toBe(XDP_TX);
        });
        expect(counts).toEqual({ dropTtl: 1, sentTimeExceeded: 1 });
      },
    );

    it("a backend hears so in the VIP's name", () => {
      const { reply } = openFlow(box, family, mode, protocol);
      const packet = packetOf({ ...reply, payload: PAYLOAD.slice(0, 200), ttl: 1 });
      const { verdict, output } = box.fromBackend(packet);
      const answer = timeExceeded({ source: vip, destination: reply.source }, packet);
      expect(toHex(output)).toBe(toHex(frameOf(answer, { to: MACS.inside, from: MACS.boxBackend })));
      expect(verdict).toBe(XDP_TX);
    });

    it("nobody hears of a packet whose headers do not fit into what is quoted", () => {
      if (protocol === "tcp") return;
      const { request } = openFlow(box, family, mode, protocol);
      const more = family === "ipv4" ? { options: new Uint8Array(8).fill(1) } : { extensions: 1 };
      const packet = packetOf({ ...request, ...more, ttl: 1 });
      expect(countedBy(box, () => expect(box.fromClient(packet).verdict).toBe(XDP_DROP))).toEqual({ dropTtl: 1 });
    });
  },
);

describe("IPv4 that may be fragmented", () => {
  it.each(["nat", "one-arm"] as const)("goes to the kernel rewritten, to be fragmented there: %s", (mode) => {
    const { request, inner } = openFlow(box, "ipv4", mode, "udp", { narrow: true });
    const more = { payload: PAYLOAD, mayFragment: true };
    const counts = countedBy(box, () => {
      const { verdict, output } = box.fromClient(packetOf({ ...request, ...more }));
      expect(verdict).toBe(XDP_PASS);
      expect(toHex(output.slice(0, 4))).toBe(REWRITTEN);
      expect(toHex(output.slice(18))).toBe(toHex(packetOf({ ...inner, ...more })));
    });
    expect(counts).toEqual({ passTooBig: 1 });
  });

  it("is answered in direct all the same: the kernel would take it for its own", () => {
    const { request } = openFlow(box, "ipv4", "direct", "udp", { narrow: true });
    const packet = packetOf({ ...request, payload: PAYLOAD, mayFragment: true });
    expect(countedBy(box, () => expect(box.fromClient(packet).verdict).toBe(XDP_TX))).toEqual({
      dropTooBig: 1,
      sentTooBig: 1,
    });
  });
});

it("quotes less of a packet that is not that long", () => {
  const { vip, tiny } = ADDRESSES.ipv4;
  const { reply } = openFlow(box, "ipv4", "nat", "tcp", { client: tiny });
  const packet = packetOf({ ...reply, payload: PAYLOAD.slice(0, 300) });
  const { output } = box.fromBackend(packet);
  const answer = told({ source: vip, destination: reply.source }, packet, 300);
  expect(toHex(output)).toBe(toHex(frameOf(answer, { to: MACS.inside, from: MACS.boxBackend })));
});

it("goes back by a redirect on the end of a veth pair", () => {
  const { request } = openFlow(box, "ipv4", "nat", "udp");
  const packet = packetOf({ ...request, ttl: 1 });
  const veths = box.object.map("futago_veths");
  const ports = [...box.object.map("futago_ports").entries()].map(([key]) => key);
  for (const port of ports) veths.update(port, encodeNumber(1));
  expect(box.fromClient(packet).verdict).toBe(XDP_REDIRECT);
  for (const port of ports) veths.delete(port);
  expect(box.fromClient(packet).verdict).toBe(XDP_TX);
});

it("quotes IP options", () => {
  const { vip } = ADDRESSES.ipv4;
  const { request } = openFlow(box, "ipv4", "nat", "tcp", { narrow: true });
  const packet = packetOf({ ...request, payload: PAYLOAD, options: new Uint8Array(40).fill(1) });
  const answer = told({ source: vip, destination: request.source }, packet, 1300);
  const expected = toHex(frameOf(answer, { to: MACS.client, from: MACS.boxClient }));
  expect(toHex(box.fromClient(packet).output)).toBe(expected);
  expect(toHex(box.fromClient(concatBytes([packet, new Uint8Array(9)])).output)).toBe(expected);
});

describe.each(FAMILIES)("%s", (family) => {
  it("answers no more than a processor may in a second", () => {
    const { request } = openFlow(box, family, "nat", "udp", { narrow: true });
    const packet = packetOf({ ...request, payload: PAYLOAD });
    const counts = countedBy(box, () => {
      for (let i = 0; i < 4000; i++) box.fromClient(packet);
    });
    expect(counts.dropTooBig).toBe(4000);
    expect(counts.sentTooBig).toBeGreaterThanOrEqual(1000);
    expect(counts.sentTooBig).toBeLessThan(4000);
  });

  it.each(family === "ipv4" ? ["127.0.0.1", "224.0.0.5", "255.255.255.255", "0.0.0.0"] : ["ff02::1", "::"])(
    "answers nobody who claims to be %s",
    (source) => {
      const { vip } = ADDRESSES[family];
      const packet: Packet = { source, destination: vip, protocol: "udp", sourcePort: 9, destinationPort: 180 };
      const counts = countedBy(box, () => {
        expect(box.fromClient(packetOf({ ...packet, payload: PAYLOAD })).verdict).toBe(XDP_DROP);
      });
      expect(counts).not.toHaveProperty("sentTooBig");
    },
  );
});
