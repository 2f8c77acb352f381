import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  BACKENDS,
  backend,
  CLIENT,
  createTestBox,
  FAR_CLIENT,
  service,
  type TestBox,
  VIP,
  XDP_TX,
  XDP_REDIRECT,
} from "./box.ts";
import { ACK, FIN, PSH, readTcp, RST, SYN, u16 } from "./packet.ts";
import { handshake, outcome, reply, S1, S2, S3, startAnew, toVip } from "./talk.ts";

let box: TestBox;

beforeAll(async () => {
  box = await createTestBox();
});

afterAll(async () => {
  await box?.destroy();
});

beforeEach(() => startAnew(box));

/** The client of a flow whose backend died is told. */
const RESET = [XDP_TX, { dropDeadBackend: 1, sentReset: 1 }];

describe("flows", () => {
  const established = () => [...box.tables.establishedFlows()];
  const halfOpen = () => [...box.tables.halfOpenFlows()];

  it("have no entry after a SYN alone", () => {
    box.fromClient(toVip(SYN));
    expect([established(), halfOpen()]).toEqual([[], []]);
  });

  it("are half-open after the backend's SYN-ACK", () => {
    box.fromClient(toVip(SYN));
    box.fromBackend(reply(SYN | ACK, { sequence: 0xffffffff }));
    expect(established()).toEqual([]);
    expect(halfOpen()).toMatchObject([
      { client: CLIENT, clientPort: 40_000, vip: VIP, vipPort: 80, address: S1, port: 8080, expectedAck: 0 },
    ]);
  });

  it("are established by the acknowledgement of that SYN-ACK and by nothing else", () => {
    box.fromClient(toVip(SYN));
    box.fromBackend(reply(SYN | ACK, { sequence: 2000 }));
    box.fromClient(toVip(ACK, { acknowledgement: 2000 }));
    box.fromClient(toVip(ACK, { acknowledgement: 2002 }));
    box.fromClient(toVip(RST | ACK, { acknowledgement: 2001 }));
    box.fromClient(toVip(SYN | ACK, { acknowledgement: 2001 }));
    box.fromClient(toVip(PSH, { acknowledgement: 2001 }));
    expect(established()).toEqual([]);
    box.fromClient(toVip(ACK | PSH, { acknowledgement: 2001, payload: Uint8Array.of(1) }));
    expect(established()).toMatchObject([{ client: CLIENT, address: S1, port: 8080 }]);
    expect(halfOpen()).toEqual([]);
  });

  it("keep their backend when the ring changes", () => {
    box.serve([service(80, [backend(S1, 8080)])]);
    handshake(box);
    box.serve([service(80, [backend(S1, 8080, { weight: 0 }), backend(S2, 8080)])]);
    expect(readTcp(box.fromClient(toVip(ACK)).output).destination).toBe(S1);
    expect(readTcp(box.fromClient(toVip(SYN, { sourcePort: 40_001 })).output).destination).toBe(S2);
  });

  it("that are half-open keep their backend when the ring changes", () => {
    box.fromBackend(reply(SYN | ACK, { sequence: 2000 }));
    box.serve([service(80, [backend(S1, 8080, { weight: 0 }), backend(S2, 8080)])]);
    expect(readTcp(box.fromClient(toVip(SYN)).output).destination).toBe(S1);
    expect(readTcp(box.fromClient(toVip(ACK, { acknowledgement: 2001 })).output).destination).toBe(S1);
  });

  it("begin anew with a SYN, by the ring, and keep the former connection until the new one stands", () => {
    handshake(box);
    box.serve([service(80, [backend(S1, 8080, { weight: 0 }), backend(S2, 8080)])]);
    expect(readTcp(box.fromClient(toVip(SYN)).output).destination).toBe(S2);
    expect(readTcp(box.fromClient(toVip(ACK)).output).destination).toBe(S1);
    box.fromBackend(reply(SYN | ACK, { source: S2, sequence: 7000 }));
    expect(readTcp(box.fromClient(toVip(ACK, { acknowledgement: 1 })).output).destination).toBe(S1);
    expect(established()).toMatchObject([{ address: S1 }]);
    expect(readTcp(box.fromClient(toVip(ACK, { acknowledgement: 7001 })).output).destination).toBe(S2);
    expect(established()).toMatchObject([{ address: S2 }]);
    expect(readTcp(box.fromClient(toVip(ACK)).output).destination).toBe(S2);
  });

  it("of a dead backend are reset, until a SYN begins anew with the ring's choice", () => {
    handshake(box);
    box.serve([service(80, [backend(S1, 8080, { alive: false }), backend(S2, 8080)])]);
    expect(outcome(box, () => box.fromClient(toVip(ACK)))).toEqual(RESET);
    expect(readTcp(box.fromClient(toVip(SYN)).output).destination).toBe(S2);
    box.fromBackend(reply(SYN | ACK, { source: S2, sequence: 5000 }));
    box.fromClient(toVip(ACK, { acknowledgement: 5001 }));
    expect(established()).toMatchObject([{ address: S2 }]);
    expect(readTcp(box.fromClient(toVip(ACK)).output).destination).toBe(S2);
  });

  it("go on when their backend comes back to life", () => {
    handshake(box);
    box.serve([service(80, [backend(S1, 8080, { alive: false })])]);
    expect(outcome(box, () => box.fromClient(toVip(ACK)))).toEqual(RESET);
    box.serve([service(80, [backend(S1, 8080)])]);
    expect(outcome(box, () => box.fromClient(toVip(ACK)))).toEqual([XDP_REDIRECT, {}]);
  });

  it("never reach the backend that took over the number of theirs", () => {
    box.serve([service(80, [backend(S1, 8080)])]);
    handshake(box);
    const [flow] = established();
    // As if the number had been given away at once.
    box.tables.apply([
      {
        kind: "put",
        entry: {
          kind: "backend",
          number: flow!.backend,
          address: backend(S2, 8080).address,
          port: 8080,
          state: "alive",
          subnetBits: 0,
          flowsMax: 0,
        },
      },
    ]);
    expect(outcome(box, () => box.fromClient(toVip(ACK)))).toEqual(RESET);
  });

  it("follow the ring without an entry, and get one when the backend's replies prove that they live", () => {
    expect(readTcp(box.fromClient(toVip(ACK)).output).destination).toBe(S1);
    expect(established()).toEqual([]);
    // One packet in eight is looked at: by its checksum.
    for (let i = 0; i < 200; i++) box.fromBackend(reply(ACK, { sequence: 7000 + i, payload: u16(i * i) }));
    expect(established()).toMatchObject([{ client: CLIENT, address: S1, port: 8080 }]);
  });

  it("get no entry from a backend's resets", () => {
    for (let i = 0; i < 200; i++) box.fromBackend(reply(RST | ACK, { sequence: 7000 + i }));
    for (let i = 0; i < 200; i++) box.fromBackend(reply(FIN | ACK, { sequence: 7000 + i }));
    expect(established()).toEqual([]);
  });

  it("survive a flood of half-open ones", () => {
    handshake(box);
    for (let port = 1; port < 1024; port++) {
      box.fromClient(toVip(SYN, { source: FAR_CLIENT, sourcePort: port }));
      box.fromBackend(reply(SYN | ACK, { destination: FAR_CLIENT, destinationPort: port }));
    }
    expect(established()).toHaveLength(1);
    expect(halfOpen().length).toBeLessThanOrEqual(256);
  });
});

