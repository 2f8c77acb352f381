import { parseInterfaceAddress, parseIpAddress } from "@futago/hal/units/address.ts";
import { describe, expect, it } from "vitest";
import { refuseAsked } from "./asked-address.ts";

const surroundings = {
  own: ["10.1.0.2/24", "10.1.0.1/24", "10.3.0.1/30", "10.9.0.0/31", "fd00::2/64"].map(
    (text) => parseInterfaceAddress(text)!,
  ),
  pair: ["10.1.0.3", "fd00::3", "10.2.0.1"].map((text) => parseIpAddress(text)!),
};
const judged = (text: string) => refuseAsked(parseIpAddress(text)!, surroundings)?.reason ?? "asked";

describe("an address that a person lets the box ask", () => {
  it.each([
    ["10.1.0.4", "asked", "a host on the link"],
    ["192.0.2.7", "asked", "a host elsewhere"],
    ["2001:db8::7", "asked", "one of IPv6"],
    ["10.255.255.255", "asked", "no broadcast address of a subnet that the box is in"],
    ["10.9.0.1", "asked", "the other end of a link of two addresses"],
    ["127.0.0.1", "notForHosts", "loopback"],
    ["127.99.0.1", "notForHosts", "loopback"],
    ["::1", "notForHosts", "loopback"],
    ["0.0.0.0", "notForHosts", "this host"],
    ["0.1.2.3", "notForHosts", "this network"],
    ["::", "notForHosts", "no host"],
    ["169.254.169.254", "notForHosts", "where clouds keep their secrets"],
    ["fe80::1", "notForHosts", "link-local"],
    ["febf::1", "notForHosts", "link-local"],
    ["224.0.0.18", "notForHosts", "multicast"],
    ["ff02::1", "notForHosts", "multicast"],
    ["255.255.255.255", "notForHosts", "broadcast"],
    ["10.1.0.255", "broadcastAddress", "broadcast of a subnet"],
    ["10.1.0.0", "broadcastAddress", "the subnet itself"],
    ["10.3.0.3", "broadcastAddress", "broadcast of a small subnet"],
    ["10.1.0.2", "ownAddress", "the box's own"],
    ["10.1.0.1", "ownAddress", "a virtual one that it holds"],
    ["10.2.0.1", "ownAddress", "a virtual one that the peer holds"],
    ["10.1.0.3", "ownAddress", "the peer's"],
    ["fd00::2", "ownAddress", "the box's own"],
    ["fd00::3", "ownAddress", "the peer's"],
    ["::ffff:127.0.0.1", "notForHosts", "loopback mapped into IPv6"],
    ["::ffff:192.0.2.7", "notForHosts", "IPv4 mapped into IPv6"],
    ["::7f00:1", "embeddedAddress", "loopback in the old way"],
    ["64:ff9b::7f00:1", "embeddedAddress", "loopback behind a translator"],
    ["64:ff9b::a9fe:a9fe", "embeddedAddress", "link-local behind a translator"],
    ["64:ff9b::a01:3", "embeddedAddress", "the peer's behind a translator"],
    ["64:ff9b::c000:207", "asked", "another host behind a translator"],
    ["2002:7f00:1::1", "embeddedAddress", "loopback in a tunnel"],
    ["2002:a01:2::1", "embeddedAddress", "the box's own in a tunnel"],
    ["2002:c000:207::1", "asked", "another host in a tunnel"],
  ])("%s is %s: %s", (text, verdict) => {
    expect(judged(text)).toBe(verdict);
  });

  it('is told in words that go on from "is"', () => {
    expect(refuseAsked(parseIpAddress("64:ff9b::7f00:1")!, surroundings)?.sentence).toBe(
      "another way to write 127.0.0.1, which is a loopback address",
    );
    expect(refuseAsked(parseIpAddress("10.1.0.255")!, surroundings)?.sentence).toBe(
      "the broadcast address of its subnet",
    );
  });
});
