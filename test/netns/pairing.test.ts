/** Boxes with empty state directories become a pair, with no file carried from one to the other. */
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { HistoryEntry } from "@futago/firmware/runtime/control-configuration.ts";
import type { PairingShown } from "@futago/firmware/runtime/control-pairing.ts";
import { releaseOf } from "@futago/firmware/runtime/release.ts";
import { createNetwork, type Namespace, type TestNetwork } from "./namespaces.ts";
import { Pair, pairDocument } from "./pair-fixture.ts";
import { PairTerminal as Terminal } from "./pair-terminal.ts";
import { Boxes, type RunningBox } from "./running-box.ts";

const READY_MILLIS = 20_000;
const WAIT = { timeout: 20_000 };

/** The same addresses as those of the pair, of a box alone. */
const ALONE = {
  interfaces: [
    { name: "wan", device: "eth0", addresses: ["10.1.0.2/24"] },
    { name: "lan", device: "eth1", addresses: ["10.2.0.2/24"] },
  ],
  failoverGroups: [
    { name: "edge", virtualRouters: [{ interface: "wan", vrid: 10, name: "front", addresses: ["10.1.0.1/24"] }] },
  ],
};

/** What a box was that served somewhere else before. */
const USED = { interfaces: [{ name: "old", device: "eth1", addresses: ["10.99.0.1/24"] }] };

const CODE = "K7QM-3XRP";

/** Undefined while its core starts again. */
async function standing(box: RunningBox): Promise<string | undefined> {
  const { code, stdout } = await box.futago("pair", "status", "--json");
  return code === 0 ? (JSON.parse(stdout) as PairingShown).kind : undefined;
}

async function shown(box: RunningBox): Promise<PairingShown> {
  return JSON.parse((await box.futago("pair", "status", "--json")).stdout) as PairingShown;
}

/** Invites on the one, joins on the other; both persons see the same digits and say yes. */
async function marry(inviter: [Namespace, RunningBox], joiner: [Namespace, RunningBox], ...options: string[]) {
  const one = new Terminal(inviter[0], inviter[1].state, "invite", ...options);
  const other = new Terminal(joiner[0], joiner[1].state, "join", await one.code(), ...options);
  const digits = await one.digits();
  expect(await other.digits()).toBe(digits);
  for (const terminal of [one, other]) terminal.says("yes");
  const ends = [await one.ended(), await other.ended()];
  for (const [code, out] of ends) expect([code, out]).toEqual([0, expect.stringContaining("The two are linked.")]);
}

