import { type IpAddress, type Mac, parseInterfaceAddress, parseIpAddress } from "@futago/hal/units/address.ts";
import { type AccessEntry, RING_EMPTY, RING_SIZE, type ServiceEntry } from "@futago/hal/units/balancer.ts";
import { describe, expect, it } from "vitest";
import { flowHash, slotsOf } from "./flow-hash.ts";
import { type BackendFacts, type FlowFacts, trace, type TraceFacts } from "./trace.ts";

/** Of 198.51.100.7:40000 to tcp 10.1.0.1:80 with the seed 0x12345678, worked out by another program. */
const GOLDEN_FLOW = 0x787c9dde;
const GOLDEN_SOURCE = 0x06b70e46;

const address = (text: string) => parseIpAddress(text) as IpAddress;
const client = address("198.51.100.7");

const service: ServiceEntry = {
  kind: "service",
  address: address("10.1.0.1"),
  port: 80,
  protocol: "tcp",
  index: 3,
  seed: 0x12345678,
  mode: "nat",
  persistence: "none",
  access: "open",
  newFlowsPerSecond: 0,
  flowsMax: 0,
  clientFlowsMax: 0,
};

function backend(last: number, more: Partial<BackendFacts> = {}): BackendFacts {
  return {
    id: `web/s${last}`,
    address: address(`10.2.0.${last}`),
    port: 8080,
    state: "alive",
    subnetBits: 0,
    reason: "200 in 0.4 ms",
    open: 0,
    openMax: 0,
    hop: { device: "eth1", via: undefined, mac: "02:00:00:00:02:0b" as Mac, mtu: 1500 },
    ...more,
  };
}

/** Numbers of the third service begin at 384; the ring's slots alternate between its first two backends. */
const BASE = 384;
const facts: TraceFacts = {
  client,
  clientPort: 40_000,
  serviceName: "www",
  service,
  group: { name: "edge", state: "active", reason: "won", lease: { answer: true, forward: true } },
  port: { device: "eth0", attach: "native" },
  access: undefined,
  tokens: undefined,
  open: { all: 0, client: 0 },
  flow: undefined,
  ring: Uint16Array.from({ length: RING_SIZE }, (_, slot) => slot % 2),
  backends: new Map([
    [BASE, backend(11)],
    [BASE + 1, backend(12)],
  ]),
};
const ends = { client, clientPort: 40_000, vip: service.address, vipPort: 80, protocol: "tcp" } as const;
const [first = 0, second = 0] = slotsOf(flowHash(ends, service));
const chosen = `web/s${11 + (first % 2)}`;
const access = (prefix: string, allowed: boolean): AccessEntry => ({
  kind: "access",
  service: 3,
  allowed,
  prefix: parseInterfaceAddress(prefix)!,
});

describe("the hash", () => {
  it("is one and the same in every release: rings are shared with a peer of another", () => {
    expect(flowHash(ends, service)).toBe(GOLDEN_FLOW);
    expect(flowHash(ends, { ...service, persistence: "source" })).toBe(GOLDEN_SOURCE);
    expect(flowHash({ ...ends, clientPort: 1 }, { ...service, persistence: "source" })).toBe(GOLDEN_SOURCE);
  });

  it("tries slots that lie a prime apart", () => {
    expect(slotsOf(0).slice(0, 3)).toEqual([0, 1_543, 3_086]);
    expect(slotsOf(10_006)).toHaveLength(8);
    expect(slotsOf(0xffffffff).every((slot) => slot >= 0 && slot < RING_SIZE)).toBe(true);
  });
});

