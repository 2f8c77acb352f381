import { spawnSync } from "node:child_process";
import { expect, test, vi } from "vitest";
import type { AddressEntry, NetworkEvent } from "@futago/hal/contract/network.ts";
import { describeNetwork } from "@futago/hal/fake/network.suite.ts";
import { openNetwork } from "@futago/hal/netlink/network.ts";
import { requestBuilder } from "@futago/hal/netlink/request-builder.ts";
import { type Ifindex, parseInterfaceAddress, parseIpAddress } from "@futago/hal/units/address.ts";
import { createNetwork, type Namespace } from "./namespaces.ts";

const ADDRESSES = 2_000;
const WAIT = { timeout: 10_000 };

async function twoNamespaces() {
  const net = await createNetwork();
  const box = await net.namespace("box");
  const other = await net.namespace("other");
  await net.link(box, "eth0", other, "eth0");
  return { net, box, other, eth0: (await box.ifindex("eth0")) as Ifindex };
}

/** 2,000 addresses from another process while this one's event loop stands still. */
function floodWithoutReading(box: Namespace): void {
  const lines = Array.from({ length: ADDRESSES }, (_, i) => `addr add 10.100.${i >> 8}.${i & 255}/32 dev eth0`);
  const result = spawnSync("ip", ["-n", box.fullName, "-batch", "-"], { input: lines.join("\n") });
  expect(result.status, String(result.stderr)).toBe(0);
}

describeNetwork("the kernel's network", async () => {
  const { net, box, other } = await twoNamespaces();
  const network = box.inside(() => openNetwork({ eventBufferBytes: 65_536 }));
  return {
    network,
    setCable: async (plugged) => void (await other.ip(`link set eth0 ${plugged ? "up" : "down"}`)),
    overrun: async () => floodWithoutReading(box),
    destroy: () => net.destroy(),
  };
});

test("a listener that lists again after an overrun knows all 2,000 addresses, and what comes later", async () => {
  const { net, box, eth0 } = await twoNamespaces();
  const network = box.inside(() => openNetwork({ eventBufferBytes: 65_536 }));
  try {
    let known = new Set<string>();
    let overruns = 0;
    let listing: Promise<void> | undefined;
    const key = (entry: AddressEntry) => `${entry.ifindex} ${entry.address}/${entry.prefixLength}`;
    const relist = async () => {
      known = new Set((await network.addresses()).map(key));
    };
    network.subscribe((event: NetworkEvent) => {
      if (event.kind === "address") known.add(key(event.entry));
      if (event.kind === "addressGone") known.delete(key(event.entry));
      if (event.kind !== "overrun") return;
      overruns++;
      listing = relist();
    });
    await relist();
    floodWithoutReading(box);
    await vi.waitFor(() => expect(overruns).toBeGreaterThan(0));
    await listing;
    await network.deleteAddress(eth0, parseInterfaceAddress("10.100.0.7/32")!);
    await network.addAddress(eth0, parseInterfaceAddress("10.200.0.1/32")!);
    await vi.waitFor(() => expect(known).toContain(`${eth0} 10.200.0.1/32`));
    expect(known).toEqual(new Set((await network.addresses()).map(key)));
    expect([...known].filter((text) => text.includes(" 10."))).toHaveLength(ADDRESSES);
  } finally {
    network.close();
    await net.destroy();
  }
});

test("a managed neighbour is resolved without any traffic of ours", async () => {
  const { net, box, other, eth0 } = await twoNamespaces();
  const network = box.inside(() => openNetwork());
  try {
    await other.ip("addr add 10.1.0.2/24 dev eth0");
    await network.addAddress(eth0, parseInterfaceAddress("10.1.0.1/24")!);
    const [link] = JSON.parse(await other.ip("-j link show dev eth0")) as { address: string }[];
    const seen: NetworkEvent[] = [];
    network.subscribe((event) => seen.push(event));
    await network.addManagedNeighbour(eth0, parseIpAddress("10.1.0.2")!);
    const entry = { ifindex: eth0, address: "10.1.0.2", mac: link!.address, state: 0x02, managed: true };
    await vi.waitFor(() => expect(seen).toContainEqual({ kind: "neighbour", entry }));
    expect(await network.neighbours()).toContainEqual(entry);
  } finally {
    network.close();
    await net.destroy();
  }
});

