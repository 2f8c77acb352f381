/** Serving on a machine in memory: what checks, the peer and people say, and what then stands in the balancer's tables. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Hal } from "@futago/hal/contract/hal.ts";
import { openDialing } from "@futago/hal/dial/dialer.ts";
import { FakeBpf } from "@futago/hal/fake/bpf.ts";
import { FakeIcmp } from "@futago/hal/fake/icmp.ts";
import { FakeNftables } from "@futago/hal/fake/nftables.ts";
import { FakeNetwork } from "@futago/hal/fake/network.ts";
import type { BackendEntry, RingEntry } from "@futago/hal/units/balancer.ts";
import { instant } from "@futago/hal/units/time.ts";
import { decodeNumber, encodeNumber } from "@futago/hal/xdp/layout.ts";
import { balancerTables } from "@futago/hal/xdp/tables.ts";
import { RingStock } from "../../balancer/ring-stock.ts";
import { compileSystem } from "../../config/compile-system.ts";
import { validate } from "../../config/validate.ts";
import type { Ifindex, Ifname, IpAddress } from "@futago/hal/units/address.ts";
import { DEFAULT_SIZES, mapSizes } from "./balancer/table-sizes.ts";
import { Serving } from "./serving.ts";

const WAIT = { timeout: 5_000, interval: 5 };
const now = () => instant(performance.now() * 1_000);
const log = { info: () => undefined, warn: () => undefined, error: () => undefined, lines: () => [] };

let icmp: FakeIcmp;
let bpf: FakeBpf;
let network: FakeNetwork;
let nftables: FakeNftables;
let hal: Hal;
let serving: Serving;
let reloads: number;

function configOf(more: Record<string, unknown> = {}, pool: Record<string, unknown> = {}) {
  const document = {
    interfaces: [
      { name: "wan", device: "eth0", addresses: ["10.1.0.2/24"] },
      { name: "lan", device: "eth1", addresses: ["10.2.0.2/24"] },
    ],
    failoverGroups: [
      {
        name: "edge",
        virtualRouters: [
          { interface: "wan", vrid: 10, name: "front", addresses: ["10.1.0.1/24"] },
          { interface: "lan", vrid: 11, addresses: ["10.2.0.1/24"] },
        ],
      },
    ],
    pools: [
      {
        name: "web",
        backends: [
          { name: "s1", address: "10.2.0.11", port: 8080, maxConnections: 500 },
          { name: "s2", address: "10.2.0.12", port: 8080 },
        ],
        check: { type: "icmp", intervalMs: 100, timeoutMs: 50, rise: 1, fall: 1 },
        ...pool,
      },
      { name: "sorry", backends: [{ name: "page", address: "10.2.0.99", port: 80 }], check: { type: "none" } },
    ],
    services: [{ name: "www", address: "front", protocol: "tcp", port: 80, pool: "web", sorryPool: "sorry" }],
    ...more,
  };
  const judged = validate(document, { box: undefined });
  if (!judged.ok) throw new Error(JSON.stringify(judged.problems));
  return judged.resolved;
}

function configure(more: Record<string, unknown> = {}, pool: Record<string, unknown> = {}): Promise<void> {
  const config = configOf(more, pool);
  return serving.configure(config, compileSystem(config));
}

beforeEach(() => {
  icmp = new FakeIcmp(now);
  for (const last of [11, 12]) icmp.setHost(`10.2.0.${last}` as IpAddress, "answers");
  bpf = new FakeBpf();
  network = new FakeNetwork();
  nftables = new FakeNftables();
  bpf.mount("/bpf");
  reloads = 0;
  // What checks by echo and the balancer need of a machine.
  hal = {
    clock: { now },
    icmp,
    dialing: openDialing(),
    network,
    bpf,
    nftables,
  } as unknown as Hal;
  serving = started();
});

function started(): Serving {
  return new Serving({
    hal,
    log,
    bpfDirectory: "/bpf",
    seed: "seed",
    tables: {
      sizes: DEFAULT_SIZES,
      object: bpf.load("balancer", "/bpf", mapSizes(DEFAULT_SIZES)),
      rings: new RingStock(),
    },
    onPenalties: () => undefined,
    onPicture: () => undefined,
    onEnded: () => undefined,
    onTables: () => reloads++,
    onChange: () => undefined,
  });
}

afterEach(() => serving.remove());

function entries() {
  return balancerTables(serving.balancer.object).read();
}

/** How many slots of the ring each backend has, by the end of its address. */
function shares(): Readonly<Record<string, number>> {
  const standing = entries();
  const ring = standing.find((one): one is RingEntry => one.kind === "ring");
  const names = new Map(standing.flatMap((one) => (one.kind === "backend" ? [[one.number, one.address]] : [])));
  const counts: Record<string, number> = {};
  for (const ordinal of ring?.ordinals ?? []) {
    const name = names.get(ordinal)?.split(".")[3] ?? "nobody";
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function owners(): string {
  return Object.keys(shares()).sort().join();
}

function stateOf(last: number): BackendEntry["state"] | undefined {
  return entries().find((one): one is BackendEntry => one.kind === "backend" && one.address === `10.2.0.${last}`)
    ?.state;
}

describe("who gets new connections", () => {
  it("are the living backends, and the sorry pool while none lives", async () => {
    await configure();
    expect(owners()).toBe("11,12");
    icmp.setHost("10.2.0.11" as IpAddress, "silent");
    await expect.poll(owners, WAIT).toBe("12");
    expect(stateOf(11)).toBe("dead");
    icmp.setHost("10.2.0.12" as IpAddress, "silent");
    await expect.poll(owners, WAIT).toBe("99");
    icmp.setHost("10.2.0.12" as IpAddress, "answers");
    await expect.poll(owners, WAIT).toBe("12");
  });

  it("are not those that somebody drains, who keep their place in the tables", async () => {
    await configure();
    serving.setDrains(new Set(["web/s1"]));
    expect([owners(), stateOf(11)]).toEqual(["12", "draining"]);
    serving.setDrains(new Set());
    expect([owners(), stateOf(11)]).toEqual(["11,12", "alive"]);
  });

  it("come to a backend that returned little by little", async () => {
    await configure({}, { slowStartSeconds: 1 });
    icmp.setHost("10.2.0.11" as IpAddress, "silent");
    await expect.poll(owners, WAIT).toBe("12");
    icmp.setHost("10.2.0.11" as IpAddress, "answers");
    await expect.poll(() => shares()["11"], WAIT).toBe(1_668);
    const seen = new Set<number | undefined>();
    await expect
      .poll(() => {
        seen.add(shares()["11"]);
        return shares()["11"];
      }, WAIT)
      .toBe(5_004);
    // A fifth against a whole one is a sixth of the ring, two fifths two sevenths, and so on.
    for (const share of seen) expect([1_668, 2_859, 3_753, 4_448, 5_004]).toContain(share);
    expect(seen.size).toBeGreaterThan(2);
  });
});

describe("what stands in the tables", () => {
  it("has the service's and the backends' limits", async () => {
    const [web] = configOf().services;
    await configure({
      services: [{ ...written, newConnectionsPerSecond: 40, persistence: "source", allow: ["10.0.0.0/8"] }],
    });
    expect(web?.idleTimeoutSeconds).toBe(7_440);
    expect(entries()).toContainEqual(
      expect.objectContaining({ kind: "service", newFlowsPerSecond: 40, persistence: "source", access: "listedOnly" }),
    );
    expect(entries()).toContainEqual(expect.objectContaining({ kind: "backend", address: "10.2.0.11", flowsMax: 500 }));
  });

  it("goes into tables of another size when the configuration asks for it", async () => {
    await configure();
    const before = entries().length;
    await configure({ balancer: { flows: 2_048 } });
    expect(reloads).toBe(1);
    expect(serving.balancer.object.map("established").entriesMax).toBe(2_048);
    expect(entries()).toHaveLength(before);
    await configure({ balancer: { flows: 2_048 } });
    expect(reloads).toBe(1);
  });

  it("holds what became of backends while tables of another size were made", async () => {
    await configure();
    const load = bpf.loadAside.bind(bpf);
    bpf.loadAside = (...given) => {
      serving.setDrains(new Set(["web/s1"]));
      return load(...given);
    };
    await configure({ balancer: { flows: 2_048 } });
    expect(stateOf(11)).toBe("draining");
    expect(owners()).toBe("12");
  });

  it("is old in its next hops when the core comes up", async () => {
    const generation = serving.balancer.object.map("futago_state").lookup(encodeNumber(0));
    expect(decodeNumber(generation!)).toBe(1);
  });
});

describe("a service whose clients may live beside its backends", () => {
  const beside = [{ name: "www", address: "10.2.0.1", protocol: "tcp", port: 80, pool: "web" }];

  it("says that it serves those as in one-arm, and its backends say their subnet", async () => {
    await configure({ services: beside });
    const clients = (more: object) =>
      serving.oneArmOf(configOf({ services: [{ ...beside[0], ...more }] }).services[0]!);
    expect(clients({})).toEqual(["10.2.0.0/24"]);
    expect(entries()).toContainEqual(
      expect.objectContaining({ kind: "backend", address: "10.2.0.11", subnetBits: 24 }),
    );
    await configure({ services: [{ ...beside[0], mode: "one-arm" }] });
    expect(clients({ mode: "one-arm" })).toEqual([]);
  });
});

describe("a core that starts behind another", () => {
  it("empties nothing of what it finds before it knows what is to be served", async () => {
    await configure();
    const found = entries();
    // As a kill does: nothing is put away.
    const former = serving;
    serving = started();
    const start = { isOver: false };
    void configure().then(() => (start.isOver = true));
    for (let turn = 1; !start.isOver && turn < 200; turn++) {
      // All that others have to say while a core starts, at every moment of it.
      serving.setNetwork([], [`10.1.0.${turn}` as IpAddress]);
      serving.setDrains(new Set(turn % 2 === 0 ? ["web/s1"] : []));
      expect(entries()).toHaveLength(found.length);
      await (turn < 50 ? Promise.resolve() : new Promise(setImmediate));
    }
    expect(start.isOver).toBe(true);
    await former.remove();
  });

  it("leaves the rules of nftables for as long", async () => {
    bpf.foreign.set(network.plug("eth0" as Ifname), { id: 7, name: "xdp_firewall" });
    network.plug("eth1" as Ifname);
    const config = configOf();
    await serving.configure(config, compileSystem(config), await network.links());
    const rules = () => nftables.table("futago_balancer");
    await expect.poll(rules, WAIT).toContain("10.2.0.11 . 8080");
    const former = serving;
    serving = started();
    serving.fallback.setOwn(["10.1.0.2" as IpAddress]);
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(await rules()).toContain("10.2.0.11 . 8080");
    await former.remove();
  });
});

describe("a port that takes no XDP program", () => {
  const rules = () => nftables.table("futago_balancer");
  const alarms = () => [...(serving.alarms().get("balancer-fallback") ?? [])];
  let eth0: Ifindex;

  async function come(): Promise<void> {
    const config = configOf({ services: [written, { ...written, name: "fast", port: 8080, mode: "direct" }] });
    const links = await network.links();
    await serving.configure(config, compileSystem(config), links);
    serving.setNetwork(links, []);
  }

  beforeEach(async () => {
    eth0 = network.plug("eth0" as Ifname);
    network.plug("eth1" as Ifname);
    bpf.foreign.set(eth0, { id: 7, name: "xdp_firewall" });
    await come();
  });

  const shown = (name: string) =>
    serving.fallback.attachmentOf(configOf({ services: [{ ...written, name }] }).services[0]!);

  it("has nftables serve what comes in there, from the first moment on", async () => {
    expect(
      entries()
        .filter((one) => one.kind === "service")
        .map((one) => one.port),
    ).toEqual([8080]);
    await expect.poll(rules, WAIT).toContain("10.2.0.11 . 8080");
    const reason = 'eth0: somebody else\'s XDP program "xdp_firewall" (id 7) is there';
    expect(shown("www")).toEqual({ attach: "nftables", attachReason: reason });
    expect(alarms()).toEqual([
      ["eth0", expect.stringMatching(/Rules of nftables serve www instead.* fast in mode direct cannot/)],
    ]);
    expect([...(serving.alarms().get("balancer-refused") ?? [])]).toEqual([]);
  });

  it("follows the health of backends there, too", async () => {
    icmp.setHost("10.2.0.11" as IpAddress, "silent");
    const ring = async () => /jhash .*/.exec((await rules()) ?? "")?.[0]?.split(" : ").length;
    await expect.poll(ring, WAIT).toBe(2);
  });

  it("is served by XDP again when it takes the program", async () => {
    bpf.foreign.delete(eth0);
    serving.setNetwork(await network.links(), []);
    await expect.poll(() => entries().filter((one) => one.kind === "service"), WAIT).toHaveLength(2);
    await expect.poll(rules, WAIT).toBeUndefined();
    expect(shown("www")).toEqual({ attach: "native", attachReason: null });
    expect(alarms()).toEqual([]);
  });

  it("is noticed when somebody takes ours away for another", async () => {
    bpf.foreign.delete(eth0);
    serving.setNetwork(await network.links(), []);
    bpf.foreign.set(eth0, { id: 9, name: "other" });
    serving.setNetwork(await network.links(), []);
    expect(shown("www").attachReason).toContain('"other" (id 9)');
    await expect.poll(rules, WAIT).toContain("10.2.0.11 . 8080");
  });

  it("is told from one that takes it in generic mode only", async () => {
    bpf.foreign.delete(eth0);
    bpf.genericOnly.add(eth0);
    serving.setNetwork(await network.links(), []);
    expect(shown("www").attach).toBe("generic");
    expect(shown("www").attachReason).toMatch(/^eth0: .*has no native XDP/);
    expect(alarms()).toEqual([]);
  });
});

const written = { name: "www", address: "front", protocol: "tcp", port: 80, pool: "web" };