describe("a trace", () => {
  it("follows a new connection to its backend, one plain sentence for each step", () => {
    const shown = trace(facts);
    expect(shown).toMatchObject({ outcome: "backend", backends: [{ id: chosen, share: 1 }], counter: null });
    expect(shown.steps.map(({ step }) => step)).toEqual(
      "vip port service access entry ring backend hop rewrite else".split(" "),
    );
    for (const { sentence, ends: isEnd } of shown.steps) {
      expect(sentence).toMatch(/^\S.*\.$/);
      expect(isEnd).toBe(false);
    }
  });

  it("says that a client beside the backend is carried as in one-arm", () => {
    const beside = [11, 12].map((last, i) => [BASE + i, backend(last, { subnetBits: 24 })] as const);
    const { steps } = trace({ ...facts, client: address("10.2.0.77"), backends: new Map(beside) });
    const said = new Map(steps.map(({ step, sentence }) => [step, sentence]));
    expect(said.get("mode")).toMatch(/^10\.2\.0\.77 is in the subnet of web\/s1[12], .* as in one-arm\.$/);
    expect(said.get("rewrite")).toContain("the source becomes 10.1.0.1 with a free port");
    expect(trace({ ...facts, backends: new Map(beside) }).steps.some(({ step }) => step === "mode")).toBe(false);
  });

  it("says what the service and the client have open, and which of them is full", () => {
    const limited = { ...service, flowsMax: 10, clientFlowsMax: 3 };
    const said = (all: number, own: number) => trace({ ...facts, service: limited, open: { all, client: own } });
    expect(said(9, 2)).toMatchObject({ outcome: "backend", counter: null });
    expect(said(10, 2)).toMatchObject({ outcome: "dropped", counter: "dropServiceFull" });
    const full = said(9, 3);
    expect(full).toMatchObject({ outcome: "dropped", counter: "dropClientFull" });
    expect(full.steps.at(-1)?.sentence).toBe(
      `${client} has 3 of the 3 connections open that it may have: the packet is dropped.`,
    );
  });

  type Row = readonly [
    name: string,
    change: Partial<TraceFacts>,
    outcome: string,
    counter: string | null,
    says: string,
  ];
  it.each<Row>([
    ["no service in the tables", { service: undefined }, "kernel", "passNoService", "do not hold the service www"],
    [
      "a standby",
      { group: { name: "edge", state: "standby", reason: "the peer is active", lease: undefined } },
      "dropped",
      "passVipClosed",
      "which is standby here (the peer is active)",
    ],
    [
      "a lapsed lease",
      { group: { ...facts.group, lease: undefined } },
      "dropped",
      "passVipClosed",
      "whose lease has lapsed",
    ],
    [
      "a hand-over",
      { group: { ...facts.group, lease: { answer: false, forward: true } } },
      "dropped",
      "passNewFlowClosed",
      "takes no new connections at this moment",
    ],
    ["no program on the port", { port: { device: "eth0", attach: "none" } }, "kernel", null, "does not sit on eth0"],
    ["a client of the other family", { client: address("2001:db8::7") }, "dropped", null, "such a packet cannot be"],
    [
      "a denied client",
      { access: access("198.51.100.0/24", false) },
      "dropped",
      "dropDenied",
      "198.51.100.0/24 of `deny`",
    ],
    [
      "a client that no list names",
      { service: { ...service, access: "listedOnly" } },
      "dropped",
      "dropDenied",
      "No entry of `allow` names 198.51.100.7",
    ],
    [
      "a client that used up its connections",
      { service: { ...service, newFlowsPerSecond: 5 }, tokens: 0 },
      "dropped",
      "dropSourceLimit",
      "5 new connections a second",
    ],
    [
      "an empty ring",
      { ring: new Uint16Array(RING_SIZE).fill(RING_EMPTY) },
      "dropped",
      "dropNoBackend",
      "no living backend",
    ],
  ])("ends at %s", (_, change, outcome, counter, says) => {
    const shown = trace({ ...facts, ...change });
    expect(shown).toMatchObject({ outcome, counter, backends: [] });
    const last = shown.steps.at(-1)!;
    expect(last.ends).toBe(true);
    expect(last.sentence).toContain(says);
    expect(shown.steps.slice(0, -1).every((step) => !step.ends)).toBe(true);
  });

  it("goes on where an entry of `allow` names the client, and where tokens are left", () => {
    const shown = trace({
      ...facts,
      service: { ...service, access: "listedOnly", newFlowsPerSecond: 5 },
      access: access("198.51.100.7/32", true),
      tokens: 2,
    });
    expect(shown.outcome).toBe("backend");
    expect(shown.steps.map(({ sentence }) => sentence).join()).toMatch(/entry 198\.51\.100\.7\/32 .* has 2 left/);
  });
});

describe("a trace of a known flow", () => {
  const flow: FlowFacts = {
    table: "established",
    backend: BASE + 1,
    address: address("10.2.0.12"),
    port: 8080,
    vipSourcePort: 0,
    idleSeconds: 3.5,
  };

  it("goes to the flow's backend, whatever the ring says, also while it drains and new ones are withheld", () => {
    const draining = new Map([[BASE + 1, backend(12, { state: "draining" })]]);
    const group = { ...facts.group, lease: { answer: false, forward: true } };
    const shown = trace({ ...facts, flow, backends: draining, group, ring: new Uint16Array(RING_SIZE) });
    expect(shown).toMatchObject({ outcome: "backend", backends: [{ id: "web/s12" }] });
    expect(shown.steps.map(({ step }) => step)).not.toContain("ring");
    expect(shown.steps.map(({ sentence }) => sentence).join()).toMatch(/silent for 3 s.*draining: it keeps/);
  });

  it("ends with a reset when its backend died, or its number went to another", () => {
    const dead = new Map([[BASE + 1, backend(12, { state: "dead" })]]);
    expect(trace({ ...facts, flow, backends: dead })).toMatchObject({ outcome: "dropped", counter: "dropDeadBackend" });
    const other = new Map([[BASE + 1, backend(13)]]);
    expect(trace({ ...facts, flow, backends: other }).steps.at(-1)?.sentence).toContain("which is not there any more");
  });

  it("goes by the ring anew in UDP", () => {
    const udp: TraceFacts = { ...facts, service: { ...service, protocol: "udp" }, flow: { ...flow, table: "udp" } };
    const shown = trace({
      ...udp,
      backends: new Map([
        [BASE, backend(11)],
        [BASE + 1, backend(12, { state: "dead" })],
      ]),
    });
    expect(shown.steps.map(({ step }) => step)).toContain("ring");
  });

  it("says the VIP's port of one-arm", () => {
    const oneArm: ServiceEntry = { ...service, mode: "one-arm" };
    const shown = trace({ ...facts, service: oneArm, flow: { ...flow, vipSourcePort: 1234 } });
    expect(shown.steps.find(({ step }) => step === "rewrite")?.sentence).toContain("the source becomes 10.1.0.1:1234");
  });
});

