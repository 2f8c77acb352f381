import { type IpAddress, parseIpAddress } from "@futago/hal/units/address.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseStatusRanges } from "../config/status-ranges.ts";
import { type HeadReading, headBytesMax, headStart, readHead } from "./http-head.ts";
import { httpRequest } from "./http-request.ts";
import { formatStatusRanges, statusExpected } from "./status.ts";

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** The reading after the pieces came one by one. */
function read(pieces: readonly Uint8Array[]): HeadReading {
  let reading: HeadReading = { kind: "more", state: headStart };
  for (const piece of pieces) {
    if (reading.kind !== "more") break;
    reading = readHead(reading.state, piece);
  }
  return reading;
}

/** What a reading comes to: the status, or the fault. */
const outcomeOf = (reading: HeadReading) => (reading.kind === "head" ? reading.head.status : reading);
const status = (code: number) => code;
const malformed = (reason: "notHttp" | "headTooLong"): HeadReading => ({ kind: "malformed", reason });

describe("the head of a response", () => {
  it.each([
    ["an ordinary answer", "HTTP/1.1 200 OK\r\nServer: x\r\n\r\n<html>", status(200)],
    ["no reason phrase", "HTTP/1.0 404\r\n\r\n", status(404)],
    ["bare line feeds", "HTTP/1.1 503 Busy\nA: b\n\n", status(503)],
    [
      "interim responses",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
      status(204),
    ],
    ["another protocol", "SSH-2.0-OpenSSH_9\r\n", malformed("notHttp")],
    ["HTTP/2's own greeting", "PRI * HTTP/2.0\r\n\r\n", malformed("notHttp")],
    ["a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", malformed("notHttp")],
    ["a status beyond 599", "HTTP/1.1 999 Odd\r\n\r\n", malformed("notHttp")],
    [
      "something that is not HTTP behind an interim response",
      "HTTP/1.1 100 Continue\r\n\r\nhello",
      malformed("notHttp"),
    ],
    ["a head without end", `HTTP/1.1 200 OK\r\nA: ${"x".repeat(headBytesMax)}`, malformed("headTooLong")],
    ["a status line without end", `HTTP/1.1 200 ${"x".repeat(headBytesMax)}`, malformed("headTooLong")],
    ["interim responses without end", "HTTP/1.1 100 x\r\n\r\n".repeat(1_000), malformed("headTooLong")],
  ])("reads %s", (_name, text, expected) => {
    expect(outcomeOf(read([bytes(text)]))).toEqual(expected);
    expect(outcomeOf(read(Array.from(bytes(text), (byte) => Uint8Array.of(byte))))).toEqual(expected);
  });

  it("waits for more", () => {
    for (const text of ["", "HTT", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n"]) {
      expect(read([bytes(text)]).kind).toBe("more");
    }
  });

  it("never throws and never keeps more than it may, on any bytes in any pieces", () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc
        .constantFrom(
          "HTTP/1.1 200 OK",
          "HTTP/1.1 100 x\r\n\r\n",
          "\r\n",
          "\n",
          "A: b\r\n",
          "\r\n\r\n",
          "HTTP/1.",
          "x".repeat(9_000),
        )
        .map(bytes),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const reading = read(pieces);
        expect(reading.kind !== "more" || reading.state.text.length <= headBytesMax).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("expected status codes", () => {
  it("are numbers and ranges, both ends included", () => {
    const ranges = parseStatusRanges("200-299, 304,404") ?? [];
    expect([199, 200, 299, 300, 304, 404, 405].map((code) => statusExpected(ranges, code))).toEqual([
      false,
      true,
      true,
      false,
      true,
      true,
      false,
    ]);
    expect(formatStatusRanges(ranges)).toBe("200-299,304,404");
  });

  it("are nothing else", () => {
    for (const text of [
      "",
      "2xx",
      "99",
      "600",
      "300-200",
      "200-",
      "200,,201",
      "200 201",
      Array(33).fill("200").join(","),
    ]) {
      expect(parseStatusRanges(text)).toBeUndefined();
    }
    fc.assert(fc.property(fc.string(), (text) => void parseStatusRanges(text)));
  });
});

it("asks with the host that is wanted, else with the address", () => {
  const ipv4 = parseIpAddress("10.2.0.11") as IpAddress;
  const ipv6 = parseIpAddress("2001:db8::5") as IpAddress;
  expect(httpRequest("/up?x=1", "www.example.test", { scheme: "http", address: ipv4, port: 8080 })).toBe(
    "GET /up?x=1 HTTP/1.1\r\nHost: www.example.test\r\nUser-Agent: futago-check\r\nAccept: */*\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n",
  );
  expect(httpRequest("/", undefined, { scheme: "http", address: ipv4, port: 80 })).toContain("\r\nHost: 10.2.0.11\r\n");
  expect(httpRequest("/", undefined, { scheme: "https", address: ipv4, port: 443 })).toContain(
    "\r\nHost: 10.2.0.11\r\n",
  );
  expect(httpRequest("/", undefined, { scheme: "http", address: ipv6, port: 8080 })).toContain(
    "\r\nHost: [2001:db8::5]:8080\r\n",
  );
});
