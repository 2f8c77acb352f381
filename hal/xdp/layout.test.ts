import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type IpAddress, type Ipv4, parseIpAddress, parseIpv4 } from "../units/address.ts";
import { RING_EMPTY, RING_SIZE, SERVICE_BACKENDS_MAX } from "../units/balancer.ts";
import { fromHex, toHex } from "../units/bytes.ts";
import * as shapes from "./layout.ts";
import * as entries from "./layout-entries.ts";
import * as flows from "./layout-flows.ts";

const layout = { ...shapes, ...entries, ...flows };

const source = readFileSync(new URL("./consts.h", import.meta.url), "utf8");

function constant(name: string): number {
  const text = new RegExp(`^#define ${name} (.+)$`, "m").exec(source)?.[1] ?? "";
  const shift = /^\((\d+) << (\d+)\)$/.exec(text);
  return shift === null ? Number(text) : Number(shift[1]) << Number(shift[2]);
}

/** The words of a C enum as camelCase, without the prefix, up to the closing count. */
function enumNames(name: string, prefix: string): readonly string[] {
  const body = new RegExp(`enum ${name} \\{([^}]*)\\}`).exec(source)?.[1] ?? "";
  const words = body.replaceAll(/\/\*.*?\*\//gs, "").match(/[A-Z_]+/g) ?? [];
  return words.slice(0, -1).map((word) =>
    word
      .slice(prefix.length)
      .toLowerCase()
      .replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
  );
}

const ipv4 = fc.ipV4().map((text) => parseIpv4(text) as Ipv4);
/** An IPv4-mapped IPv6 address is the IPv4 address to the maps. */
const ipv6 = fc
  .ipV6()
  .map((text) => parseIpAddress(text) as IpAddress)
  .filter((address) => !address.startsWith("::ffff:"));
const ip = fc.oneof(ipv4, ipv6);
const port = fc.integer({ min: 0, max: 0xffff });
const number = fc.integer({ min: 0, max: 0xffffffff });

/** Numbers of layout*.ts that are no #define. */
const DERIVED = new Set(["FLOW_EVENT_BYTES", "REFUSAL_BYTES"]);

describe("consts.h and layout.ts", () => {
  it("hold the same numbers", () => {
    const pairs = { ...layout, RING_SIZE, RING_EMPTY, SERVICE_BACKENDS_MAX } as Record<string, unknown>;
    const names = Object.keys(pairs).filter((name) => typeof pairs[name] === "number" && !DERIVED.has(name));
    expect(names.length).toBeGreaterThan(30);
    for (const name of names) {
      expect([name, constant(name)]).toEqual([name, pairs[name]]);
    }
  });

  it("name the same reasons in the same order", () => {
    expect(layout.GATE_REASONS).toEqual(enumNames("gate_counter", "GATE_"));
    expect(layout.BALANCER_REASONS).toEqual(enumNames("balancer_counter", ""));
    expect(layout.MODES.map((mode) => mode.replace("one-arm", "oneArm"))).toEqual(enumNames("service_mode", "MODE_"));
    // That enum has no closing count.
    expect(layout.BACKEND_STATES.slice(0, -1)).toEqual(enumNames("backend_state", "BACKEND_"));
  });

  it("have every reason documented", () => {
    const readme = readFileSync(new URL("./README.md", import.meta.url), "utf8");
    for (const reason of [...layout.GATE_REASONS, ...layout.BALANCER_REASONS])
      expect(readme).toContain(`\`${reason}\``);
  });
});

describe("golden bytes", () => {
  const address = (text: string) => parseIpAddress(text) as IpAddress;

  it("of addresses", () => {
    expect(toHex(layout.encodeAddress(address("10.1.0.1")))).toBe("00000000000000000000ffff0a010001");
    expect(toHex(layout.encodeAddress(address("2001:db8::1")))).toBe("20010db8000000000000000000000001");
  });

  it("of a service's key and value", () => {
    const entry = {
      kind: "service",
      address: address("10.1.0.1"),
      port: 80,
      protocol: "tcp",
      index: 5,
      seed: 0x01020304,
      mode: "one-arm",
      persistence: "source",
      access: "listedOnly",
      newFlowsPerSecond: 100,
      flowsMax: 5000,
      clientFlowsMax: 20,
    } as const;
    expect(toHex(layout.encodeEndpoint(entry.address, entry.port, entry.protocol))).toBe(
      "00000000000000000000ffff0a0100010050060000000000",
    );
    expect(toHex(layout.encodeService(entry))).toBe("050000000403020101050000640000008813000014000000");
    expect(toHex(layout.encodeEndpoint(address("2001:db8::1"), 53, "udp"))).toBe(
      "20010db80000000000000000000000010035110000000000",
    );
  });

  it("of access entries", () => {
    const key = (text: string, prefixLength: number) =>
      toHex(layout.encodeAccessKey({ service: 5, prefix: { address: address(text), prefixLength } }));
    expect(key("10.0.0.0", 8)).toBe("880000000000000500000000000000000000ffff0a000000");
    expect(key("2001:db8::", 32)).toBe("400000000000000520010db8000000000000000000000000");
  });

  it("of a flow, its return and its event", () => {
    const key = ["00000000000000000000ffff0a010009", "00000000000000000000ffff0a010001", "9c400050", "06000000"].join(
      "",
    );
    const value = [
      "00000000000000000000ffff0a02000b",
      "81000000",
      "1f904e20",
      "78563412",
      "06000000",
      "00ca9a3b00000000",
    ].join("");
    const flow = {
      client: "10.1.0.9",
      clientPort: 40_000,
      vip: "10.1.0.1",
      vipPort: 80,
      protocol: "tcp",
      backend: 129,
      address: "10.2.0.11",
      port: 8080,
      vipSourcePort: 20_000,
      expectedAck: 0x12345678,
      flags: layout.FLOW_CLIENT_FIN | layout.FLOW_BACKEND_FIN,
      seenNanos: 1_000_000_000n,
    } as unknown as flows.Flow;
    expect(layout.decodeFlow(fromHex(key)!, fromHex(value)!)).toEqual(flow);
    expect([toHex(layout.encodeFlowKey(flow)), toHex(layout.encodeFlow(flow))]).toEqual([key, value]);
    expect(layout.decodeFlowEvent(fromHex(`${key}${value}0100000001000000`)!)).toEqual({
      kind: "established",
      flow,
      service: 1,
    });
    expect(toHex(layout.encodeReturnKey(flow))).toBe(
      ["00000000000000000000ffff0a02000b", "00000000000000000000ffff0a010001", "1f904e20", "06000000"].join(""),
    );
    expect(toHex(layout.encodeReturnFlow({ ...flow, service: 1 }))).toBe(
      ["00000000000000000000ffff0a010009", "9c400050", "81000000", "01000000", "00000000"].join(""),
    );
  });

  it("of a host that sends to the wrong box", () => {
    const bytes = (...parts: readonly string[]) => fromHex(parts.join(""))!;
    const key = bytes("00000000000000000000ffff0a010001", "07000000", "0200000001090000");
    const client = "00000000000000000000ffff0a010009";
    const value = bytes("0300000000000000", "00ca9a3b00000000", client, "0200000001020000");
    expect(layout.decodeStale(key, value)).toEqual({
      vip: "10.1.0.1",
      ifindex: 7,
      mac: "02:00:00:00:01:09",
      source: "10.1.0.9",
      sentTo: "02:00:00:00:01:02",
      packets: 3,
      seenNanos: 1_000_000_000n,
    });
  });

  it("of a backend and of a reverse entry", () => {
    const place = { address: address("10.2.0.11"), port: 8080 };
    expect(
      toHex(
        layout.encodeBackend({
          kind: "backend",
          number: 1,
          ...place,
          state: "draining",
          subnetBits: 24,
          flowsMax: 1000,
        }),
      ),
    ).toBe("00000000000000000000ffff0a02000b1f900278e8030000");
    const reply = { protocol: "tcp", vip: address("10.1.0.1"), vipPort: 80, backend: 129, service: 1 } as const;
    expect(toHex(layout.encodeReverse({ kind: "reverse", ...place, ...reply }))).toBe(
      "00000000000000000000ffff0a01000100500000810000000100000000000000",
    );
  });
});

describe("what is encoded is read back", () => {
  it("for addresses of both families", () => {
    fc.assert(
      fc.property(ip, (address) => {
        const bytes = layout.encodeAddress(address);
        expect(layout.decodeAddress(bytes)).toBe(address);
      }),
    );
  });

  it("for services, backends and reverse entries", () => {
    const place = fc.record({ address: ip, port, protocol: fc.constantFrom("tcp" as const, "udp" as const) });
    const kinds = fc.record({
      mode: fc.constantFrom(...layout.MODES),
      persistence: fc.constantFrom("none" as const, "source" as const),
      access: fc.constantFrom("open" as const, "listed" as const, "listedOnly" as const),
      state: fc.constantFrom(...layout.BACKEND_STATES),
    });
    fc.assert(
      fc.property(place, kinds, ip, number, number, ({ address, port: p, protocol }, kind, vip, a, b) => {
        const key = layout.encodeEndpoint(address, p, protocol);
        const { state, ...how } = kind;
        const end = { address, port: p, protocol } as const;
        const service = {
          kind: "service",
          ...end,
          ...how,
          index: a,
          seed: b,
          newFlowsPerSecond: b,
          flowsMax: a,
          clientFlowsMax: b,
        } as const;
        expect(layout.decodeService(key, layout.encodeService(service))).toEqual(service);
        const reverse = { kind: "reverse", ...end, vip, vipPort: p, backend: a, service: b } as const;
        expect(layout.decodeReverse(key, layout.encodeReverse(reverse))).toEqual(reverse);
        const backend = {
          kind: "backend",
          number: a,
          address,
          port: p,
          state,
          subnetBits: b % 33,
          flowsMax: b,
        } as const;
        expect(layout.decodeBackend(a, layout.encodeBackend(backend))).toEqual(p === 0 ? undefined : backend);
      }),
    );
  });

  it("for access entries, flows and returns", () => {
    const protocol = fc.constantFrom("tcp" as const, "udp" as const);
    fc.assert(
      fc.property(
        ip,
        ip,
        ip,
        port,
        port,
        number,
        protocol,
        fc.boolean(),
        (client, vip, address, p, q, n, proto, yes) => {
          const prefix = { address: client, prefixLength: client.includes(":") ? n % 129 : n % 33 };
          const access = { kind: "access", service: n, prefix, allowed: yes } as const;
          const key = layout.encodeAccessKey(access);
          expect(layout.decodeAccess(key, layout.encodeNumber(yes ? 1 : 0))).toEqual(access);
          const ends = { client, clientPort: p, vip, vipPort: q, protocol: proto, backend: n } as const;
          const back = { ...ends, address, port: q, vipSourcePort: p, service: n } as const;
          expect(layout.decodeReturn(layout.encodeReturnKey(back), layout.encodeReturnFlow(back))).toEqual(back);
          const at = { address, port: q, vipSourcePort: p, seenNanos: BigInt(n) } as const;
          const flow = { ...ends, ...at, expectedAck: n, flags: n % 128 } as const;
          expect(layout.decodeFlow(layout.encodeFlowKey(flow), layout.encodeFlow(flow))).toEqual(flow);
        },
      ),
    );
  });

  it("for rings", () => {
    const ordinals = Uint16Array.from({ length: RING_SIZE }, (_, i) => i % 128);
    expect(layout.decodeRing(3, layout.encodeRing(ordinals))).toEqual({
      kind: "ring",
      index: 3,
      ordinals,
      signature: undefined,
    });
  });

  it("for traffic, summed over the processors", () => {
    const values = new BigUint64Array([1n, 2n, 3n, 4n, 5n, 10n, 20n, 30n, 40n, 50n]);
    expect(layout.decodeTraffic(new Uint8Array(values.buffer))).toEqual({
      packetsIn: 11,
      bytesIn: 22,
      packetsOut: 33,
      bytesOut: 44,
      flows: 55,
    });
  });
});

it("sizes for a thousand services and half a million flows leave every map that depends on them large enough", () => {
  expect(layout.balancerSizes(1000, 524_288)).toEqual({
    services: 1000,
    rings: 1000,
    former_counts: 1000,
    service_open: 1000,
    backends: 128_000,
    backend_counts: 128_000,
    backend_hops: 128_000,
    backend_opened: 128_000,
    backend_closed: 128_000,
    reverses: 256_000,
    established: 524_288,
    returns: 524_288,
    client_open: 524_288,
    half_open: 65_536,
    udp_flows: 262_144,
    half_returns: 327_680,
  });
});

it("sizes by default are those of the object", () => {
  for (const [name, size] of Object.entries(layout.balancerSizes(layout.SERVICES_MAX, layout.ESTABLISHED_MAX))) {
    expect([name, size]).toEqual([name, layout.MAPS[name as keyof typeof layout.MAPS].entriesMax]);
  }
});
