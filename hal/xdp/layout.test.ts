import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type IpAddress, type Ipv4, parseIpAddress, parseIpv4 } from "../units/address.ts";
import { RING_EMPTY, RING_SIZE, SERVICE_BACKENDS_MAX } from "../units/balancer.ts";
import { fromHex, toHex } from "../units/bytes.ts";
import * as layout from "./layout.ts";

const source = readFileSync(new URL("./consts.h", import.meta.url), "utf8");

function constant(name: string): number {
  const text = new RegExp(`^#define ${name} (\\S+)$`, "m").exec(source)?.[1];
  return Number(text);
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
const port = fc.integer({ min: 0, max: 0xffff });
const number = fc.integer({ min: 0, max: 0xffffffff });

describe("consts.h and layout.ts", () => {
  it("hold the same numbers", () => {
    const pairs = { ...layout, RING_SIZE, RING_EMPTY, SERVICE_BACKENDS_MAX } as Record<string, unknown>;
    for (const name of [
      "GROUPS_MAX",
      "VIPS_MAX",
      "OWN_MAX",
      "PORTS_MAX",
      "SERVICES_MAX",
      "ESTABLISHED_MAX",
      "HALF_OPEN_MAX",
      "STALE_MAX",
      "RING_SIZE",
      "RING_EMPTY",
      "SERVICE_BACKENDS_MAX",
      "GROUP_ANSWER",
      "GROUP_FORWARD",
      "MARK_REWRITTEN",
    ]) {
      expect([name, constant(name)]).toEqual([name, pairs[name]]);
    }
  });

  it("name the same reasons in the same order", () => {
    expect(layout.GATE_REASONS).toEqual(enumNames("gate_counter", "GATE_"));
    expect(layout.BALANCER_REASONS).toEqual(enumNames("balancer_counter", ""));
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
      address: parseIpv4("10.1.0.1")!,
      port: 80,
      protocol: "tcp",
      index: 5,
      seed: 0x01020304,
    } as const;
    expect(toHex(layout.encodeEndpoint(entry.address, entry.port, entry.protocol))).toBe("0a01000100500600");
    expect(toHex(layout.encodeService(entry))).toBe("0500000004030201");
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
    const place = { address: parseIpv4("10.2.0.11")!, port: 8080 };
    expect(toHex(layout.encodeBackend({ kind: "backend", number: 1, ...place, alive: true }))).toBe(
      "00000000000000000000ffff0a02000b1f90010000000000",
    );
    const reply = { protocol: "tcp", vip: parseIpv4("10.1.0.1")!, vipPort: 80, backend: 129, service: 1 } as const;
    expect(toHex(layout.encodeReverse({ kind: "reverse", ...place, ...reply }))).toBe(
      "0a010001005000008100000001000000",
    );
  });
});

describe("what is encoded is read back", () => {
  it("for addresses of both families", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          ipv4,
          fc.ipV6().map((text) => parseIpAddress(text) as IpAddress),
        ),
        (address) => {
          const bytes = layout.encodeAddress(address);
          // An IPv4-mapped IPv6 address is the IPv4 address to the gate.
          fc.pre(!toHex(bytes).startsWith("00000000000000000000ffff") || !address.includes(":"));
          expect(layout.decodeAddress(bytes)).toBe(address);
        },
      ),
    );
  });

  it("for services, backends and reverse entries", () => {
    fc.assert(
      fc.property(ipv4, port, ipv4, port, number, number, fc.boolean(), (address, p, vip, vipPort, a, b, alive) => {
        const key = layout.encodeEndpoint(address, p, "tcp");
        const place = { address, port: p } as const;
        const service = { kind: "service", ...place, protocol: "tcp", index: a, seed: b } as const;
        expect(layout.decodeService(key, layout.encodeService(service))).toEqual(service);
        const reverse = { kind: "reverse", ...place, protocol: "tcp", vip, vipPort, backend: a, service: b } as const;
        expect(layout.decodeReverse(key, layout.encodeReverse(reverse))).toEqual(reverse);
        const backend = { kind: "backend", number: a, ...place, alive } as const;
        expect(layout.decodeBackend(a, layout.encodeBackend(backend))).toEqual(p === 0 ? undefined : backend);
      }),
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

it("sizes for a thousand services leave every map that depends on them large enough", () => {
  expect(layout.balancerSizes(1000, 500_000)).toEqual({
    services4: 1000,
    rings: 1000,
    service_counts: 1000,
    backends: 128_000,
    backend_counts: 128_000,
    reverse4: 256_000,
    established4: 500_000,
  });
});
