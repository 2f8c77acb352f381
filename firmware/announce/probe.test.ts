import { describe, expect, test } from "vitest";
import { parseIpAddress, parseMac } from "@futago/hal/units/address.ts";
import { fromHex, toHex } from "@futago/hal/units/bytes.ts";
import { announcementFrames } from "./announcement.ts";
import { answerIn, probeFrames } from "./probe.ts";

const ip = (text: string) => parseIpAddress(text)!;
const hex = (text: string) => fromHex(text.replaceAll(/\s/g, ""))!;
const OWN = parseMac("02:00:00:00:00:0a")!;
const OTHER = parseMac("02:00:00:00:00:0b")!;
const asked = new Set([ip("10.1.0.1"), ip("2001:db8::1")]);
const answer = (frame: Uint8Array) => answerIn(frame, asked, OWN);

// 1fe04 of the group, + 18 + 3a + 8700 + 2001 + 0db8 + 1 = 2b310, folded b312, complement 4ced.
const SOLICITATION = `3333ff000001 02000000000a 86dd 6c000000 0018 3a ff
  00000000000000000000000000000000 ff0200000000000000000001ff000001
  87004ced 00000000 20010db8000000000000000000000001`;

describe("asking for an address", () => {
  test("says of nobody that he has it, by hand", () => {
    const [arp, solicitation] = probeFrames([ip("10.1.0.1"), ip("2001:db8::1")], OWN);
    expect(toHex(arp!)).toBe(
      toHex(hex("ffffffffffff 02000000000a 0806 0001 0800 06 04 0001 02000000000a 00000000 000000000000 0a010001")),
    );
    expect(toHex(solicitation!)).toBe(toHex(hex(SOLICITATION)));
  });

  test("is answered by whoever says that he has it", () => {
    // The reply of a host to an ARP Probe, and one to a solicitation without an option.
    const reply = hex(
      "02000000000a 02000000000b 0806 0001 0800 06 04 0002 02000000000b 0a010001 02000000000a 00000000",
    );
    expect(answer(reply)).toEqual({ address: "10.1.0.1", mac: OTHER });
    const [, , advertisement] = announcementFrames([ip("10.1.0.1"), ip("2001:db8::1")], OTHER);
    expect(answer(advertisement!)).toEqual({ address: "2001:db8::1", mac: OTHER });
  });

  test("is answered by whoever asks for it at the same moment", () => {
    const found = probeFrames([ip("10.1.0.1"), ip("2001:db8::1")], OTHER).map(answer);
    expect(found).toEqual([
      { address: "10.1.0.1", mac: OTHER },
      { address: "2001:db8::1", mac: OTHER },
    ]);
  });

  test("is not answered by itself, by those who look for its holder, or by what is no frame of ARP or ND", () => {
    const own = probeFrames([ip("10.1.0.1"), ip("2001:db8::1")], OWN);
    const [elsewhere] = announcementFrames([ip("10.1.0.9")], OTHER);
    const looksFor = hex(
      "ffffffffffff 02000000000b 0806 0001 0800 06 04 0001 02000000000b 0a010009 000000000000 0a010001",
    );
    const others = [...own, elsewhere!, looksFor, new Uint8Array(3), hex("ffffffffffff 02000000000b 0800 4500")];
    expect(others.map(answer)).toEqual(others.map(() => undefined));
  });
});
