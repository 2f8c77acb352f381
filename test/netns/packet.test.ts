import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { FrameSocketOptions, ReceivedFrame } from "@futago/hal/contract/network.ts";
import { ARP, bytes, describeFrames, VRRP4 } from "@futago/hal/fake/frames.suite.ts";
import { openFrames } from "@futago/hal/packet/frames.ts";
import type { Ifindex } from "@futago/hal/units/address.ts";
import { toHex } from "@futago/hal/units/bytes.ts";
import { createNetwork, type Namespace, type TestNetwork } from "./namespaces.ts";

let net: TestNetwork;
let box: Namespace;
let peer: Namespace;
let eth0: Ifindex;
let peerEth0: Ifindex;
const opened: { close(): void }[] = [];

beforeEach(async () => {
  net = await createNetwork();
  box = await net.namespace("box");
  peer = await net.namespace("peer");
  await net.link(box, "eth0", peer, "eth0");
  eth0 = (await box.ifindex("eth0")) as Ifindex;
  peerEth0 = (await peer.ifindex("eth0")) as Ifindex;
});
afterEach(async () => {
  for (const socket of opened.splice(0)) socket.close();
  await net.destroy();
});

function open(where: Namespace, options: FrameSocketOptions) {
  const socket = where.inside(() => openFrames().open(options));
  opened.push(socket);
  return socket;
}
const sender = () => open(peer, { ifindex: peerEth0, receive: "none" });

describeFrames("the kernel's", async () => ({
  box: { open: (options) => open(box, options) },
  boxLink: eth0,
  peer: { open: (options) => open(peer, options) },
  peerLink: peerEth0,
  removeBoxLink: async () => void (await box.ip("link del eth0")),
  destroy: async () => {},
}));

test("a frame is dated by the kernel on the boot-time clock, however late it is read", async () => {
  const heard: ReceivedFrame[] = [];
  open(box, { ifindex: eth0, receive: "arp", onFrame: (frame) => heard.push(frame) });
  const peerSocket = sender();
  // hrtime is CLOCK_MONOTONIC: the same as boot time as long as the machine was not suspended.
  const now = () => Number(process.hrtime.bigint() / 1_000n);
  const datedRight = async () => {
    heard.length = 0;
    const before = now();
    peerSocket.send(bytes(ARP));
    const after = now();
    while (now() < after + 20_000) {
      // The event loop stands still, as it does under load.
    }
    await vi.waitFor(() => expect(heard).toHaveLength(1));
    expect(heard[0]!.at).toBeGreaterThanOrEqual(before - 2_000);
    expect(heard[0]!.at).toBeLessThanOrEqual(after + 5_000);
  };
  // The kernel begins to date frames some time after the first socket asked for it (net_enable_timestamp).
  await vi.waitFor(datedRight, { timeout: 5_000 });
});

test("frames pass the link's tc egress, and one that is dropped there is refused with ENOBUFS", async () => {
  const heard: ReceivedFrame[] = [];
  open(box, { ifindex: eth0, receive: "arp", onFrame: (frame) => heard.push(frame) });
  const peerSocket = sender();
  await peer.run(["tc", "qdisc", "add", "dev", "eth0", "clsact"]);
  // One instruction: return TC_ACT_SHOT.
  await peer.run(["tc", "filter", "add", "dev", "eth0", "egress", "bpf", "da", "bytecode", "1,6 0 0 2,"]);
  expect(() => peerSocket.send(bytes(ARP))).toThrow("ENOBUFS");
  await peer.run("tc filter del dev eth0 egress".split(" "));
  peerSocket.send(bytes(`${ARP}feed`));
  await vi.waitFor(() => expect(heard).toHaveLength(1));
  expect(toHex(heard[0]!.bytes)).toBe(`${ARP}feed`);
});

test("vrrp joins the groups of the link and of both families, and leaves them when closed", async () => {
  const groups = async () => await box.ip("maddr show dev eth0");
  expect(await groups()).not.toContain("224.0.0.18");
  const socket = open(box, { ifindex: eth0, receive: "vrrp" });
  const joined = await groups();
  for (const group of ["01:00:5e:00:00:12", "33:33:00:00:00:12", "224.0.0.18", "ff02::12"])
    expect(joined).toContain(group);
  socket.close();
  socket.close();
  const left = await groups();
  for (const group of ["01:00:5e:00:00:12", "33:33:00:00:00:12", "224.0.0.18", "ff02::12"])
    expect(left).not.toContain(group);
});

test("a switch that snoops sees the membership reports", async () => {
  const reports: string[] = [];
  const capture = peer.spawn(["tcpdump", "-vlni", "eth0", "igmp or ip6"], { stdio: ["ignore", "pipe", "pipe"] });
  await new Promise((resolve) => capture.stderr!.once("data", resolve));
  capture.stdout!.on("data", (chunk: Buffer) => reports.push(chunk.toString()));
  open(box, { ifindex: eth0, receive: "vrrp" });
  const seen = { timeout: 5_000 };
  await vi.waitFor(() => expect(reports.join("")).toMatch(/igmp v3 report.*gaddr 224\.0\.0\.18/s), seen);
  await vi.waitFor(() => expect(reports.join("")).toMatch(/multicast listener report v2.*gaddr ff02::12/s), seen);
  const ended = new Promise((resolve) => capture.once("exit", resolve));
  capture.kill("SIGKILL");
  await ended;
});

test("vrrp opens on a link where IPv6 is switched off", async () => {
  await box.sysctl("net.ipv6.conf.eth0.disable_ipv6", 1);
  const heard: ReceivedFrame[] = [];
  open(box, { ifindex: eth0, receive: "vrrp", onFrame: (frame) => heard.push(frame) });
  sender().send(bytes(VRRP4));
  await vi.waitFor(() => expect(heard).toHaveLength(1));
});

test("a link that goes down and up again is heard again", async () => {
  const heard: ReceivedFrame[] = [];
  const errors: Error[] = [];
  const onFrame = (frame: ReceivedFrame) => heard.push(frame);
  const socket = open(box, { ifindex: eth0, receive: "arp", onFrame, onError: (error) => errors.push(error) });
  await box.ip("link set eth0 down");
  expect(() => socket.send(bytes(ARP))).toThrow("ENETDOWN");
  await box.ip("link set eth0 up");
  const peerSocket = sender();
  await vi.waitFor(() => {
    peerSocket.send(bytes(ARP));
    expect(heard.length).toBeGreaterThan(0);
  });
  expect(errors).toEqual([]);
});

test("a frame longer than the snapshot is cut, and one longer than the link takes is refused", async () => {
  const heard: ReceivedFrame[] = [];
  await peer.ip("link set eth0 mtu 9000");
  await box.ip("link set eth0 mtu 9000");
  open(box, { ifindex: eth0, receive: "arp", onFrame: (frame) => heard.push(frame) });
  const peerSocket = sender();
  peerSocket.send(bytes(ARP + "00".repeat(3_000)));
  await vi.waitFor(() => expect(heard).toHaveLength(1));
  expect(heard[0]!.bytes).toHaveLength(2_048);
  expect(() => peerSocket.send(new Uint8Array(20_000))).toThrow("EMSGSIZE");
});
