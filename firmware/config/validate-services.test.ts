import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { boxA, briefly, changed, exampleDocument, problemsOf } from "./example.test-support.ts";
import { validate } from "./validate.ts";

/** The example beside its IPv6 twin: one more virtual router on each side, a pool and a service. */
function dual(change: (document: any) => void = () => undefined): any {
  return changed((d) => {
    d.interfaces[0].addresses = { a: ["10.1.0.2/24", "fd01::2/64"], b: ["10.1.0.3/24", "fd01::3/64"] };
    d.interfaces[1].addresses = { a: ["10.2.0.2/24", "fd02::2/64"], b: ["10.2.0.3/24", "fd02::3/64"] };
    d.failoverGroups[0].virtualRouters.push(
      { name: "front6", interface: "wan", vrid: 12, addresses: ["fd01::1/64"] },
      { interface: "lan", vrid: 13, addresses: ["fd02::1/64"] },
    );
    d.pools.push({ name: "web6", backends: [{ name: "s1", address: "fd02::11", port: 80 }], check: { type: "tcp" } });
    d.services.push({ name: "www6", address: "front6", protocol: "tcp", port: 80, pool: "web6" });
    change(d);
  });
}

/** Path and code of every warning of an accepted document. */
function warningsOf(document: unknown): readonly string[] {
  const result = validate(document, boxA);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.warnings.map((warning) => `${warning.path} ${warning.code}`);
}

const www = (d: any) => d.services[0];
const web = (d: any) => d.pools[0];
const another = (d: any, with_: object) => void d.services.push({ ...www(d), name: "other", port: 81, ...with_ });
const spare = (backend: object = {}) => ({
  name: "spare",
  backends: [{ name: "sorry", address: "10.2.0.99", port: 80, ...backend }],
  check: { type: "tcp" },
});

describe("services that are accepted without a warning", () => {
  const rows: readonly (readonly [string, (d: any) => void])[] = [
    ["both families beside each other", () => undefined],
    ["an IPv6 service by its address", (d) => void (d.services[1].address = "fd01:0::1")],
    ["UDP beside TCP on one port, with the same backends", (d) => another(d, { protocol: "udp", port: 80 })],
    ["one-arm", (d) => void (www(d).mode = "one-arm")],
    ["backends that one-arm shares with nat", (d) => another(d, { mode: "one-arm" })],
    [
      "one-arm on two addresses",
      (d) => {
        d.failoverGroups[0].virtualRouters[0].addresses.push("10.1.0.7/24");
        www(d).mode = "one-arm";
      },
    ],
    [
      "one-arm with its backends' gateway in another group",
      (d) => {
        d.failoverGroups.push({ name: "inner", virtualRouters: d.failoverGroups[0].virtualRouters.splice(1, 1) });
        www(d).mode = "one-arm";
      },
    ],
    [
      "one-arm with its backends in the address's own subnet",
      (d) => {
        web(d).backends = [{ name: "s1", address: "10.1.0.11", port: 80 }];
        www(d).mode = "one-arm";
      },
    ],
    ["persistence", (d) => void (www(d).persistence = "source")],
    [
      "allow, deny and limits",
      (d) => {
        www(d).allow = ["198.51.100.0/24", "203.0.113.7"];
        www(d).deny = ["198.51.100.128/25", "0.0.0.0/0"];
        d.services[1].deny = ["2001:db8::/32", "2001:db9::1"];
        www(d).newConnectionsPerSecond = 100;
        www(d).idleTimeoutSeconds = 60;
        web(d).backends[0].maxConnections = 1_000;
        web(d).slowStartSeconds = 60;
        d.balancer = { flows: 1_048_576 };
      },
    ],
    [
      "a sorry pool",
      (d) => {
        d.pools.push(spare());
        www(d).sorryPool = "spare";
      },
    ],
    [
      "https with a name",
      (d) => void (web(d).check = { type: "https", sni: "www.example.test", expectBody: "hello\nthere" }),
    ],
    ["https with a name in host", (d) => void (web(d).check = { type: "https", host: "www.example.test:8443" })],
    [
      "dns with its answer",
      (d) => void (web(d).check = { type: "dns", query: "_dns.example.test.", expectAnswer: "2001:db8::1" }),
    ],
    [
      "dns and https of the box itself",
      (d) =>
        void (d.failoverGroups[0].track = [
          { check: { type: "dns", query: "example.test" }, weight: -10 },
          { check: { type: "https", sni: "localhost" }, weight: -10 },
        ]),
    ],
  ];
  it.each(rows)("are %s", (_name, change) => {
    expect(warningsOf(dual(change))).toEqual([]);
  });
});

