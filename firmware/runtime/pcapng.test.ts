import { fromHex, toHex } from "@futago/hal/units/bytes.ts";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PcapngWriter } from "./pcapng.ts";

/** Worked out by hand from draft-ietf-opsawg-pcapng §4. */
const hex = (...words: readonly string[]) => words.join("");

describe("pcapng", () => {
  it("begins with a section header", () => {
    expect(toHex(new PcapngWriter(96).header(""))).toBe(
      hex(
        "0a0d0d0a", // section header
        "34000000", // 52 bytes
        "4d3c2b1a", // little-endian
        "01000000", // version 1.0
        "ffffffffffffffff", // length of the section: unknown
        "04000e00",
        "66757461676f20636170747572650000", // "futago capture"
        "00000000", // end of options
        "34000000",
      ),
    );
  });

  it("describes a device before its first packet, once", () => {
    const writer = new PcapngWriter(96);
    const packet = {
      atNanos: 0x0000_0001_8000_0002n,
      device: "eth0",
      direction: "out",
      length: 60,
      bytes: Uint8Array.of(1, 2, 3, 4, 5),
      comment: "sent",
    } as const;
    const description = hex(
      "01000000", // interface description
      "28000000", // 40 bytes
      "01000000", // Ethernet
      "60000000", // 96 bytes of a frame
      "0200040065746830", // if_name "eth0"
      "0900010009000000", // if_tsresol 10^-9
      "00000000",
      "28000000",
    );
    const enhanced = hex(
      "06000000", // enhanced packet
      "3c000000", // 60 bytes
      "00000000", // of the first device
      "01000000", // upper half of the time
      "02000080", // lower half
      "05000000", // captured
      "3c000000", // of 60 bytes
      "0102030405000000",
      "0100040073656e74", // comment "sent"
      "0200040002000000", // outbound
      "00000000",
      "3c000000",
    );
    expect(toHex(writer.packet(packet))).toBe(description + enhanced);
    expect(toHex(writer.packet(packet))).toBe(enhanced);
    const other = toHex(writer.packet({ ...packet, device: "eth1" }));
    expect(other.slice(0, 8)).toBe("01000000");
    expect(other.slice(description.length + 16, description.length + 24)).toBe("01000000");
  });

  it("makes blocks of whole words, their length at both ends, whatever is in them", () => {
    const packet = fc.record({
      atNanos: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      device: fc.string({ maxLength: 15 }),
      direction: fc.constantFrom("in" as const, "out" as const),
      length: fc.nat(0xffff),
      bytes: fc.uint8Array({ maxLength: 256 }),
      comment: fc.string({ maxLength: 200 }),
    });
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 8 }), fc.string(), (packets, hostname) => {
        const writer = new PcapngWriter(256);
        const file = [writer.header(hostname), ...packets.map((one) => writer.packet(one))].map(toHex).join("");
        expect(types(fromHex(file)!).filter((type) => type === 6)).toHaveLength(packets.length);
      }),
    );
  });
});

/** The types of the blocks of a file that is made of blocks from end to end. */
function types(file: Uint8Array): readonly number[] {
  const words = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const found: number[] = [];
  for (let at = 0; at < file.length; ) {
    const length = words.getUint32(at + 4, true);
    expect(length % 4).toBe(0);
    expect(length).toBeGreaterThanOrEqual(12);
    expect(words.getUint32(at + length - 4, true)).toBe(length);
    found.push(words.getUint32(at, true));
    at += length;
  }
  return found;
}
