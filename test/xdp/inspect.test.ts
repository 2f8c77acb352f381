/** What `trace` looks up in the maps is what the programs wrote there. */
import { type BalancerInspection, inspectBalancer } from "@futago/hal/xdp/inspect.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { addressOf, createTestBox, GROUP, type TestBox } from "./box.ts";
import { casesWith, CLIENT_PORT, establish, open, PORT, send, serviceOf, startCase } from "./cases.ts";
import { SYN } from "./packet.ts";
import { bootNanos } from "./pins.ts";
import { counted } from "./talk.ts";

let box: TestBox;
let inspection: BalancerInspection;
const nat = casesWith({ mode: "nat", protocol: "tcp" })[0]![1];

beforeAll(async () => {
  box = await createTestBox();
  inspection = inspectBalancer(box.object);
});
afterAll(async () => {
  await box?.destroy();
});
beforeEach(() => startCase(box, nat));

describe("the inspection", () => {
  it("finds a flow in the table that it is in", () => {
    const key = { client: addressOf(nat.client), clientPort: CLIENT_PORT, vip: addressOf(nat.vip), vipPort: PORT };
    const look = () => inspection.flow({ ...key, protocol: "tcp" });
    expect(look()).toBeUndefined();
    const got = establish(box, nat);
    expect(look()).toMatchObject({
      table: "established",
      flow: { address: got.destination, port: got.destinationPort },
    });
    expect([...inspection.flows()].flatMap(([table, flows]) => flows.map(() => table))).toEqual(["established"]);
    const service = box.tables.read().find((entry) => entry.kind === "service")!;
    const number = look()!.flow.backend;
    expect([service.index, inspection.openFlows(number)]).toEqual([Math.floor(number / 128), 1]);
  });

  it("says how many new connections a client has left, as the program counts them", () => {
    // One a second: the next is earned long after this test.
    box.serve([serviceOf(nat, nat.backends, { newFlowsPerSecond: 1 })]);
    const { index } = box.tables.read().find((entry) => entry.kind === "service")!;
    const left = (later = 0n) => inspection.tokens(addressOf(nat.client), index, 1, bootNanos() + later);
    expect(left()).toBeUndefined();
    open(box, nat);
    expect(left()).toBe(0);
    expect(counted(box, () => send(box, nat, { flags: SYN, sourcePort: 40_003 }))).toEqual({ dropSourceLimit: 1 });
    expect(left(1_000_000_000n)).toBe(1);
  });

  it("reads the lease of a VIP, and that it has none", () => {
    const lease = () => inspection.lease(addressOf(nat.vip), bootNanos());
    expect(lease()).toMatchObject({ answer: true, forward: true });
    box.groups.set(GROUP, 2);
    expect(lease()).toMatchObject({ answer: false, forward: true });
    expect(inspection.lease(addressOf(nat.vip), (1n << 63n) - 1n)).toBeUndefined();
    expect(inspection.lease(addressOf("192.0.2.1"), 0n)).toBeUndefined();
  });
});
