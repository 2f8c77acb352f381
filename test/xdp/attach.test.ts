import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Bpf, BpfObject } from "@futago/hal/contract/bpf.ts";
import type { Ifindex } from "@futago/hal/units/address.ts";
import { openBpf } from "@futago/hal/xdp/bpf.ts";
import { asHalError, asHalErrorLater, bpfCalls } from "@futago/hal/xdp/calls.ts";
import { encodeNumber, MAPS, SLOT_BALANCER } from "@futago/hal/xdp/layout.ts";
import { createNetwork, type Namespace, type TestNetwork } from "../netns/namespaces.ts";
import { mountPins, type Pins } from "./pins.ts";

const run = promisify(execFile);
/** 6.12 is 6,012. */
const LINUX = release()
  .split(".", 2)
  .reduce((sum, part) => sum * 1_000 + Number(part), 0);

let net: TestNetwork;
let here: Namespace;
let peer: Namespace;
let bpf: Bpf;
let pins: Pins;
let eth0: Ifindex;
let eth1: Ifindex;
let bridge: Ifindex;
let opened: BpfObject[];
let scratch: string;

beforeEach(async () => {
  net = await createNetwork();
  here = await net.namespace("attach");
  peer = await net.namespace("peer");
  await net.link(here, "eth0", peer, "eth0");
  await net.link(here, "eth1", peer, "eth1");
  for (const port of ["eth0", "eth1"]) await peer.run(["ethtool", "-K", port, "gro", "on"]);
  await here.bridge("br0", []);
  [eth0, eth1, bridge] = (await Promise.all(["eth0", "eth1", "br0"].map((name) => here.ifindex(name)))) as [
    Ifindex,
    Ifindex,
    Ifindex,
  ];
  bpf = openBpf();
  pins = mountPins(bpf);
  opened = [];
  scratch = await mkdtemp(join(tmpdir(), "futago-attach-"));
});

afterEach(async () => {
  for (const object of opened) object.close();
  pins.remove();
  await rm(scratch, { recursive: true });
  await net.destroy();
});

/** The object file of a program in BPF C. */
async function compiled(program: string): Promise<string> {
  const [source, object] = [join(scratch, "program.bpf.c"), join(scratch, "program.bpf.o")];
  const head = ["#include <linux/bpf.h>", "#include <bpf/bpf_helpers.h>"];
  await writeFile(source, [...head, program, 'char LICENSE[] SEC("license") = "GPL";', ""].join("\n"));
  const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
  await run("clang", [
    "-O2",
    "-g",
    "-target",
    "bpf",
    `-I/usr/include/${machine}-linux-gnu`,
    "-c",
    source,
    "-o",
    object,
  ]);
  return object;
}

function load(name: "gate" | "balancer", sizes: Readonly<Record<string, number>> = {}): BpfObject {
  const object = bpf.load(name, pins.directory, { established: 128, half_open: 128, ...sizes });
  opened.push(object);
  return object;
}

const attachGate = (gate: BpfObject, ifindex: Ifindex) =>
  here.inside(() => bpf.attachTc(ifindex, gate.program("futago_ingress"), gate.program("futago_egress")));
const attachXdp = (balancer: BpfObject, ifindex: Ifindex, mode?: "native" | "generic") =>
  here.inside(() => bpf.attachXdp(ifindex, balancer.program("futago_balancer"), mode));
const xdpId = (ifindex: Ifindex) => here.inside(() => bpf.xdpProgramId(ifindex));
const filters = async (dev: string) =>
  (await here.run(["tc", "filter", "show", "dev", dev, "ingress"])) +
  (await here.run(["tc", "filter", "show", "dev", dev, "egress"]));

