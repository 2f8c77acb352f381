import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addressFromBytes, parseIpAddress, type IpAddress } from "@futago/hal/units/address.ts";
import { fromHex, toHex } from "@futago/hal/units/bytes.ts";
import { millis, seconds } from "@futago/hal/units/time.ts";
import {
  decodeAdvertisement,
  encodeAdvertisement,
  listsAddresses,
  type Advertisement,
  type AdvertisementRefusal,
  type PacketMeta,
} from "./packet.ts";

const hex = (text: string) => fromHex(text.replaceAll(" ", ""))!;
const ip = (text: string) => parseIpAddress(text)!;

const SOURCE = ip("192.0.2.251");
const META: PacketMeta = { source: SOURCE, destination: ip("224.0.0.18"), hopLimit: 255 };
const META6: PacketMeta = { source: ip("fe80::c8"), destination: ip("ff02::12"), hopLimit: 255 };

const ADVERTISEMENT: Advertisement = {
  vrid: 10,
  priority: 200,
  maxAdvertiseInterval: seconds(1),
  addresses: [ip("192.0.2.1"), ip("192.0.2.2")],
};
// By hand: 310a + c802 + 0064 + c000 + 0201 + c000 + 0202 = 27d73, folded 7d75, complement 828a.
const MESSAGE_ALONE = hex("310ac802 0064828a c0000201 c0000202");
// With c000 + 02fb + e000 + 0012 + 0070 + 0010 (length 16) on top: 2104, complement defb.
const WITH_PSEUDO_HEADER = hex("310ac802 0064defb c0000201 c0000202");

const ADVERTISEMENT6: Advertisement = {
  vrid: 7,
  priority: 100,
  maxAdvertiseInterval: millis(100),
  addresses: [ip("fe80::200:5eff:fe00:207"), ip("fd00::1")],
};
// By hand. Message: 3107 + 6402 + 000a = 9513; fe80 + 0200 + 5eff + fe00 + 0207 = 25f86 -> f413 after + 9513 is
// 2f499 -> f49b; fd00 + 0001 -> 1f19c -> f19d. Pseudo-header: fe80 + 00c8 = ff48; ff02 + 0012 = ff14; 0028; 0070:
// ff48 + ff14 = 1fe5c -> fe5d; + 28 + 70 = fef5. Sum f19d + fef5 = 1f092 -> f093, complement 0f6c.
const MESSAGE6 = hex("31076402 000a0f6c fe800000000000000200 5efffe000207 fd000000000000000000000000000001");

describe("VRRPv3 advertisement, by hand", () => {
  test("row 1: over IPv4 the message alone is summed in the reading of RFC 9568 [RFC9568-5.2.8-a] [RFC9568-7.2-a]", () => {
    expect(toHex(encodeAdvertisement(ADVERTISEMENT, SOURCE, "rfc9568"))).toBe(toHex(MESSAGE_ALONE));
  });
  test("row 1: over IPv4 the pseudo-header is summed too in the reading of RFC 5798", () => {
    expect(toHex(encodeAdvertisement(ADVERTISEMENT, SOURCE, "rfc5798"))).toBe(toHex(WITH_PSEUDO_HEADER));
  });
  test("row 1: either reading is accepted and told apart", () => {
    const alone = decodeAdvertisement(MESSAGE_ALONE, META);
    const pseudo = decodeAdvertisement(WITH_PSEUDO_HEADER, META);
    expect(alone).toMatchObject({ ok: true, value: { checksum: "rfc9568", trailerBytes: 0, ...ADVERTISEMENT } });
    expect(pseudo).toMatchObject({ ok: true, value: { checksum: "rfc5798", trailerBytes: 0, ...ADVERTISEMENT } });
  });
  test("row 2: over IPv6 the pseudo-header is always summed [RFC9568-5.2.8-b]", () => {
    expect(toHex(encodeAdvertisement(ADVERTISEMENT6, META6.source, "rfc9568"))).toBe(toHex(MESSAGE6));
    expect(toHex(encodeAdvertisement(ADVERTISEMENT6, META6.source, "rfc5798"))).toBe(toHex(MESSAGE6));
    expect(decodeAdvertisement(MESSAGE6, META6)).toMatchObject({ ok: true, value: ADVERTISEMENT6 });
  });
  test("row 5: 100 centiseconds are one second, in our unit 1,000,000 microseconds", () => {
    const decoded = decodeAdvertisement(MESSAGE_ALONE, META);
    expect(decoded.ok && decoded.value.maxAdvertiseInterval).toBe(1_000_000);
  });
  test("row 8: the longest interval is 4095 centiseconds, and the four reserved bits stay clear [RFC9568-5.2.6-a]", () => {
    const message = encodeAdvertisement({ ...ADVERTISEMENT, maxAdvertiseInterval: millis(40_950) }, SOURCE, "rfc9568");
    expect(toHex(message.subarray(4, 6))).toBe("0fff");
  });
  test("row 8: reserved bits of others are ignored [RFC9568-5.2.6-b]", () => {
    // f in place of the reserved 0 adds f000 to the sum: 7d75 + f000 = 16d75 -> 6d76, complement 9289.
    const message = hex("310ac802 f0649289 c0000201 c0000202");
    expect(decodeAdvertisement(message, META)).toMatchObject({ ok: true, value: ADVERTISEMENT });
  });
  test("row 9: priority 0 is read as it is", () => {
    // 310a + 0002 + 0064 + c000 + 0201 + c000 + 0202 = 1b573, folded b574, complement 4a8b.
    const message = hex("310a0002 00644a8b c0000201 c0000202");
    expect(decodeAdvertisement(message, META)).toMatchObject({ ok: true, value: { priority: 0 } });
  });
});

