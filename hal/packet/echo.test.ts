import fc from "fast-check";
import { expect, test } from "vitest";
import { fromHex, toHex } from "../units/bytes.ts";
import { decodeEchoError, decodeEchoReply, encodeEchoRequest } from "./echo.ts";

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

/** An echo request to 10.2.0.9, and to fd02::9, as it is quoted. */
const QUOTED = `4500001c00000000010100000a0100020a020009`;
const QUOTED6 = `6000000000083a01fd010000000000000000000000000002fd020000000000000000000000000009`;
const ECHO = "0800e5c612340005";
const ECHO6 = "8000000012340005";

test("errors about echo requests, with whom they were to reach and why they did not", () => {
  // 0b00 + 4500 + 001c + 0101 + 0a01 + 0002 + 0a02 + 0009 + 0800 + e5c6 + 1234 + 0005 = 1652a, folded 652b, complemented 9ad4.
  const exceeded = hex(IPV4, "0b009ad400000000", QUOTED, ECHO);
  const value = { to: "10.2.0.9", id: 0x1234, sequence: 5, reason: "time-exceeded" };
  expect(decodeEchoError("ipv4", exceeded)).toEqual({ ok: true, value });
  expect(decodeEchoError("ipv6", hex("0300000000000000", QUOTED6, ECHO6))).toEqual({
    ok: true,
    value: { ...value, to: "fd02::9" },
  });
});

test("why a request was not sent on, by type and code", () => {
  const ipv6 = [
    ["0100", "no-route"],
    ["0101", "prohibited"],
    ["0102", "other"],
    ["0103", "host-unreachable"],
    ["0104", "port-unreachable"],
    ["0106", "prohibited"],
    ["0200", "too-big"],
    ["0301", "other"],
  ];
  for (const [type = "", reason] of ipv6) {
    const decoded = decodeEchoError("ipv6", hex(type, "000000000000", QUOTED6, ECHO6));
    expect(decoded, type).toMatchObject({ ok: true, value: { reason } });
  }
  // The sum of the message above less 0b00, and the type and code more.
  const ipv4 = [
    ["0300", "a2d4", "no-route"],
    ["0301", "a2d3", "host-unreachable"],
    ["0303", "a2d1", "port-unreachable"],
    ["0304", "a2d0", "too-big"],
    ["030d", "a2c7", "prohibited"],
    ["0305", "a2cf", "other"],
    ["0b01", "9ad3", "other"],
  ];
  for (const [type = "", checksum = "", reason] of ipv4) {
    const decoded = decodeEchoError("ipv4", hex(IPV4, type, checksum, "00000000", QUOTED, ECHO));
    expect(decoded, type).toMatchObject({ ok: true, value: { reason } });
  }
});

test("what is no error about an echo request is refused by name", () => {
  const rows = [
    ["ipv4", `${IPV4}0b009ad4000000`, "truncated"],
    ["ipv4", `${IPV4}0b009ad500000000${QUOTED}0800e5c6123400`, "bad-checksum"],
    ["ipv4", `${IPV4}0b009ad500000000${QUOTED}${ECHO}`, "bad-checksum"],
    ["ipv4", `${IPV4}${ECHO}`, "not-an-error"],
    ["ipv4", `${IPV4}05009ad400000000${QUOTED}${ECHO}`, "not-an-error"],
    ["ipv6", `0300000000000000${QUOTED6}80000000123400`, "truncated"],
    ["ipv6", `0300000000000000`, "truncated"],
    ["ipv6", `0300000000000000${QUOTED6.replace("3a01", "1101")}${ECHO6}`, "not-an-echo"],
    ["ipv6", `0300000000000000${QUOTED6}8100000012340005`, "not-an-echo"],
    ["ipv6", ECHO6, "not-an-error"],
  ] as const;
  for (const [family, bytes, reason] of rows)
    expect(decodeEchoError(family, hex(bytes)), bytes).toEqual({ ok: false, reason });
});

test("no bytes make the decoder throw", () => {
  const families = fc.constantFrom("ipv4" as const, "ipv6" as const);
  fc.assert(
    fc.property(families, fc.uint8Array({ maxLength: 80 }), (family, bytes) => {
      decodeEchoReply(family, bytes);
      decodeEchoError(family, bytes);
    }),
  );
});