describe("loading", () => {
  it("makes the maps of layout.ts, and pins all of them", async () => {
    const objects = { gate: bpf.load("gate", pins.directory), balancer: bpf.load("balancer", pins.directory) };
    opened.push(objects.gate, objects.balancer);
    for (const [name, shape] of Object.entries(MAPS)) {
      const map = objects[shape.object === "both" ? "gate" : shape.object].map(name);
      expect(map).toMatchObject({
        name,
        keyBytes: shape.keyBytes,
        valueBytes: shape.valueBytes,
        entriesMax: shape.entriesMax,
      });
    }
    expect(await readdir(pins.directory)).toEqual(expect.arrayContaining(Object.keys(MAPS)));
  });

  it("does the same aside while this thread goes on", async () => {
    load("balancer", { services: 300 }).map("futago_own").update(new Uint8Array(16), encodeNumber(1));
    let turns = 0;
    const turning = setInterval(() => turns++, 1);
    const aside = await bpf.loadAside("balancer", pins.directory, { established: 128, half_open: 128, services: 500 });
    clearInterval(turning);
    opened.push(aside);
    // The verifier takes a hundred milliseconds at least.
    expect(turns).toBeGreaterThan(20);
    expect(aside.map("services").entriesMax).toBe(500);
    expect(aside.map("futago_own").lookup(new Uint8Array(16))).toEqual(encodeNumber(1));
    expect(aside.program("futago_balancer").testRun(new Uint8Array(64)).verdict).toBe(2);
    aside.close();
  });

  it("takes over pinned maps with their content", () => {
    const first = load("gate");
    first.map("futago_vips").update(new Uint8Array(16), encodeNumber(7));
    first.close();
    expect(() => first.map("futago_vips").lookup(new Uint8Array(16))).toThrow(/EBADF/);
    const vips = load("gate").map("futago_vips");
    expect(vips.lookup(new Uint8Array(16))).toEqual(encodeNumber(7));
    expect([...vips.entries()]).toEqual([[new Uint8Array(16), encodeNumber(7)]]);
    expect(vips.delete(new Uint8Array(16))).toBe(true);
    expect(vips.delete(new Uint8Array(16))).toBe(false);
  });

  it("makes a map anew when its size is to be another, and keeps the rest", () => {
    const first = load("balancer");
    first.map("futago_own").update(new Uint8Array(16), encodeNumber(1));
    first.map("services").update(new Uint8Array(24), new Uint8Array(24));
    const second = load("balancer", { services: 300 });
    expect(second.map("services").entriesMax).toBe(300);
    expect([...second.map("services").entries()]).toEqual([]);
    expect([...second.map("futago_own").entries()]).toHaveLength(1);
  });

  it("makes one set of maps when two processes load at the same moment", async () => {
    const script = `
      const { openBpf } = await import(${JSON.stringify(import.meta.resolve("@futago/hal/xdp/bpf.ts"))});
      const object = openBpf().load(process.argv[1], ${JSON.stringify(pins.directory)}, {});
      object.map("futago_vips").update(new Uint8Array(16).fill(Number(process.argv[2])), new Uint8Array(4));`;
    const argv = ["--input-type=module", "-e", script];
    const names = ["gate", "balancer", "gate", "balancer"];
    await Promise.all(names.map((name, i) => run(process.execPath, [...argv, name, String(i)])));
    const written = [...load("gate").map("futago_vips").entries()].map(([key]) => key[0]);
    expect(new Set(written)).toEqual(new Set([0, 1, 2, 3]));
  });

  it("reads maps of more than a batch, and of values on every processor", () => {
    const balancer = load("balancer", { established: 20_000 });
    const established = balancer.map("established");
    for (let i = 0; i < 9000; i++) {
      const key = new Uint8Array(40);
      key.set(encodeNumber(i));
      established.update(key, new Uint8Array(40).fill(i & 0xff));
    }
    const entries = [...established.entries()];
    expect(new Set(entries.map(([key]) => key.join())).size).toBe(9000);
    for (const [key, value] of entries) expect(value[23]).toBe(key[0]);
    const counts = balancer.map("balancer_counts");
    expect([...counts.entries()]).toHaveLength(counts.entriesMax);
    expect(counts.lookup(encodeNumber(0))?.length).toBeGreaterThanOrEqual(counts.valueBytes);
    expect([...balancer.map("futago_slots").entries()]).toEqual([]);
  });

  it("fails with the verifier's last lines", async () => {
    const object = await compiled(`SEC("xdp") int bad(struct xdp_md *ctx) { return *(int *)(long)ctx->data; }`);
    let thrown: unknown;
    try {
      asHalError(() => bpfCalls.bpfLoad(object, pins.directory, {}));
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ name: "HalError", code: "EACCES", syscall: "bpf(BPF_PROG_LOAD)" });
    expect(String(thrown)).toMatch(/invalid access to packet/);
    expect(String(thrown).split("\n").length).toBeLessThan(20);
    const aside = asHalErrorLater(() => bpfCalls.bpfLoadAside(object, pins.directory, {}));
    await expect(aside).rejects.toEqual(thrown);
  });

  it("says what is wrong with a pin directory that is not there", () => {
    expect(() => bpf.load("gate", "/nonexistent")).toThrow(/ENOENT/);
    expect(() => bpf.load("gate", tmpdir())).toThrow(/HalError|EPERM|EINVAL/);
    return expect(bpf.loadAside("gate", "/nonexistent")).rejects.toThrow(/ENOENT/);
  });
});