describe("two boxes out of their cartons", () => {
  let pair: Pair;
  afterEach(() => pair.destroy());

  it("become a hot pair; a dead one is replaced; a third one is turned away", async () => {
    pair = await Pair.start({ bare: true });
    const { hosts, files } = pair;
    const start = async (box: "a" | "b", state: string) => {
      const running = files.start(hosts[box], files.state(state));
      await running.ready(READY_MILLIS);
      return running;
    };
    const [a, b] = await Promise.all([start("a", "a"), start("b", "b")]);
    expect(await shown(a)).toMatchObject({ kind: "alone", box: null, pairing: null });
    await marry([hosts.a, a], [hosts.b, b]);
    const [ofA, ofB] = [await shown(a), await shown(b)];
    expect([ofA, ofB]).toMatchObject([
      { kind: "paired", box: "a", linked: true },
      { kind: "paired", box: "b", linked: true },
    ]);
    expect(ofA.pairing?.peerFingerprint).toBe(ofB.pairing?.fingerprint);
    expect(ofB.pairing?.peerFingerprint).toBe(ofA.pairing?.fingerprint);
    const document = files.document("pair.json", pairDocument());
    expect(await a.futago("config", "apply", document)).toMatchObject({ code: 0 });
    await pair.settled("a");
    for (const argv of [["invite", "--replace"], ["unpair"]]) {
      const refused = await a.futago("pair", ...argv);
      expect(refused).toMatchObject({ code: 6, stderr: expect.stringContaining("the peer is alive") });
    }

    // New keys, while both serve: no heartbeat is missed or refused.
    const roles = async () => [await pair.status("a"), await pair.status("b")].map(({ groups }) => groups[0]?.since);
    const rolesBefore = await roles();
    expect(await b.futago("pair", "rotate")).toMatchObject({ code: 0, stdout: expect.stringContaining("new keys") });
    await vi.waitUntil(async () => (await shown(a)).pairing?.rotating === false, WAIT);
    const [newA, newB] = [await shown(a), await shown(b)];
    expect(newA.pairing?.fingerprint).not.toBe(ofA.pairing?.fingerprint);
    expect(newB.pairing?.fingerprint).not.toBe(ofB.pairing?.fingerprint);
    expect(newA.pairing?.peerFingerprint).toBe(newB.pairing?.fingerprint);
    await pair.settled("a");
    expect(await roles()).toEqual(rolesBefore);
    for (const box of ["a", "b"] as const) {
      const heard = await pair.status(box);
      expect(heard.heartbeat?.counters).toMatchObject({ "bad-mac": 0, lapses: 0 });
      expect(heard.alarms.map(({ kind }) => kind)).not.toContain("wrong-key");
    }

    // The dead one is replaced while the other one serves.
    const held = async () => (await pair.status("a")).groups.map(({ state, since }) => [state, since]);
    const before = await held();
    b.process.kill("SIGKILL");
    await b.ended();
    await pair.until("a", "alone", ({ peer }) => peer?.alive === false);
    const refused = await a.futago("pair", "invite");
    expect(refused).toMatchObject({ code: 6, stderr: expect.stringContaining("has a peer already, which is away") });
    // It was somebody else's, and gives up what it had.
    const fresh = files.start(hosts.b, files.state("b2"), "--import", files.document("used.json", USED));
    await fresh.ready(READY_MILLIS);
    const used = (await fresh.status()).revision;
    await marry([hosts.a, a], [hosts.b, fresh], "--replace");
    expect(await shown(fresh)).toMatchObject({ kind: "paired", box: "b", linked: true });
    expect((await shown(a)).pairing?.peerFingerprint).not.toBe(ofA.pairing?.peerFingerprint);
    await vi.waitUntil(async () => (await fresh.status()).role === "standby", WAIT);
    await pair.until("a", "active with a peer", ({ role, peer }) => role === "active" && peer?.alive === true);
    expect(await held()).toEqual(before);
    expect((await fresh.status()).revision).toBe((await pair.status("a")).revision);
    const past = JSON.parse((await fresh.futago("history", "--json")).stdout) as readonly HistoryEntry[];
    expect(past.find(({ id }) => id === used)?.age).toBe(-1);

    // Given up, it goes on serving, until it has a configuration of its own.
    fresh.process.kill("SIGKILL");
    await fresh.ended();
    await pair.until("a", "alone", ({ peer }) => peer?.alive === false);
    expect(await a.futago("pair", "unpair")).toMatchObject({ code: 0 });
    await vi.waitUntil(async () => (await standing(a)) === "left", WAIT);
    expect(await held()).toEqual(before);
    expect(await a.futago("config", "apply", files.document("alone.json", ALONE))).toMatchObject({ code: 0 });
    expect(await a.futago("pair", "unpair")).toMatchObject({ code: 0 });
    await vi.waitUntil(async () => (await standing(a)) === "alone", WAIT);
    await pair.role("a", "active");
  }, 120_000);

  it("a box that serves alone gets a peer, and no role moves before it is told to be a pair", async () => {
    pair = await Pair.start({ bare: true });
    const { hosts, files } = pair;
    const a = files.start(hosts.a, files.state("a"), "--import", files.document("alone.json", ALONE));
    const b = files.start(hosts.b, files.state("b"));
    await Promise.all([a.ready(READY_MILLIS), b.ready(READY_MILLIS)]);
    const before = (await pair.role("a", "active")).groups;
    const joins = await a.futago("pair", "join", "K7QM-3XRP");
    expect(joins).toMatchObject({ code: 6, stderr: expect.stringContaining("a configuration of its own") });
    const inviter = new Terminal(hosts.a, a.state, "invite");
    const joiner = new Terminal(hosts.b, b.state, "join", await inviter.code());
    for (const terminal of [inviter, joiner]) {
      await terminal.digits();
      terminal.says("yes");
    }
    expect(await inviter.ended()).toEqual([0, expect.stringContaining("a configuration with `pair` in it")]);
    // What is a box's alone does not come to the other one, which would have the same addresses.
    await vi.waitUntil(async () => (await standing(b)) === "paired", WAIT);
    expect(await shown(b)).toMatchObject({ linked: false, configuredAlone: false });
    expect((await pair.status("a")).groups).toEqual(before);
    const document = files.document("pair.json", pairDocument());
    expect(await a.futago("config", "apply", document)).toMatchObject({ code: 0 });
    await pair.settled("a");
    joiner.says("yes");
    expect(await joiner.ended()).toEqual([0, expect.stringContaining("The two are linked.")]);
  }, 60_000);
});