describe("the ladder of checks", () => {
  const broken = (change: (message: Uint8Array) => Uint8Array | void, message = MESSAGE_ALONE) => {
    const copy = message.slice();
    return change(copy) ?? copy;
  };
  const rows: readonly [name: string, message: Uint8Array, meta: PacketMeta, reason: AdvertisementRefusal][] = [
    ["row 3: TTL 254 [RFC9568-5.1.1.3-b]", MESSAGE_ALONE, { ...META, hopLimit: 254 }, "ttl-not-255"],
    ["row 3: hop limit 1 [RFC9568-5.1.2.3-b]", MESSAGE6, { ...META6, hopLimit: 1 }, "ttl-not-255"],
    ["row 14: unicast", MESSAGE_ALONE, { ...META, destination: ip("192.0.2.2") }, "destination-not-group"],
    ["row 21: unicast over IPv6", MESSAGE6, { ...META6, destination: ip("fe80::1") }, "destination-not-group"],
    ["seven bytes [RFC9568-7.1-c]", MESSAGE_ALONE.subarray(0, 7), META, "truncated"],
    ["no byte", new Uint8Array(0), META, "truncated"],
    [
      "row 20: version 2 [RFC9568-7.1-a]",
      hex("210ac802 000192ed c0000201 c0000202 0000000000000000"),
      META,
      "version-not-3",
    ],
    ["type 2 [RFC9568-7.1-b]", broken((m) => void (m[0] = 0x32)), META, "type-unknown"],
    // 310a + c800 + 0064 = f96e, complement 0691.
    ["row 16: no address [RFC9568-5.2.5-a]", hex("310ac800 00640691"), META, "address-count-zero"],
    ["row 16: a count beyond the end", broken((m) => void (m[3] = 255)), META, "addresses-truncated"],
    ["row 4: one byte of the list missing", MESSAGE_ALONE.subarray(0, 15), META, "addresses-truncated"],
    ["a flipped bit [RFC9568-7.1-d]", broken((m) => void (m[15] = 0x03)), META, "checksum-wrong"],
    ["row 2: IPv6 without the pseudo-header", broken((m) => m.set([0x0e, 0x62], 6), MESSAGE6), META6, "checksum-wrong"],
    // 7d75 - 64 = 7d11, complement 82ee.
    ["row 8: interval 0 [RFC9568-7.1-f]", hex("310ac802 000082ee c0000201 c0000202"), META, "interval-zero"],
    // Without the link-local address: 9512 + fd00 + 1 = 19213 -> 9214; pseudo-header with length 24: fee5;
    // 9214 + fee5 = 190f9 -> 90fa, complement 6f05.
    [
      "row 15: IPv6 without a link-local first address [RFC9568-5.2.9-b]",
      hex("31076401 000a6f05 fd000000000000000000000000000001"),
      META6,
      "first-address-not-link-local",
    ],
  ];
  test.each(rows)("%s is refused", (_name, message, meta, reason) => {
    expect(decodeAdvertisement(message, meta)).toEqual({ ok: false, reason });
  });
});

