import { describe, expect, it } from "vitest";
import { compileNft, type NftInput, type NftRules } from "./nft-rules.ts";
import type { BalancedService } from "./service.ts";
import { backend, ip, prefix, service } from "./services.test-support.ts";

function compile(services: readonly BalancedService[], more: Partial<NftInput> = {}): NftRules {
  const input = { seed: "seed", services, servicesMax: 16, own: new Set([ip("10.2.0.250")]), full: new Set<number>() };
  const compiled = compileNft({ ...input, ...more });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.reason));
  return compiled.value;
}

/** The rules of a chain, without its hook. */
function chain(rules: NftRules, name: string): readonly string[] {
  const lines = rules.document.split("\n").map((line) => line.trim());
  const from = lines.indexOf(`chain ${name} {`);
  if (from < 0) return [];
  return lines.slice(from + 1, lines.indexOf("}", from)).filter((line) => !line.startsWith("type "));
}

/** How many slots of a service's ring each backend has, by the end of its address. */
function slots(rules: NftRules, index = 0): Readonly<Record<string, number>> {
  const map = /map \{ (.*) \}$/.exec(chain(rules, `begin_${index}`).at(-1) ?? "")?.[1] ?? "";
  const counts: Record<string, number> = {};
  for (const element of map.split(", ").filter((one) => one !== "")) {
    const [range = "", mark = ""] = element.split(" : ");
    const [first = "0", last = first] = range.split("-");
    const owner = rules.backends.find((one) => one.mark === Number(mark))?.backend.address.split(".")[3] ?? "nobody";
    counts[owner] = (counts[owner] ?? 0) + Number(last) - Number(first) + 1;
  }
  return counts;
}

const markOf = (rules: NftRules, last: number) =>
  rules.backends.find(({ backend: { address } }) => address === `10.2.0.${last}`)!.mark;
const hex = (mark: number) => `0x${mark.toString(16)}`;

describe("one service with one backend", () => {
  const rules = compile([service(80, [backend(11)])]);
  const mark = hex(markOf(rules, 11));

  it("is a document that replaces the table whole", () => {
    expect(rules.document.split("\n").slice(0, 3)).toEqual([
      "add table inet futago_balancer",
      "delete table inet futago_balancer",
      "table inet futago_balancer {",
    ]);
    expect(rules.document.endsWith("\n}\n")).toBe(true);
  });

  it("marks what begins, sends it to the backend, and answers for the backend that speaks first", () => {
    expect(chain(rules, "begin")).toEqual([
      "ct state new ct mark & 0xff000000 != 0x46000000 ip daddr . meta l4proto . th dport vmap { 10.1.0.1 . tcp . 80 : goto begin_0 }",
    ]);
    expect(chain(rules, "begin_0")).toEqual([
      'ct timeout set "idle_tcp_ip_7440"',
      expect.stringMatching(
        new RegExp(`^ct mark set jhash ip saddr \\. th sport mod 61 seed 0x[0-9a-f]{8} map \\{ 0-60 : ${mark} \\}$`),
      ),
    ]);
    expect(chain(rules, "to_backend")).toEqual([
      `meta nfproto ipv4 meta l4proto tcp dnat ip to ct mark map { ${mark} : 10.2.0.11 . 80 }`,
    ]);
    expect(chain(rules, "to_client")).toEqual([
      `meta nfproto ipv4 meta l4proto tcp ct state new ct mark & 0xff000000 != 0x46000000 tcp flags & (syn | rst) == 0x0 ct mark set ip saddr . th sport map { 10.2.0.11 . 80 : ${mark} }`,
      "meta nfproto ipv4 meta l4proto tcp ct state new ct mark & 0xff000000 == 0x46000000 tcp flags & (syn | rst) == 0x0 snat ip to ip saddr . th sport map { 10.2.0.11 . 80 : 10.1.0.1 . 80 }",
    ]);
    expect(chain(rules, "leak")).toEqual([
      "meta nfproto ipv4 meta l4proto tcp ct state invalid ip saddr . th sport { 10.2.0.11 . 80 } drop",
    ]);
  });
});

