import { describe, expect, it } from "vitest";
import { briefly, changed, problemsOf } from "./example.test-support.ts";

describe("shape", () => {
  const rows: readonly (readonly [string, (d: any) => void, readonly string[], string])[] = [
    ["a misspelt key", (d) => void (d.intrefaces = []), ["intrefaces unknownKey"], 'did you mean "interfaces"'],
    [
      "an unknown key far down",
      (d) => void (d.pools[0].backends[0].wieght = 2),
      ["pools.web.backends.s1.wieght unknownKey"],
      'did you mean "weight"',
    ],
    [
      "a key like nothing",
      (d) => void (d.pair.zzzzzzzzz = 1),
      ["pair.zzzzzzzzz unknownKey"],
      "remove it; known here are standby, ",
    ],
    ["a key that prototypes have", (d) => void (d.pair.toString = 1), ["pair.toString unknownKey"], "remove it"],
    ["names", (d) => void (d.names = []), ["names notBuilt"], "remove it"],
    ["firewall", (d) => void (d.firewall = {}), ["firewall notBuilt"], "remove it"],
    [
      "a misspelt mode",
      (d) => void (d.services[0].mode = "onearm"),
      ["services.www.mode wrongWord"],
      'did you mean "one-arm"',
    ],
    [
      "another protocol",
      (d) => void (d.services[0].protocol = "quic"),
      ["services.www.protocol wrongWord"],
      'write one of "tcp", "udp"',
    ],
    [
      "another persistence",
      (d) => void (d.services[0].persistence = "cookie"),
      ["services.www.persistence wrongWord"],
      'write one of "none", "source"',
    ],
    [
      "a client range",
      (d) => void (d.services[0].allow = ["198.51.100.1-198.51.100.9"]),
      ["services.www.allow.0 malformed"],
      'a subnet or an address, such as "198.51.100.0/24"',
    ],
    [
      "one client instead of a list",
      (d) => void (d.services[0].deny = "198.51.100.1"),
      ["services.www.deny wrongType"],
      "a list in square brackets",
    ],
    [
      "no new connections at all",
      (d) => void (d.services[0].newConnectionsPerSecond = 0),
      ["services.www.newConnectionsPerSecond outOfRange"],
      "from 1 to 1000000",
    ],
    [
      "no silence at all",
      (d) => void (d.services[0].idleTimeoutSeconds = 0),
      ["services.www.idleTimeoutSeconds outOfRange"],
      "from 1 to 604800",
    ],
    [
      "a backend for no connection",
      (d) => void (d.pools[0].backends[0].maxConnections = 0),
      ["pools.web.backends.s1.maxConnections outOfRange"],
      "from 1 to 4194304",
    ],
    [
      "a start that takes a day",
      (d) => void (d.pools[0].slowStartSeconds = 86_400),
      ["pools.web.slowStartSeconds outOfRange"],
      "from 0 to 3600",
    ],
    [
      "a table of a thousand connections",
      (d) => void (d.balancer = { flows: 1_000 }),
      ["balancer.flows outOfRange"],
      "from 1024 to 4194304",
    ],
    [
      "another key of the balancer",
      (d) => void (d.balancer = { flow: 2_048 }),
      ["balancer.flow unknownKey"],
      'did you mean "flows"',
    ],
    [
      "a dns check without a question",
      (d) => void (d.pools[0].check = { type: "dns" }),
      ["pools.web.check.query missingKey"],
      'add "query": The domain name',
    ],
    [
      "a domain name with a space",
      (d) => void (d.pools[0].check = { type: "dns", query: "www example" }),
      ["pools.web.check.query malformed"],
      "a domain name",
    ],
    [
      "an answer that is no address",
      (d) => void (d.pools[0].check = { type: "dns", query: "example.test", expectAnswer: "www" }),
      ["pools.web.check.expectAnswer malformed"],
      "an IPv4 or IPv6 address",
    ],
    [
      "an address for the name on a certificate",
      (d) => void (d.pools[0].check = { type: "https", sni: "10.2.0.11" }),
      ["pools.web.check.sni malformed"],
      "the name on the certificate",
    ],
    [
      "a name with a port for the name on a certificate",
      (d) => void (d.pools[0].check = { type: "https", sni: "www.example.test:443" }),
      ["pools.web.check.sni malformed"],
      "without port",
    ],
    [
      "a word for verify",
      (d) => void (d.pools[0].check = { type: "https", sni: "www.example.test", verify: "no" }),
      ["pools.web.check.verify wrongType"],
      "true or false",
    ],
    [
      "a body that holds nothing",
      (d) => void (d.pools[0].check.expectBody = ""),
      ["pools.web.check.expectBody malformed"],
      "not an empty one",
    ],
    [
      "a TLS key in a check without TLS",
      (d) => void (d.pools[0].check.sni = "www.example.test"),
      ["pools.web.check.sni unknownKey"],
      "",
    ],
    [
      "a misspelt check",
      (d) => void (d.pools[0].check.type = "htpt"),
      ["pools.web.check.type wrongWord"],
      'did you mean "http"',
    ],
    [
      "a check without type",
      (d) => void delete d.pools[0].check.type,
      ["pools.web.check.type missingKey"],
      'write one of "icmp", "tcp", "http", "https", "dns", "none"',
    ],
    [
      "a key of another check",
      (d) => void (d.pools[0].check.type = "tcp"),
      ["pools.web.check.path unknownKey", "pools.web.check.expectStatus unknownKey"],
      "remove it",
    ],
    ["a missing key", (d) => void delete d.services[0].port, ["services.www.port missingKey"], 'add "port": '],
    ["no interfaces", (d) => void delete d.interfaces, ["interfaces missingKey"], 'add "interfaces"'],
    [
      "a number in quotes",
      (d) => void (d.services[0].port = "80"),
      ["services.www.port wrongType"],
      "write 80 without quotes",
    ],
    ["a list for an object", (d) => void (d.pair = []), ["pair wrongType"], "write an object in braces"],
    [
      "an object for a list",
      (d) => void (d.pools = { web: 1 }),
      ["pools wrongType"],
      "write a list in square brackets",
    ],
    ["null", (d) => void (d.services[0].name = null), ["services.0.name wrongType"], "write a text in double quotes"],
    [
      "a word for a boolean",
      (d) => void (d.failoverGroups[0].preempt = "yes"),
      ["failoverGroups.edge.preempt wrongType"],
      "true or false",
    ],
    ["port 0", (d) => void (d.services[0].port = 0), ["services.www.port outOfRange"], "from 1 to 65535"],
    ["half a port", (d) => void (d.services[0].port = 80.5), ["services.www.port outOfRange"], "a whole number"],
    [
      "VRID 256",
      (d) => void (d.failoverGroups[0].virtualRouters[1].vrid = 256),
      ["failoverGroups.edge.virtualRouters.lan:256.vrid outOfRange"],
      "from 1 to 255",
    ],
    [
      "an interval out of step",
      (d) => void (d.failoverGroups[0].virtualRouters[0].advertisementIntervalMs = 1005),
      ["failoverGroups.edge.virtualRouters.front.advertisementIntervalMs outOfRange"],
      "write 1010",
    ],
    [
      "an address without prefix",
      (d) => void (d.interfaces[0].addresses.a = ["10.1.0.2"]),
      ["interfaces.wan.addresses.a.0 malformed"],
      "prefix length",
    ],
    [
      "an address of five parts",
      (d) => void (d.pools[0].backends[0].address = "10.2.0.11.1"),
      ["pools.web.backends.s1.address malformed"],
      "without prefix length",
    ],
    [
      "a name with a space",
      (d) => void (d.pools[0].name = "my web"),
      ['pools."my web".name malformed'],
      "a letter, then",
    ],
    [
      "a device with a slash",
      (d) => void (d.interfaces[0].device = "../../etc"),
      ["interfaces.wan.device malformed"],
      "network device",
    ],
    ["the loopback device", (d) => void (d.interfaces[0].device = "lo"), ["interfaces.wan.device malformed"], "not lo"],
    [
      "a host name with a shell in it",
      (d) => void (d.system.hostname.a = "x;reboot"),
      ["system.hostname.a malformed"],
      "letters, digits",
    ],
    ["no such day", (d) => void (d.pair.drill = "Sunday 04:00"), ["pair.drill malformed"], "Sun 04:00"],
    ["no such time", (d) => void (d.pair.drill = "Sun 24:00"), ["pair.drill malformed"], "Sun 04:00"],
    ["no such time zone", (d) => void (d.system.timezone = "Asia/Tokio"), ["system.timezone malformed"], "Asia/Tokyo"],
    [
      "a path with a line end",
      (d) => void (d.pools[0].check.path = "/\r\nX: y"),
      ["pools.web.check.path malformed"],
      "begins with a slash",
    ],
    [
      "a host with a line end",
      (d) => void (d.pools[0].check.host = "x\r\nX: y"),
      ["pools.web.check.host malformed"],
      "a host",
    ],
    [
      "odd status codes",
      (d) => void (d.pools[0].check.expectStatus = "2xx"),
      ["pools.web.check.expectStatus malformed"],
      "200-399,404",
    ],
    ["a note with an escape sequence", (d) => void (d.note = "\u001b[31m"), ["note malformed"], "without control"],
    [
      "a shared value per box",
      (d) => void (d.services[0].port = { a: 80, b: 81 }),
      ["services.www.port perBoxNotHere"],
      "one value for both",
    ],
    ["half a value per box", (d) => void delete d.system.hostname.b, ["system.hostname.b missingKey"], 'add "b"'],
    [
      "17 groups",
      (d) => void (d.failoverGroups = Array.from({ length: 17 }, () => d.failoverGroups[0])),
      ["failoverGroups wrongCount"],
      "remove some",
    ],
    [
      "an empty group",
      (d) => void (d.failoverGroups = [{ name: "edge", virtualRouters: [] }]),
      ["failoverGroups.edge.virtualRouters wrongCount"],
      "add at least one",
    ],
  ];
  it.each(rows)("tells %s", (_name, change, expected, mend) => {
    const problems = problemsOf(changed(change));
    expect(problems.map((problem) => `${problem.path} ${problem.code}`)).toEqual(expected);
    expect(problems[0]?.mend).toContain(mend);
  });

  it("tells a document that is no object at all", () => {
    for (const value of [1, "null", null, [], undefined, true]) expect(briefly(value)).toEqual([" wrongType"]);
  });

  it("tells every problem, of shape and of meaning, in one round", () => {
    const document = changed((d) => {
      d.firewal = {};
      d.pools[0].backends[1].weight = 500;
      d.failoverGroups[0].virtualRouters[1].interface = "wan";
      d.failoverGroups[0].virtualRouters[1].vrid = 10;
      d.services.push({ ...d.services[0], name: "www2" });
    });
    expect(briefly(document)).toEqual([
      "pools.web.backends.s2.weight outOfRange",
      "firewal unknownKey",
      "failoverGroups.edge.virtualRouters.wan:10.vrid overlappingVrid",
      "services.www2 duplicateService",
    ]);
  });

  it("does not tell what only follows from another problem", () => {
    const document = changed((d) => void (d.interfaces[1].name = 7));
    expect(briefly(document)).toEqual(["interfaces.1.name wrongType"]);
  });

  it("tells of a misspelt pair that word alone, and what is wrong whatever it means", () => {
    const misspelt = (change: (d: any) => void = () => undefined) =>
      changed((d) => {
        d.pear = d.pair;
        delete d.pair;
        change(d);
      });
    expect(briefly(misspelt())).toEqual(["pear unknownKey"]);
    expect(problemsOf(misspelt())[0]?.mend).toBe('did you mean "pair"');
    expect(briefly(misspelt(), { box: undefined })).toEqual(["pear unknownKey"]);
    expect(briefly(misspelt((d) => void (d.pools[0].backends[1].weight = 500)))).toEqual([
      "pools.web.backends.s2.weight outOfRange",
      "pear unknownKey",
    ]);
    // A box alone, whose other words are not near.
    const alone = changed((d) => {
      delete d.pair;
      d.zzzz = 1;
    });
    expect(briefly(alone)).toContain("interfaces.wan.addresses perBoxAlone");
  });

  it("stops counting somewhere", () => {
    const document = changed((d) => void (d.pools = Array.from({ length: 256 }, () => ({ x: 1, y: 2, z: 3, w: 4 }))));
    const problems = problemsOf(document);
    expect(problems).toHaveLength(1_001);
    expect(problems.at(-1)?.code).toBe("tooManyProblems");
  });
});
