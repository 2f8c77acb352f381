import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { concatBytes, toHex } from "@futago/hal/units/bytes.ts";
import { encodeAddress } from "@futago/hal/xdp/layout.ts";
import { XDP_DROP, XDP_REDIRECT, XDP_TX } from "./box.ts";
import {
  address,
  allServices,
  countedBy,
  createOddBox,
  FAMILIES,
  MACS,
  MODES,
  type OddBox,
  openFlow,
  startOver,
  turned,
} from "./odd-box.ts";
import { frameOf, ipPacket, type Packet, packetOf, pseudoHeader } from "./odd-packet.ts";
import { ACK, FIN, internetChecksum, PSH, RST, SYN, u16, u32 } from "./packet.ts";

let box: OddBox;

beforeAll(async () => {
  box = await createOddBox();
});

afterAll(async () => {
  await box?.destroy();
});

beforeEach(() => startOver(box));

interface Numbers {
  readonly flags: number;
  readonly sequence: number;
  readonly acknowledgement: number;
}

/** A reset as a host without the connection sends it: no window, no options. */
function reset(ends: Packet, { flags, sequence, acknowledgement }: Numbers): Uint8Array {
  const numbers = [u32(sequence), u32(acknowledgement), Uint8Array.of(5 << 4, flags), u16(0, 0, 0)];
  const segment = concatBytes([u16(ends.sourcePort, ends.destinationPort), ...numbers]);
  segment.set(u16(internetChecksum(concatBytes([pseudoHeader(ends, 6, segment.length), segment]))), 16);
  const { source, destination } = ends;
  return ipPacket({ source, destination, protocol: 6 }, segment);
}

const padded = (frame: Uint8Array) => concatBytes([frame, new Uint8Array(Math.max(0, 60 - frame.length))]);

/** What a client sends, and the numbers of the answer. RFC 9293 section 3.10.7.1 */
const SEGMENTS: readonly (readonly [string, Partial<Packet>, Numbers])[] = [
  ["data", { flags: ACK | PSH, payload: new Uint8Array(100) }, { flags: RST, sequence: 9001, acknowledgement: 0 }],
  ["a bare acknowledgement", { flags: ACK }, { flags: RST, sequence: 9001, acknowledgement: 0 }],
  ["a FIN", { flags: FIN | ACK }, { flags: RST, sequence: 9001, acknowledgement: 0 }],
  [
    "data without an acknowledgement",
    { flags: PSH, payload: new Uint8Array(7), acknowledgement: 0 },
    { flags: RST | ACK, sequence: 0, acknowledgement: 5007 },
  ],
  [
    "a FIN without an acknowledgement",
    { flags: FIN, payload: new Uint8Array(7), acknowledgement: 0 },
    { flags: RST | ACK, sequence: 0, acknowledgement: 5008 },
  ],
  [
    "data up to the end of the sequence space",
    { flags: PSH, sequence: 0xfffffffe, payload: new Uint8Array(10), acknowledgement: 0 },
    { flags: RST | ACK, sequence: 0, acknowledgement: 8 },
  ],
];

const CASES = FAMILIES.flatMap((family) => MODES.map((mode) => ({ family, mode })));

describe.each(CASES)("the backend of a flow dies: $family, $mode", ({ family, mode }) => {
  it.each(SEGMENTS)("%s is answered with a reset from the VIP", (_, fields, numbers) => {
    const { request } = openFlow(box, family, mode, "tcp");
    box.serve(allServices([mode]));
    const packet: Packet = { ...request, sequence: 5000, acknowledgement: 9001, ...fields };
    const counts = countedBy(box, () => {
      const { verdict, output } = box.fromClient(packetOf(packet));
      const expected = frameOf(reset(turned(request), numbers), { to: MACS.client, from: MACS.boxClient });
      // The question was as long as a frame must be if the answer is.
      expect(toHex(output)).toBe(toHex(packetOf(packet).length + 14 >= 60 ? padded(expected) : expected));
      expect(verdict).toBe(XDP_TX);
    });
    expect(counts).toEqual({ dropDeadBackend: 1, sentReset: 1 });
  });

  it("a reset is not answered", () => {
    const { request } = openFlow(box, family, mode, "tcp");
    box.serve(allServices([mode]));
    for (const flags of [RST, RST | ACK]) {
      const counts = countedBy(box, () => {
        expect(box.fromClient(packetOf({ ...request, flags })).verdict).toBe(XDP_DROP);
      });
      expect(counts).toEqual({ dropDeadBackend: 1 });
    }
  });

  it("the flow is marked for collection", () => {
    const { request } = openFlow(box, family, mode, "tcp");
    box.serve(allServices([mode]));
    box.fromClient(packetOf(request));
    const [, value] = [...box.object.map("established").entries()][0] ?? [];
    expect((value?.[28] ?? 0) & 8).toBe(8);
  });

  it("a packet with options is answered without", () => {
    const { request } = openFlow(box, family, mode, "tcp");
    box.serve(allServices([mode]));
    const more = { acknowledgement: 77, options: new Uint8Array(20).fill(1), extensions: 3 };
    const { output } = box.fromClient(packetOf({ ...request, ...more }));
    const expected = reset(turned(request), { flags: RST, sequence: 77, acknowledgement: 0 });
    expect(toHex(output)).toBe(toHex(padded(frameOf(expected, { to: MACS.client, from: MACS.boxClient }))));
  });

  it("UDP is dropped", () => {
    const { request } = openFlow(box, family, mode, "udp");
    box.serve(allServices([mode]));
    const counts = countedBy(box, () => expect(box.fromClient(packetOf(request)).verdict).toBe(XDP_DROP));
    expect(counts).not.toHaveProperty("sentReset");
  });

  it("a new connection is not answered", () => {
    const { request } = openFlow(box, family, mode, "tcp");
    box.serve(allServices([mode]));
    const counts = countedBy(box, () => {
      expect(box.fromClient(packetOf({ ...request, sourcePort: 40_001, flags: SYN })).verdict).toBe(XDP_DROP);
    });
    expect(counts).toEqual({ dropNoBackend: 1 });
  });

  it("flows of living backends go on", () => {
    const others = MODES.filter((other) => other !== mode).map((other) => openFlow(box, family, other, "tcp"));
    box.serve(allServices([mode]));
    for (const { request } of others) expect(box.fromClient(packetOf(request)).verdict).toBe(XDP_REDIRECT);
  });
});

it.each(FAMILIES)("nobody is answered who is no single host: %s", (family) => {
  const { request } = openFlow(box, family, "nat", "tcp");
  const everybody = family === "ipv4" ? "239.1.1.1" : "ff05::9";
  const map = box.object.map("established");
  for (const [key, value] of map.entries()) {
    key.set(encodeAddress(address(everybody)));
    map.update(key, value);
  }
  box.serve(allServices(["nat"]));
  const packet = packetOf({ ...request, source: everybody });
  const counts = countedBy(box, () => expect(box.fromClient(packet).verdict).toBe(XDP_DROP));
  expect(counts).toEqual({ dropDeadBackend: 1 });
});