/** What a stranger on the cable can send to a box that invites; it changes nothing. */
async function shout(stranger: Namespace, box: RunningBox, host: Namespace): Promise<void> {
  const [link] = JSON.parse(await host.ip("-j -6 addr show dev eth0")) as { addr_info: { local: string }[] }[];
  const code = `const to = process.argv[1] + "%eth0", net = require("node:net"), socket = require("node:dgram").createSocket("udp6");
    const lines = ["GET / HTTP/1.1", "{}", '{"kind":"hello"}', "x".repeat(100000), "\\0\\xff".repeat(500), '{"kind":"kept","sealed":"00"}'];
    let left = lines.length;
    for (const line of lines) {
      socket.send(line.slice(0, 2000), 7406, to);
      const s = net.connect({ host: to, port: 7406 }, () => s.write(line + "\\n"));
      s.on("error", () => {}).on("close", () => --left === 0 && process.exit(0)).resume();
    }`;
  const shouted = await stranger.tryRun([process.execPath, "-e", code, link!.addr_info[0]!.local], {
    timeoutMillis: 25_000,
  });
  expect(shouted).toMatchObject({ code: 0, stderr: "" });
  expect((await shown(box)).ceremony).toMatchObject({ phase: "inviting", wrongTries: 0 });
}

describe("boxes whose cable is not theirs alone", () => {
  let net: TestNetwork;
  let hosts: readonly Namespace[] = [];
  let files: Boxes;
  beforeEach(async () => {
    files = new Boxes();
    net = await createNetwork();
  });
  afterEach(async () => {
    await files.destroy(hosts);
    await net.destroy();
  });

  it("a wrong code is refused, a third box hears that the inviter is busy, and no is no", async () => {
    const switches = await net.namespace("switches");
    const names = ["a", "b", "c"] as const;
    hosts = await Promise.all(names.map((name) => net.namespace(name)));
    for (const [i, name] of names.entries()) await net.link(hosts[i]!, "eth0", switches, `sync-${name}`);
    await switches.bridge(
      "sync",
      names.map((name) => `sync-${name}`),
    );
    const boxes = hosts.map((host, i) => files.start(host, files.state(names[i])));
    await Promise.all(boxes.map((box) => box.ready(READY_MILLIS)));
    const terminal = (i: number, ...argv: string[]) => new Terminal(hosts[i]!, boxes[i]!.state, ...argv);

    const inviter = terminal(0, "invite");
    const code = await inviter.code();
    await shout(hosts[2]!, boxes[0]!, hosts[0]!);
    const wrong = await terminal(1, "join", `${code.slice(0, 8)}${code.endsWith("0") ? "1" : "0"}`).ended();
    expect(wrong).toEqual([1, expect.stringContaining("the other box says: the code is wrong")]);
    expect((await shown(boxes[0]!)).ceremony).toMatchObject({ phase: "inviting", wrongTries: 1 });
    expect(await terminal(1, "join", "hello").ended()).toEqual([
      2,
      expect.stringContaining("eight letters and digits"),
    ]);
    expect(await terminal(0, "join", code).ended()).toEqual([6, expect.stringContaining("under way")]);

    const joiner = terminal(1, "join", code.toLowerCase().replace("-", ""));
    expect(await joiner.digits()).toBe(await inviter.digits());
    const third = await terminal(2, "join", code).ended();
    expect(third).toEqual([1, expect.stringContaining("talking to a third one")]);
    joiner.says("maybe");
    joiner.says("no");
    expect(await joiner.ended()).toEqual([1, expect.stringContaining("the digits were not the same")]);
    expect(await inviter.ended()).toEqual([1, expect.stringContaining("the other box says: the digits were not")]);
    const reused = await terminal(2, "join", code).ended();
    expect(reused).toEqual([1, expect.stringContaining("the code has served")]);
    for (const box of boxes) expect(existsSync(join(box.state, "pairing.json"))).toBe(false);
  }, 90_000);

  it("an inviter of another release is named before the digits are answered, one of another protocol refused", async () => {
    const [other, b] = await Promise.all([net.namespace("other"), net.namespace("b")]);
    hosts = [other, b];
    await net.link(other, "eth0", b, "eth0");
    const box = files.start(b, files.state("b"));
    await box.ready(READY_MILLIS);
    const own = releaseOf();
    const standIn = (...argv: string[]) =>
      other.spawn([process.execPath, new URL("stand-in.ts", import.meta.url).pathname, CODE, "eth0", ...argv], {
        stdio: ["pipe", "ignore", "inherit"],
      });
    const foreign = standIn("9.9.9", "0", "2");
    expect(await new Terminal(b, box.state, "join", CODE).ended()).toEqual([
      1,
      expect.stringContaining(
        `different protocols of pairing: this one is ${own} with protocol 1, the other one 9.9.9 with protocol 2\n`,
      ),
    ]);
    foreign.kill();
    await once(foreign, "close");
    standIn("9.9.9", "0");
    const joiner = new Terminal(b, box.state, "join", CODE);
    const remark = `This box is ${own}, the other one 9.9.9: install 9.9.9 on this box before the pair serves.\n`;
    await joiner.digits();
    expect(joiner.out).toMatch(new RegExp(`${remark}Does the other box show`));
    joiner.says("yes");
    // Both clocks are this machine's: there is nothing to say of them.
    await joiner.reads(new RegExp(`Paired: this box is (b)\\.\n${remark}`));
  }, 60_000);

  it("a man in the middle who holds the cable and the code is caught by the digits", async () => {
    const [a, b, m] = await Promise.all([net.namespace("a"), net.namespace("b"), net.namespace("m")]);
    hosts = [a, b];
    await net.link(a, "eth0", m, "to-a");
    await net.link(b, "eth0", m, "to-b");
    const [boxA, boxB] = [files.start(a, files.state("a")), files.start(b, files.state("b"))];
    await Promise.all([boxA.ready(READY_MILLIS), boxB.ready(READY_MILLIS)]);
    const inviter = new Terminal(a, boxA.state, "invite");
    const code = await inviter.code();
    const middle = m.spawn([process.execPath, new URL("middle.ts", import.meta.url).pathname, code, "to-a", "to-b"], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    let seen = "";
    middle.stdout?.on("data", (chunk: Buffer) => (seen += chunk.toString()));
    const joiner = new Terminal(b, boxB.state, "join", code);
    const [atA, atB] = [await inviter.digits(), await joiner.digits()];
    expect(atB).not.toBe(atA);
    // He sees both, and can do nothing about it.
    await vi.waitUntil(() => seen.includes(atA) && seen.includes(atB), WAIT);
    inviter.says("no");
    joiner.says("no");
    const ends = [await inviter.ended(), await joiner.ended()];
    for (const end of ends) expect(end).toEqual([1, expect.stringContaining("somebody sits on the cable")]);
    for (const box of [boxA, boxB]) expect(existsSync(join(box.state, "pairing.json"))).toBe(false);
  }, 60_000);
});
