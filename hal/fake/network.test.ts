import { expect, test } from "vitest";
import { HalError } from "../contract/error.ts";
import { type Ifname, parseInterfaceAddress } from "../units/address.ts";
import { FakeNetwork } from "./network.ts";
import { describeNetwork } from "./network.suite.ts";

describeNetwork("the network in memory", async () => {
  const network = new FakeNetwork();
  const eth0 = network.plug("eth0" as Ifname);
  return {
    network,
    setCable: async (plugged) => network.setCable(eth0, plugged),
    overrun: async () =>
      network.overrun(() => {
        for (let i = 1; i < 100; i++) void network.addAddress(eth0, parseInterfaceAddress(`10.100.0.${i}/32`)!);
      }),
    destroy: async () => {},
  };
});

test("a refusal that a test ordered is given once", async () => {
  const network = new FakeNetwork();
  network.refuseNext(new HalError("EPERM", "RTM_GETLINK", "operation not permitted"));
  await expect(network.links()).rejects.toThrow("EPERM");
  await expect(network.links()).resolves.toEqual([]);
});
