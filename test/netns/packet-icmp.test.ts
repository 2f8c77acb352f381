import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { IcmpReply } from "@futago/hal/contract/network.ts";
import { describeIcmp } from "@futago/hal/fake/icmp.suite.ts";
import { openIcmp } from "@futago/hal/packet/icmp.ts";
import { type Family, type Ifindex, parseIpAddress } from "@futago/hal/units/address.ts";
import { createNetwork, type Namespace, type TestNetwork } from "./namespaces.ts";

const at = (text: string) => parseIpAddress(text)!;
let net: TestNetwork;
let box: Namespace;
let peer: Namespace;
const opened: { close(): void }[] = [];

beforeEach(async () => {
  net = await createNetwork();
  box = await net.namespace("box");
  peer = await net.namespace("peer");
  for (const [i, ifname] of ["eth0", "eth1"].entries()) {
    await net.link(box, ifname, peer, ifname);
    await box.ip(`addr add 10.${i}.0.1/24 dev ${ifname}`);
    await peer.ip(`addr add 10.${i}.0.2/24 dev ${ifname}`);
    await box.ip(`addr add fd0${i}::1/64 dev ${ifname}`);
    await peer.ip(`addr add fd0${i}::2/64 dev ${ifname}`);
    await box.ip(`addr add fe80::1/64 dev ${ifname}`);
    await peer.ip(`addr add fe80::2/64 dev ${ifname}`);
  }
});
afterEach(async () => {
  for (const socket of opened.splice(0)) socket.close();
  await net.destroy();
});

function open(family: Family) {
  const replies: IcmpReply[] = [];
  const socket = box.inside(() => openIcmp().open(family, (reply) => replies.push(reply)));
  opened.push(socket);
  return { socket, replies };
}

describe.each([
  { family: "ipv4", near: "10.0.0.2", own: "10.0.0.1" },
  { family: "ipv6", near: "fd00::2", own: "fd00::1" },
] as const)("$family echo", ({ family, near, own }) => {
  test("is answered by a neighbour and by the box itself, with identifier and sequence", async () => {
    const { socket, replies } = open(family);
    const before = Number(process.hrtime.bigint() / 1_000n);
    socket.sendEcho(at(near), 0xabcd, 65_535);
    await vi.waitFor(() => expect(replies).toMatchObject([{ from: near, id: 0xabcd, sequence: 65_535 }]));
    expect(replies[0]!.at - before).toBeGreaterThan(-2_000);
    expect(replies[0]!.at - before).toBeLessThan(1_000_000);
    socket.sendEcho(at(own), 1, 2);
    await vi.waitFor(() => expect(replies).toHaveLength(2));
    expect(replies[1]).toMatchObject({ from: own, id: 1, sequence: 2 });
  });

  test("hears replies only: neither requests nor the errors of others", async () => {
    const { socket, replies } = open(family);
    await peer.run(["ping", "-c1", "-W2", own]);
    await peer.run(["ping", "-c1", "-W2", near]);
    socket.sendEcho(at(near), 7, 7);
    await vi.waitFor(() => expect(replies.length).toBeGreaterThan(0));
    expect(replies).toMatchObject([{ id: 7, sequence: 7 }]);
  });

  test("goes out of the link it is told, though the routes prefer another", async () => {
    const { socket, replies } = open(family);
    const eth1 = (await box.ifindex("eth1")) as Ifindex;
    const counter = async () => {
      const [link] = JSON.parse(await box.ip("-j -s link show dev eth1")) as [{ stats64: { tx: { packets: number } } }];
      return link.stats64.tx.packets;
    };
    await box.ip(`route add ${family === "ipv4" ? "10.0.0.0/24" : "fd00::/64"} dev eth1 metric 2000`);
    const before = await counter();
    socket.sendEcho(at(near), 9, 9, eth1);
    await vi.waitFor(async () => expect(await counter()).toBeGreaterThan(before));
    expect(replies.every((reply) => reply.id === 9)).toBe(true);
  });
});

describeIcmp("the kernel's", async () => ({
  icmp: { open: (family, onReply) => box.inside(() => openIcmp().open(family, onReply)) },
  destroy: async () => {},
}));

test("a link-local neighbour is asked on the link that is named", async () => {
  const { socket, replies } = open("ipv6");
  for (const ifname of ["eth0", "eth1"]) {
    const ifindex = (await box.ifindex(ifname)) as Ifindex;
    socket.sendEcho(at("fe80::2"), 5, ifindex, ifindex);
    await vi.waitFor(() => expect(replies.map((reply) => reply.sequence)).toContain(ifindex));
  }
  expect(replies.every((reply) => reply.from === "fe80::2")).toBe(true);
});

test("a process whose sockets are closed ends by itself", async () => {
  const root = new URL("../../hal/", import.meta.url).pathname;
  const script = `
    import { describeIcmp } from "@futago/hal/fake/icmp.suite.ts";
import { openIcmp } from "${root}packet/icmp.ts";
    import { openFrames } from "${root}packet/frames.ts";
    const four = openIcmp().open("ipv4", () => four.close());
    const six = openIcmp().open("ipv6", () => six.close());
    const vrrp = openFrames().open({ ifindex: ${await box.ifindex("eth0")}, receive: "vrrp" });
    openFrames().open({ ifindex: ${await box.ifindex("eth0")}, receive: "none" });
    four.sendEcho("10.0.0.2", 1, 1);
    six.sendEcho("fd00::2", 1, 1);
    vrrp.close();`;
  const result = await box.tryRun([process.execPath, "--input-type=module", "-e", script], { timeoutMillis: 10_000 });
  expect(result).toMatchObject({ code: 0, stderr: "" });
});
