import fc from "fast-check";
import { expect, test } from "vitest";
import { fromHex, toHex } from "../units/bytes.ts";
import { decodeEchoReply, encodeEchoRequest } from "./echo.ts";

const hex = (...parts: readonly string[]) => fromHex(parts.join("").replaceAll(" ", ""))!;
/** IPv4, 28 bytes, protocol 1, from 10.1.0.2 to 10.1.0.1. */
const IPV4 = "4500001c00000000400100000a0100020a010001";

test("requests, byte by byte", () => {
  // 0800 + 1234 + 0005 = 1a39, complemented e5c6.
  expect(toHex(encodeEchoRequest("ipv4", 0x1234, 5))).toBe("0800e5c612340005");
  // The kernel fills in the checksum of ICMPv6.
  expect(toHex(encodeEchoRequest("ipv6", 0x1234, 5))).toBe("8000000012340005");
});

test("replies, with their IP header for IPv4 and without for IPv6", () => {
  const reply = { ok: true, value: { id: 0x1234, sequence: 5 } };
  // 0000 + 1234 + 0005 = 1239, complemented edc6.
  expect(decodeEchoReply("ipv4", hex(IPV4, "0000edc612340005"))).toEqual(reply);
  const withOptions = hex("46", IPV4.slice(2), "94040000", "0000edc612340005");
  expect(decodeEchoReply("ipv4", withOptions)).toEqual(reply);
  expect(decodeEchoReply("ipv6", hex("8100 0000 12340005"))).toEqual(reply);
});

test("what is no good reply is refused by name", () => {
  const rows = [
    ["ipv4", "", "truncated"],
    ["ipv4", IPV4, "truncated"],
    ["ipv4", `${IPV4}0000edc6123400`, "truncated"],
    ["ipv4", `44${IPV4.slice(2)}0000edc612340005`, "truncated"],
    ["ipv4", `${IPV4}0800e5c612340005`, "not-a-reply"],
    ["ipv4", `${IPV4}0001edc512340005`, "not-a-reply"],
    ["ipv4", `${IPV4}0000edc712340005`, "bad-checksum"],
    ["ipv6", "81000000123400", "truncated"],
    ["ipv6", "8000000012340005", "not-a-reply"],
  ] as const;
  for (const [family, bytes, reason] of rows)
    expect(decodeEchoReply(family, hex(bytes)), bytes).toEqual({ ok: false, reason });
});

test("no bytes make the decoder throw", () => {
  const families = fc.constantFrom("ipv4" as const, "ipv6" as const);
  fc.assert(
    fc.property(families, fc.uint8Array({ maxLength: 80 }), (family, bytes) => {
      decodeEchoReply(family, bytes);
    }),
  );
});