describe("the ring", () => {
  /** The hash of flow.h, written again in big numbers. */
  function slotOf(client: string, clientPort: number, vipPort: number, seed: number): number {
    const mask = (1n << 64n) - 1n;
    const mix = (hash: bigint) => {
      let h = hash ^ (hash >> 33n);
      h = (h * 0xff51afd7ed558ccdn) & mask;
      h ^= h >> 33n;
      h = (h * 0xc4ceb9fe1a85ec53n) & mask;
      return h ^ (h >> 33n);
    };
    const number = (text: string) => BigInt(text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0));
    // The upper halves of ::ffff:a.b.c.d are zero, the lower ones end in the IPv4 address.
    const low = (text: string) => (0xffffn << 32n) | number(text);
    const rest = (BigInt(clientPort) << 32n) | (BigInt(vipPort) << 16n) | 6n;
    const hash = mix((mix(BigInt(seed)) + low(client)) & mask);
    return Number((mix((mix(hash ^ low(VIP)) + rest) & mask) & 0xffffffffn) % 10_007n);
  }

  it("gives each flow the backend of its slot, and all backends their part", () => {
    const entries = box.tables.read();
    const www = entries.find((entry) => entry.kind === "service" && entry.port === 81);
    if (www?.kind !== "service") throw new Error("no such service");
    const ring = entries.find((entry) => entry.kind === "ring" && entry.index === www.index);
    if (ring?.kind !== "ring") throw new Error("no such ring");
    const seen = new Map<string, number>();
    for (let port = 1000; port < 1600; port++) {
      const { destination } = readTcp(box.fromClient(toVip(SYN, { destinationPort: 81, sourcePort: port })).output);
      const ordinal = ring.ordinals[slotOf(CLIENT, port, 81, www.seed)]!;
      expect(destination).toBe(BACKENDS[ordinal]);
      seen.set(destination, (seen.get(destination) ?? 0) + 1);
    }
    expect([...seen.keys()].sort()).toEqual([...BACKENDS].sort());
    for (const share of seen.values()) expect(share).toBeGreaterThan(150);
  });

  it("sends flows to backup backends only while no primary lives", () => {
    const pool = (alive: boolean) => [backend(S1, 8081, { alive }), backend(S2, 8081, { backup: true })];
    box.serve([service(81, pool(true))]);
    const chosen = () =>
      new Set(
        Array.from(
          { length: 50 },
          (_, i) =>
            readTcp(box.fromClient(toVip(SYN, { destinationPort: 81, sourcePort: 2000 + i })).output).destination,
        ),
      );
    expect([...chosen()]).toEqual([S1]);
    box.serve([service(81, pool(false))]);
    expect([...chosen()]).toEqual([S2]);
  });

  it("names a dead backend for no new flow", () => {
    box.serve([service(81, [backend(S1, 8081), backend(S2, 8081, { alive: false }), backend(S3, 8081)])]);
    const chosen = new Set<string>();
    for (let port = 3000; port < 3100; port++) {
      chosen.add(readTcp(box.fromClient(toVip(SYN, { destinationPort: 81, sourcePort: port })).output).destination);
    }
    expect([...chosen].sort()).toEqual([S1, S3].sort());
  });
});
