import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Ifindex } from "../../units/address.ts";
import { fromHex, toHex } from "../../units/bytes.ts";
import { decodeFamilyNumber, decodeLinkSpeed, encodeFamilyName, encodeLinkModesFilter } from "./ethtool.ts";
import { decodeStatistics, encodeStatisticsFilter } from "./statistics.ts";

const hex = (...parts: readonly string[]) => fromHex(parts.join("").replaceAll(" ", ""))!;
const ETH0 = 2 as Ifindex;

describe("what links carried", () => {
  const u64 = (value: string) => `${value}${"00".repeat(8 - value.length / 2)}`;
  /** rx and tx packets, bytes, errors, dropped; multicast, collisions, three of rx, then what was missed. */
  const counters = [
    "01",
    "02",
    "0000000001",
    "04",
    "05",
    "06",
    "07",
    "08",
    "ff",
    "ff",
    "ff",
    "ff",
    "ff",
    "ff",
    "ff",
    "09",
  ];
  const told = hex("00 00 0000 02000000 00000000", "8400 0100", ...counters.map(u64));

  test("is asked for by the mask of one bit, and read by its place", () => {
    expect(toHex(encodeStatisticsFilter())).toBe("000000000000000001000000");
    expect(decodeStatistics(told)).toEqual({
      ifindex: ETH0,
      receivedPackets: 1,
      sentPackets: 2,
      receivedBytes: 2 ** 32,
      sentBytes: 4,
      troubles: 5 + 6 + 7 + 8 + 9,
    });
  });

  test("is nothing in an answer that is shorter, or in any other bytes", () => {
    expect(decodeStatistics(told.subarray(0, 100))).toBeUndefined();
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decodeStatistics(bytes)));
  });
});

describe("how fast links are", () => {
  const modes = (speed: string) => hex("04 01 0000", "0c00 0180 0800 0100 02000000", "0800 0500", speed);

  test("is asked of a family whose number is asked for first", () => {
    expect(toHex(encodeFamilyName("ethtool"))).toBe("030100000c000200657468746f6f6c00");
    expect(decodeFamilyNumber(hex("01 02 0000", "0600 0100 1500 0000"))).toBe(21);
    expect(decodeFamilyNumber(hex("01 02 0000"))).toBeUndefined();
    expect(toHex(encodeLinkModesFilter())).toBe("040100000c0001800800030001000000");
  });

  test("is told in megabits a second, and not known where the driver says so", () => {
    expect(decodeLinkSpeed(modes("e8030000"))).toEqual({ ifindex: ETH0, megabits: 1_000 });
    expect(decodeLinkSpeed(modes("ffffffff"))).toBeUndefined();
    expect(decodeLinkSpeed(modes("00000000"))).toBeUndefined();
    expect(decodeLinkSpeed(hex("04 01 0000", "0800 0500 e8030000"))).toBeUndefined();
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void decodeLinkSpeed(bytes)));
  });
});
