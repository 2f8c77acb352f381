import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressBytes, addressFromBytes, inSubnet, type InterfaceAddress } from "@futago/hal/units/address.ts";
import { deniedRanges, rangeText } from "./nft-access.ts";
import { ip, prefix, service } from "./services.test-support.ts";

const denied = (allow: readonly string[], deny: readonly string[], vip = "10.1.0.1") =>
  deniedRanges(service(80, [], { address: ip(vip), allow: allow.map(prefix), deny: deny.map(prefix) })).map(rangeText);

describe("the clients that a service denies", () => {
  it.each([
    ["nobody, without lists", [], [], []],
    ["one address", [], ["198.51.100.7/32"], ["198.51.100.7"]],
    ["a subnet, host bits or not", [], ["198.51.100.7/24"], ["198.51.100.0-198.51.100.255"]],
    ["all but those that are allowed", ["10.0.0.0/8"], [], ["0.0.0.0-9.255.255.255", "11.0.0.0-255.255.255.255"]],
    [
      "a hole in what is allowed",
      ["10.0.0.0/8"],
      ["10.9.0.0/16"],
      ["0.0.0.0-9.255.255.255", "10.9.0.0-10.9.255.255", "11.0.0.0-255.255.255.255"],
    ],
    ["not an island in the hole", ["10.9.3.0/24"], ["10.9.0.0/16"], ["0.0.0.0-10.9.2.255", "10.9.4.0-255.255.255.255"]],
    ["what both lists name", ["10.0.0.0/8"], ["10.0.0.0/8"], ["0.0.0.0-255.255.255.255"]],
    ["neighbouring subnets as one", [], ["10.0.0.0/25", "10.0.0.128/25"], ["10.0.0.0-10.0.0.255"]],
    ["the end of the address space", [], ["255.255.255.255/32"], ["255.255.255.255"]],
    ["nobody of the other family", [], ["2001:db8::/32"], []],
  ])("are %s", (_, allow, deny, ranges) => {
    expect(denied(allow, deny)).toEqual(ranges);
  });

  it("are ranges of IPv6, too", () => {
    expect(denied([], ["2001:db8::/32", "fd00::5/128"], "fd01::1")).toEqual([
      "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
      "fd00::5",
    ]);
  });

  it("are those whom the longest prefix denies", () => {
    // Few addresses near each other, so that prefixes hold one another.
    const address = fc.integer({ min: 0, max: 63 }).map((last) => ip(`10.0.0.${last}`));
    const list = fc.array(fc.record({ address, prefixLength: fc.integer({ min: 26, max: 32 }) }), { maxLength: 6 });
    fc.assert(
      fc.property(list, list, address, (allow, deny, client) => {
        const ranges = deniedRanges(service(80, [], { allow, deny }));
        const number = (one: typeof client) => addressBytes(one).reduce((sum, byte) => sum * 256 + byte, 0);
        const isDenied = ranges.some(
          ({ first, last }) => number(first) <= number(client) && number(client) <= number(last),
        );
        const length = (some: readonly InterfaceAddress[]) =>
          Math.max(-1, ...some.filter((one) => inSubnet(client, one)).map((one) => one.prefixLength));
        const [allowed, refused] = [length(allow), length(deny)];
        const byHand = Math.max(allowed, refused) < 0 ? allow.length > 0 : refused >= allowed;
        expect(isDenied).toBe(byHand);
      }),
    );
  });

  it("never overlap, and come in order", () => {
    const address = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => addressFromBytes(bytes)!);
    const list = fc.array(fc.record({ address, prefixLength: fc.integer({ min: 0, max: 128 }) }), { maxLength: 8 });
    const wide = (one: ReturnType<typeof ip>) => Buffer.from(addressBytes(one)).toString("hex");
    fc.assert(
      fc.property(list, list, (allow, deny) => {
        const ranges = deniedRanges(service(80, [], { address: ip("fd01::1"), allow, deny }));
        const ends = ranges.flatMap(({ first, last }) => [wide(first), wide(last)]);
        expect(ends.toSorted()).toEqual(ends);
      }),
    );
  });
});
