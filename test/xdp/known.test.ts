/** The services and backends that the balancer remembers, and for how long. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { encodeNumber } from "@futago/hal/xdp/layout.ts";
import { encodeService } from "@futago/hal/xdp/layout-entries.ts";
import { gateTables } from "@futago/hal/xdp/tables.ts";
import {
  addressOf,
  createTestBox,
  GROUP,
  OWN_ADDRESSES,
  type TestBox,
  XDP_DROP,
  XDP_PASS,
  XDP_REDIRECT,
} from "./box.ts";
import { answer, CASES, casesWith, establish, send, serviceOf, startCase } from "./cases.ts";
import { changeNewest } from "./every-processor.ts";
import { bootNanos } from "./pins.ts";
import { BOTH, outcome } from "./talk.ts";
import { type ReadTransport, readTransport } from "./transport.ts";

let box: TestBox;

beforeAll(async () => {
  box = await createTestBox();
});
afterAll(async () => {
  await box?.destroy();
});

const HOUR = 3_600_000_000_000n;
const UNTIL_AT = 24;
const GENERATION_AT = 32;
const GROUP_AT = 36;
const ANOTHER_GROUP = GROUP + 1;

type Memory = "known_services" | "known_backends";
const MEMORIES = ["known_services", "known_backends"] as const;

/** Returns how many places changed. */
function falsify(name: Memory, change: (known: DataView) => void): number {
  const map = box.object.map(name);
  const until = (known: DataView) => known.getBigUint64(UNTIL_AT, true);
  return [...map.entries()].filter(([key]) => changeNewest(map, key, until, change)).length;
}

function forgetAll(): void {
  for (const map of MEMORIES.map((name) => box.object.map(name)))
    for (const [key, value] of map.entries())
      if (value.some((byte) => byte !== 0)) map.update(key, new Uint8Array(value.length));
}

const inAnotherGroup = (until: bigint) => (known: DataView) => {
  known.setBigUint64(UNTIL_AT, until, true);
  known.setUint32(GROUP_AT, ANOTHER_GROUP, true);
};

/** Parts of where it is, and a byte of each. */
const PARTS = [
  ["address", 3],
  ["port", 17],
  ["protocol", 18],
] as const;
const ofAnother = (at: number) => (known: DataView) => {
  inAnotherGroup(bootNanos() + HOUR)(known);
  known.setUint8(at, known.getUint8(at) ^ 1);
};

function setVips(group: number, ...vips: readonly string[]): void {
  gateTables(box.object).setVips(new Map(vips.map((vip) => [addressOf(vip), group])));
}

describe.each(CASES)("%s: a service", (_, one) => {
  const [s1 = ""] = one.backends;

  beforeEach(() => {
    forgetAll();
    setVips(GROUP, one.vip);
    startCase(box, one);
    box.serve([serviceOf(one, [s1])]);
    box.groups.set(ANOTHER_GROUP, BOTH, 0n);
    expect(send(box, one).verdict).toBe(XDP_REDIRECT);
  });

  const closed = { passVipClosed: 1 };

  it("is believed until its time or its generation is over", () => {
    expect(falsify("known_services", inAnotherGroup(bootNanos() + HOUR))).toBe(1);
    expect(outcome(box, () => send(box, one))).toEqual([XDP_PASS, closed]);
    falsify("known_services", inAnotherGroup(bootNanos()));
    expect(send(box, one).verdict).toBe(XDP_REDIRECT);
    falsify("known_services", inAnotherGroup(bootNanos() + HOUR));
    box.tables.nextGeneration();
    expect(send(box, one).verdict).toBe(XDP_REDIRECT);
  });

  it.each(PARTS)("is not believed of another %s", (_what, at) => {
    falsify("known_services", ofAnother(at));
    expect(send(box, one).verdict).toBe(XDP_REDIRECT);
  });

  it("is gone with the service at once", () => {
    box.serve([]);
    expect(outcome(box, () => send(box, one))).toEqual([XDP_PASS, { passNoService: 1 }]);
  });

  it("is another at once when the service changes", () => {
    box.serve([
      serviceOf(one, [s1], {
        deny: [{ address: addressOf(one.client), prefixLength: one.client.includes(":") ? 128 : 32 }],
      }),
    ]);
    expect(outcome(box, () => send(box, one))[1]).toEqual({ dropDenied: 1 });
  });

  it("follows its VIP into another group at once, and is closed when that is", () => {
    setVips(ANOTHER_GROUP, one.vip);
    expect(outcome(box, () => send(box, one))).toEqual([XDP_PASS, closed]);
    box.groups.set(ANOTHER_GROUP, BOTH);
    expect(send(box, one).verdict).toBe(XDP_REDIRECT);
    box.groups.set(ANOTHER_GROUP, BOTH, 0n);
    expect(outcome(box, () => send(box, one))).toEqual([XDP_PASS, closed]);
  });

  it("is forgotten with its VIP at once", () => {
    setVips(GROUP);
    expect(send(box, one).verdict).toBe(XDP_PASS);
  });

  it("keeps its place from what is no service's", () => {
    const map = box.object.map("known_services");
    const standing = () => [...map.entries()];
    const before = standing();
    for (let port = 1; port <= 1_024; port++) send(box, one, { destinationPort: 20_000 + port });
    expect(standing()).toEqual(before);
  });
});

