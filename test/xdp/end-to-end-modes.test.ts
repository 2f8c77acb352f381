/**
 * Real TCP and UDP through every mode, in both families. Two networks, each a bridge: outside the client, the box's
 * eth0 and the backends of `direct`, which have the VIP on their loopback; inside the box's eth1, the backends of `nat`,
 * whose gateway is the box, and those of `one-arm`, which besides their own network have a route to the VIP alone.
 */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BpfObject } from "@futago/hal/contract/bpf.ts";
import type { Ifindex } from "@futago/hal/units/address.ts";
import { openBpf } from "@futago/hal/xdp/bpf.ts";
import { type BalancerTables, balancerTables, gateTables } from "@futago/hal/xdp/tables.ts";
import { compileServices } from "@futago/firmware/balancer/compile.ts";
import { diffEntries } from "@futago/firmware/balancer/diff.ts";
import { createNetwork, type Namespace, type TestNetwork } from "../netns/namespaces.ts";
import type { Asked } from "./asker.ts";
import { addressOf, backend, service } from "./box.ts";
import { Groups, mountPins, type Pins } from "./pins.ts";

const PEER = fileURLToPath(new URL("./peer.ts", import.meta.url));
const ASKER = fileURLToPath(new URL("./asker.ts", import.meta.url));
const FAMILIES = {
  IPv4: { vip: "10.1.0.1", out: (host: number) => `10.1.0.${host}`, in: (host: number) => `10.2.0.${host}`, bits: 24 },
  IPv6: {
    vip: "2001:db8:1::1",
    out: (host: number) => `2001:db8:1::${host}`,
    in: (host: number) => `2001:db8:2::${host}`,
    bits: 64,
  },
} as const;
const EVERY = Object.values(FAMILIES);
/** The service's port of each mode, and the hosts that serve it. */
const MODES = {
  nat: { port: 80, backendPort: 8080, hosts: { n1: 11, n2: 12 } },
  "one-arm": { port: 81, backendPort: 8080, hosts: { o1: 21, o2: 22 } },
  direct: { port: 82, backendPort: 82, hosts: { d1: 31, d2: 32 } },
} as const;
const CHECKSUM_ERRORS = ["TcpInCsumErrors", "UdpInCsumErrors", "Udp6InCsumErrors", "IpInHdrErrors", "Ip6InHdrErrors"];

const bpf = openBpf();
let net: TestNetwork;
let box: Namespace;
let client: Namespace;
let pins: Pins;
let balancer: BpfObject;
let tables: BalancerTables;
let ports: readonly Ifindex[];
const all: Namespace[] = [];

beforeAll(async () => {
  net = await createNetwork();
  const lans = { outside: await net.namespace("outside"), inside: await net.namespace("inside") };
  box = await net.namespace("box", { forwarding: true });
  client = await net.namespace("client");
  const plugged: Record<keyof typeof lans, string[]> = { outside: [], inside: [] };
  const plug = async (host: Namespace, ifname: string, lan: keyof typeof lans, name: string) => {
    await net.link(host, ifname, lans[lan], name);
    plugged[lan].push(name);
    await host.run(["ethtool", "-K", ifname, "tx", "off", "tso", "off", "gro", "on"]);
    // What the bridge's side gathers it must not pass on with the checksum left to the device.
    await lans[lan].run(["ethtool", "-K", name, "tx", "off", "tso", "off", "gro", "on"]);
  };
  await plug(box, "eth0", "outside", "box");
  await plug(box, "eth1", "inside", "box");
  await plug(client, "eth0", "outside", "client");
  for (const family of EVERY) {
    await box.ip(`addr add ${family.out(2)}/${family.bits} dev eth0`);
    await box.ip(`addr add ${family.vip}/${family.bits} dev eth0`);
    await box.ip(`addr add ${family.in(2)}/${family.bits} dev eth1`);
    await client.ip(`addr add ${family.out(9)}/${family.bits} dev eth0`);
  }
  for (const [mode, { hosts, backendPort }] of Object.entries(MODES)) {
    for (const [name, host] of Object.entries(hosts)) {
      const server = await net.namespace(name);
      await plug(server, "eth0", mode === "direct" ? "outside" : "inside", name);
      await prepareServer(server, mode as keyof typeof MODES, host, backendPort);
    }
  }
  for (const [lan, names] of Object.entries(plugged)) await lans[lan as keyof typeof lans].bridge("lan", names);
  for (const name of [
    "all.accept_local=1",
    "all.rp_filter=0",
    "eth0.rp_filter=0",
    "eth1.rp_filter=0",
    "all.send_redirects=0",
  ])
    await box.sysctl(`net.ipv4.conf.${name.split("=")[0]}`, name.split("=")[1] ?? "");
  all.push(client);
  await load();
});

afterAll(async () => {
  balancer?.close();
  pins?.remove();
  await net?.destroy();
});