describe("a trace by the ring", () => {
  it("goes on to the next slot while backends are full, and ends when all are", () => {
    const all = (openMax: number, open: number) =>
      new Map([11, 12].map((last, i) => [BASE + i, backend(last, { openMax, open })]));
    expect(trace({ ...facts, backends: all(2, 2) })).toMatchObject({ outcome: "dropped", counter: "dropBackendFull" });
    const one = all(2, 1);
    one.set(BASE + (first % 2), backend(11 + (first % 2), { openMax: 2, open: 2 }));
    const shown = trace({ ...facts, backends: one });
    // The two slots name different backends, or the third decides.
    const next = [first, second, ...slotsOf(flowHash(ends, service)).slice(2)].find((slot) => slot % 2 !== first % 2)!;
    expect(shown.backends).toEqual([{ id: `web/s${11 + (next % 2)}`, share: 1 }]);
    expect(shown.steps.find(({ step }) => step === "ring")?.sentence).toContain(
      `since ${chosen} has all the connections`,
    );
  });

  it("goes past backends that died or drain since the ring was made", () => {
    const states = (one: BackendFacts["state"], other: BackendFacts["state"]) =>
      new Map([
        [BASE + (first % 2), backend(11 + (first % 2), { state: one })],
        [BASE + ((first + 1) % 2), backend(11 + ((first + 1) % 2), { state: other })],
      ]);
    const shown = trace({ ...facts, backends: states("draining", "alive") });
    expect(shown.backends[0]?.id).not.toBe(chosen);
    expect(shown.steps.find(({ step }) => step === "ring")?.sentence).toContain(`since ${chosen} is draining`);
    expect(trace({ ...facts, backends: states("dead", "draining") })).toMatchObject({
      outcome: "dropped",
      counter: "dropNoBackend",
    });
  });

  it("of UDP does not wait for a hand-over to end", () => {
    const group = { ...facts.group, lease: { answer: false, forward: true } };
    expect(trace({ ...facts, group, service: { ...service, protocol: "udp" } }).outcome).toBe("backend");
  });

  it("tells the shares when the client's port decides and is not said", () => {
    const shown = trace({ ...facts, clientPort: undefined });
    expect(shown.outcome).toBe("shares");
    expect(shown.backends.map(({ id }) => id)).toEqual(["web/s11", "web/s12"]);
    expect(shown.backends[0]?.share).toBeCloseTo(0.5, 3);
  });

  it("knows the one backend without a port where the address alone decides", () => {
    const sticky: ServiceEntry = { ...service, persistence: "source" };
    expect(trace({ ...facts, service: sticky, clientPort: undefined }).outcome).toBe("backend");
  });
});

describe("a trace's next hop", () => {
  const everywhere = (more: Partial<BackendFacts>) =>
    new Map([11, 12].map((last, i) => [BASE + i, backend(last, more)]));

  it("is dropped where there is no route", () => {
    const shown = trace({ ...facts, backends: everywhere({ hop: undefined }) });
    expect(shown).toMatchObject({ outcome: "dropped", counter: "dropNoRoute" });
  });

  it("is the kernel's to ask for while its address is unknown, and in direct the end", () => {
    const hop = { device: "eth1", via: address("10.2.0.254"), mac: undefined, mtu: 1500 };
    const nat = trace({ ...facts, backends: everywhere({ hop }) });
    expect(nat).toMatchObject({ outcome: "backend", counter: "passNoNeighbour" });
    expect(nat.steps.find(({ step }) => step === "hop")?.sentence).toContain("is behind 10.2.0.254 on eth1");
    const direct: ServiceEntry = { ...service, mode: "direct" };
    const shown = trace({ ...facts, service: direct, backends: everywhere({ hop }) });
    expect(shown).toMatchObject({ outcome: "dropped", counter: "dropNoRoute" });
  });
});