describe.each(casesWith({ mode: "nat" }))("%s: a backend", (_, one) => {
  const [s1 = ""] = one.backends;
  let got: ReadTransport;
  const reply = () => answer(box, got);

  beforeEach(() => {
    forgetAll();
    setVips(GROUP, one.vip);
    startCase(box, one);
    box.serve([serviceOf(one, [s1])]);
    box.groups.set(ANOTHER_GROUP, BOTH, 0n);
    got = establish(box, one);
    expect(reply().verdict).toBe(XDP_REDIRECT);
  });

  const closed = [XDP_DROP, { dropReplyClosed: 1 }];

  it("is believed until its time or its generation is over", () => {
    expect(falsify("known_backends", inAnotherGroup(bootNanos() + HOUR))).toBe(1);
    expect(outcome(box, reply)).toEqual(closed);
    falsify("known_backends", inAnotherGroup(bootNanos()));
    expect(reply().verdict).toBe(XDP_REDIRECT);
    falsify("known_backends", inAnotherGroup(bootNanos() + HOUR));
    box.tables.nextGeneration();
    expect(reply().verdict).toBe(XDP_REDIRECT);
  });

  it.each(PARTS)("is not believed of another %s", (_what, at) => {
    falsify("known_backends", ofAnother(at));
    expect(reply().verdict).toBe(XDP_REDIRECT);
  });

  it("is nobody at once when its service goes", () => {
    box.serve([]);
    expect(outcome(box, reply)).toEqual([XDP_PASS, {}]);
  });

  it("follows its VIP into another group at once, and is closed when that is", () => {
    setVips(ANOTHER_GROUP, one.vip);
    expect(outcome(box, reply)).toEqual(closed);
    box.groups.set(ANOTHER_GROUP, BOTH);
    expect(reply().verdict).toBe(XDP_REDIRECT);
    setVips(GROUP);
    expect(outcome(box, reply)).toEqual(closed);
  });

  it("is answered to by the box itself as soon as the client's address is the box's own", () => {
    const own = OWN_ADDRESSES.map(addressOf);
    box.tables.setOwn([...own, addressOf(one.client)]);
    expect(outcome(box, reply)).toEqual([XDP_PASS, { passOwn: 1 }]);
    box.tables.setOwn(own);
    expect(reply().verdict).toBe(XDP_REDIRECT);
  });

  it("keeps its place from who is none", () => {
    const standing = () => [...box.object.map("known_backends").entries()];
    const before = standing();
    for (let port = 1; port <= 1_024; port++) answer(box, got, { sourcePort: 20_000 + port });
    expect(standing()).toEqual(before);
  });
});

it("says of a service what struct service holds, behind where it is, until when and of which generation", () => {
  const [, one] = CASES[0] ?? [];
  if (one === undefined) throw new Error("no case");
  forgetAll();
  setVips(GROUP, one.vip);
  startCase(box, one);
  box.serve([serviceOf(one, [one.backends[0] ?? ""])]);
  send(box, one);
  const entry = box.tables.read().find(({ kind }) => kind === "service");
  if (entry?.kind !== "service") throw new Error("no service");
  const generation = new DataView(box.object.map("futago_state").lookup(encodeNumber(0))!.buffer).getUint32(0, true);
  let checked = 0;
  falsify("known_services", (known) => {
    expect(new Uint8Array(known.buffer, known.byteOffset + 40, 24)).toEqual(encodeService(entry));
    expect([known.getUint32(GENERATION_AT, true), known.getUint32(GROUP_AT, true)]).toEqual([generation, GROUP]);
    checked += 1;
  });
  expect(checked).toBe(1);
});

it("is one of two that share a place, each served as it is", () => {
  const [, one] = CASES[0] ?? [];
  if (one === undefined) throw new Error("no case");
  setVips(GROUP, one.vip);
  startCase(box, one);
  // More services than there are places.
  const [s1 = ""] = one.backends;
  const ports = Array.from({ length: 250 }, (_, i) => 1_000 + i);
  box.serve(ports.map((port) => ({ ...serviceOf(one, [s1]), name: `port ${port}`, port, mode: "one-arm" as const })));
  for (let round = 0; round < 2; round++)
    for (const port of ports) {
      const { verdict, output } = send(box, one, { destinationPort: port, sourcePort: 30_000 + port });
      expect([port, verdict]).toEqual([port, XDP_REDIRECT]);
      expect(readTransport(output).destination).toBe(s1);
    }
});
