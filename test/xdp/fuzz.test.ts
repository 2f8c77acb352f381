import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { TestRun } from "@futago/hal/contract/bpf.ts";
import type { BalancedService } from "@futago/firmware/balancer/service.ts";
import {
  addressOf,
  backend,
  BACKENDS,
  BACKENDS6,
  CLIENT,
  CLIENT6,
  createTestBox,
  FAR_CLIENT,
  FAR_CLIENT6,
  FLOWS,
  GROUP,
  OWN,
  OWN6,
  service,
  type TestBox,
  UNKNOWN_BACKEND,
  UNKNOWN_BACKEND6,
  VIP,
  VIP6,
  XDP_DROP,
  XDP_PASS,
} from "./box.ts";
import { isIpv6, readTransport, type TransportFields, transportFrame } from "./transport.ts";

const XDP_VERDICTS = [1, 2, 3, 4];
const SYN_ACK = 0x12;
const SYN = 0x02;
const NOTE_BYTES = 4;

let box: TestBox;

beforeAll(async () => {
  box = await createTestBox();
});

afterAll(async () => {
  await box?.destroy();
});

/** Port 80 is `nat`, 81 `one-arm`, 82 `direct`, 83 `nat` with no neighbour, in both families and protocols. */
function services(): readonly BalancedService[] {
  const families = [
    { vip: VIP, backends: BACKENDS, unknown: UNKNOWN_BACKEND },
    { vip: VIP6, backends: BACKENDS6, unknown: UNKNOWN_BACKEND6 },
  ];
  return families.flatMap(({ vip, backends, unknown }) =>
    (["tcp", "udp"] as const).flatMap((protocol) => {
      const more = { address: addressOf(vip), protocol };
      const at = (port: number) => backends.map((address) => backend(address, port));
      return [
        service(80, at(8080), more),
        service(81, at(8081), { ...more, mode: "one-arm" }),
        service(82, at(82), { ...more, mode: "direct" }),
        service(83, [backend(unknown, 8083)], more),
      ];
    }),
  );
}

beforeEach(() => {
  box.groups.set(GROUP, 3);
  box.forget();
  box.serve(services());
});

const port = fc.oneof(fc.constantFrom(80, 81, 82, 83, 8080, 8081, 8083, 22, 1, 0), fc.nat(65_535));
const ADDRESSES = {
  IPv4: [...BACKENDS, UNKNOWN_BACKEND, CLIENT, FAR_CLIENT, VIP, OWN, "203.0.113.9"],
  IPv6: [...BACKENDS6, UNKNOWN_BACKEND6, CLIENT6, FAR_CLIENT6, VIP6, OWN6, "2001:db8:dead::9"],
};
/** IPv6 extension headers that may be stepped over, and some that may not. */
const extension = fc
  .tuple(fc.constantFrom(0, 60, 43, 44, 51, 135), fc.nat(2), fc.nat(255))
  .map(([kind, words, byte]) => ({
    kind,
    content: Uint8Array.of(words, byte, byte & 1, ...new Uint8Array(4 + 8 * words)),
  }));

const fieldsOf = (addresses: readonly string[]): fc.Arbitrary<TransportFields> =>
  fc.record({
    protocol: fc.constantFrom("tcp" as const, "udp" as const),
    source: fc.constantFrom(...addresses),
    destination: fc.constantFrom(...addresses),
    sourcePort: port,
    destinationPort: port,
    flags: fc.nat(255),
    sequence: fc.nat(0xffffffff),
    acknowledgement: fc.nat(0xffffffff),
    payload: fc.uint8Array({ maxLength: 200 }),
    ttl: fc.nat(255),
    tos: fc.nat(255),
    ipOptions: fc.nat(10).map((words) => new Uint8Array(words * 4).fill(1)),
    extensions: fc.array(extension, { maxLength: 3 }),
    isUnchecked: fc.boolean(),
  });
const fields = fc.oneof(fieldsOf(ADDRESSES.IPv4), fieldsOf(ADDRESSES.IPv6));
const sides = fc.constantFrom("fromClient" as const, "fromBackend" as const);

const NAT_BACKENDS: readonly string[] = [...BACKENDS, ...BACKENDS6].map((address) => `${address} 8080`);
const UNRESOLVED: readonly string[] = [UNKNOWN_BACKEND, UNKNOWN_BACKEND6].map((address) => `${address} 8083`);
const NOT_CLIENTS: readonly string[] = [VIP, VIP6, OWN, OWN6];

/**
 * Whether what is left of a packet carries, on its way to anybody but the box, a reply of a `nat` backend in the
 * backend's own name. A connection that the backend itself opens is none.
 */
