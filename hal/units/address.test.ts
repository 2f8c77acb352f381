import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addressBytes,
  addressFromBytes,
  inSubnet,
  isLinkLocal,
  parseInterfaceAddress,
  parseIpAddress,
} from "./address.ts";

describe("addresses", () => {
  const rows: readonly (readonly [string, string, readonly number[]])[] = [
    ["192.0.2.1", "192.0.2.1", [192, 0, 2, 1]],
    ["255.255.255.255", "255.255.255.255", [255, 255, 255, 255]],
    ["::", "::", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
    ["::1", "::1", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
    ["FE80::", "fe80::", [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
    ["2001:0DB8::0:1", "2001:db8::1", [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]],
    ["1:0:0:4:0:0:0:8", "1:0:0:4::8", [0, 1, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 8]],
    ["::ffff:192.0.2.1", "::ffff:c000:201", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 1]],
  ];
  it.each(rows)("%s is written %s", (text, canonical, bytes) => {
    const address = parseIpAddress(text);
    expect(address).toBe(canonical);
    expect([...addressBytes(address!)]).toEqual(bytes);
    expect(addressFromBytes(Uint8Array.from(bytes))).toBe(canonical);
  });

  it("come back from their bytes, and their own text is canonical", () => {
    const anyBytes = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      // Runs of zeros, which the text leaves out.
      fc.array(fc.constantFrom(0, 0, 0, 1), { minLength: 16, maxLength: 16 }).map((list) => Uint8Array.from(list)),
    );
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const address = addressFromBytes(bytes)!;
        expect(addressBytes(address)).toEqual(bytes);
        expect(parseIpAddress(address)).toBe(address);
        expect(isLinkLocal(address)).toBe(
          bytes.length === 16 && bytes[0] === 0xfe && ((bytes[1] ?? 0) & 0xc0) === 0x80,
        );
      }),
    );
  });

  it.each([
    ["10.1.2.3", "10.1.2.0/24", true],
    ["10.1.3.3", "10.1.2.0/24", false],
    ["10.1.3.3", "10.1.2.0/23", true],
    ["::1", "0.0.0.0/0", false],
    ["fd00::1:1", "fd00::/111", true],
    ["fd00::1:1", "fd00::/112", false],
  ])("%s in %s: %s", (address, subnet, expected) => {
    expect(inSubnet(parseIpAddress(address)!, parseInterfaceAddress(subnet)!)).toBe(expected);
  });
});
