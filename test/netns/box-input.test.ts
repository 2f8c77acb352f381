/** What `futago run` and the command line refuse, and how: what is wrong, where, and how to mend it. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createNetwork, type Namespace, type TestNetwork } from "./namespaces.ts";
import { Boxes, FUTAGO, mounts } from "./running-box.ts";

const alone = {
  interfaces: [{ name: "wan", device: "eth0", addresses: ["10.1.0.2/24"] }],
  failoverGroups: [{ name: "edge", virtualRouters: [{ interface: "wan", vrid: 10, addresses: ["10.1.0.1/24"] }] }],
};
const paired = {
  ...alone,
  interfaces: [{ ...alone.interfaces[0], addresses: { a: ["10.1.0.2/24"], b: ["10.1.0.3/24"] } }],
  pair: {},
};
const KEY = "00112233445566778899aabbccddeeff".repeat(2);

let net: TestNetwork;
let host: Namespace;
let boxes: Boxes;

beforeAll(async () => {
  net = await createNetwork();
  host = await net.namespace("box");
  const cable = await net.namespace("cable");
  await net.link(host, "eth0", cable, "eth0");
});
afterAll(() => net.destroy());
beforeEach(() => {
  boxes = new Boxes();
});
afterEach(() => boxes.destroy([host]));

const run = (...argv: string[]) => boxes.start(host, boxes.state(), ...argv).ended();

describe("futago run refuses", () => {
  it("to run without root", async () => {
    const state = boxes.state();
    // It may read every directory: the repository may lie in root's own home.
    const reading = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"];
    const nobody = ["setpriv", "--reuid=65534", "--clear-groups", ...reading];
    const ended = await host.tryRun([...nobody, FUTAGO, "run", "--state", state]);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain("must be run by root");
    expect(ended.stderr).toContain("sudo");
  });

  it("a pair's configuration without --box, and without --pair-key, with exit code 2", async () => {
    const document = boxes.document("pair.json", paired);
    const noBox = await run("--import", document, "--pair-key", boxes.file("key", KEY));
    expect(noBox.code).toBe(2);
    expect(noBox.stderr).toContain("--box");
    const noKey = await run("--import", document, "--box", "a");
    expect(noKey.code).toBe(2);
    expect(noKey.stderr).toContain("--pair-key");
    expect(noKey.stderr).toContain("openssl rand -hex 32");
  });

  it("a pair key that is none, without showing it", async () => {
    const key = boxes.file("key", `${KEY}00`);
    const ended = await run("--pair-key", key);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain(key);
    expect(ended.stderr).toContain("openssl rand -hex 32");
    expect(ended.stderr).not.toContain(KEY);
  });

  const [wan] = alone.interfaces;
  const [edge] = alone.failoverGroups;
  it.each<[string, unknown, string]>([
    ["an unknown key", { ...alone, interfaces: [{ ...wan, adresses: [] }] }, "interfaces.wan.adresses"],
    ["a wrong type", { ...alone, interfaces: [{ ...wan, addresses: "10.1.0.2/24" }] }, "interfaces.wan.addresses"],
    ["a missing device", { ...alone, interfaces: [{ ...wan, device: "eth9" }] }, "eth9"],
    [
      "a VIP outside its interface",
      {
        ...alone,
        failoverGroups: [{ ...edge, virtualRouters: [{ interface: "wan", vrid: 1, addresses: ["10.9.0.1/24"] }] }],
      },
      "10.9.0.1",
    ],
    ["a pool without backends", { ...alone, pools: [{ name: "web", backends: [] }] }, "pools.web"],
    ["a feature that is not built yet", { ...alone, firewall: {} }, "firewall"],
  ])("%s with exit code 3 and the place", async (_, document, place) => {
    const ended = await run("--import", boxes.document("bad.json", document));
    expect(ended.code).toBe(3);
    expect(ended.stderr).toContain(place);
    expect(ended.stdout).toBe("");
  });

  it.each<[string, string | Uint8Array]>([
    ["a file that is cut off", '{"interfaces": ['],
    ["bytes that are no text", new Uint8Array([0x7b, 0xff, 0xfe, 0x7d])],
    ["an empty file", ""],
    ["a list", "[]"],
  ])("%s with exit code 3 and the file's name", async (_, content) => {
    const file = boxes.file("bad.json", content);
    const ended = await run("--import", file);
    expect(ended.code).toBe(3);
    expect(ended.stderr).toContain(file);
  });

  it("a file that is not there", async () => {
    const ended = await run("--import", "/nowhere/x.json");
    expect(ended.code).toBe(3);
    expect(ended.stderr).toContain("/nowhere/x.json");
  });

  it("a state directory that is somebody else's database, and leaves it as it was", async () => {
    mkdirSync(boxes.state());
    writeFileSync(join(boxes.state(), "futago.db"), "not a database at all, but a long enough text".repeat(100));
    const ended = await run();
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain(boxes.state());
  });

  it("a path that is too long, or that is a file", async () => {
    const long = await boxes.start(host, `${boxes.state()}/${"x".repeat(100)}`).ended();
    expect(long.code).toBe(2);
    const file = await boxes.start(host, boxes.file("plain", "")).ended();
    expect(file.code).toBe(1);
    expect(file.stderr).toContain("state directory");
  });

  it("leaves no mount, no address and no process behind after a refusal", async () => {
    await run("--import", boxes.document("bad.json", { interfaces: 7 }));
    expect(mounts(boxes.directory)).toEqual([]);
    expect(await host.ip("-4 addr show dev eth0")).not.toContain("10.1.0");
    expect(execFileSync("ip", ["netns", "pids", host.fullName], { encoding: "utf8" })).toBe("");
  });

  it("a state directory in use with exit code 6, and what runs goes on", async () => {
    const first = boxes.start(host, boxes.state(), "--import", boxes.document("alone.json", alone));
    await first.ready();
    const second = await run();
    expect(second.code).toBe(6);
    expect(second.stderr).toContain("in use");
    expect((await first.status()).groups).toHaveLength(1);
    expect((await first.stop()).code).toBe(0);
  });
});

describe("the command line about no box", () => {
  it.each([
    ["status"],
    ["show", "health"],
    ["switchover"],
    ["maintenance", "on"],
    ["wait", "--role", "active", "--timeout", "0.2"],
  ])("%s says that none runs, with exit code 4", async (...argv) => {
    const ended = await host.tryRun([FUTAGO, ...argv, "--state", boxes.state()]);
    expect(ended.code).toBe(4);
    expect(ended.stderr).toContain("no box runs in this state directory");
  });
});