describe("longer messages", () => {
  const trailer = hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b");
  test("an authentication trailer of 28 bytes outside the checksum does not confuse", () => {
    const longer = Uint8Array.from([...MESSAGE_ALONE, ...trailer]);
    const decoded = decodeAdvertisement(longer, META);
    expect(decoded).toMatchObject({ ok: true, value: { ...ADVERTISEMENT, trailerBytes: 28, checksum: "rfc9568" } });
  });
  test("nor one inside the checksum", () => {
    // 7d75 + (0001 + 0203 + ... + 1a1b = b6c4) = 13439 -> 343a, complement cbc5.
    const longer = Uint8Array.from([...hex("310ac802 0064cbc5 c0000201 c0000202"), ...trailer]);
    expect(decodeAdvertisement(longer, META)).toMatchObject({ ok: true, value: { trailerBytes: 28 } });
  });
  test("row 16: a longer list than ours is read whole and only compared", () => {
    const addresses = Array.from({ length: 255 }, (_, i) => ip(`198.51.100.${i}`));
    const message = encodeAdvertisement({ ...ADVERTISEMENT, addresses }, SOURCE, "rfc5798");
    const decoded = decodeAdvertisement(message, META);
    if (!decoded.ok) throw new Error(decoded.reason);
    expect(decoded.value.addresses).toHaveLength(255);
    expect(listsAddresses(decoded.value, ADVERTISEMENT.addresses)).toBe(false);
    expect(listsAddresses(decoded.value, addresses.toReversed())).toBe(true);
  });
});

describe("what the wire cannot carry is our own fault", () => {
  const bad: readonly [string, Partial<Advertisement>][] = [
    ["VRID 0", { vrid: 0 }],
    ["priority 256", { priority: 256 }],
    ["no address", { addresses: [] }],
    ["an interval that rounds to 0 (row 5)", { maxAdvertiseInterval: millis(4) }],
    ["an interval of 41 s", { maxAdvertiseInterval: seconds(41) }],
    ["an IPv6 address over IPv4 [RFC9568-5.2.9-a]", { addresses: [ip("fe80::1")] }],
  ];
  test.each(bad)("%s throws", (_name, change) => {
    expect(() => encodeAdvertisement({ ...ADVERTISEMENT, ...change }, SOURCE, "rfc9568")).toThrow(RangeError);
  });
});

describe("properties", () => {
  const octets = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const ipv4 = octets(4).map((bytes) => addressFromBytes(bytes)!);
  const ipv6 = octets(16).map((bytes) => addressFromBytes(bytes)!);
  const linkLocal = octets(8).map((tail) => addressFromBytes(Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, ...tail))!);
  const facts = { vrid: fc.integer({ min: 1, max: 255 }), priority: fc.integer({ min: 0, max: 255 }) };
  const interval = fc.integer({ min: 1, max: 4095 }).map((centiseconds) => millis(centiseconds * 10));
  const reading = fc.constantFrom("rfc5798" as const, "rfc9568" as const);

  function roundTrip(advertisement: Advertisement, source: IpAddress, sent: "rfc5798" | "rfc9568") {
    const destination = source.includes(":") ? ip("ff02::12") : ip("224.0.0.18");
    const message = encodeAdvertisement(advertisement, source, sent);
    return decodeAdvertisement(message, { source, destination, hopLimit: 255 });
  }

  test("decode undoes encode over IPv4", () => {
    const addresses = fc.array(ipv4, { minLength: 1, maxLength: 255 });
    const all = fc.record({ ...facts, maxAdvertiseInterval: interval, addresses });
    fc.assert(
      fc.property(all, ipv4, reading, (a, source, sent) => {
        expect(roundTrip(a, source, sent)).toMatchObject({ ok: true, value: a });
      }),
    );
  });
  test("decode undoes encode over IPv6", () => {
    const addresses = fc.tuple(linkLocal, fc.array(ipv6, { maxLength: 254 })).map(([first, rest]) => [first, ...rest]);
    const all = fc.record({ ...facts, maxAdvertiseInterval: interval, addresses });
    fc.assert(
      fc.property(all, linkLocal, reading, (a, source, sent) => {
        expect(roundTrip(a, source, sent)).toMatchObject({ ok: true, value: a });
      }),
    );
  });
  test("no bytes make decode throw, and what it accepts has a legal interval, count and length", () => {
    const meta = fc.constantFrom(META, META6);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), meta, fc.boolean(), (bytes, from, plausible) => {
        if (plausible && bytes.length > 4) bytes.set([0x31, bytes[1]!, bytes[2]!, (bytes[3]! % 8) + 1]);
        const decoded = decodeAdvertisement(bytes, from);
        expect(!decoded.ok || decoded.value.addresses.length > 0).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