async function prepareServer(server: Namespace, mode: keyof typeof MODES, host: number, port: number): Promise<void> {
  all.push(server);
  for (const family of EVERY) {
    await server.ip(`addr add ${mode === "direct" ? family.out(host) : family.in(host)}/${family.bits} dev eth0`);
    if (mode === "nat") await server.ip(`route add default via ${family.in(2)}`);
    if (mode === "one-arm")
      await server.ip(`route add ${family.vip}/${family.bits === 24 ? 32 : 128} via ${family.in(2)}`);
    // The VIP is no address that this host answers for: arp_ignore in IPv4; in IPv6 another device's never is.
    if (mode === "direct") await server.ip(`addr add ${family.vip}/${family.bits === 24 ? 32 : 128} dev lo`);
  }
  if (mode === "direct") {
    await server.sysctl("net.ipv4.conf.all.arp_ignore", 1);
    await server.sysctl("net.ipv4.conf.all.arp_announce", 2);
  }
  const addresses = EVERY.map((family) => (mode === "direct" ? family.vip : family.in(host)));
  const argv = [process.execPath, PEER, "echo", server.name, String(port), ...addresses];
  const child = server.spawn(argv, { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once("data", () => resolve());
    child.once("exit", (code) => reject(new Error(`server ${server.name} ended with ${code}`)));
  });
}

async function load(): Promise<void> {
  pins = mountPins(bpf);
  balancer = bpf.load("balancer", pins.directory);
  tables = balancerTables(balancer);
  gateTables(balancer).setVips(new Map(EVERY.map(({ vip }) => [addressOf(vip), 0])));
  tables.setOwn(EVERY.flatMap((family) => [family.out(2), family.in(2)]).map(addressOf));
  new Groups(balancer.map("futago_groups")).set(0, 3);
  const services = EVERY.flatMap((family) =>
    Object.entries(MODES).flatMap(([mode, { port, backendPort, hosts }]) =>
      (["tcp", "udp"] as const).map((protocol) => {
        const backends = Object.entries(hosts).map(([id, host]) =>
          backend(mode === "direct" ? family.out(host) : family.in(host), backendPort, { id }),
        );
        return service(port, backends, { address: addressOf(family.vip), protocol, mode: mode as keyof typeof MODES });
      }),
    ),
  );
  const compiled = compileServices({ seed: "seed", services, servicesMax: 256, own: new Set() }, []);
  if (!compiled.ok) throw new Error(compiled.reason.kind);
  tables.apply(diffEntries([], compiled.value));
  ports = (await Promise.all(["eth0", "eth1"].map((port) => box.ifindex(port)))) as Ifindex[];
  // `direct` has to know its neighbours beforehand; core keeps them resolved.
  for (const family of EVERY)
    for (const host of Object.values(MODES.direct.hosts))
      await box.run(["ping", "-c", "1", "-W", "2", "-I", family.out(2), family.out(host)]);
}

async function ask(protocol: string, vip: string, port: number, count: number, bytes: number): Promise<Asked> {
  const argv = [process.execPath, ASKER, protocol, vip, port, count, bytes].map(String);
  return JSON.parse(await client.run(argv, { timeoutMillis: 30_000 })) as Asked;
}

async function checksumErrors(): Promise<number> {
  const counts = await Promise.all(all.map((one) => one.run(["nstat", "-asz", ...CHECKSUM_ERRORS])));
  const numbers = counts.join("\n").matchAll(/^\S+Errors\s+(\d+)/gm);
  return [...numbers].reduce((sum, [, number]) => sum + Number(number), 0);
}

const CELLS = Object.entries(FAMILIES).flatMap(([name, family]) =>
  Object.entries(MODES).flatMap(([mode, { port, hosts }]) =>
    ["tcp", "udp"].map((protocol) => ({ title: `${mode}, ${name}, ${protocol}`, family, port, hosts, protocol, mode })),
  ),
);

describe.each(["native", "generic"] as const)("through the %s balancer", (attached) => {
  beforeAll(() => {
    box.inside(() => ports.forEach((port) => bpf.attachXdp(port, balancer.program("futago_balancer"), attached)));
  });

  it.each(CELLS)("$title: both backends are reached and echo unharmed, all checksums right", async (cell) => {
    const { family, port, hosts, protocol, mode } = cell;
    const before = await checksumErrors();
    const packetsBefore = total(tables);
    const small = await ask(protocol, family.vip, port, 24, 1);
    expect(small).toMatchObject({ right: 24, errors: [] });
    expect(Object.keys(small.servers).toSorted()).toEqual(Object.keys(hosts));
    const large = await ask(protocol, family.vip, port, 3, protocol === "tcp" ? 300_000 : 1400);
    expect(large).toMatchObject({ right: 3, errors: [] });
    expect(await checksumErrors()).toBe(before);
    // They went through the balancer, not through the box's kernel.
    expect(total(tables) - packetsBefore).toBeGreaterThanOrEqual(27);
    expect(mode === "direct" || tables.counters().dropReplyClosed === 0).toBe(true);
  });
});

function total(of: BalancerTables): number {
  const services = of.read().filter((entry) => entry.kind === "service");
  return services.reduce(
    (sum, entry) => sum + of.serviceTraffic(entry.kind === "service" ? entry.index : 0).packetsIn,
    0,
  );
}