describe("the gate on a link", () => {
  it("is put there, replaced in place and taken away without a trace", async () => {
    const untouched = await here.run(["tc", "qdisc", "show", "dev", "eth0"]);
    const gate = load("gate");
    attachGate(gate, eth0);
    expect(await filters("eth0")).toMatch(/futago_ingress[\s\S]*futago_egress/);
    const again = load("gate");
    attachGate(again, eth0);
    const shown = await filters("eth0");
    expect(shown.match(/handle 0x1 /g)).toHaveLength(2);
    expect(shown).toContain(`id ${again.program("futago_ingress").id} `);
    here.inside(() => bpf.detachTc(eth0));
    expect(await here.run(["tc", "qdisc", "show", "dev", "eth0"])).toBe(untouched);
  });

  const addTheirs = async (priority: string) => {
    const object = await compiled(`SEC("tc") int theirs(struct __sk_buff *skb) { return -1; }`);
    await here.run(["tc", "qdisc", "add", "dev", "eth0", "clsact"]);
    const place = ["dev", "eth0", "ingress", "prio", priority, "handle", "1"];
    await here.run(["tc", "filter", "add", ...place, "bpf", "da", "obj", object, "sec", "tc"]);
  };

  it("leaves other people's filters alone", async () => {
    await addTheirs("3");
    const theirs = await filters("eth0");
    attachGate(load("gate"), eth0);
    expect(await filters("eth0")).toContain("futago");
    here.inside(() => bpf.detachTc(eth0));
    expect(await filters("eth0")).toBe(theirs);
    expect(theirs).toContain("theirs");
  });

  it("is refused where somebody else's filter has its place", async () => {
    await addTheirs("10");
    const theirs = await filters("eth0");
    expect(() => attachGate(load("gate"), eth0)).toThrow(/EBUSY/);
    here.inside(() => bpf.detachTc(eth0));
    expect(await filters("eth0")).toBe(theirs);
  });

  it("is no error to take away twice, or from a link that is gone", () => {
    here.inside(() => {
      bpf.detachTc(eth0);
      bpf.detachTc(9999 as Ifindex);
      bpf.detachXdp(9999 as Ifindex);
    });
    expect(() => attachGate(load("gate"), 9999 as Ifindex)).toThrow(/ENODEV|EINVAL/);
  });
});

