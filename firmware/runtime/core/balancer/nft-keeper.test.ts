/** The keeper of the rules on a packet filter in memory. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HalError } from "@futago/hal/contract/error.ts";
import { FakeNftables } from "@futago/hal/fake/nftables.ts";
import { markBackends } from "../../../balancer/nft-marks.ts";
import type { BalancedBackend } from "../../../balancer/service.ts";
import { backend, ip, service } from "../../../balancer/services.test-support.ts";
import { NftKeeper } from "./nft-keeper.ts";

const TABLE = "futago_balancer";
const NOTHING = new Set<never>();
const within = { timeout: 5_000, interval: 5 };
const web = (...backends: readonly BalancedBackend[]) => [service(80, backends)];
const [one, two] = markBackends(web(backend(11), backend(12))).map(({ mark }) => mark) as [number, number];

let nftables: FakeNftables;
let keeper: NftKeeper;
let warned: string[];
let changes: number;

function open(): NftKeeper {
  const log = {
    info: () => undefined,
    warn: (event: string) => void warned.push(event),
    error: () => undefined,
    lines: () => [],
  };
  return new NftKeeper({ nftables, seed: "seed", log, onChange: () => changes++ });
}

beforeEach(() => {
  nftables = new FakeNftables();
  warned = [];
  changes = 0;
  keeper = open();
});
afterEach(() => keeper.remove());

const table = () => nftables.table(TABLE);
const settled = async () => {
  const before = nftables.applied.length;
  await vi.waitUntil(() => nftables.applied.length > before, within);
};

describe("rules", () => {
  it("stand as long as a service needs them", async () => {
    keeper.setServices(web(backend(11)), NOTHING);
    await expect.poll(table, within).toContain("10.2.0.11 . 80");
    expect(keeper.serves({ name: "s80" })).toBe(true);
    expect(keeper.serves({ name: "s81" })).toBe(false);
    keeper.setServices([], NOTHING);
    await expect.poll(table, within).toBeUndefined();
    expect(keeper.serves({ name: "s80" })).toBe(false);
  });

  it("that a predecessor left go when no service needs them", async () => {
    await nftables.apply(`table inet ${TABLE} {\n}\n`);
    nftables.tracked.set(one, { all: 1, open: 1 });
    keeper.setServices([], NOTHING);
    await expect.poll(table, within).toBeUndefined();
    expect(nftables.tracked.size).toBe(0);
  });

  it("are not missed on a machine without the program, as long as nobody needs them", async () => {
    nftables.refuse(new HalError("ENOTSUP", "nft", "the program nft is not installed"));
    keeper.setServices([], NOTHING);
    await keeper.count();
    expect([keeper.trouble, warned]).toEqual([undefined, []]);
    keeper.setServices(web(backend(11)), NOTHING);
    await expect.poll(() => keeper.trouble, within).toContain("not installed");
    expect(changes).toBe(1);
    nftables.refuse(undefined);
    await expect.poll(() => keeper.trouble, within).toBeUndefined();
    expect(await table()).toContain("10.2.0.11 . 80");
  });

  it("are applied once for the same services, and once for several changes in a moment", async () => {
    keeper.setServices(web(backend(11), backend(12)), NOTHING);
    await settled();
    for (const weight of [2, 3, 4]) keeper.setServices(web(backend(11), backend(12, { weight })), NOTHING);
    await settled();
    keeper.setServices(web(backend(11), backend(12, { weight: 4 })), NOTHING);
    await keeper.remove();
    // The fourth takes the table away.
    expect(nftables.applied).toHaveLength(3);
  });

  it("are put back when somebody changed them, and left alone when somebody changed others", async () => {
    keeper.setServices(web(backend(11)), NOTHING);
    await settled();
    await nftables.apply("table inet other {\n}\n");
    const before = nftables.applied.length;
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    expect([nftables.applied.length, warned]).toEqual([before, []]);
    await nftables.apply(`delete table inet ${TABLE}\n`);
    await expect.poll(table, within).toContain("10.2.0.11 . 80");
    expect(warned).toEqual(["nftables-restored"]);
  });

  it("that cannot be said are a trouble, and what stood goes on", async () => {
    keeper.setServices(web(backend(11)), NOTHING);
    await settled();
    keeper.setServices(web(backend(11)), new Set([ip("10.2.0.11")]));
    expect(keeper.trouble).toContain("backendIsOwn");
    expect(await table()).toContain("10.2.0.11 . 80");
    keeper.setServices(web(backend(11)), NOTHING);
    expect(keeper.trouble).toBeUndefined();
  });
});

describe("connections", () => {
  const shown = () => Object.fromEntries([...keeper.open()].map(({ place, open: count }) => [place, count]));

  it("are counted by backend", async () => {
    keeper.setServices(web(backend(11), backend(12)), NOTHING);
    await settled();
    nftables.tracked.set(one, { all: 5, open: 3 });
    nftables.tracked.set(two, { all: 1, open: 0 });
    await expect.poll(shown, within).toEqual({ "10.2.0.11:80": 3 });
  });

  it("of a backend that this box alone may not see stay", async () => {
    keeper.setServices(web(backend(11), backend(12)), NOTHING);
    await settled();
    for (const mark of [one, two]) nftables.tracked.set(mark, { all: 1, open: 1 });
    keeper.setServices(web(backend(11, { alive: false, blind: true }), backend(12, { alive: false })), NOTHING);
    await expect.poll(() => [...nftables.tracked.keys()], within).toEqual([one]);
  });

  it("of a backend that dies or goes are forgotten, those of one that drains are not", async () => {
    keeper.setServices(web(backend(11), backend(12)), NOTHING);
    await settled();
    for (const mark of [one, two]) nftables.tracked.set(mark, { all: 1, open: 1 });
    keeper.setServices(web(backend(11, { draining: true }), backend(12, { alive: false })), NOTHING);
    await expect.poll(() => [...nftables.tracked.keys()], within).toEqual([one]);
    keeper.setServices(web(backend(12)), NOTHING);
    await expect.poll(() => [...nftables.tracked.keys()], within).toEqual([]);
  });

  it("of a backend that came back before the rules without it stood go on", async () => {
    keeper.setServices(web(backend(11), backend(12)), NOTHING);
    await settled();
    nftables.tracked.set(two, { all: 1, open: 1 });
    let proceed: (() => void) | undefined;
    const slowly = vi.spyOn(nftables, "apply").mockImplementationOnce(async (document) => {
      await new Promise<void>((resolve) => (proceed = resolve));
      await nftables.apply(document);
    });
    keeper.setServices(web(backend(11), backend(12, { alive: false })), NOTHING);
    await vi.waitUntil(() => proceed, within);
    keeper.setServices(web(backend(11), backend(12)), NOTHING);
    proceed?.();
    await vi.waitUntil(() => slowly.mock.calls.length === 3, within);
    await keeper.count();
    expect([...nftables.tracked.keys()]).toEqual([two]);
  });

  it("of nobody that is known are forgotten when they are counted", async () => {
    nftables.tracked.set(0x46000001, { all: 1, open: 1 });
    keeper.setServices(web(backend(11)), NOTHING);
    await expect.poll(() => nftables.tracked.size, within).toBe(0);
  });

  it("close a service that has as many as it may, until one ends", async () => {
    keeper.setServices([service(80, [backend(11), backend(12)], { flowsMax: 3 })], NOTHING);
    await settled();
    const isClosed = async () => (await table())?.includes("tcp flags & (syn | ack) == syn drop");
    expect(await isClosed()).toBe(false);
    nftables.tracked.set(one, { all: 2, open: 2 });
    nftables.tracked.set(two, { all: 1, open: 1 });
    await expect.poll(isClosed, within).toBe(true);
    nftables.tracked.set(two, { all: 1, open: 0 });
    await expect.poll(isClosed, within).toBe(false);
  });

  it("close a backend that has as many as it may, until one ends", async () => {
    keeper.setServices(web(backend(11, { flowsMax: 2 }), backend(12)), NOTHING);
    await settled();
    const marks = async () => /map \{ (0.*) \}/.exec((await table()) ?? "")?.[1]?.includes(one.toString(16));
    expect(await marks()).toBe(true);
    nftables.tracked.set(one, { all: 2, open: 2 });
    await expect.poll(marks, within).toBe(false);
    nftables.tracked.set(one, { all: 2, open: 1 });
    await expect.poll(marks, within).toBe(true);
  });
});
