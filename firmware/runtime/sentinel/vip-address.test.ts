import { formatInterfaceAddress, parseInterfaceAddress } from "@futago/hal/units/address.ts";
import { expect, it } from "vitest";
import { vipAddress } from "./vip-address.ts";

const OWN = ["10.1.0.2/24", "fd00::2/64"].map((text) => parseInterfaceAddress(text)!);

it.each([
  ["10.1.0.1/24", "10.1.0.1/32", true, "in an own address's subnet it stands alone, so that it is never its primary"],
  ["fd00::1/64", "fd00::1/64", true, "of IPv6 there is no primary address"],
  ["10.1.0.1/25", "10.1.0.1/25", false, "a subnet of its own brings its route"],
  ["10.9.0.1/24", "10.9.0.1/24", false, "elsewhere it is the subnet's only address"],
  ["10.1.0.2/24", "10.1.0.2/24", true, "an address owner's is the own address"],
])("%s stands as %s", (vip, value, noPrefixRoute, _why) => {
  const found = vipAddress(OWN, parseInterfaceAddress(vip)!);
  expect(formatInterfaceAddress(found.value)).toBe(value);
  const isOwn = vip === "10.1.0.2/24";
  expect(found.options).toEqual({ skipDuplicateDetection: true, noPrefixRoute, neverSource: !isOwn });
});
