import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addon } from "../addon/load.ts";
import { fromHex, toHex } from "../units/bytes.ts";
import { BEAT_OUTCOMES } from "./protocol.ts";

const { beatEncode, beatDecode } = addon as {
  readonly beatEncode: (beat: Uint8Array, key: Uint8Array) => Uint8Array;
  readonly beatDecode: (datagram: Uint8Array, key: Uint8Array) => Uint8Array | number;
};

const KEY = Uint8Array.from({ length: 32 }, (_, i) => i);

/** One beat of box b with one group, written by hand from the diagram in core/beat.h. */
const BODY = [
  "4654 01 01", // "FT", version 1, beat
  "006c 01 01", // 108 bytes, one group, box b
  "11223344", // path id
  "000124f8", // dead 75,000 us
  "0000afc8", // lease 45,000 us
  "000249f0", // wanted 150,000 us
  "0102030405060708", // nonce
  "a1a2a3a4a5a6a7a8", // peer nonce
  "0000000000000009", // sequence 9
  "0000000000000007", // newest heard 7
  "0000000000000000", // answers nothing
  "deadbeef00c0ffee", // configuration id
  "0000000000000005", // flow position
  "cafe0001 02 fa c8 01 00001388", // group: active, health 250, preference 200, asks, for 5,000 ms
]
  .join("")
  .replaceAll(" ", "");

function signed(hex: string, key: Uint8Array = KEY): Uint8Array {
  const body = fromHex(hex)!;
  const mac = createHmac("sha256", key).update(body).digest().subarray(0, 16);
  return Uint8Array.from([...body, ...mac]);
}

function outcome(datagram: Uint8Array, key: Uint8Array = KEY): string {
  const result = beatDecode(datagram, key);
  return typeof result === "number" ? BEAT_OUTCOMES[result]! : "accepted";
}

function patched(at: number, ...bytes: number[]): Uint8Array {
  const body = fromHex(BODY)!;
  body.set(bytes, at);
  return signed(toHex(body));
}

describe("the heartbeat's codec", () => {
  it("reads the beat written by hand", () => {
    const beat = beatDecode(signed(BODY), KEY) as Uint8Array;
    const view = new DataView(beat.buffer);
    expect([beat[0], beat[1], beat[2]]).toEqual([1, 1, 1]);
    expect(view.getUint32(4, true)).toBe(0x11223344);
    expect([8, 12, 16].map((at) => view.getUint32(at, true))).toEqual([75_000, 45_000, 150_000]);
    expect([24, 32, 40, 48, 56, 64, 72].map((at) => view.getBigUint64(at, true))).toEqual([
      0x0102030405060708n,
      0xa1a2a3a4a5a6a7a8n,
      9n,
      7n,
      0n,
      0xdeadbeef00c0ffeen,
      5n,
    ]);
    expect(view.getUint32(80, true)).toBe(0xcafe0001);
    expect([...beat.subarray(84, 88)]).toEqual([2, 250, 200, 1]);
    expect(view.getUint32(88, true)).toBe(5_000);
  });

  it("writes what it read", () => {
    const beat = beatDecode(signed(BODY), KEY) as Uint8Array;
    expect(toHex(beatEncode(beat, KEY))).toBe(toHex(signed(BODY)));
  });

  it.each([
    ["too-short", signed(BODY).subarray(0, 95)],
    ["bad-magic", patched(0, 0x47)],
    ["bad-version", patched(2, 2)],
    ["bad-type", patched(3, 0)],
    ["bad-type", patched(3, 4)],
    ["bad-length", patched(4, 0x00, 0x6d)],
    ["bad-length", Uint8Array.from([...signed(BODY), 0])],
    ["bad-group-count", patched(6, 2)],
    ["bad-group-count", patched(6, 17)],
    ["bad-mac", signed(BODY, new Uint8Array(32))],
    ["bad-group-state", patched(84, 7)],
    ["bad-timing", patched(12, 0, 0, 0, 1)],
    ["bad-timing", patched(20, 0xff, 0xff, 0xff, 0xff)],
    ["bad-timing", patched(24, 0, 0, 0, 0, 0, 0, 0, 0)],
  ])("refuses as %s", (reason, datagram) => {
    expect(outcome(datagram)).toBe(reason);
  });

  it("refuses a beat of which any one bit was changed", () => {
    const datagram = signed(BODY);
    for (let bit = 0; bit < datagram.length * 8; bit++) {
      const forged = datagram.slice();
      forged[bit >> 3]! ^= 1 << (bit & 7);
      expect(outcome(forged)).not.toBe("accepted");
    }
  });

  it("throws on no bytes at all", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (bytes, sign) => {
        outcome(sign ? signed(toHex(bytes)) : bytes);
      }),
      { numRuns: 5_000 },
    );
  });
});
