/** What boxes alone put on the wire: judged by tshark, by a client's neighbour table, and by one another. */
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Namespace } from "../netns/namespaces.ts";
import { type AloneBox, createRig, holds, type Rig, startBox, until } from "./rig.ts";

const VIP = "192.0.2.1";
const VIP6 = "2001:db8::1";
const OWN = ["192.0.2.11/24", "2001:db8::11/64"];
const OTHERS = ["192.0.2.12/24", "2001:db8::12/64"];
const BOTH = [{}, { family: "ipv6", vrid: 20 } as const];

let rig: Rig;
let ours: Namespace;
let client: Namespace;
beforeEach(async () => {
  rig = await createRig();
  ours = await rig.host("ours", ...OWN);
  client = await rig.host("client", "192.0.2.99/24", "2001:db8::99/64");
});
afterEach(() => rig.destroy());

const isActive = (box: AloneBox, space: Namespace, vip = VIP) =>
  until("the box is active", () => box.state() === "active" && holds(space, vip));
const isStandby = (box: AloneBox) => until("the box is standby", () => box.state() === "standby");
const hears = (box: AloneBox, counter: string, times: number) =>
  until(`${times} packets are ${counter}`, () => (box.counters()[counter] ?? 0) >= times);

async function macOf(space: Namespace): Promise<string> {
  const [link] = JSON.parse(await space.ip("-j link show eth0")) as { address: string }[];
  return link!.address;
}

/** Where the client believes an address to be. */
async function neighbour(address: string): Promise<string | undefined> {
  const entries = JSON.parse(await client.ip("-j neigh show dev eth0")) as { dst: string; lladdr?: string }[];
  return entries.find((entry) => entry.dst === address)?.lladdr;
}