describe("modes, families and protocols", () => {
  it("translate the source in one-arm only, to ports below the kernel's own", () => {
    const services = [
      service(53, [backend(14, { port: 5353 })], { protocol: "udp", mode: "one-arm", idleTimeoutSeconds: 300 }),
      service(80, [backend(1, { address: ip("fd02::11") })], { address: ip("fd01::1"), mode: "one-arm" }),
    ];
    const rules = compile(services);
    const [udp, v6] = rules.backends.map(({ mark }) => hex(mark));
    expect(chain(rules, "to_client")).toEqual([
      `meta nfproto ipv4 meta l4proto udp ct mark { ${udp} } snat ip to 10.1.0.1:1024-31999`,
      `meta nfproto ipv6 meta l4proto tcp ct mark { ${v6} } snat ip6 to [fd01::1]:1024-31999`,
    ]);
    expect(chain(rules, "to_backend")).toEqual([
      `meta nfproto ipv4 meta l4proto udp dnat ip to ct mark map { ${udp} : 10.2.0.14 . 5353 }`,
      `meta nfproto ipv6 meta l4proto tcp dnat ip6 to ct mark map { ${v6} : fd02::11 . 80 }`,
    ]);
    expect(chain(rules, "leak")).toEqual([]);
    expect(rules.document).toContain("policy = { unreplied : 300, replied : 300 }");
  });

  it("translate the source of a client beside its backend in nat, too", () => {
    const rules = compile([
      service(80, [backend(11, { subnetBits: 24 }), backend(12, { subnetBits: 24 }), backend(13, { subnetBits: 0 })]),
    ]);
    const [one, two] = rules.backends.map(({ mark }) => hex(mark));
    expect(chain(rules, "to_client")[0]).toBe(
      `meta nfproto ipv4 meta l4proto tcp ct mark { ${one}, ${two} } ip saddr 10.2.0.0/24 snat ip to 10.1.0.1:1024-31999`,
    );
    // The two others are of the reverse map.
    expect(chain(rules, "to_client")).toHaveLength(3);
  });

  it("hash the client's address alone where it is to keep its backend", () => {
    const [, choice] = chain(compile([service(80, [backend(11)], { persistence: "source" })]), "begin_0");
    expect(choice).toMatch(/^ct mark set jhash ip saddr mod 61 /);
  });
});

