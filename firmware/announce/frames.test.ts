import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseIpAddress, parseMac, type Ipv4, type Ipv6 } from "@futago/hal/units/address.ts";
import { fromHex, toHex } from "@futago/hal/units/bytes.ts";
import { announcementFrames, tellAgainFrame } from "./announcement.ts";
import { decodeArp, encodeGratuitousArp } from "./arp.ts";
import { decodeEthernet, isStationMac, multicastMac, virtualRouterMac } from "./ethernet.ts";
import { decodeIp } from "./ip.ts";
import { decodeNeighbour, encodeUnsolicitedAdvertisement, solicitedNodeGroup } from "./nd.ts";
import { decodeVrrpFrame, encodeVrrpFrame, type FrameRefusal } from "./vrrp-frame.ts";

const ip = (text: string) => parseIpAddress(text)!;
const ip4 = (text: string) => parseIpAddress(text) as Ipv4;
const ip6 = (text: string) => parseIpAddress(text) as Ipv6;
const mac = (text: string) => parseMac(text)!;
const hex = (text: string) => fromHex(text.replaceAll(/\s/g, ""))!;

const MAC = mac("02:00:00:00:00:0a");
const MESSAGE = hex("310ac802 0064defb c0000201 c0000202");
/** Broken or other frames, made from a good one. */
const changed = (bytes: Uint8Array, at: number, value: number) => bytes.map((byte, i) => (i === at ? value : byte));

describe("Ethernet addresses", () => {
  test("row 14: the groups of VRRP [RFC9568-5.1.1.2-a] [RFC9568-5.1.2.2-a]", () => {
    expect(multicastMac(ip("224.0.0.18"))).toBe("01:00:5e:00:00:12");
    expect(multicastMac(ip("ff02::12"))).toBe("33:33:00:00:00:12");
  });
  test("only 23 bits of an IPv4 group count", () => {
    expect(multicastMac(ip("239.255.1.2"))).toBe("01:00:5e:7f:01:02");
  });
  test("a station's has the group bit clear and is not empty", () => {
    expect(["02:00:00:00:00:0a", "fe:00:00:00:00:01"].map((text) => isStationMac(mac(text)))).toEqual([true, true]);
    const others = ["ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:12", "33:33:00:00:00:12", "00:00:00:00:00:00"];
    expect(others.filter((text) => isStationMac(mac(text)))).toEqual([]);
  });
  test("row 13: the Virtual Router MAC has one block per family [RFC9568-7.3-a]", () => {
    expect(virtualRouterMac("ipv4", 10)).toBe("00:00:5e:00:01:0a");
    expect(virtualRouterMac("ipv6", 255)).toBe("00:00:5e:00:02:ff");
  });
});