/** Captures at the client until the returned function is called, which answers with the file's name. */
async function capture(): Promise<() => Promise<string>> {
  const file = join(rig.directory, "capture.pcap");
  const child = client.spawn(["tcpdump", "-i", "eth0", "--immediate-mode", "-U", "-w", file], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  await until("tcpdump listens", () => said.includes("listening on"));
  return async () => {
    child.kill("SIGTERM");
    await once(child, "exit");
    return file;
  };
}

async function tshark(file: string, options: readonly string[]): Promise<readonly string[]> {
  const always = ["-n", "-o", "ip.check_checksum:TRUE", "-o", "vrrp.v3_checksum_as_in_v2:FALSE"];
  const text = await ours.run(["tshark", "-r", file, ...always, ...options]);
  return text.split("\n").filter((line) => line !== "");
}

describe("tshark finds nothing wrong", () => {
  test.each([
    ["rfc5798", "FALSE"],
    ["rfc9568", "TRUE"],
  ] as const)("row 1: with the checksum of %s [RFC9568-6.4.3-c]", async (checksum, asInVersion2) => {
    await ours.sysctl("net.ipv6.conf.all.forwarding", 1);
    const stop = await capture();
    const routers = BOTH.map((router) => ({ ...router, checksum }));
    const box = await startBox(rig, ours, { own: OWN, routers });
    await isActive(box, ours);
    await isActive(box, ours, VIP6);
    await client.run(["ping", "-c1", "-W1", VIP6]);
    const start = Date.now();
    await until("the announcements of the first second are out", () => Date.now() - start > 1_200);
    expect(await box.stop()).toBe(0);
    const file = await stop();
    const reading = ["-o", `vrrp.v3_checksum_as_in_v2:${asInVersion2}`];
    const fields = ["frame.number", "ip.ttl", "ipv6.hlim", "vrrp.prio", "vrrp.checksum.status", "eth.src"];
    const columns = fields.flatMap((field) => ["-e", field]);
    const adverts = await tshark(file, [...reading, "-Y", "vrrp", "-T", "fields", ...columns]);
    expect(adverts.length).toBeGreaterThan(10);
    // Good checksum, TTL 255, the Virtual Router MAC, our priority until the release.
    for (const line of adverts) {
      expect(line).toMatch(/^\d+\t(255\t|\t255)\t(100|0)\t1\t00:00:5e:00:(01:0a|02:14)$/);
    }
    expect(adverts.some((line) => line.split("\t")[3] === "0")).toBe(true);
    const ours4 = "vrrp || arp.opcode || icmpv6.type == 136";
    // Severity warn is 0x600000 and error 0x800000; a gratuitous ARP is a note of its own.
    const complaints = await tshark(file, [...reading, "-Y", `(${ours4}) && _ws.expert.severity >= 0x600000`]);
    expect(complaints).toEqual([]);
    const gratuitous = await tshark(file, [
      "-Y",
      `arp.isgratuitous && arp.src.proto_ipv4 == ${VIP}`,
      "-T",
      "fields",
      "-e",
      "arp.opcode",
    ]);
    expect(new Set(gratuitous)).toEqual(new Set(["1", "2"]));
    const advertisements = await tshark(file, [
      "-Y",
      `icmpv6.type == 136 && icmpv6.nd.na.target_address == ${VIP6} && ipv6.dst == ff02::1`,
      "-T",
      "fields",
      "-e",
      "icmpv6.nd.na.flag.r",
      "-e",
      "icmpv6.nd.na.flag.s",
      "-e",
      "icmpv6.nd.na.flag.o",
      "-e",
      "icmpv6.checksum.status",
    ]);
    expect(advertisements.length).toBeGreaterThanOrEqual(4);
    expect(new Set(advertisements)).toEqual(new Set(["1\t0\t1\t1"]));
    const answer = `icmpv6.nd.na.flag.s == 1 && icmpv6.nd.na.target_address == ${VIP6}`;
    expect(await tshark(file, ["-Y", answer, "-T", "fields", "-e", "icmpv6.nd.na.flag.r"])).toEqual(["1"]);
  });
});

describe("between boxes alone", () => {
  test("row 1: each accepts the other's reading of the checksum and counts it", async () => {
    const theirs = await rig.host("theirs", ...OTHERS);
    const first = await startBox(rig, ours, { own: OWN, priority: 200, routers: [{ checksum: "rfc9568" }] });
    await isActive(first, ours);
    const second = await startBox(rig, theirs, { own: OTHERS, priority: 100, routers: [{ checksum: "rfc5798" }] });
    await hears(second, "accepted-rfc9568", 3);
    expect(second.state()).toBe("standby");
    first.child.kill("SIGKILL");
    await isActive(second, theirs);
    // The VIP is still on the box that was killed, whose gate keeps it silent.
    const again = await startBox(rig, ours, { own: OWN, priority: 50, routers: [{ checksum: "rfc9568" }] });
    await hears(again, "accepted-rfc5798", 3);
    expect(await holds(ours, VIP), "what the killed run left behind is removed").toBe(false);
  });

  test("rows 17, 19: the active box answers, and a client that asks nothing learns the new place [RFC9568-6.4.3-a] [RFC9568-6.4.3-f]", async () => {
    const theirs = await rig.host("theirs", ...OTHERS);
    const first = await startBox(rig, ours, { own: OWN, priority: 200, routers: BOTH });
    await isActive(first, ours);
    await isActive(first, ours, VIP6);
    await client.run(["ping", "-c1", "-W1", VIP]);
    await client.run(["ping", "-c1", "-W1", VIP6]);
    const firstMac = await macOf(ours);
    expect([await neighbour(VIP), await neighbour(VIP6)]).toEqual([firstMac, firstMac]);
    const second = await startBox(rig, theirs, { own: OTHERS, priority: 100, routers: BOTH });
    await hears(second, "accepted-ipv6", 1);
    first.child.kill("SIGSTOP");
    await isActive(second, theirs);
    const mac = await macOf(theirs);
    await until("both entries are new", async () => (await neighbour(VIP)) === mac && (await neighbour(VIP6)) === mac);
  });

  test("row 22: an IPv6 address is usable at once where the kernel would first look for duplicates", async () => {
    const careful = await rig.carefulHost("careful", "192.0.2.12/24");
    const box = await startBox(rig, careful, { own: ["192.0.2.12/24"], routers: [{ family: "ipv6", vrid: 20 }] });
    await isActive(box, careful, VIP6);
    expect(await careful.ip("-o -6 address show dev eth0 tentative")).toBe("");
    await client.run(["ping", "-c1", "-W1", VIP6]);
  });

  test("row 18: a standby answers nothing for the addresses, even if they were left on it [RFC9568-6.4.2-a] [RFC9568-6.4.2-b] [RFC9568-6.4.2-e]", async () => {
    const theirs = await rig.host("theirs", ...OTHERS);
    const first = await startBox(rig, ours, { own: OWN, priority: 200, routers: BOTH });
    await isActive(first, ours, VIP6);
    const second = await startBox(rig, theirs, { own: OTHERS, priority: 100, routers: BOTH });
    await hears(second, "accepted-ipv6", 1);
    await theirs.ip(`address add ${VIP}/24 dev eth0`);
    await theirs.ip(`address add ${VIP6}/64 dev eth0 nodad`);
    const stop = await capture();
    await client.run(["arping", "-c2", "-w3", "-I", "eth0", VIP]);
    await client.run(["ping", "-c1", "-W1", VIP]);
    await client.run(["ping", "-c1", "-W1", VIP6]);
    const silent = await macOf(theirs);
    for (const vip of [VIP, VIP6]) {
      await client.ip(`neigh replace ${vip} lladdr ${silent} dev eth0 nud permanent`);
      expect((await client.tryRun(["ping", "-c1", "-W1", vip])).code).toBe(1);
    }
    const claims = `(arp.src.proto_ipv4 == ${VIP} || icmpv6.nd.na.target_address == ${VIP6})`;
    const file = await stop();
    expect((await tshark(file, ["-Y", `${claims} && eth.src == ${await macOf(ours)}`])).length).toBeGreaterThan(2);
    expect(await tshark(file, ["-Y", `${claims} && eth.src == ${silent}`])).toEqual([]);
  });

  test("virtual MAC: one entry at the client through a hand-over; it answers and forwards [RFC9568-6.4.2-d] [RFC9568-6.4.3-e] [RFC9568-7.4-a] [RFC9568-8.1.2-a] [RFC9568-8.2.2-a]", async () => {
    const theirs = await rig.host("theirs", ...OTHERS);
    const routers = BOTH.map((router) => ({ ...router, virtualMac: true }));
    const first = await startBox(rig, ours, { own: OWN, priority: 200, preempt: false, routers });
    await isActive(first, ours, VIP6);
    await client.run(["ping", "-c1", "-W1", VIP]);
    await client.run(["ping", "-c1", "-W1", VIP6]);
    const macs = ["00:00:5e:00:01:0a", "00:00:5e:00:02:14"];
    const behind = await rig.host("behind", "198.51.100.9/24");
    await behind.ip("route add 192.0.2.0/24 via 198.51.100.1");
    await ours.ip("address add 198.51.100.1/24 dev eth0");
    await ours.sysctl("net.ipv4.ip_forward", 1);
    await client.ip(`route add 198.51.100.0/24 via ${VIP}`);
    await client.run(["ping", "-c1", "-W1", "198.51.100.9"]);
    const onMacvlans = (await ours.ip("-o address show")).split("\n").filter((line) => line.includes(" fvr"));
    const found = new Set(onMacvlans.map((line) => line.split(/\s+/)[3]));
    expect(found).toEqual(new Set(["192.0.2.1/32", "2001:db8::1/64", "fe80::100/64"]));
    expect([await neighbour(VIP), await neighbour(VIP6)]).toEqual(macs);
    const second = await startBox(rig, theirs, { own: OTHERS, priority: 100, preempt: false, routers });
    await hears(second, "accepted-ipv6", 1);
    expect(await first.command({ kind: "switchover", group: undefined })).toMatchObject({ ok: true });
    await isActive(second, theirs, VIP6);
    await isStandby(first);
    await until("no macvlan listens", async () => (await ours.ip("-o link show up type macvlan")) === "");
    await client.run(["ping", "-c1", "-W1", VIP]);
    await client.run(["ping", "-c1", "-W1", VIP6]);
    expect([await neighbour(VIP), await neighbour(VIP6)]).toEqual(macs);
    expect(await first.stop()).toBe(0);
    expect(await ours.ip("-o link show type macvlan")).toBe("");
  });

  test("a planned hand-over hardly shows to one who asks every five milliseconds", async () => {
    const theirs = await rig.host("theirs", ...OTHERS);
    const first = await startBox(rig, ours, { own: OWN, priority: 200, preempt: false });
    await isActive(first, ours);
    const second = await startBox(rig, theirs, { own: OTHERS, priority: 100, preempt: false });
    await hears(second, "accepted-rfc5798", 1);
    const pinging = client.tryRun(["ping", "-q", "-i", "0.005", "-c", "400", "-W", "1", VIP]);
    expect(await first.command({ kind: "switchover", group: undefined })).toMatchObject({ ok: true });
    const lost = 400 - Number(/(\d+) received/.exec((await pinging).stdout)?.[1]);
    expect(lost).toBeLessThan(10);
    await isActive(second, theirs);
  });
});
