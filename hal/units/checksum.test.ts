import { describe, expect, test } from "vitest";
import { parseIpAddress } from "./address.ts";
import { fromHex, toHex } from "./bytes.ts";
import { internetChecksum, pseudoHeader } from "./checksum.ts";

const hex = (text: string) => fromHex(text.replaceAll(" ", ""))!;
const ip = (text: string) => parseIpAddress(text)!;

describe("internet checksum", () => {
  test("the example of RFC 1071 §3 sums to DDF2, so its checksum is 220D", () => {
    expect(internetChecksum([hex("0001 f203 f4f5 f6f7")])).toBe(0x220d);
  });
  test("an odd last byte is the high byte of a word", () => {
    // 0x0102 + 0x0300 = 0x0402, complement 0xfbfd.
    expect(internetChecksum([hex("010203")])).toBe(0xfbfd);
  });
  test("parts of odd length are summed as one byte string", () => {
    expect(internetChecksum([hex("01"), hex("0203")])).toBe(0xfbfd);
  });
  test("data with its own checksum sums to zero", () => {
    expect(internetChecksum([hex("0001 f203 f4f5 f6f7 220d")])).toBe(0);
  });
  test("the IPv4 pseudo-header is addresses, zero, protocol, length", () => {
    expect(toHex(pseudoHeader(ip("192.0.2.251"), ip("224.0.0.18"), 112, 16))).toBe("c00002fbe000001200700010");
  });
  test("the IPv6 pseudo-header has a 32-bit length and three zero bytes before the next header", () => {
    const expected = "fe8000000000000000000000000000c8ff0200000000000000000000000000120000002800000070";
    expect(toHex(pseudoHeader(ip("fe80::c8"), ip("ff02::12"), 112, 40))).toBe(expected);
  });
});
