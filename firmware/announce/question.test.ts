import { type IpAddress, parseIpAddress, parseMac } from "@futago/hal/units/address.ts";
import { fromHex, toHex } from "@futago/hal/units/bytes.ts";
import { expect, test } from "vitest";
import { decodeArp } from "./arp.ts";
import { decodeNeighbour } from "./nd.ts";
import { encodeQuestion } from "./question.ts";

const ip = (text: string): IpAddress => parseIpAddress(text)!;
const mac = parseMac("02:00:00:00:00:0a")!;
const hex = (text: string) => toHex(fromHex(text.replaceAll(/\s/g, ""))!);

test("an ARP request, by hand", () => {
  const frame = encodeQuestion({ mac, address: ip("10.1.0.2") }, ip("10.1.0.1"));
  expect(toHex(frame)).toBe(
    hex(`ffffffffffff 02000000000a 0806  0001 0800 06 04 0001
         02000000000a 0a010002 000000000000 0a010001`),
  );
  expect(decodeArp(frame)).toMatchObject({
    operation: "request",
    senderAddress: "10.1.0.2",
    targetAddress: "10.1.0.1",
  });
});

test("a Neighbour Solicitation, by hand", () => {
  const frame = encodeQuestion({ mac, address: ip("fe80::2") }, ip("fe80::1"));
  // fe80 + 0002 + ff02 + 0001 + ff00 + 0001 + 0020 + 003a = 2fce0, + 8700 + fe80 + 0001 + 0101 + 0200 + 000a = 4856c,
  // folded 8570, complement 7a8f.
  expect(toHex(frame)).toBe(
    hex(`3333ff000001 02000000000a 86dd  6c000000 0020 3a ff
         fe800000000000000000000000000002 ff0200000000000000000001ff000001
         8700 7a8f 00000000 fe800000000000000000000000000001 0101 02000000000a`),
  );
  expect(decodeNeighbour(frame)).toMatchObject({ kind: "solicitation", target: "fe80::1", linkLayer: mac });
});

test("whoever asks from the unspecified address leaves no trace", () => {
  const frame = encodeQuestion({ mac, address: ip("::") }, ip("fd00::1"));
  expect(decodeNeighbour(frame)).toMatchObject({ kind: "solicitation", source: "::", linkLayer: undefined });
});

test("nobody asks about the other family", () => {
  expect(() => encodeQuestion({ mac, address: ip("10.1.0.2") }, ip("fd00::1"))).toThrow("cannot ask");
});