it("takes the example of docs/balancer.md without a warning", () => {
  const page = readFileSync(new URL("../../docs/balancer.md", import.meta.url), "utf8");
  const shown = JSON.parse(/```json\n(.*?)```/s.exec(page)?.[1] ?? "");
  expect(Object.keys(shown)).toEqual(["pools", "services"]);
  expect(warningsOf({ ...exampleDocument, ...shown })).toEqual([]);
});

describe("services that are refused", () => {
  const rows: readonly (readonly [string, (d: any) => void, readonly string[]])[] = [
    [
      "an IPv6 service without VIP",
      (d) => void (d.services[1].address = "fd01::77"),
      ["services.www6.address serviceWithoutVip"],
    ],
    [
      "IPv4 backends behind an IPv6 address",
      (d) => void (d.services[1].pool = "web"),
      ["s1", "s2", "s3"].map((name) => `pools.web.backends.${name}.address mixedFamilies`),
    ],
    [
      "an IPv6 service and its gateway in two groups",
      (d) =>
        void d.failoverGroups.push({ name: "inner", virtualRouters: d.failoverGroups[0].virtualRouters.splice(3) }),
      ["services.www6 groupsDiffer"],
    ],
    [
      "one UDP service twice",
      (d) => {
        another(d, { protocol: "udp", port: 80, mode: "one-arm" });
        d.services.push({ ...d.services[2], name: "again", address: "10.1.0.1" });
      },
      ["services.again duplicateService"],
    ],
    ["a backend of two nat services", (d) => another(d, {}), ["services.other.pool backendInTwoServices"]],
    [
      "a sorry backend of two nat services",
      (d) => {
        const other = { ...web(d), name: "web2", backends: [{ name: "t1", address: "10.2.0.21", port: 80 }] };
        d.pools.push(spare(), other);
        www(d).sorryPool = "spare";
        another(d, { pool: "web2", sorryPool: "spare" });
      },
      ["services.other.sorryPool backendInTwoServices"],
    ],
    [
      "direct on another port",
      (d) => {
        www(d).mode = "direct";
        web(d).backends[1].port = 8080;
      },
      ["pools.web.backends.s2.port directPort"],
    ],
    [
      "direct behind a router",
      (d) => {
        www(d).mode = "direct";
        web(d).backends[1].address = "10.99.0.1";
      },
      ["pools.web.backends.s2.address backendNotOnLink"],
    ],
    [
      "a sorry pool that is not there",
      (d) => void (www(d).sorryPool = "spare"),
      ["services.www.sorryPool unknownName"],
    ],
    [
      "the service's own pool as its sorry pool",
      (d) => void (www(d).sorryPool = "web"),
      ["services.www.sorryPool sorryPoolSame"],
    ],
    [
      "a sorry pool of the other family",
      (d) => void (www(d).sorryPool = "web6"),
      ["pools.web6.backends.s1.address mixedFamilies"],
    ],
    [
      "a sorry pool with a backend of the pool",
      (d) => {
        d.pools.push(spare({ address: "10.2.0.12" }));
        www(d).sorryPool = "spare";
      },
      ["services.www.sorryPool duplicateBackend"],
    ],
    [
      "more backends than a service has numbers for",
      (d) => {
        d.pools.push(spare());
        web(d).backends = Array.from({ length: 128 }, (_, i) => ({
          name: `s${i}`,
          address: `10.2.0.${i + 20}`,
          port: 81,
        }));
        www(d).sorryPool = "spare";
      },
      ["services.www.sorryPool wrongCount"],
    ],
    [
      "a subnet with bits beyond its prefix",
      (d) => void (www(d).allow = ["198.51.100.7/24"]),
      ["services.www.allow.0 malformed"],
    ],
    [
      "clients of the other family",
      (d) => void (www(d).deny = ["2001:db8::/32"]),
      ["services.www.deny.0 mixedFamilies"],
    ],
    [
      "clients that are allowed and denied",
      (d) => {
        www(d).allow = ["198.51.100.7"];
        www(d).deny = ["198.51.100.7/32"];
      },
      ["services.www.deny.0 duplicateEntry"],
    ],
    [
      "clients that are denied twice in two spellings",
      (d) => void (d.services[1].deny = ["2001:DB8::/32", "2001:db8:0::/32"]),
      ["services.www6.deny.1 duplicateEntry"],
    ],
    [
      "more entries than the balancer holds",
      (d) => {
        const deny = Array.from({ length: 1_024 }, (_, i) => `10.${i >> 8}.${i & 255}.1`);
        for (let i = 0; i < 17; i++) another(d, { name: `v${i}`, port: 1_000 + i, mode: "one-arm", deny });
      },
      ["services tooManyEntries"],
    ],
  ];
  it.each(rows)("are %s", (_name, change, expected) => {
    expect(briefly(dual(change))).toEqual(expected);
  });

  it("are told with the way to mend them", () => {
    const [shared] = problemsOf(changed((d) => another(d, {})));
    expect(shared).toMatchObject({
      what: expect.stringContaining("s1 (10.2.0.11 port 80, as services.www does), s2"),
      mend: "let the backends listen on another port for this service, or use mode one-arm",
    });
    const [prefix] = problemsOf(changed((d) => void (www(d).allow = ["198.51.100.7/24"])));
    expect(prefix?.mend).toBe("write 198.51.100.0/24, or 198.51.100.7 for this address alone");
  });
});