/**
 * Takes TCP connections of both families at port 80 with one socket of AF_INET6, and connects to each address once.
 * What becomes of the connections is said line by line: "10.2.0.1 open", "10.2.0.1 ECONNRESET".
 */
const TALKERS = `net.createServer((socket) => socket.resume().on("error", () => {})).listen(80, "::", () => {
  for (const host of process.argv.slice(1)) {
    const say = (what) => console.log(host + " " + what);
    const localAddress = host.includes(":") ? "::1" : "127.0.0.1";
    net.connect({ host, port: 80, localAddress }).on("connect", () => say("open")).on("error", (error) => say(error.code));
  }
})`;

test("connections to one address end with a reset; what listens, and connections to other addresses, go on", async () => {
  const { net, box } = await twoNamespaces();
  const network = box.inside(() => openNetwork());
  const hosts = ["10.2.0.1", "10.2.0.2", "fd00:2::1"];
  const seen: string[] = [];
  try {
    for (const host of hosts) await box.ip(`addr add ${host}/${host.includes(":") ? 128 : 32} dev lo`);
    const talkers = box.spawn([process.execPath, "-e", TALKERS, ...hosts], { stdio: ["ignore", "pipe", "inherit"] });
    talkers.stdout?.on("data", (text: Buffer) => seen.push(...text.toString().trim().split("\n")));
    await vi.waitFor(() => expect(seen).toHaveLength(3), WAIT);
    expect(await network.endConnections(parseIpAddress("10.2.0.1")!)).toBe(1);
    await vi.waitFor(() => expect(seen.slice(3)).toEqual(["10.2.0.1 ECONNRESET"]), WAIT);
    expect(await network.endConnections(parseIpAddress("10.2.0.1")!)).toBe(0);
    expect(await network.endConnections(parseIpAddress("fd00:2::1")!)).toBe(1);
    await vi.waitFor(() => expect(seen.slice(4)).toEqual(["fd00:2::1 ECONNRESET"]), WAIT);
    const sockets = await box.run(["ss", "--no-header", "--numeric", "--tcp", "--all"]);
    expect(sockets).toMatch(/^LISTEN .*:80 /m);
    expect(sockets).toMatch(/^ESTAB .*10\.2\.0\.2/m);
    expect(sockets).not.toMatch(/^ESTAB .*10\.2\.0\.1/m);
  } finally {
    network.close();
    await net.destroy();
  }
});

test("what a link carried and how fast it is are the kernel's own figures", async () => {
  const { net, box } = await twoNamespaces();
  const network = box.inside(() => openNetwork());
  try {
    await box.tryRun(["ping", "-c", "2", "-i", "0.01", "-W", "1", "10.2.0.200"]);
    const eth0 = (await network.links()).find((link) => link.ifname === "eth0")!.ifindex;
    const [shown] = JSON.parse(await box.ip("-s -j link show dev eth0")) as [
      { stats64: Record<"rx" | "tx", Record<string, number>> },
    ];
    const { rx, tx } = shown.stats64;
    const carried = (await network.statistics()).find((one) => one.ifindex === eth0)!;
    expect(carried.sentPackets).toBeGreaterThan(0);
    expect(carried.sentPackets).toBeGreaterThanOrEqual(tx["packets"]!);
    expect(carried.receivedBytes).toBeGreaterThanOrEqual(rx["bytes"]!);
    // What a veth says of itself (drivers/net/veth.c).
    expect((await network.speeds()).get(eth0)).toBe(10_000);
  } finally {
    network.close();
    await net.destroy();
  }
});

