/** The twin of flow_hash in TypeScript finds the backend that the program finds. */
import { flowHash, slotsOf } from "@futago/firmware/balancer/flow-hash.ts";
import { SERVICE_BACKENDS_MAX, type Persistence } from "@futago/hal/units/balancer.ts";
import { encodeNumber } from "@futago/hal/xdp/layout.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addressOf, createTestBox, type TestBox } from "./box.ts";
import { CASES, type Case, CLIENT_PORT, PORT, reached, send, serviceOf, startCase } from "./cases.ts";
import { SYN } from "./packet.ts";

let box: TestBox;

beforeAll(async () => {
  box = await createTestBox();
});
afterAll(async () => {
  await box?.destroy();
});

/** The backends' addresses in the order in which a flow from this port tries them, by what stands in the tables. */
function predicted(one: Case, clientPort: number, entries = box.tables.read()): readonly string[] {
  const service = entries.find((entry) => entry.kind === "service")!;
  const ring = entries.find((entry) => entry.kind === "ring" && entry.index === service.index);
  const ends = { client: addressOf(one.client), clientPort, vip: service.address, vipPort: PORT };
  const slots = slotsOf(flowHash({ ...ends, protocol: one.protocol }, service));
  return slots.map((slot) => {
    const ordinal = ring?.kind === "ring" ? ring.ordinals[slot]! : -1;
    const number = service.index * SERVICE_BACKENDS_MAX + ordinal;
    const backend = entries.find((entry) => entry.kind === "backend" && entry.number === number);
    return backend?.kind === "backend" ? backend.address : "none";
  });
}

describe.each(CASES)("in %s", (_, one) => {
  it.each<Persistence>(["none", "source"])("the predicted backend is the program's, persistence %s", (persistence) => {
    startCase(box, one);
    box.serve([serviceOf(one, one.backends, { persistence })]);
    const found = new Set<string>();
    const entries = box.tables.read();
    for (let i = 0; i < 24; i++) {
      const sourcePort = (CLIENT_PORT + 977 * i) & 0xffff;
      const got = reached(one, send(box, one, { flags: SYN, sourcePort }));
      expect(got).toBe(predicted(one, sourcePort, entries)[0]);
      found.add(got);
    }
    // Three backends and twenty-four ports: one backend alone would be no test of the ports.
    expect(found.size).toBe(persistence === "source" ? 1 : 3);
  });
});

it("goes on to the predicted next backend when one is full", () => {
  const one = CASES[0]![1];
  const full = (address: string) => [address, { flowsMax: 1 }] as const;
  startCase(box, one);
  box.serve([serviceOf(one, one.backends.map(full))]);
  const [first] = predicted(one, CLIENT_PORT);
  const entry = box.tables.read().find((each) => each.kind === "backend" && each.address === first);
  const one64 = new Uint8Array(8);
  one64[0] = 1;
  if (entry?.kind === "backend") box.object.map("backend_opened").update(encodeNumber(entry.number), one64);
  const next = predicted(one, CLIENT_PORT).find((address) => address !== first);
  expect(reached(one, send(box, one, { flags: SYN }))).toBe(next);
});
