import { describe, expect, it } from "vitest";
import { boxA, briefly, changed, exampleDocument, problemsOf } from "./example.test-support.ts";
import { validate } from "./validate.ts";

describe("meaning", () => {
  const group = (d: any) => d.failoverGroups[0];
  const vr = (d: any, i = 0) => group(d).virtualRouters[i];
  const rows: readonly (readonly [string, (d: any) => void, readonly string[]])[] = [
    ["two pools of one name", (d) => void d.pools.push({ ...d.pools[0] }), ["pools.1.name duplicateName"]],
    [
      "two backends of one name",
      (d) => void (d.pools[0].backends[1].name = "s1"),
      ["pools.web.backends.1.name duplicateName"],
    ],
    [
      "two interfaces of one name",
      (d) => void d.interfaces.push({ name: "wan", device: "eth9" }),
      ["interfaces.3.name duplicateName"],
    ],
    [
      "two virtual routers of one name",
      (d) => void (vr(d, 1).name = "front"),
      ["failoverGroups.edge.virtualRouters.1.name duplicateName"],
    ],
    [
      "two services of one name",
      (d) => void d.services.push({ ...d.services[0], port: 81, pool: "web" }),
      ["services.1.name duplicateName", "services.1.pool backendInTwoServices"],
    ],
    ["one device twice", (d) => void (d.interfaces[1].device = "eth0"), ["interfaces.lan.device duplicateDevice"]],
    [
      "one device twice on box b",
      (d) => void (d.interfaces[1].device = { a: "eth1", b: "eth0" }),
      ["interfaces.lan.device.b duplicateDevice"],
    ],
    [
      "one address on both boxes",
      (d) => void (d.interfaces[0].addresses = ["10.1.0.2/24"]),
      ["interfaces.wan.addresses.0 duplicateAddress"],
    ],
    [
      "one address on two interfaces",
      (d) => void d.interfaces[1].addresses.b.push("10.1.0.2/24"),
      ["interfaces.lan.addresses.b.1 duplicateAddress"],
    ],
    [
      "a subnet's own address",
      (d) => void (d.interfaces[0].addresses.a = ["10.1.0.0/24"]),
      ["interfaces.wan.addresses.a.0 badAddress"],
    ],
    [
      "a broadcast address",
      (d) => void (vr(d).addresses = ["10.1.0.255/24"]),
      ["failoverGroups.edge.virtualRouters.front.addresses.0 badAddress"],
    ],
    [
      "a multicast address",
      (d) => void (vr(d).addresses = ["224.0.0.18/24"]),
      [
        "failoverGroups.edge.virtualRouters.front.addresses.0 badAddress",
        "failoverGroups.edge.virtualRouters.front.addresses.0 vipOutsideSubnet",
      ],
    ],
    [
      "a route to a host inside a subnet",
      (d) => void d.routes.push({ to: "10.9.0.1/16", via: "10.1.0.254" }),
      ['routes."10.9.0.1/16".to malformed'],
    ],
    [
      "a gateway that nothing leads to",
      (d) => void (d.routes[0].via = "10.9.0.1"),
      ["routes.default.via unreachableGateway"],
    ],
    [
      "a gateway on another interface",
      (d) => void (d.routes[0].interface = "lan"),
      ["routes.default.via unreachableGateway"],
    ],
    ["a gateway that is the box", (d) => void (d.routes[0].via = "10.1.0.1"), ["routes.default.via badAddress"]],
    [
      "a link-local gateway without interface",
      (d) => void (d.routes[0].via = "fe80::1"),
      ["routes.default.interface missingKey"],
    ],
    [
      "a gateway of the other family",
      (d) => void (d.routes[0] = { to: "10.9.0.0/16", via: "fe80::1", interface: "wan" }),
      ['routes."10.9.0.0/16".via mixedFamilies'],
    ],
    ["a route twice", (d) => void d.routes.push({ to: "default", via: "10.1.0.253" }), ["routes.1 duplicateRoute"]],
    ["safety without witnesses", (d) => void (d.pair = { partition: "safety" }), ["pair.witnesses witnessesNeeded"]],
    ["a witness of our own", (d) => void (d.pair.witnesses = ["10.2.0.1"]), ["pair.witnesses.0 witnessIsOurs"]],
    [
      "a heartbeat over nothing",
      (d) => void (d.pair.heartbeat.over = ["sync", "lam"]),
      ["pair.heartbeat.over.1 unknownName"],
    ],
    [
      "a heartbeat twice over one",
      (d) => void (d.pair.heartbeat.over = ["sync", "sync"]),
      ["pair.heartbeat.over.1 duplicateEntry"],
    ],
    [
      "a cold pair whose spare would have shut all ports of the heartbeat",
      (d) => void (d.pair = { standby: "cold", heartbeat: { over: ["lan", "wan"] } }),
      ["pair.heartbeat.over coldWithoutHeartbeat"],
    ],
    [
      "a cold pair whose only other port is a VLAN on one of a virtual router",
      (d) => {
        d.interfaces[2].device = "eth0.7";
        d.pair = { standby: "cold" };
      },
      ["pair.standby coldWithoutHeartbeat"],
    ],
    [
      "overlapping VRIDs",
      (d) => void group(d).virtualRouters.push({ interface: "wan", vrid: 10, addresses: ["10.1.0.9/24"] }),
      ["failoverGroups.edge.virtualRouters.wan:10.vrid overlappingVrid"],
    ],
    [
      "a virtual router on no interface",
      (d) => void (vr(d).interface = "wann"),
      ["failoverGroups.edge.virtualRouters.front.interface unknownName"],
    ],
    [
      "mixed families",
      (d) => void vr(d).addresses.push("2001:db8::1/64"),
      ["failoverGroups.edge.virtualRouters.front.addresses mixedFamilies"],
    ],
    [
      "a VIP outside its interface",
      (d) => void (vr(d).addresses = ["10.7.0.1/24"]),
      ["failoverGroups.edge.virtualRouters.front.addresses.0 vipOutsideSubnet"],
    ],
    [
      "a VIP that box b owns",
      (d) => void (vr(d).addresses = ["10.1.0.3/24"]),
      ["failoverGroups.edge.virtualRouters.front.addresses.0 vipIsOwnAddress"],
    ],
    [
      "a VIP twice",
      (d) => void group(d).virtualRouters.push({ interface: "wan", addresses: ["10.1.0.1/24"] }),
      ["failoverGroups.edge.virtualRouters.wan.addresses.0 duplicateVip"],
    ],
    [
      "priority 255 in a pair",
      (d) => void (vr(d).priority = 255),
      ["failoverGroups.edge.virtualRouters.front.priority priorityOwner"],
    ],
    [
      "two priorities in a group",
      (d) => {
        vr(d).priority = 150;
        vr(d, 1).priority = { a: 150, b: 90 };
      },
      ["failoverGroups.edge.virtualRouters.lan:11.priority.b priorityDiffers"],
    ],
    [
      "a tracked check that cannot fail",
      (d) => void (group(d).track = [{ check: { type: "none" }, weight: -5 }]),
      ["failoverGroups.edge.track.0.check.type wrongWord"],
    ],
    [
      "a tracked port that is not said",
      (d) => void (group(d).track = [{ check: { type: "tcp" }, weight: -5 }]),
      ["failoverGroups.edge.track.0.check.port checkPort"],
    ],
    [
      "a timeout beyond the interval",
      (d) => void (d.pools[0].check.timeoutMs = 1001),
      ["pools.web.check.timeoutMs checkTimes"],
    ],
    [
      "a pool's check with an address",
      (d) => void (d.pools[0].check.address = "10.2.0.11"),
      ["pools.web.check.address checkAddress"],
    ],
    ["a pool without backends", (d) => void (d.pools[0].backends = []), ["pools.web.backends poolEmpty"]],
    [
      "a backend twice",
      (d) => void (d.pools[0].backends[1].address = "10.2.0.11"),
      ["pools.web.backends.s2 duplicateBackend"],
    ],
    [
      "a backend that is box b",
      (d) => void (d.pools[0].backends[0].address = "10.2.0.3"),
      ["pools.web.backends.s1.address backendIsOurs"],
    ],
    [
      "a backend that is a VIP",
      (d) => void (d.pools[0].backends[0].address = "10.1.0.1"),
      ["pools.web.backends.s1.address backendIsOurs"],
    ],
    [
      "a backend that other machines are on every link",
      (d) => void (d.pools[0].backends[0].address = "169.254.169.254"),
      ["pools.web.backends.s1.address badAddress"],
    ],
    [
      "an IPv6 backend behind IPv4",
      (d) => void (d.pools[0].backends[0].address = "2001:db8::5"),
      ["pools.web.backends.s1.address mixedFamilies"],
    ],
    [
      "a service without VIP",
      (d) => void (d.services[0].address = "10.1.0.77"),
      ["services.www.address serviceWithoutVip"],
    ],
    ["a service without pool", (d) => void (d.services[0].pool = "wed"), ["services.www.pool unknownName"]],
    [
      "a service on a name that is not there",
      (d) => void (d.services[0].address = "frnt"),
      ["services.www.address unknownName"],
    ],
    [
      "a service twice, once by name",
      (d) => void d.services.push({ ...d.services[0], name: "again", address: "10.1.0.1" }),
      ["services.again duplicateService"],
    ],
    [
      "a backend for two services",
      (d) => void d.services.push({ ...d.services[0], name: "other", port: 81 }),
      ["services.other.pool backendInTwoServices"],
    ],
    [
      "a service on two addresses",
      (d) => void vr(d).addresses.push("10.1.0.7/24"),
      ["services.www.address backendInTwoServices"],
    ],
    [
      "a service and its gateway in two groups",
      (d) => void d.failoverGroups.push({ name: "inner", virtualRouters: group(d).virtualRouters.splice(1) }),
      ["services.www groupsDiffer"],
    ],
  ];
  it.each(rows)("tells %s", (_name, change, expected) => {
    expect(briefly(changed(change))).toEqual(expected);
  });

  it("tells a pair's document to a box that was not told which one it is", () => {
    expect(briefly(exampleDocument, { box: undefined })).toEqual(["pair boxUnknown"]);
  });

  it("tells values per box and a preferred box where there is no pair", () => {
    const document = changed((d) => void delete d.pair);
    expect(briefly(document, { box: undefined })).toEqual([
      "system.hostname perBoxAlone",
      "interfaces.wan.addresses perBoxAlone",
      "interfaces.lan.addresses perBoxAlone",
      "interfaces.sync.addresses perBoxAlone",
      "failoverGroups.edge.preferred pairOnly",
    ]);
  });

  it("tells a device that this box does not have, and not one that only the peer needs", () => {
    const document = changed((d) => void (d.interfaces[2].device = { a: "eth2", b: "enp3s0" }));
    const problemsWith = (...devices: string[]) => problemsOf(document, { box: "a", devices });
    expect(problemsWith("lo", "eth0", "eth2", "eht1")).toEqual([
      {
        parameters: { value: '"eth1"' },
        path: "interfaces.lan.device",
        code: "missingDevice",
        what: 'is "eth1", but this box has no such network device',
        mend: 'did you mean "eht1"',
      },
    ]);
    // What another interface has is not free.
    expect(problemsWith("lo", "eth0", "eth2")[0]?.mend).toBe("plug it in");
    expect(problemsWith("lo", "eth0", "eth2", "wlp1s0")[0]?.mend).toBe('plug it in, or write one of "wlp1s0"');
  });

  it("tells when no VRID is left", () => {
    const addresses = Array.from({ length: 256 }, (_, i) => `10.0.${i >> 7}.${(i & 127) + 1}/16`);
    const routers = addresses.map((address) => ({ interface: "wan", addresses: [address] }));
    const failoverGroups = [
      { name: "one", virtualRouters: routers.slice(0, 200) },
      { name: "two", virtualRouters: routers.slice(200) },
    ];
    const document = { interfaces: [{ name: "wan", device: "eth0" }], failoverGroups };
    expect(briefly(document, { box: undefined })).toEqual(["failoverGroups.two.virtualRouters.55.vrid vridsExhausted"]);
  });

  it("tells more virtual addresses than the gate holds", () => {
    const failoverGroups = Array.from({ length: 5 }, (_, g) => ({
      name: `g${g}`,
      virtualRouters: [{ interface: "wan", addresses: Array.from({ length: 205 }, (_n, i) => `10.${g}.0.${i + 1}/8`) }],
    }));
    const document = { interfaces: [{ name: "wan", device: "eth0" }], failoverGroups };
    expect(briefly(document, { box: undefined })).toEqual(["failoverGroups tooManyVips"]);
  });

  it("warns of backends without a gateway that moves", () => {
    const document = changed((d) => void d.failoverGroups[0].virtualRouters.pop());
    expect(validate(document, boxA)).toMatchObject({
      ok: true,
      warnings: [{ code: "gatewayMissing", path: "services.www" }],
    });
  });

  it("warns of a backend that nothing leads to", () => {
    const document = changed((d) => {
      d.routes = [];
      d.pools[0].backends = [{ name: "far", address: "10.99.0.1", port: 80 }];
    });
    expect(validate(document, boxA)).toMatchObject({
      ok: true,
      warnings: [{ code: "backendUnreachable", path: "pools.web.backends.far.address" }],
    });
  });
});
