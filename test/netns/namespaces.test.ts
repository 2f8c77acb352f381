import { readdirSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { createNetwork, type TestNetwork } from "./namespaces.ts";

let net: TestNetwork | undefined;
afterEach(async () => await net?.destroy());

test("two namespaces joined by a link reach each other", async () => {
  net = await createNetwork();
  const client = await net.namespace("client");
  const box = await net.namespace("box", { forwarding: true });
  await net.link(client, "eth0", box, "eth1");
  await client.ip("addr add 10.1.0.1/24 dev eth0");
  await box.ip("addr add 10.1.0.2/24 dev eth1");
  expect(await client.run(["ping", "-c1", "-W2", "10.1.0.2"])).toContain("1 received");
  expect(await box.run(["cat", "/proc/sys/net/ipv4/ip_forward"])).toBe("1\n");
  expect(await client.run(["cat"], { input: "echo" })).toBe("echo");
});

test("a program that fails tells its code and what it said", async () => {
  net = await createNetwork();
  const ns = await net.namespace("only");
  expect(await ns.tryRun(["sh", "-c", "echo no >&2; exit 3"])).toEqual({ code: 3, stdout: "", stderr: "no\n" });
  await expect(ns.run(["sh", "-c", "echo no >&2; exit 3"])).rejects.toThrow("exit 3: no");
  await expect(ns.ip("link set nothing up")).rejects.toThrow("nothing");
});

test("a bridge joins the ports of several links", async () => {
  net = await createNetwork();
  const [a, b, middle] = [await net.namespace("a"), await net.namespace("b"), await net.namespace("switch")];
  await net.link(a, "eth0", middle, "p1");
  await net.link(b, "eth0", middle, "p2");
  await middle.bridge("br0", ["p1", "p2"]);
  await a.ip("addr add fd00::1/64 dev eth0");
  await b.ip("addr add fd00::2/64 dev eth0");
  expect(await a.run(["ping", "-c1", "-W3", "fd00::2"])).toContain("1 received");
});

test("destroy ends the programs and removes the namespaces, and may be called twice", async () => {
  net = await createNetwork();
  const ns = await net.namespace("only");
  const child = ns.spawn(["sleep", "60"]);
  const ended = new Promise((resolve) => child.on("exit", (_code, signal) => resolve(signal)));
  expect(readdirSync("/run/netns")).toContain(ns.fullName);
  await net.destroy();
  await net.destroy();
  expect(readdirSync("/run/netns")).not.toContain(ns.fullName);
  expect(await ended).toBe("SIGKILL");
});

test("code inside sees the namespace, and afterwards the thread is back home", async () => {
  net = await createNetwork();
  const ns = await net.namespace("only");
  const links = () => readdirSync("/proc/thread-self/net/dev_snmp6").sort();
  const home = links();
  await ns.ip("link add futago0 type veth peer name futago1");
  expect(ns.inside(links)).toEqual(["futago0", "futago1", "lo"]);
  expect(links()).toEqual(home);
});