describe("VRRP frames", () => {
  // 45c0 + 0024 + 4000 + ff70 + c000 + 02fb + e000 + 0012 = 32861, folded 2864, complement d79b.
  const frame4 = hex(`01005e000012 00005e00010a 0800
    45c00024 00004000 ff70d79b c00002fb e0000012
    310ac802 0064defb c0000201 c0000202`);
  const frame6 = hex(`333300000012 00005e000207 86dd
    6c000000 0010 70 ff fe8000000000000000000000000000c8 ff020000000000000000000000000012
    310ac802 0064defb c0000201 c0000202`);

  test("rows 3, 13, 14: IPv4, by hand [RFC9568-5.1.1.3-a] [RFC9568-7.2-b] [RFC9568-7.2-c] [RFC9568-7.2-d]", () => {
    expect(toHex(encodeVrrpFrame(10, ip("192.0.2.251"), MESSAGE))).toBe(toHex(frame4));
  });
  test("rows 3, 13, 14: IPv6, by hand [RFC9568-5.1.2.3-a]", () => {
    expect(toHex(encodeVrrpFrame(7, ip("fe80::c8"), MESSAGE))).toBe(toHex(frame6));
  });
  test("the padding of a short frame is not read as a trailer", () => {
    const padded = Uint8Array.from([...frame4, ...new Uint8Array(10)]);
    expect(decodeVrrpFrame(padded)).toEqual({
      ok: true,
      value: {
        mac: "00:00:5e:00:01:0a",
        source: "192.0.2.251",
        destination: "224.0.0.18",
        hopLimit: 255,
        message: MESSAGE,
      },
    });
  });
  test("row 4: the IPv4 header is stripped by its length, options and all", () => {
    // 46c0 + 0028 for 45c0 + 0024 adds 0104; the option 94040000 adds 9404: 2864 + 0104 + 9404 = bd6c -> 4293.
    const withOption = hex(`01005e000012 00005e00010a 0800
      46c00028 00004000 ff704293 c00002fb e0000012 94040000
      310ac802 0064defb c0000201 c0000202`);
    const decoded = decodeVrrpFrame(withOption);
    expect(decoded).toMatchObject({ ok: true, value: { message: MESSAGE, source: "192.0.2.251" } });
  });

  const refusals: readonly [name: string, bytes: Uint8Array, reason: FrameRefusal][] = [
    ["no Ethernet header", frame4.subarray(0, 13), "frame-truncated"],
    ["ARP", changed(frame4, 13, 0x06), "not-ip"],
    ["half an IP header", frame4.subarray(0, 30), "ip-truncated"],
    ["less than the IP length", frame4.subarray(0, 49), "ip-truncated"],
    ["an IHL of 16 bytes", changed(frame4, 14, 0x44), "ip-header-wrong"],
    ["version 6 in an IPv4 frame", changed(frame4, 14, 0x65), "ip-header-wrong"],
    ["a wrong header checksum", changed(frame4, 25, 0x9c), "ip-checksum-wrong"],
    // 4000 to 2000 in the flags takes 2000 from the sum: d79b + 2000 = f79b.
    ["a first fragment", changed(changed(frame4, 20, 0x20), 24, 0xf7), "ip-fragment"],
    ["UDP over IPv6", changed(frame6, 20, 17), "not-vrrp"],
    ["half an IPv6 header", frame6.subarray(0, 40), "ip-truncated"],
    ["less than the IPv6 length", frame6.subarray(0, 60), "ip-truncated"],
    ["version 4 in an IPv6 frame", changed(frame6, 14, 0x45), "ip-header-wrong"],
  ];
  test.each(refusals)("%s is refused", (_name, bytes, reason) => {
    expect(decodeVrrpFrame(bytes)).toEqual({ ok: false, reason });
  });
});

describe("row 17: gratuitous ARP", () => {
  const request = hex(`ffffffffffff 02000000000a 0806
    0001 0800 06 04 0001 02000000000a c0000201 02000000000a c0000201`);

  test("the request has the VIP as sender and as target [RFC9568-6.4.2-g] [RFC9568-8.1.2-c]", () => {
    expect(toHex(encodeGratuitousArp("request", ip4("192.0.2.1"), MAC))).toBe(toHex(request));
  });
  test("the reply differs in the operation alone", () => {
    expect(toHex(encodeGratuitousArp("reply", ip4("192.0.2.1"), MAC))).toBe(toHex(changed(request, 21, 2)));
  });
  test("an announcement sends both for each address", () => {
    const frames = announcementFrames([ip("192.0.2.1"), ip("192.0.2.2")], MAC);
    expect(frames.map((frame) => decodeArp(frame)?.operation)).toEqual(["request", "reply", "request", "reply"]);
  });
  test("one host is told again by a reply to it alone", () => {
    const host = { mac: mac("02:00:00:00:00:99"), address: ip("192.0.2.9") };
    const packet = decodeArp(tellAgainFrame(ip("192.0.2.1"), MAC, host));
    expect(packet).toMatchObject({ operation: "reply", ethernetDestination: host.mac, senderMac: MAC });
  });
  test("decode reads every field", () => {
    expect(decodeArp(request)).toEqual({
      kind: "arp",
      operation: "request",
      senderMac: MAC,
      senderAddress: "192.0.2.1",
      targetMac: MAC,
      targetAddress: "192.0.2.1",
      ethernetSource: MAC,
      ethernetDestination: "ff:ff:ff:ff:ff:ff",
    });
  });
  test.each([
    ["truncated", request.subarray(0, 41)],
    ["not ARP", changed(request, 13, 0x00)],
    ["not Ethernet", changed(request, 15, 6)],
    ["not IPv4", changed(request, 16, 0x86)],
    ["another address length", changed(request, 19, 16)],
    ["a reverse request", changed(request, 21, 3)],
  ])("%s is not read", (_name, bytes) => {
    expect(decodeArp(bytes)).toBeUndefined();
  });
});