test("a port that leaves its bridge is not taken for a link that is gone", async () => {
  const { net, box } = await twoNamespaces();
  const network = box.inside(() => openNetwork());
  try {
    await box.bridge("br0", ["eth0"]);
    const links = await network.links();
    const [eth0, br0] = ["eth0", "br0"].map((name) => links.find((link) => link.ifname === name)!);
    expect(eth0!.upper).toBe(br0!.ifindex);
    const seen: NetworkEvent[] = [];
    network.subscribe((event) => seen.push(event));
    await box.ip("link set eth0 nomaster");
    const free = { kind: "link", link: expect.objectContaining({ ifname: "eth0", upper: undefined }) };
    await vi.waitFor(() => expect(seen).toContainEqual(free));
    await network.deleteLink(br0!.ifindex);
    await vi.waitFor(() => expect(seen.map((event) => event.kind)).toContain("linkGone"));
    expect(seen.filter((event) => event.kind === "linkGone")).toMatchObject([{ ifname: "br0" }]);
  } finally {
    network.close();
    await net.destroy();
  }
});

test("the large buffer of a listener holds the events of 2,000 addresses without an overrun", async () => {
  const { net, box } = await twoNamespaces();
  const network = box.inside(() => openNetwork());
  try {
    const seen: NetworkEvent[] = [];
    network.subscribe((event) => seen.push(event));
    floodWithoutReading(box);
    await vi.waitFor(() => expect(seen.filter((event) => event.kind === "address")).toHaveLength(ADDRESSES));
    expect(seen.filter((event) => event.kind === "overrun")).toEqual([]);
  } finally {
    network.close();
    await net.destroy();
  }
});

test("a prepared request does on the wire what the network's own does", async () => {
  const { net, box, eth0 } = await twoNamespaces();
  try {
    for (const text of ["10.1.0.1/24", "fd00::1/64"]) {
      const address = parseInterfaceAddress(text)!;
      const options = { skipDuplicateDetection: true, noPrefixRoute: true };
      const requests = [requestBuilder.addAddress(eth0, address, options), requestBuilder.deleteAddress(eth0, address)];
      await sendRaw(box, requests[0]!);
      expect(await box.ip("addr show dev eth0")).toContain(`${text.split("/")[0]}/`);
      expect(await box.ip("addr show dev eth0")).toContain("noprefixroute");
      await sendRaw(box, requests[1]!);
      expect(await box.ip("addr show dev eth0")).not.toContain(text);
    }
  } finally {
    await net.destroy();
  }
});

/** Sends bytes to the kernel as pulse does, by a program that knows nothing of our codec. */
async function sendRaw(box: Namespace, bytes: Uint8Array): Promise<void> {
  const script =
    "import socket, sys; s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0); s.bind((0, 0)); " +
    "s.send(bytes.fromhex(sys.argv[1]))";
  await box.run(["python3", "-c", script, Buffer.from(bytes).toString("hex")]);
}

test("a process whose network is closed ends by itself, and one that is killed by its own listener's error says so", async () => {
  const { net, box } = await twoNamespaces();
  try {
    const module = new URL("../../hal/netlink/network.ts", import.meta.url).pathname;
    const open = `import { openNetwork } from "${module}"; const network = openNetwork();`;
    const close = `${open} network.subscribe(() => {}); await network.links(); network.close(); network.close();`;
    expect(await box.tryRun([process.execPath, "--input-type=module", "-e", close])).toMatchObject({ code: 0 });
    const fail = `${open} network.subscribe(() => { throw new Error("heard"); }); await network.setLinkUp(1, false);`;
    const result = await box.tryRun([process.execPath, "--input-type=module", "-e", fail], { timeoutMillis: 5_000 });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("Error: heard");
  } finally {
    await net.destroy();
  }
});