function leaks(output: Uint8Array): boolean {
  const word = (at: number) => ((output[at] ?? 0) << 8) | (output[at + 1] ?? 0);
  const isIp = (word(12) === 0x0800 && output[14] === 0x45) || (word(12) === 0x86dd && (output[14] ?? 0) >> 4 === 6);
  if (!isIp || output.length < 54 || (output[0]! & 1) === 1) return false;
  const read = readTransport(output);
  if (read.protocol !== 6 && read.protocol !== 17) return false;
  if (word(12) === 0x0800 && (word(20) & 0x3fff) !== 0) return false;
  const isNat = [...NAT_BACKENDS, ...UNRESOLVED].includes(`${read.source} ${read.sourcePort}`);
  const opens = read.protocol === 6 && (read.flags & SYN_ACK) === SYN;
  return isNat && !opens && !NOT_CLIENTS.includes(read.destination);
}

/**
 * What the balancer wrote in front of a packet that it leaves to the kernel (META_REWRITTEN) is no part of it. Its own
 * answers, which may be longer than the packet as well, are looked at whole.
 */
function withoutNote({ verdict, output }: TestRun, inputLength: number): Uint8Array {
  return verdict === XDP_PASS && output.length === inputLength + NOTE_BYTES ? output.slice(NOTE_BYTES) : output;
}

/** A backend's packet whose time to live is over: the answer to it quotes it, and is longer. */
const EXPIRED: TransportFields = {
  protocol: "tcp",
  source: UNKNOWN_BACKEND6,
  destination: BACKENDS6[0],
  sourcePort: 8083,
  destinationPort: 0,
  payload: new Uint8Array(3),
  ttl: 0,
};

describe("whatever comes in", () => {
  it("keeps right checksums right, and never leaves in a backend's name", () => {
    fc.assert(
      fc.property(fields, sides, (packet, side) => {
        const isPlain = (packet.extensions ?? []).every(({ kind }) => kind === 0 || kind === 60);
        fc.pre(!isIpv6(packet.source) || isPlain);
        const frame = transportFrame(packet);
        const run = box[side](frame);
        expect(XDP_VERDICTS).toContain(run.verdict);
        fc.pre(run.verdict !== XDP_DROP);
        const left = withoutNote(run, frame.length);
        const fromVip = NOT_CLIENTS.includes(packet.destination);
        expect(!fromVip && leaks(left)).toBe(false);
        const read = readTransport(left);
        // What is answered with is no packet of either protocol's own ends.
        if (read.protocol !== 6 && read.protocol !== 17) return;
        expect(read.ipChecksumRight).toBe(true);
        expect(read.checksum === "none" ? packet.isUnchecked : read.checksum === "right").toBe(true);
      }),
      { numRuns: 4000, examples: [[EXPIRED, "fromClient"]] },
    );
  });

  it("of broken bytes does no harm and does not leave in a backend's name", () => {
    const breakage = fc.array(fc.tuple(fc.nat(110), fc.nat(255)), { maxLength: 6 });
    fc.assert(
      fc.property(fields, sides, breakage, fc.nat(200), (packet, side, flips, cut) => {
        const whole = transportFrame(packet);
        for (const [at, value] of flips) if (at < whole.length) whole[at] = value;
        const frame = whole.slice(0, Math.max(14, whole.length - cut));
        const run = box[side](frame);
        expect(XDP_VERDICTS).toContain(run.verdict);
        const came = frame.length >= 54 ? readTransport(frame) : undefined;
        if (run.verdict === XDP_DROP || came === undefined || NOT_CLIENTS.includes(came.destination)) return;
        expect(leaks(withoutNote(run, frame.length))).toBe(false);
      }),
      { numRuns: 4000 },
    );
  });

  it("of random header bytes behind the Ethernet header does no harm", () => {
    const ethertype = fc.constantFrom([0x08, 0x00, 0x45], [0x08, 0x00, 0x4f], [0x86, 0xdd, 0x60], [0x08, 0x06, 0]);
    const start = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    fc.assert(
      fc.property(ethertype, fc.uint8Array({ maxLength: 300 }), sides, (kind, rest, side) => {
        expect(XDP_VERDICTS).toContain(box[side](Uint8Array.of(...start, ...kind, ...rest)).verdict);
      }),
      { numRuns: 2000 },
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
    const { established, half_open: halfOpen, udp_flows: udp, half_returns: halfReturns } = FLOWS;
    for (let i = 0; i < 1500; i++) {
      const ends = { source: `198.18.${i >> 8}.${i & 0xff}`, destination: VIP, sourcePort: 1000 + i, flags: SYN };
      box.fromClient(transportFrame({ ...ends, protocol: "tcp", destinationPort: 81 }));
      box.fromClient(transportFrame({ ...ends, protocol: "udp", destinationPort: 81 }));
    }
    expect([...box.tables.establishedFlows()].length).toBeLessThanOrEqual(established);
    expect([...box.tables.halfOpenFlows()].length).toBeLessThanOrEqual(halfOpen);
    expect([...box.tables.udpFlows()].length).toBeLessThanOrEqual(udp);
    expect([...box.tables.halfReturns()].length).toBeLessThanOrEqual(halfReturns);
  });
});