describe("who gets new connections", () => {
  it("are the backends by their weights", () => {
    // 61 slots in four parts: 15.25 each.
    const rules = compile([service(80, [backend(11), backend(12, { weight: 3 })])]);
    expect(slots(rules)).toEqual({ 11: 15, 12: 46 });
  });

  it("are by a larger ring where the lightest would get no fair share", () => {
    const rules = compile([service(80, [backend(11), backend(12, { weight: 100 }), backend(13, { weight: 100 })])]);
    // 201 eights are more than 1021, so 2039 slots: 10.14, and 1014.43 for each of the others, the first of them rounded up.
    expect(slots(rules)).toEqual({ 11: 10, 12: 1_015, 13: 1_014 });
  });

  it.each([
    ["not the dead", { alive: false }],
    ["not the draining", { draining: true }],
    ["not those of no weight", { weight: 0 }],
  ])("are %s", (_, more) => {
    expect(slots(compile([service(80, [backend(11), backend(12, more)])]))).toEqual({ 11: 61 });
  });

  it("are told in one stretch of slots each where all rings together would be too long", () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, i) =>
        service(
          1_000 + i,
          [11, 12, 13].map((last) => backend(last, { weight: 100 })),
          { mode: "one-arm" },
        ),
      );
    // 300 eights are 2400: rings of 4093 slots, of which 24 are 98,232.
    const length = (count: number) =>
      chain(compile(many(count), { servicesMax: 64 }), "begin_0")
        .at(-1)
        ?.split(" : ").length;
    expect(length(24)).toBeGreaterThan(2_000);
    expect(length(25)).toBe(4);
    expect(slots(compile(many(25), { servicesMax: 64 }))).toEqual({ 11: 1_365, 12: 1_364, 13: 1_364 });
  });

  it("are those that returned a fifth of the others at first", () => {
    const rules = compile([service(80, [backend(11), backend(12, { step: 1 })])]);
    // 61 in six parts: 10.17 and 50.83.
    expect(slots(rules)).toEqual({ 11: 51, 12: 10 });
  });

  it("are the backup backends when no other lives, and then the sorry pool", () => {
    const spare = backend(12, { backup: true });
    const sorry = [backend(99)];
    const of = (backends: BalancedService["backends"]) => slots(compile([service(80, backends, { sorry })]));
    expect(of([backend(11), spare])).toEqual({ 11: 61 });
    expect(of([backend(11, { alive: false }), spare])).toEqual({ 12: 61 });
    expect(of([backend(11, { alive: false }), { ...spare, alive: false }])).toEqual({ 99: 61 });
  });

  it("are not those that are full, and nobody else when all are", () => {
    const services = [service(80, [backend(11), backend(12), backend(13, { backup: true })])];
    const [one, two] = [11, 12].map((last) => markOf(compile(services), last)) as [number, number];
    expect(slots(compile(services, { full: new Set([one]) }))).toEqual({ 12: 61 });
    expect(chain(compile(services, { full: new Set([one, two]) }), "begin_0")).toEqual([
      "tcp flags & (syn | ack) == syn drop",
    ]);
  });

  it("are nobody when nobody lives: beginnings are dropped, the middle of a connection is the kernel's to reset", () => {
    const dead = [backend(11, { alive: false })];
    expect(chain(compile([service(80, dead)]), "begin_0")).toEqual(["tcp flags & (syn | ack) == syn drop"]);
    expect(chain(compile([service(53, dead, { protocol: "udp" })]), "begin_0")).toEqual(["drop"]);
  });
});

describe("who may come in", () => {
  it("is looked up before connections are tracked, for services with lists", () => {
    const rules = compile([service(25, [backend(14)]), service(80, [backend(11)], { deny: [prefix("10.9.0.0/16")] })]);
    expect(chain(rules, "access")).toEqual([
      "ip daddr . meta l4proto . th dport vmap { 10.1.0.1 . tcp . 80 : goto access_1 }",
    ]);
    expect(chain(rules, "access_1")).toEqual(["ip saddr { 10.9.0.0-10.9.255.255 } drop"]);
    expect(rules.document).toContain("hook prerouting priority -300;");
  });

  it("is limited by a rate of each client, in a set of bounded size", () => {
    const rules = compile([service(80, [backend(11)], { newFlowsPerSecond: 40 })]);
    expect(chain(rules, "begin_0")[0]).toBe(
      "update @rate_0 { ip saddr limit rate over 40/second burst 40 packets } drop",
    );
    expect(rules.document).toContain("\tset rate_0 {\n\t\ttype ipv4_addr\n\t\tsize 65536\n");
  });

  it("is limited by what its client has open, in a set of bounded size", () => {
    const rules = compile([service(80, [backend(11)], { clientFlowsMax: 20 })]);
    expect(chain(rules, "begin_0")[0]).toBe("add @open_0 { ip saddr ct count over 20 } drop");
    expect(rules.document).toContain("\tset open_0 {\n\t\ttype ipv4_addr\n\t\tsize 65536\n\t\tflags dynamic\n\t}\n");
  });
});

describe("conflicts", () => {
  it("are refused as the balancer refuses them", () => {
    const compiled = compileNft({
      seed: "seed",
      services: [service(80, [backend(250)])],
      servicesMax: 16,
      own: new Set([ip("10.2.0.250")]),
      full: new Set(),
    });
    expect(compiled).toEqual({ ok: false, reason: { kind: "backendIsOwn", service: "s80", backend: "web/s250" } });
  });
});
