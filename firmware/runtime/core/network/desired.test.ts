import { describe, expect, it } from "vitest";
import { compileOrders } from "../../../config/compile-orders.ts";
import { compileSystem } from "../../../config/compile-system.ts";
import { exampleDocument } from "../../../config/example.test-support.ts";
import { validate } from "../../../config/validate.ts";
import { type DesiredNetwork, desiredNetwork } from "./desired.ts";

/** Virtual routers on eth0 and eth1, and a VLAN on eth0 that has none; eth2 is the boxes' own. */
const interfaces = [
  ...exampleDocument.interfaces,
  { name: "guests", device: "eth0.7", addresses: { a: ["10.7.0.2/24"], b: ["10.7.0.3/24"] } },
];

function desired(ports: "open" | "silent" | "shut"): DesiredNetwork {
  const judged = validate({ ...exampleDocument, interfaces }, { box: "a" });
  if (!judged.ok) throw new Error(JSON.stringify(judged.problems));
  const { resolved } = judged;
  return desiredNetwork(compileSystem(resolved), compileOrders(resolved, "ab".repeat(32)), ports);
}

const devices = (all: readonly { readonly device: string }[]) => [...new Set(all.map(({ device }) => device))];

describe("the network that is wanted", () => {
  it("has every port up, with addresses, routes and neighbours", () => {
    const open = desired("open");
    expect([open.down, open.untouched]).toEqual([[], []]);
    expect(devices(open.addresses)).toEqual(["eth0", "eth1", "eth2", "eth0.7"]);
    expect(devices([...open.routes, ...open.neighbours])).toEqual(["eth0", "eth1"]);
    expect([...open.virtualAddresses]).toContain("10.1.0.1");
  });

  it("has the ports of virtual routers down on a spare, with nothing on them that could answer", () => {
    const shut = desired("shut");
    expect([shut.down, shut.untouched]).toEqual([["eth0", "eth1"], ["eth0.7"]]);
    expect(devices(shut.addresses)).toEqual(["eth2"]);
    expect([shut.routes, shut.neighbours, [...shut.virtualAddresses]]).toEqual([[], [], []]);
    expect(shut.devices).toEqual(["eth0", "eth1", "eth2", "eth0.7"]);
  });

  it("has them up and without addresses while a spare asks around", () => {
    const silent = desired("silent");
    expect([silent.down, silent.untouched]).toEqual([[], ["eth0.7"]]);
    expect(devices(silent.addresses)).toEqual(["eth2"]);
    expect([...silent.virtualAddresses]).toEqual([]);
  });
});
