import type { Link } from "@futago/hal/contract/network.ts";
import type { Ifindex, Ifname } from "@futago/hal/units/address.ts";
import { instant } from "@futago/hal/units/time.ts";
import { expect, it } from "vitest";
import type { GroupOrders, Orders } from "../../config/orders.ts";
import { nameHash } from "../../standby/identity.ts";
import type { PairState } from "../../standby/pair/types.ts";
import { roleEvidence } from "./evidence.ts";

const named = (name: string, device: string) => ({ name, device: device as Ifname, addresses: [], peerAddresses: [] });
const orders = { interfaces: [named("sync", "eth2"), named("wan", "eth0")] } as unknown as Orders;
const group = { name: "edge", virtualRouters: [{ device: "eth0" }, { device: "eth7" }] } as unknown as GroupOrders;
const path = (name: string, heardAt: number) => ({ id: nameHash(name), heardAt: instant(heardAt) });
const state = {
  groups: { edge: { since: instant(5_000_000) } },
  snapshot: { paths: [path("sync", 4_925_000), path("wan", 0), path("forgotten", 4_900_000)] },
  timing: { latenessP999: 400 },
  fitness: { edge: { health: 155, sentence: "eth0 has no carrier" } },
} as unknown as PairState;
const links = new Map([["eth0", { ifindex: 2 as Ifindex, carrier: false } as Link]]);

it("says when the role changed, how long each path had been silent, which cables are in, and what is wrong", () => {
  expect(roleEvidence(orders, state, group, links, undefined)).toEqual({
    atMicros: 5_000_000,
    "gapMicros sync": 75_000,
    "carrier eth0": "down",
    "carrier eth7": "no such device",
    latenessMicros: 400,
    unfit: "eth0 has no carrier",
  });
});

it("goes by the beats that pulse had heard when it decided, where it says so, and not by an older snapshot", () => {
  const heard = [path("sync", 4_999_000), path("wan", 4_998_500)];
  expect(roleEvidence(orders, state, group, links, heard)).toMatchObject({
    "gapMicros sync": 1_000,
    "gapMicros wan": 1_500,
  });
});

it("says nothing of a group that is not there any more", () => {
  expect(roleEvidence(orders, state, undefined, links, undefined)).toEqual({});
});
