/**
 * A new user, two bare boxes, and nothing but the pages: from the first code to a balanced service that has survived a
 * drill. Each box has an address that somebody gave it by hand, as a box out of its carton has.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { takeFirstSteps } from "./first-steps.ts";
import { Rig } from "./rig.ts";
import { Visit } from "./visit.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start({ bare: true });
});
afterAll(() => rig?.destroy());

it("goes from two unclaimed boxes to a balanced service and a passed drill by the pages alone", async () => {
  const a = await Visit.begin(await rig.browser.visitor());
  await takeFirstSteps({
    a,
    b: await Visit.begin(await rig.browser.visitor()),
    urls: { a: rig.url("a"), b: rig.url("b") },
    codes: { a: await rig.claimCode("a"), b: await rig.claimCode("b") },
    devices: ["eth0", "eth1", "eth2"],
    served: async () => {
      const { stdout } = await rig.topology.client.tryRun(["curl", "-s", "-m", "2", "http://10.1.0.1/"]);
      return stdout.trim();
    },
    drilled: "Passed",
    patienceMillis: 25_000,
  });
  expect(a.troubles).toEqual([]);
}, 300_000);