describe("row 17: unsolicited Neighbour Advertisement", () => {
  // ICMPv6: 8800 + a000 + fd00*2 ... by hand: message words 8800 a000 fd00 0001 0201 0200 000a = 2290c;
  // pseudo-header: fd00 + 0001 + ff02 + 0001 + 0020 + 003a = 1fc5e; sum 4256a -> 256e, complement da91.
  const frame = hex(`333300000001 02000000000a 86dd
    6c000000 0020 3a ff fd000000000000000000000000000001 ff020000000000000000000000000001
    88 00 da91 a0000000 fd000000000000000000000000000001 0201 02000000000a`);

  test("Router set, Solicited clear, Override set, hop limit 255, to all nodes [RFC9568-6.4.2-g]", () => {
    expect(toHex(encodeUnsolicitedAdvertisement(ip6("fd00::1"), MAC))).toBe(toHex(frame));
  });
  test("decode reads every field", () => {
    expect(decodeNeighbour(frame)).toEqual({
      kind: "advertisement",
      source: "fd00::1",
      target: "fd00::1",
      linkLayer: MAC,
      router: true,
      solicited: false,
      override: true,
      ethernetSource: MAC,
      ethernetDestination: "33:33:00:00:00:01",
    });
  });
  test("one host is told again at its own address", () => {
    const host = { mac: mac("02:00:00:00:00:99"), address: ip("fd00::9") };
    const told = tellAgainFrame(ip("fd00::1"), MAC, host);
    expect(decodeNeighbour(told)).toMatchObject({ target: "fd00::1", ethernetDestination: host.mac });
    const packet = decodeIp(0x86dd, decodeEthernet(told)!.payload);
    expect(packet).toMatchObject({ ok: true, value: { destination: "fd00::9" } });
  });
  test.each([
    ["hop limit 64", changed(frame, 21, 64)],
    ["a wrong checksum", changed(frame, 57, 0x92)],
    ["an echo", changed(frame, 54, 128)],
    ["a code", changed(frame, 55, 1)],
    ["truncated", frame.subarray(0, 70)],
  ])("%s is not read", (_name, bytes) => {
    expect(decodeNeighbour(bytes)).toBeUndefined();
  });
  test("an option of length zero ends the reading instead of looping", () => {
    // Length 1 to 0 takes 0001 from the sum: da91 + 1.
    const bytes = changed(changed(frame, 79, 0), 57, 0x92);
    expect(decodeNeighbour(bytes)).toMatchObject({ linkLayer: undefined });
  });
  test("the solicited-node group takes the last 24 bits [RFC9568-6.4.3-b]", () => {
    expect(solicitedNodeGroup(ip6("fe80::200:5eff:fe00:207"))).toEqual({
      group: "ff02::1:ff00:207",
      mac: "33:33:ff:00:02:07",
    });
  });
});

test("no bytes make a decoder throw", () => {
  const types = fc.constantFrom("0800", "0806", "86dd");
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), types, fc.constantFrom(0x45, 0x60, 0x4f), (bytes, type, first) => {
      const frame = Uint8Array.from([...hex("ffffffffffff02000000000a"), ...hex(type), first, ...bytes]);
      for (const input of [bytes, frame]) {
        const decoded = [decodeVrrpFrame(input).ok, decodeArp(input)?.kind, decodeNeighbour(input)?.kind];
        expect(decoded).toHaveLength(3);
      }
    }),
    { numRuns: 2000 },
  );
});
