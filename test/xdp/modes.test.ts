/** What becomes of a packet, in every mode, family and protocol. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  backendMac,
  BOX_BACKEND_MAC,
  BOX_CLIENT_MAC,
  CLIENT_MAC,
  createTestBox,
  GATEWAY_MAC,
  GROUP,
  type TestBox,
  XDP_DROP,
  XDP_PASS,
  XDP_REDIRECT,
  XDP_TX,
} from "./box.ts";
import {
  answer,
  CASES,
  casesWith,
  CLIENT_PORT,
  establish,
  open,
  PORT,
  reached,
  send,
  serviceOf,
  startCase,
} from "./cases.ts";
import { ACK, SYN } from "./packet.ts";
import { counted, outcome } from "./talk.ts";
import { isIpv6, readTransport, type TransportFields } from "./transport.ts";

let box: TestBox;

beforeAll(async () => {
  box = await createTestBox();
});
afterAll(async () => {
  await box?.destroy();
});

/** The box sees both directions of these. */
const THROUGH = CASES.filter(([, { mode }]) => mode !== "direct");
const BYTES = Uint8Array.of(1, 2, 3, 4, 5);
const established = () => [...box.tables.establishedFlows()];
const halfOpen = () => [...box.tables.halfOpenFlows()];
const udpFlows = () => [...box.tables.udpFlows()];

