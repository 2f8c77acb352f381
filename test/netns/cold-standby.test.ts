/** A cold pair: one box serves, the spare has its ports shut until a person activates it, and nothing moves by itself. */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask } from "@futago/firmware/cli/client.ts";
import type { BoxStatus } from "@futago/firmware/runtime/control.ts";
import { type Box, BOXES, DEVICES, type Port, PORTS } from "../lab/topology.ts";
import { type Document, LAN_VIP, other, Pair, pairDocument, pause, VIP } from "./pair-fixture.ts";
import { FUTAGO } from "./running-box.ts";
import { Vt100 } from "./vt100.ts";

const heartbeat = { over: ["sync", "lan", "wan"], profile: "calm" };
/** Of both families. Asked for are four virtual addresses, one of them link-local, and the three of the other box. */
const SIX = "2001:db8:1::1";
const ASKED = 7;
const addresses = { a: ["10.1.0.2/24", "2001:db8:1::a/64"], b: ["10.1.0.3/24", "2001:db8:1::b/64"] };
const { interfaces, failoverGroups } = pairDocument();
const [edge] = failoverGroups as readonly { readonly virtualRouters: readonly object[] }[];
const six = { interface: "wan", vrid: 12, addresses: [`${SIX}/64`] };
const both = {
  interfaces: [{ ...interfaces[0], addresses }, ...interfaces.slice(1)],
  failoverGroups: [{ ...edge, virtualRouters: [...edge!.virtualRouters, six] }],
};
const cold: Document = { ...pairDocument({ standby: "cold", heartbeat }), ...both };
const DATA: readonly Port[] = ["wan", "lan"];

let pair: Pair;
beforeAll(async () => {
  pair = await Pair.start({ document: cold });
});
afterAll(async () => await pair.destroy());

async function isUp(name: Box, port: Port): Promise<boolean> {
  const [link] = JSON.parse(await pair.hosts[name].ip(`-j link show dev ${DEVICES[port]}`)) as { flags: string[] }[];
  return link!.flags.includes("UP");
}

/** Whether the ports of the virtual routers are up; that of the heartbeat always is. */
async function dataPortsUp(name: Box): Promise<readonly boolean[]> {
  expect(await isUp(name, "sync")).toBe(true);
  return Promise.all(DATA.map((port) => isUp(name, port)));
}

/** `active` serves, the other one is its spare with the ports shut, and they are linked and know it of each other. */
async function stand(active: Box): Promise<void> {
  const knows = ({ activation, peer, replication }: BoxStatus) =>
    activation?.active === active && peer?.alive === true && replication?.linked === true;
  await pair.until(active, "active", (status) => status.role === "active" && knows(status));
  await pair.until(other(active), "spare", (status) => status.role === "spare" && knows(status));
  await expect.poll(() => dataPortsUp(active)).toEqual([true, true]);
  await expect.poll(() => dataPortsUp(other(active))).toEqual([false, false]);
}

/** The client asks anew who has the VIP. */
async function answers(): Promise<boolean> {
  await pair.client.ip("neigh flush dev eth0");
  return (await pair.client.tryRun(["ping", "-c", "1", "-W", "1", VIP])).code === 0;
}

async function refused(name: Box, ...words: readonly string[]): Promise<string> {
  const { code, stderr } = await pair.box(name).futago(...words);
  return `${code} ${stderr}`;
}

async function activate(name: Box, ...more: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await pair.box(name).futago("spare", "activate", ...more);
  expect([code, stderr]).toEqual([0, ""]);
  return stdout;
}

/** The cables are in again, but not those. */
async function powerOn(name: Box, unplugged: readonly Port[] = []): Promise<void> {
  for (const port of PORTS) await pair.setCable(name, port, !unplugged.includes(port));
  await pair.startBox(name, []);
}