describe("the balancer on a port", () => {
  it("is native on a veth and generic on a bridge", () => {
    const balancer = load("balancer");
    expect(attachXdp(balancer, eth0)).toBe("native");
    expect(attachXdp(balancer, bridge)).toBe("generic");
    expect(() => attachXdp(balancer, bridge, "native")).toThrow(/EOPNOTSUPP|EINVAL/);
    expect([...balancer.map("futago_ports").entries()].map(([key]) => key)).toEqual([encodeNumber(eth0)]);
  });

  it("is generic on a veth whose frames are too large for a page, and says so in the kernel's words", async () => {
    await here.ip("link set eth0 mtu 9000");
    await peer.ip("link set eth0 mtu 9000");
    const refusals: string[] = [];
    const program = load("balancer").program("futago_balancer");
    const attach = () => bpf.attachXdp(eth0, program, undefined, ({ message }) => refusals.push(message));
    expect(here.inside(attach)).toBe("generic");
    expect(refusals).toEqual([expect.stringMatching(/MTU is too large/)]);
  });

  it("sends frames only to ports whose far end takes them", async (context) => {
    context.skip(LINUX < 6_003, "before Linux 6.3 no port says whether it takes redirected frames");
    const targets = (balancer: BpfObject) =>
      new Set([...balancer.map("futago_ports").entries()].map(([key]) => key[0]));
    await peer.run(["ethtool", "-K", "eth0", "gro", "off"]);
    const balancer = load("balancer");
    expect([attachXdp(balancer, eth0), attachXdp(balancer, eth1)]).toEqual(["native", "native"]);
    expect(targets(balancer)).toEqual(new Set([eth1]));
    await peer.run(["ethtool", "-K", "eth0", "gro", "on"]);
    attachXdp(balancer, eth0);
    expect(targets(balancer)).toEqual(new Set([eth0, eth1]));
  });

  it("sends nothing back by XDP_TX on the end of a veth pair, where it would be lost", () => {
    const veths = (balancer: BpfObject) => [...balancer.map("futago_veths").entries()].map(([key]) => key);
    const balancer = load("balancer");
    attachXdp(balancer, bridge);
    expect(veths(balancer)).toEqual([]);
    attachXdp(balancer, eth0);
    expect(veths(balancer)).toEqual([encodeNumber(eth0)]);
    // In generic mode the kernel itself sends them.
    attachXdp(balancer, eth0, "generic");
    expect(veths(balancer)).toEqual([]);
  });

  it("has the port leave VLAN tags in the frames, which it would not see otherwise", async () => {
    const offload = async () => /^rx-vlan-offload: \w+/m.exec(await here.run(["ethtool", "-k", "eth0"]))?.[0];
    await here.run(["ethtool", "-K", "eth0", "rxvlan", "on"]);
    expect(await offload()).toBe("rx-vlan-offload: on");
    attachXdp(load("balancer"), eth0);
    expect(await offload()).toBe("rx-vlan-offload: off");
  });

  it("is changed behind a root program that stays", () => {
    const first = load("balancer");
    attachXdp(first, eth0);
    attachXdp(first, eth1);
    const roots = [xdpId(eth0), xdpId(eth1)];
    expect(roots[0]).toBe(first.program("futago_root").id);
    const second = load("balancer");
    expect(attachXdp(second, eth0)).toBe("native");
    expect([xdpId(eth0), xdpId(eth1)]).toEqual(roots);
    const [, slot] = [...second.map("futago_slots").entries()][0] ?? [];
    expect(slot).toEqual(encodeNumber(second.program("futago_balancer").id));
  });

  it("goes on when the object that attached it is closed", () => {
    const first = load("balancer");
    attachXdp(first, eth0);
    const root = xdpId(eth0);
    first.close();
    expect(xdpId(eth0)).toBe(root);
    const slots = load("balancer").map("futago_slots");
    expect(slots.lookup(encodeNumber(SLOT_BALANCER))).toBeDefined();
  });

  it("changes its mode when told to", () => {
    const balancer = load("balancer");
    expect(attachXdp(balancer, eth0, "generic")).toBe("generic");
    expect([...balancer.map("futago_ports").entries()]).toEqual([]);
    expect(attachXdp(balancer, eth0)).toBe("generic");
    expect(attachXdp(balancer, eth0, "native")).toBe("native");
  });

  it("is taken away without a trace", async () => {
    const balancer = load("balancer");
    attachXdp(balancer, eth0);
    here.inside(() => bpf.detachXdp(eth0));
    expect(xdpId(eth0)).toBe(0);
    expect(await here.ip("link show dev eth0")).not.toContain("xdp");
    expect([...balancer.map("futago_ports").entries()]).toEqual([]);
  });

  it("leaves somebody else's program alone", async () => {
    const object = await compiled(`SEC("xdp") int theirs(struct xdp_md *ctx) { return XDP_PASS; }`);
    await here.ip(`link set eth0 xdpdrv obj ${object} sec xdp`);
    const theirs = xdpId(eth0);
    expect(theirs).not.toBe(0);
    const foreign = () => here.inside(() => bpf.foreignXdp(eth0));
    expect(foreign()).toEqual({ id: theirs, name: "theirs" });
    expect(() => attachXdp(load("balancer"), eth0)).toThrow(/EBUSY/);
    here.inside(() => bpf.detachXdp(eth0));
    expect(xdpId(eth0)).toBe(theirs);
    await here.ip("link set eth0 xdpdrv off");
    expect(foreign()).toBeUndefined();
    attachXdp(load("balancer"), eth0);
    expect(foreign()).toBeUndefined();
  });
});

describe("the file system", () => {
  it("is mounted once, and gone with all its pins", async () => {
    load("gate");
    bpf.mount(pins.directory);
    const mounts = async () =>
      (await run("cat", ["/proc/self/mounts"])).stdout.split("\n").filter((line) => line.includes(pins.directory));
    expect(await mounts()).toHaveLength(1);
    bpf.unmount(pins.directory);
    expect(await mounts()).toEqual([]);
    expect(await readdir(pins.directory)).toEqual([]);
    bpf.unmount(pins.directory);
    bpf.unmount(join(pins.directory, "nothing"));
  });
});