describe.each(CASES)("%s", (_, one) => {
  const { mode, protocol, vip, client, backendPort } = one;
  const isTcp = protocol === "tcp";
  const [s1 = "", s2 = "", s3 = ""] = one.backends;
  const flows = () => (isTcp ? established() : udpFlows());

  beforeEach(() => {
    startCase(box, one);
    box.serve([serviceOf(one, [s1])]);
  });

  const shapes: readonly (readonly [string, Partial<TransportFields>])[] = [
    ["of a first packet", {}],
    ["with a payload of odd length", { payload: BYTES }],
    ["with the lowest TTL that goes on", { ttl: 2 }],
    ["with DSCP and ECN bits", { tos: 0xb9 }],
    ["from port 65535", { sourcePort: 65_535 }],
    ...(isIpv6(vip)
      ? ([
          ["behind a hop-by-hop header", { extensions: [{ kind: 0, content: Uint8Array.of(0, 1, 4, 0, 0, 0, 0) }] }],
          [
            "behind four extension headers",
            {
              extensions: [
                { kind: 0, content: Uint8Array.of(0, 1, 4, 0, 0, 0, 0) },
                { kind: 60, content: Uint8Array.of(1, 1, 12, ...new Uint8Array(12)) },
                { kind: 43, content: Uint8Array.of(0, 0, 0, 0, 0, 0, 0) },
                { kind: 60, content: Uint8Array.of(0, 1, 4, 0, 0, 0, 0) },
              ],
            },
          ],
        ] as const)
      : ([["behind the most IP options", { ipOptions: new Uint8Array(40).fill(1) }]] as const)),
    ...(isTcp ? [] : ([["without a checksum", { isUnchecked: true, payload: BYTES }]] as const)),
  ];
  it.each(shapes)("a client's packet %s arrives at the backend", (_name, fields) => {
    const run = send(box, one, fields);
    expect(run.verdict).toBe(XDP_REDIRECT);
    const got = readTransport(run.output);
    expect(got).toMatchObject({
      destinationMac: backendMac(s1),
      sourceMac: BOX_BACKEND_MAC,
      source: mode === "one-arm" ? vip : client,
      destination: mode === "direct" ? vip : s1,
      destinationPort: backendPort,
      ttl: (fields.ttl ?? 64) - (mode === "direct" ? 0 : 1),
      tos: fields.tos ?? 0,
      ipChecksumRight: true,
      checksum: fields.isUnchecked === true ? "none" : "right",
      payload: fields.payload ?? new Uint8Array(0),
    });
    const own = fields.sourcePort ?? CLIENT_PORT;
    const [least, most] = mode === "one-arm" ? [1024, 31_999] : [own, own];
    expect(got.sourcePort).toBeGreaterThanOrEqual(least);
    expect(got.sourcePort).toBeLessThanOrEqual(most);
    expect(got.between.length).toBe(
      run.output.length - 14 - (isIpv6(vip) ? 40 : 20) - (isTcp ? 20 : 8) - got.payload.length,
    );
  });

  it("a flow is remembered with its backend and keeps it when the ring changes", () => {
    const { sourcePort } = establish(box, one);
    expect(flows()).toMatchObject([
      { client, clientPort: CLIENT_PORT, vip, vipPort: PORT, protocol, address: s1, port: backendPort },
    ]);
    expect(halfOpen()).toEqual([]);
    box.serve([serviceOf(one, [[s1, { weight: 0 }], s2])]);
    const later = send(box, one, { flags: ACK });
    expect(reached(one, later)).toBe(s1);
    expect(readTransport(later.output).sourcePort).toBe(sourcePort);
    expect(reached(one, send(box, one, { sourcePort: 41_000 }))).toBe(s2);
  });

  it("a flow goes on when its backend drains, and new ones go elsewhere", () => {
    establish(box, one);
    box.serve([serviceOf(one, [[s1, { draining: true }], s2, s3])]);
    expect(reached(one, send(box, one, { flags: ACK }))).toBe(s1);
    const others = Array.from({ length: 40 }, (_unused, i) => reached(one, send(box, one, { sourcePort: 2000 + i })));
    expect(new Set(others)).toEqual(new Set([s2, s3]));
  });

  it("a running packet without an entry follows the ring, or finds none", () => {
    const isLost = mode === "one-arm" && isTcp;
    expect(outcome(box, () => send(box, one, { flags: ACK }))).toEqual(
      isLost ? [XDP_DROP, { dropNoFlow: 1 }] : [XDP_REDIRECT, {}],
    );
    expect(established()).toEqual([]);
  });

  it("a packet that is to go through the box without TTL goes no further, and its sender is told", () => {
    const told = [XDP_TX, { dropTtl: 1, sentTimeExceeded: 1 }];
    expect(outcome(box, () => send(box, one, { ttl: 1 }))).toEqual(mode === "direct" ? [XDP_REDIRECT, {}] : told);
    if (mode === "direct") return;
    const got = open(box, one);
    expect(outcome(box, () => answer(box, got, { ttl: 1 }))).toEqual(told);
  });

  it("a packet from an address that no host may have is dropped", () => {
    const martians = isIpv6(vip)
      ? [vip, "2001:db8:2::2", "ff02::1", "::1", "fe80::1"]
      : [vip, "10.2.0.2", "127.0.0.1", "224.0.0.1", "0.1.2.3"];
    for (const source of martians)
      expect(outcome(box, () => send(box, one, { source }))).toEqual([XDP_DROP, { dropMalformed: 1 }]);
  });

  it("a service without a backend drops", () => {
    box.serve([serviceOf(one, [])]);
    expect(outcome(box, () => send(box, one))).toEqual([XDP_DROP, { dropNoBackend: 1 }]);
  });

  it("without a lease everything is left to the gate", () => {
    const got = establish(box, one);
    box.groups.set(GROUP, 3, 0n);
    expect(outcome(box, () => send(box, one, { flags: ACK }))).toEqual([XDP_PASS, { passVipClosed: 1 }]);
    if (mode === "direct") return;
    expect(outcome(box, () => answer(box, got))).toEqual(
      mode === "nat" ? [XDP_DROP, { dropReplyClosed: 1 }] : [XDP_PASS, { passVipClosed: 1 }],
    );
  });

  it("is counted for its service", () => {
    box.serve([]);
    box.serve([serviceOf(one, [s1])]);
    establish(box, one);
    const [entry] = box.tables.read().filter(({ kind }) => kind === "service");
    if (entry?.kind !== "service") throw new Error("no service");
    const traffic = box.tables.serviceTraffic(entry.index);
    expect(traffic).toMatchObject({
      packetsIn: isTcp ? 2 : 1,
      packetsOut: mode === "direct" ? 0 : 1,
      bytesIn: (isTcp ? 2 : 1) * ((isIpv6(vip) ? 40 : 20) + (isTcp ? 20 : 8)),
      flows: 1,
    });
    expect(box.tables.backendTraffic(entry.index * 128)).toEqual(traffic);
  });
});