describe("services that are accepted with a warning", () => {
  const rows: readonly (readonly [string, (d: any) => void, readonly string[]])[] = [
    [
      "nat whose clients may sit beside the backends",
      (d) => void (web(d).backends = [{ name: "s1", address: "10.1.0.11", port: 80 }]),
      [],
    ],
    [
      "nat of IPv6 whose clients may sit beside the backends",
      (d) => void (d.pools[1].backends[0].address = "fd01::11"),
      [],
    ],
    [
      "direct, which backends must be set up for",
      (d) => void (www(d).mode = "direct"),
      ["services.www.mode directNeedsLoopback"],
    ],
    [
      "one-arm to where nothing leads",
      (d) => {
        www(d).mode = "one-arm";
        d.routes = [];
        web(d).backends = [{ name: "far", address: "10.99.0.1", port: 80 }];
      },
      ["pools.web.backends.far.address backendUnreachable"],
    ],
    [
      "a short idle timeout",
      (d) => void (www(d).idleTimeoutSeconds = 59),
      ["services.www.idleTimeoutSeconds shortIdleTimeout"],
    ],
    [
      "https that takes any certificate",
      (d) => void (web(d).check = { type: "https", verify: false }),
      ["pools.web.check.verify unverified"],
    ],
    [
      "https that has no name to look for",
      (d) => void (web(d).check = { type: "https", host: "10.2.0.11:443" }),
      ["pools.web.check.sni namelessCertificate"],
    ],
    [
      "UDP whose pool is looked at by TCP for want of a word",
      (d) => {
        www(d).protocol = "udp";
        delete web(d).check;
      },
      ["pools.web.check tcpCheckForUdp"],
    ],
  ];
  it.each(rows)("are %s", (_name, change, expected) => {
    expect(warningsOf(dual(change))).toEqual(expected);
  });

  it("are not warned of when a UDP pool says itself that it answers TCP", () => {
    const document = changed((d) => {
      www(d).protocol = "udp";
      web(d).check = { type: "tcp" };
    });
    expect(warningsOf(document)).toEqual([]);
  });
});

describe("clients of a service", () => {
  const prefix = fc.tuple(fc.nat(0xffff_ffff), fc.integer({ min: 0, max: 32 })).map(([bits, length]) => {
    const octets = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
    const mask = length === 0 ? 0 : (0xffff_ffff << (32 - length)) >>> 0;
    return { written: `${octets(bits)}/${length}`, subnet: `${octets((bits & mask) >>> 0)}/${length}` };
  });

  it("are accepted as a subnet, and anything else is told with the subnet", () => {
    fc.assert(
      fc.property(prefix, ({ written, subnet }) => {
        const told = problemsOf({
          ...exampleDocument,
          services: [{ ...exampleDocument.services[0], allow: [written] }],
        });
        expect(told.map((problem) => problem.code)).toEqual(written === subnet ? [] : ["malformed"]);
        expect(told.every((problem) => problem.mend.startsWith(`write ${subnet},`))).toBe(true);
        const again = { ...exampleDocument, services: [{ ...exampleDocument.services[0], allow: [subnet] }] };
        expect(validate(again, boxA)).toMatchObject({ ok: true });
      }),
    );
  });
});
