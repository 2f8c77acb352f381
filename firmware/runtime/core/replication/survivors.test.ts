import { parseIpAddress } from "@futago/hal/units/address.ts";
import { describe, expect, it } from "vitest";
import { wideAddresses } from "./directory-of.ts";
import { connectionsOf } from "./survivors.ts";

const ip = (text: string) => parseIpAddress(text)!;
const tcp = { address: ip("10.1.0.1"), index: 3, protocol: "tcp" } as const;
const other = { address: ip("2001:db8::1"), index: 4, protocol: "tcp" } as const;
const udp = { address: ip("10.1.0.1"), index: 5, protocol: "udp" } as const;
const open = new Map([
  [3, 100],
  [4, 10],
  [5, 7],
]);
const own = wideAddresses([ip("10.1.0.1")]);

describe("of how many connections how many would survive", () => {
  it.each([
    ["all that the peer has", new Map([[3, 98]]), own, { established: 100, replicated: 98 }],
    ["never more than there are", new Map([[3, 120]]), own, { established: 100, replicated: 100 }],
    ["none without a word of the peer", new Map(), own, { established: 100, replicated: 0 }],
    ["unknown on a box alone", undefined, own, { established: 100, replicated: null }],
    ["unknown on a box that stands by", new Map([[3, 98]]), new Uint8Array(0), { established: 100, replicated: null }],
  ])("%s", (_, replicated, held, expected) => {
    expect(connectionsOf([tcp], open, replicated, held)).toEqual(expected);
  });

  it("counts a service on two addresses together, and UDP not at all", () => {
    const replicated = new Map([
      [3, 90],
      [4, 10],
    ]);
    const both = wideAddresses([ip("2001:db8::1"), ip("10.1.0.1")]);
    expect(connectionsOf([tcp, other, udp], open, replicated, both)).toEqual({ established: 110, replicated: 100 });
  });
});
