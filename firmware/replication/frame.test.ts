import { RECORD_BYTES } from "@futago/hal/units/flow-record.ts";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Directory } from "./directory.ts";
import { viewOf } from "@futago/hal/units/flow-record.ts";
import { decodeFrame, encodeFrame, type FlowFrame, FRAME_BYTES_MAX, FrameReader } from "./frame.ts";

const u64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const position = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const list = (itemBytes: number, min: number) =>
  fc
    .integer({ min, max: 20 })
    .chain((count) => fc.uint8Array({ minLength: count * itemBytes, maxLength: count * itemBytes }));
const frames: fc.Arbitrary<FlowFrame> = fc.oneof(
  fc.record({
    kind: fc.constant("hello" as const),
    version: u32,
    stream: u64.filter((stream) => stream !== 0n),
    has: fc.record({ stream: u64, position }),
  }),
  fc.record({ kind: fc.constant("flows" as const), position, records: list(64, 1) }),
  fc.record({ kind: fc.constant("ends" as const), position, keys: list(40, 1) }),
  fc.record({ kind: fc.constant("begin" as const), position, sync: u32, vips: list(16, 0) }),
  fc.record({ kind: fc.constant("end" as const), position, sync: u32 }),
  fc.record({ kind: fc.constant("acknowledge" as const), position }),
  fc.record({ kind: fc.constant("tally" as const), services: list(24, 0) }),
  fc.constant({ kind: "again" } as const),
);

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const joined = (parts: readonly Uint8Array[]) => Uint8Array.from(Buffer.concat(parts));

describe("a frame", () => {
  // Written out by hand from docs/wire/flows.md.
  it.each<readonly [FlowFrame, string]>([
    [
      { kind: "hello", version: 1, stream: 0x0102030405060708n, has: { stream: 0x11n, position: 258 } },
      "000000200100000000000000000001020000000101020304050607080000000000000011",
    ],
    [{ kind: "end", position: 5, sync: 0xdeadbeef }, "00000010050000000000000000000005deadbeef"],
    [{ kind: "acknowledge", position: 1 }, "0000000c060000000000000000000001"],
    [
      { kind: "begin", position: 2, sync: 7, vips: new Uint8Array(16).fill(0xaa) },
      `0000002004000000000000000000000200000007${"aa".repeat(16)}`,
    ],
  ])("has the bytes of the diagram: %o", (frame, bytes) => {
    expect(hex(encodeFrame(frame))).toBe(bytes);
  });

  it("is read back as it was written, however the stream is cut", () => {
    fc.assert(
      fc.property(fc.array(frames, { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 300 })), (sent, cuts) => {
        const reader = new FrameReader();
        let rest = joined(sent.map(encodeFrame));
        const got: FlowFrame[] = [];
        const take = (chunk: Uint8Array) => {
          for (const one of reader.push(chunk)) if (one.ok) got.push(one.value);
        };
        for (const cut of cuts) {
          take(rest.slice(0, cut));
          rest = rest.slice(cut);
        }
        take(rest);
        expect(got).toEqual(sent);
      }),
      { numRuns: 500 },
    );
  });

  it("never makes the decoder throw, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated()), (bytes) => {
        expect(typeof decodeFrame(bytes).ok).toBe("boolean");
        const reader = new FrameReader();
        for (const one of reader.push(bytes)) expect(typeof one.ok).toBe("boolean");
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([
    ["badLength", "00"],
    ["badKind", "00".repeat(12)],
    ["badKind", `09${"00".repeat(11)}`],
    ["badPosition", `0600000000200000${"00".repeat(4)}`],
    ["badBody", `0600000000000000${"00".repeat(5)}`],
    ["badBody", `02${"00".repeat(11)}`],
    ["badBody", `02${"00".repeat(11 + 63)}`],
    ["badBody", `02${"00".repeat(11 + 64 * 1_001)}`],
    ["badBody", `03${"00".repeat(11 + 41)}`],
    ["badBody", `04${"00".repeat(11 + 5)}`],
    ["badBody", `05${"00".repeat(11 + 3)}`],
    ["badBody", `07${"00".repeat(11 + 23)}`],
    ["badBody", `01${"00".repeat(11 + 20)}`],
    ["badBody", `01${"00".repeat(11 + 21)}`],
  ])("is refused as %s", (reason, bytes) => {
    expect(decodeFrame(Buffer.from(bytes, "hex"))).toEqual({ ok: false, reason });
  });

  it("that announces more than is allowed is refused before it is there", () => {
    const reader = new FrameReader();
    const length = Buffer.alloc(4);
    length.writeUInt32BE(FRAME_BYTES_MAX + 1);
    expect(reader.push(length)).toEqual([{ ok: false, reason: "badLength" }]);
    expect(reader.push(encodeFrame({ kind: "acknowledge", position: 1 }))).toEqual([]);
  });
});

/** Valid frames with some bytes replaced. */
function mutated(): fc.Arbitrary<Uint8Array> {
  return fc.tuple(frames, fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 4 })).map(([frame, changes]) => {
    const bytes = encodeFrame(frame).slice();
    for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
    return bytes;
  });
}

describe("a directory", () => {
  const address = (last: number) => Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 1, 0, last);
  const directory = new Directory([
    {
      address: address(1),
      port: 80,
      protocol: "tcp",
      index: 3,
      mode: "nat",
      backends: [{ address: address(9), port: 8080, number: 385 }],
    },
  ]);
  const good = Uint8Array.from([
    ...address(200),
    ...address(1),
    ...Buffer.from("9c41005006000000", "hex"),
    ...address(9),
    ...Buffer.from("1f90000004000009", "hex"),
  ]);

  it("names a flow by this box's numbers", () => {
    expect(good).toHaveLength(RECORD_BYTES);
    expect(directory.judge(viewOf(good), 0)).toEqual({ service: 3, backend: 385 });
  });

  it("takes nothing else for it: one changed byte is refused, or is of another client, or of its state", () => {
    fc.assert(
      fc.property(fc.nat(RECORD_BYTES - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = good.slice();
        bytes[at] = (bytes[at] ?? 0) ^ change;
        const judged = directory.judge(viewOf(bytes), 0);
        // A port of the VIP may stand for a client of nat, too, who lives beside the backend.
        const mayChange = (at >= 12 && at < 16) || at === 32 || at === 33 || at === 58 || at >= 60;
        const isTaken = JSON.stringify(judged) === JSON.stringify({ service: 3, backend: 385 });
        expect(isTaken ? mayChange : typeof judged === "string").toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it("never throws, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: RECORD_BYTES, maxLength: RECORD_BYTES }), (bytes) => {
        expect(["string", "object"]).toContain(typeof directory.judge(viewOf(bytes), 0));
      }),
    );
  });
});
