import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  BACKENDS,
  CLIENT,
  createTestBox,
  FAR_CLIENT,
  OWN,
  type TestBox,
  UNKNOWN_BACKEND,
  VIP,
  XDP_DROP,
} from "./box.ts";
import { readTcp, type TcpFields, tcpFrame } from "./packet.ts";
import { startAnew } from "./talk.ts";

const XDP_VERDICTS = [1, 2, 3, 4];

let box: TestBox;

beforeAll(async () => {
  box = await createTestBox();
});

afterAll(async () => {
  await box?.destroy();
});

beforeEach(() => startAnew(box));

const address = fc.constantFrom(...BACKENDS, UNKNOWN_BACKEND, CLIENT, FAR_CLIENT, VIP, OWN, "203.0.113.9");
const port = fc.oneof(fc.constantFrom(80, 81, 82, 83, 8080, 8081, 8083, 22, 0), fc.nat(65_535));

const fields: fc.Arbitrary<TcpFields> = fc.record({
  source: address,
  destination: address,
  sourcePort: port,
  destinationPort: port,
  flags: fc.nat(255),
  sequence: fc.nat(0xffffffff),
  acknowledgement: fc.nat(0xffffffff),
  payload: fc.uint8Array({ maxLength: 200 }),
  ttl: fc.nat(255),
  tos: fc.nat(255),
  id: fc.nat(0xffff),
  fragment: fc.oneof(fc.constant(0), fc.constant(0x4000), fc.nat(0xffff)),
  ipOptions: fc.nat(10).map((words) => new Uint8Array(words * 4).fill(1)),
  tcpOptions: fc.nat(10).map((words) => new Uint8Array(words * 4).fill(1)),
});

const sides = fc.constantFrom("fromClient" as const, "fromBackend" as const);

/**
 * Whether the frame, on its way to anybody but the box, carries what may be a reply of a backend in the backend's own
 * name. A connection that the backend itself opens is none, nor is what it asks of a service.
 */
function leaks(input: Uint8Array, output: Uint8Array): boolean {
  if (input.slice(30, 34).join(".") === VIP) return false;
  const word = (at: number) => ((output[at] ?? 0) << 8) | (output[at + 1] ?? 0);
  const isIpv4Tcp = word(12) === 0x0800 && output.length >= 34 && output[14]! >> 4 === 4 && output[23] === 6;
  const headerBytes = (output[14]! & 15) * 4;
  if (!isIpv4Tcp || headerBytes < 20 || (output[0]! & 1) === 1) return false;
  const source = output.slice(26, 30).join(".");
  const destination = output.slice(30, 34).join(".");
  const hosts: readonly string[] = [...BACKENDS, UNKNOWN_BACKEND];
  if (!hosts.includes(source) || [OWN, "10.1.0.2"].includes(destination)) return false;
  if ((word(20) & 0x1fff) !== 0) return true;
  const tcp = 14 + headerBytes;
  if (output.length < tcp + 20 || word(16) < headerBytes + 20) return true;
  const served = source === UNKNOWN_BACKEND ? [8083] : source === BACKENDS[0] ? [8080, 8081] : [8081];
  const opens = (output[tcp + 13]! & 0x12) === 0x02;
  return served.includes(word(tcp)) && !opens;
}

/** What the balancer wrote in front of a packet that it leaves to the kernel is no part of it. */
function withoutNote(output: Uint8Array, inputLength: number): Uint8Array {
  return output.slice(output.length - inputLength);
}

describe("whatever comes in", () => {
  it("keeps right checksums right, and never leaves in a backend's name", () => {
    fc.assert(
      fc.property(fields, sides, (tcp, side) => {
        const frame = tcpFrame(tcp);
        const { verdict, output } = box[side](frame);
        expect(XDP_VERDICTS).toContain(verdict);
        fc.pre(verdict !== XDP_DROP);
        const packet = withoutNote(output, frame.length);
        expect(leaks(frame, packet)).toBe(false);
        const later = ((tcp.fragment ?? 0) & 0x1fff) !== 0 || ((tcp.fragment ?? 0) & 0x2000) !== 0;
        const read = readTcp(packet);
        expect([read.ipChecksumRight, later || read.tcpChecksumRight]).toEqual([true, true]);
      }),
      { numRuns: 3000 },
    );
  });

  it("of broken bytes does no harm and does not leave in a backend's name", () => {
    const breakage = fc.array(fc.tuple(fc.nat(70), fc.nat(255)), { maxLength: 6 });
    fc.assert(
      fc.property(fields, sides, breakage, fc.nat(200), (tcp, side, flips, cut) => {
        const whole = tcpFrame(tcp);
        for (const [at, value] of flips) if (at < whole.length) whole[at] = value;
        const frame = whole.slice(0, Math.max(14, whole.length - cut));
        const { verdict, output } = box[side](frame);
        expect(XDP_VERDICTS).toContain(verdict);
        expect(verdict !== XDP_DROP && leaks(frame, withoutNote(output, frame.length))).toBe(false);
      }),
      { numRuns: 3000 },
    );
  });

  it("from nowhere does no harm", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 14, maxLength: 300 }), sides, (frame, side) => {
        expect(XDP_VERDICTS).toContain(box[side](frame).verdict);
      }),
      { numRuns: 1000 },
    );
  });

  it("does not fill the tables beyond their size", () => {
    const flows = [...box.tables.establishedFlows()].length + [...box.tables.halfOpenFlows()].length;
    expect(flows).toBeLessThanOrEqual(1024 + 256);
  });
});