describe("a cold pair", () => {
  it("has one box that serves and a spare with its ports shut, which says so", async () => {
    await stand("a");
    expect(await answers()).toBe(true);
    const { stdout } = await pair.box("b").futago("status");
    expect(stdout).toContain("Box b is the SPARE: its ports are shut. Box a is the active one.");
    for (const name of BOXES) expect((await pair.status(name)).alarms).toEqual([]);
  });

  it("commits on both boxes, whichever is told, and moves nothing by it", async () => {
    for (const name of BOXES) {
      const file = pair.files.document("noted.json", { ...cold, note: `by ${name}` });
      const { code, stdout } = await pair.box(name).futago("config", "apply", file);
      expect([code, stdout]).toEqual([0, expect.stringContaining("Both boxes have it.")]);
    }
    await stand("a");
  });

  it("refuses to activate the spare while the active one is heard, and what a hot pair does", async () => {
    expect(await refused("b", "spare", "activate")).toMatch(/^6 .*box a is heard, and it is active/);
    expect(await refused("b", "spare", "release")).toMatch(/^6 .*this box is not the active one/);
    expect(await refused("a", "switchover")).toMatch(/^6 .*the standby of this pair is cold/);
    expect(await activate("a")).toBe("Box a is the active one already.\n");
    expect(await dataPortsUp("b")).toEqual([false, false]);
  });

  it("lets the active box serve on while its core dies", async () => {
    const moves = (await pair.why("a")).length;
    process.kill(pair.box("a").pid("core"), "SIGKILL");
    for (let i = 0; i < 20; i++) {
      expect(await answers()).toBe(true);
      await pause(50);
    }
    await stand("a");
    expect(moves).toBeGreaterThan(0);
    expect((await pair.why("a")).filter(({ event }) => event === "role")).toEqual([]);
  });

  it("gets no second active box while the sync cable is cut", async () => {
    await pair.setCable("b", "sync", false);
    expect(await pair.alarm("b", "active-gone")).toBe(
      "the active box a is gone: `futago spare activate` here takes over",
    );
    const refusal = await refused("b", "spare", "activate");
    expect(refusal).toContain("6 futago: the other box is not dark: ");
    const [wan, lan] = [await pair.mac(pair.hosts.a), await pair.mac(pair.hosts.a, DEVICES.lan)];
    const [onWan, onLan] = [new RegExp(`${wan} on eth0 has ([^;]*)`), new RegExp(`${lan} on eth1 has ([^\\n]*)`)];
    const told = (pattern: RegExp) => pattern.exec(refusal)?.[1]?.split(", ").toSorted();
    expect(told(onWan)).toEqual([VIP, "10.1.0.2", SIX, "2001:db8:1::a", "fe80::200:5eff:fe00:20c"].toSorted());
    expect(told(onLan)).toEqual([LAN_VIP, "10.2.0.2"]);
    expect(await dataPortsUp("b")).toEqual([false, false]);
    expect([(await pair.status("a")).role, (await pair.status("b")).role, await answers()]).toEqual([
      "active",
      "spare",
      true,
    ]);
    await pair.setCable("b", "sync", true);
    await stand("a");
    await pair.noAlarm("b", "active-gone");
  });

  it("stays dark when the active box dies, until a person activates the spare, and says how long it took", async () => {
    await pair.powerOff("a");
    await pair.alarm("b", "active-gone");
    expect([await answers(), (await pair.status("b")).role]).toEqual([false, "spare"]);
    const began = performance.now();
    const { message, tookMillis } = await ask(pair.files.state("b"), "spareActivate", { force: false, author: "anna" });
    expect(await answers()).toBe(true);
    const took = performance.now() - began;
    console.log(`a spare was activated: ${message} From the order to the client's answer ${Math.round(took)} ms.`);
    expect(message).toContain(`Box b is ACTIVE. Nobody answered for ${ASKED} addresses.`);
    expect(tookMillis).toBeLessThan(took);
    const told = (await pair.why("b")).find(({ event }) => event === "spare-activated");
    expect(told).toMatchObject({ reason: expect.stringContaining("anna activated this box."), evidence: { epoch: 2 } });
  });

  it("takes the dead one back as the spare", async () => {
    await powerOn("a");
    await stand("b");
    expect(await answers()).toBe(true);
  });

  it("changes hands as planned: the active box is released, the other one activated", async () => {
    const { code, stdout } = await pair.box("b").futago("spare", "release");
    expect([code, stdout]).toEqual([
      0,
      "Box b is the spare; nobody serves.\nGive `futago spare activate` on box a now.\n",
    ]);
    expect(await pair.alarm("a", "nobody-serves")).toContain("futago spare activate");
    expect(await answers()).toBe(false);
    const file = pair.files.document("released.json", { ...cold, note: "nobody serves" });
    expect((await pair.box("b").futago("config", "apply", file)).stdout).toContain("Both boxes have it.");
    expect(await activate("a")).toMatch(/^Box a is ACTIVE\. Nobody answered for 7 addresses\.\nIt took \d\.\d s: /);
    await stand("a");
    expect(await answers()).toBe(true);
  });

  it("refuses to release the active box when nobody could take over", async () => {
    await pair.powerOff("b");
    await pair.until("a", "no peer", ({ peer }) => peer?.alive === false);
    expect(await refused("a", "spare", "release")).toMatch(/^5 .*box b is not there to take over/);
    expect(await answers()).toBe(true);
  });
});