describe.each(casesWith({ protocol: "udp" }))("%s: datagrams", (_, one) => {
  const [s1 = "", s2 = ""] = one.backends;

  it("make an entry at once, and in `nat` with the first answer", () => {
    startCase(box, one);
    const got = open(box, one);
    expect(udpFlows()).toHaveLength(one.mode === "nat" ? 0 : 1);
    if (one.mode !== "direct") answer(box, got);
    expect(udpFlows()).toHaveLength(1);
    expect([...box.tables.halfReturns()]).toHaveLength(one.mode === "one-arm" ? 1 : 0);
  });

  it("go to another backend when theirs dies, and are dropped when there is none", () => {
    startCase(box, one);
    box.serve([serviceOf(one, [s1])]);
    establish(box, one);
    box.serve([serviceOf(one, [[s1, { alive: false }], s2])]);
    expect(reached(one, send(box, one))).toBe(s2);
    box.serve([
      serviceOf(one, [
        [s1, { alive: false }],
        [s2, { alive: false }],
      ]),
    ]);
    expect(counted(box, () => send(box, one))).toEqual({ dropNoBackend: 1 });
  });
});

describe.each(THROUGH)("%s: through the box", (_, one) => {
  const { mode, vip, client } = one;
  const [s1 = ""] = one.backends;
  const isTcp = one.protocol === "tcp";

  beforeEach(() => {
    startCase(box, one);
    box.serve([serviceOf(one, [s1])]);
  });

  it("a backend's answer goes to the client in the VIP's name", () => {
    const near = answer(box, open(box, one), { flags: SYN | ACK, payload: BYTES, tos: 0x2e });
    expect(near.verdict).toBe(XDP_REDIRECT);
    const expected = {
      sourceMac: BOX_CLIENT_MAC,
      source: vip,
      sourcePort: PORT,
      destinationPort: CLIENT_PORT,
      ttl: 63,
      tos: 0x2e,
      ipChecksumRight: true,
      checksum: "right",
      payload: BYTES,
    };
    expect(readTransport(near.output)).toMatchObject({ ...expected, destination: client, destinationMac: CLIENT_MAC });
    const far = answer(box, open(box, one, { source: one.farClient }), { flags: SYN | ACK, payload: BYTES, tos: 0x2e });
    expect(readTransport(far.output)).toMatchObject({
      ...expected,
      destination: one.farClient,
      destinationMac: GATEWAY_MAC,
    });
    const unchecked = answer(box, open(box, one), { isUnchecked: true });
    expect(readTransport(unchecked.output)).toMatchObject({ source: vip, checksum: isTcp ? "right" : "none" });
  });

  it("a packet to a backend without a neighbour goes to the kernel rewritten", () => {
    box.serve([serviceOf(one, [one.unknown])]);
    let output: Uint8Array = new Uint8Array(0);
    const [verdict, reasons] = outcome(box, () => {
      const run = send(box, one);
      output = run.output;
      return run;
    });
    expect([verdict, reasons]).toEqual([XDP_PASS, { passNoNeighbour: 1 }]);
    expect(readTransport(output.slice(4))).toMatchObject({
      source: mode === "nat" ? client : vip,
      destination: one.unknown,
      ttl: 64,
      ipChecksumRight: true,
      checksum: "right",
    });
  });
});

describe.each(casesWith({ mode: "direct" }))("%s", (_, one) => {
  beforeEach(() => startCase(box, one));

  it("a packet to a backend without a neighbour goes nowhere: the kernel would keep it", () => {
    box.serve([serviceOf(one, [one.unknown])]);
    expect(outcome(box, () => send(box, one))).toEqual([XDP_DROP, { dropNoRoute: 1 }]);
  });
});