describe("a box that returns without a word from the other one", () => {
  it("asks around, and serves when nobody answers", async () => {
    await pair.powerOff("a");
    await powerOn("a");
    await pair.role("a", "active");
    expect(await answers()).toBe(true);
    await powerOn("b");
    await stand("a");
  });

  it("does not serve when the other one was activated meanwhile, and is its spare once it hears of that", async () => {
    await pair.powerOff("a");
    await pair.alarm("b", "active-gone");
    await activate("b");
    await powerOn("a", ["sync"]);
    const sentence = await pair.alarm("a", "not-proven");
    expect(sentence).toContain(`${await pair.mac(pair.hosts.b)} on eth0 has `);
    expect([(await pair.status("a")).role, await dataPortsUp("a")]).toEqual(["spare", [false, false]]);
    expect(await answers()).toBe(true);
    await pair.setCable("a", "sync", true);
    await stand("b");
    await pair.noAlarm("a", "not-proven");
  });
});

describe("force", () => {
  it("activates against a box that answers, loudly, and one remains when they hear each other", async () => {
    await pair.setCable("a", "sync", false);
    await pair.alarm("a", "active-gone");
    expect(await activate("a", "--force")).toContain(`It was forced, although `);
    expect(await pair.alarm("a", "forced")).toContain("two boxes may answer for one address");
    await pair.setCable("a", "sync", true);
    await stand("a");
    await pair.noAlarm("a", "forced");
    expect(await answers()).toBe(true);
  });
});

describe("a change of the configuration", () => {
  it("from cold to hot and back moves no role, and the standby of a hot pair becomes the spare", async () => {
    const hot = pair.files.document("hot.json", { ...pairDocument({ heartbeat }), ...both });
    expect((await pair.box("a").futago("config", "apply", hot)).code).toBe(0);
    await pair.settled("a");
    await pair.bringTo("b");
    const again = pair.files.document("cold.json", cold);
    expect((await pair.box("a").futago("config", "apply", again)).code).toBe(0);
    await stand("b");
    expect(await answers()).toBe(true);
  });
});

describe("a bare box", () => {
  it("that gets the dead active one's backup file serves in its place, and finds its spare", async () => {
    const pass = ["--passphrase-file", pair.files.file("passphrase", "a cold day in november")];
    const file = pair.files.state("b.age");
    expect((await pair.box("b").futago("backup", file, ...pass)).code).toBe(0);
    await pair.powerOff("a");
    await pair.powerOff("b");
    const state = pair.files.state("b");
    // All but the BPF file system that is mounted there.
    for (const name of readdirSync(state)) if (name !== "bpf") rmSync(join(state, name), { recursive: true });
    await powerOn("b");
    const began = performance.now();
    expect((await pair.box("b").futago("restore", file, ...pass)).code).toBe(0);
    await pair.role("b", "active");
    expect(await answers()).toBe(true);
    console.log(`from restore to a VIP that answers: ${((performance.now() - began) / 1_000).toFixed(1)} s`);
    await powerOn("a");
    await stand("b");
  });
});

it("is activated from the menu on the spare's serial port, too", async () => {
  expect((await pair.box("b").futago("spare", "release")).code).toBe(0);
  const terminal = new Vt100(pair.hosts.a, [FUTAGO, "console", "--state", pair.files.state("a")], { USER: "anna" });
  try {
    await terminal.until(/Box a is the SPARE: its ports are shut\. Nobody serves\./);
    await terminal.press("5", /Activate this spare now\?/);
    await terminal.press("y", /Box a is ACTIVE\. Nobody answered for 7 addresses\.[\s\S]*Press Enter/);
    await terminal.press("\r", /Box a is ACTIVE: it answers for/);
  } finally {
    terminal.close();
  }
  await stand("a");
});
