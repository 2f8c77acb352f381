/**
 * The console menus of two boxes on real pseudo-terminals, by keys alone: every entry that can be done, from the cartons
 * to the factory reset. One after the other: each begins where the former ended.
 */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PairingShown } from "@futago/firmware/runtime/control-pairing.ts";
import { type Box, BOXES } from "../lab/topology.ts";
import { type Document, Pair, pairDocument, VIP } from "./pair-fixture.ts";
import { FUTAGO, type RunningBox } from "./running-box.ts";
import { Vt100 } from "./vt100.ts";

const [DOWN, UP, ERASE, CLEAR, ESCAPE] = ["\u001b[B", "\u001b[A", "\u007f", "\u0015", "\u001b"];
const READY_MILLIS = 20_000;
const menu = /\n[> ] 1 {2}Status\n/;

const heartbeat = { over: ["sync"], profile: "calm" };
const hot: Document = { ...pairDocument({ heartbeat }), system: { hostname: { a: "edge-a", b: "edge-b" } } };
const cold: Document = { ...hot, pair: { standby: "cold", heartbeat } };
/** Of the box that was reset. */
const alone = { interfaces: [{ name: "lan", device: "eth1", addresses: ["10.2.0.9/24"] }] };

let pair: Pair;
const boxes = new Map<Box, RunningBox>();
const screens = new Map<Box, Vt100>();
const boxOf = (name: Box) => boxes.get(name)!;
const screenOf = (name: Box) => screens.get(name)!;

async function start(name: Box): Promise<void> {
  const box = pair.files.start(pair.hosts[name], pair.files.state(name));
  boxes.set(name, box);
  await box.ready(READY_MILLIS);
}

beforeAll(async () => {
  pair = await Pair.start({ bare: true });
  await Promise.all(BOXES.map(start));
  const environment = { SHELL: "/bin/sh", USER: "operator", SUDO_USER: "operator" };
  for (const name of BOXES) {
    const argv = [FUTAGO, "console", "--state", pair.files.state(name)];
    screens.set(name, new Vt100(pair.hosts[name], argv, environment));
  }
}, 60_000);
afterAll(async () => {
  for (const screen of screens.values()) screen.close();
  await pair?.destroy();
});

async function apply(name: Box, document: object): Promise<void> {
  const file = pair.files.document("applied.json", document);
  expect(await boxOf(name).futago("config", "apply", file)).toMatchObject({ code: 0 });
}

/** A box whose core was long away under load has given its role up. */
async function bring(name: Box): Promise<void> {
  if ((await pair.status(name)).role !== "active") await boxOf(name).futago("switchover");
  await pair.settled(name);
}

/** Takes an entry that asks, and says yes; from the menu to what is told. */
async function order(name: Box, keys: string, question: RegExp, outcome: RegExp): Promise<void> {
  await screenOf(name).press(keys, question);
  await screenOf(name).press("y", outcome);
}

async function back(name: Box, from = "x"): Promise<readonly string[]> {
  return screenOf(name).press(from, menu);
}

/** Invites on one and joins on the other, by these lines of the list. */
async function marry(inviter: Box, invite: string, joiner: Box, joining: string, isAsked: boolean): Promise<void> {
  const [one, two] = [screenOf(inviter), screenOf(joiner)];
  await one.press("6", /> Invite the other box/);
  if (isAsked) await one.press(`${invite}\r`, /Go on\?/);
  const shown = await one.press(isAsked ? "y" : `${invite}\r`, /The code is/);
  const code = /The code is (\S+)\. /.exec(shown.join("\n"))?.[1] ?? "";
  await two.press("6", /> Invite the other box/);
  await two.press(`${joining}\r`, /The code that the other box shows/);
  if (isAsked) await two.press(`${code}\r`, /Go on\?/);
  await two.press(isAsked ? "y" : `wrong${CLEAR}${code}\r`, /Does the other box show the same digits\?/);
  const digits = async (of: Vt100) =>
    /This box shows (\d{3} \d{3})/.exec((await of.until(/This box shows/)).join("\n"))?.[1];
  expect(await digits(one)).toBe(await digits(two));
  await two.press("y\r", /Please type yes or no in full/);
  for (const each of [one, two]) each.type("yes\r");
}

async function pairing(name: Box): Promise<PairingShown> {
  return JSON.parse((await boxOf(name).futago("pair", "status", "--json")).stdout) as PairingShown;
}

describe("the console menu", () => {
  it("of a box out of its carton says what it lacks, and why a thing cannot be done", async () => {
    const a = screenOf("a");
    await a.until(/this box has no configuration/);
    for (const [key, why] of [
      ["2", /Interfaces and addresses: not now, there is no configuration/],
      ["4", /Switch over: not now, this box is alone/],
      ["5", /Activate the spare: not now, this is no cold pair/],
      ["7", /Reset the password: not now, nobody has one/],
      ["8", /Roll back the configuration: not now, there is no older one/],
      ["9", /Boot the other slot: not now, there is one system only/],
      ["c", /Confirm what was committed: not now, nothing waits/],
      ["m", /Maintenance: switch it on: not now, there is no configuration/],
      ["x", /No line begins with x/],
    ] as const) {
      await a.press(key, why);
    }
    expect(a.lines[0]).toBe("Futago (alone)");
  });

  it("makes a pair of two boxes out of their cartons", async () => {
    await marry("a", "", "b", DOWN, false);
    for (const name of BOXES) await screenOf(name).until(/The two are linked\.[\s\S]*Press Enter to go on\./);
    await screenOf("b").press("\r", /\(box b\)/);
    await back("a", "\r");
    for (const name of BOXES) expect(await pairing(name)).toMatchObject({ kind: "paired", box: name, linked: true });
    await apply("a", hot);
    await pair.settled("a");
    // A box with a peer that is there gives it up for nobody.
    await screenOf("a").press("6", /> - Invite .*\(the peer is alive\)/);
    await screenOf("a").press("\r", /> - Invite .*\(the peer is alive\)/);
    await back("a", ESCAPE);
    expect(await boxOf("a").futago("pair", "invite")).toMatchObject({
      code: 6,
      stderr: expect.stringContaining("the peer is alive"),
    });
  });

  it("shows what the box does, its status and its transitions", async () => {
    const a = screenOf("a");
    const first = await a.until(/Box a is ACTIVE: it answers for 10\.1\.0\.1\/24 and 10\.2\.0\.1\/24/);
    expect(first[0]).toBe("edge-a (box a)");
    expect(first.join("\n")).toMatch(/The peer is alive and standby\./);
    await a.press("1", /GROUP +STATE[\s\S]*any (other )?key: back to the menu/);
    await back("a");
    await a.press(`${DOWN}${DOWN}\r`, /Who is active, and why[\s\S]*-> active/);
    await back("a", ESCAPE);
  });

  it("switches over after a question, and back; holds a box in maintenance, and ends that", async () => {
    await screenOf("a").press("4", /Switch over now\?/);
    await back("a", "n");
    expect((await pair.status("a")).role).toBe("active");
    await order("a", "4", /Switch over now\?/, /Switched over\./);
    await pair.settled("b");
    await back("a");
    await screenOf("b").until(/Box b is ACTIVE/);
    await order("b", "m", /The peer takes over first[\s\S]*Begin maintenance of this box\?/, /In maintenance\./);
    await pair.role("a", "active");
    await screenOf("b").press("x", /Box b is in MAINTENANCE[\s\S]*\n {2}m {2}Maintenance: end it/);
    await order("b", "m", /End maintenance of this box\?/, /Maintenance is over\./);
    await screenOf("b").press("x", /Box b is STANDBY[\s\S]*\n {2}m {2}Maintenance: switch it on/);
    await pair.settled("a");
  });

  it("changes an address of this box, refuses one that cannot be, and rolls the configuration back", async () => {
    const a = screenOf("a");
    const { revision } = await pair.status("a");
    await a.press("2", /> wan +eth0 +10\.1\.0\.2\/24/);
    await a.press(`${DOWN}\r`, /Addresses of lan on this box[\s\S]*> 10\.2\.0\.2\/24_/);
    // No subnet is left in which the VIP could lie.
    await a.press(`${CLEAR}10.9.0.2/244${ERASE}\r`, /then: +10\.9\.0\.2\/24\n[\s\S]*Put this into force\?/);
    await a.press("y", /This did not work:[\s\S]*failoverGroups\.edge/);
    await back("a");
    expect((await pair.status("a")).revision).toBe(revision);
    expect((await boxOf("a").futago("diff")).stdout).toBe("Nothing is being edited.\n");

    await a.press("2", /> wan/);
    await a.press(`${DOWN}\r`, /> 10\.2\.0\.2\/24_/);
    await a.press(",10.2.0.77/24\r", /Addresses of lan then: +10\.2\.0\.2\/24,10\.2\.0\.77\/24/);
    await a.press("y", /Revision [0-9a-f]{16} is in force/);
    await back("a");
    expect(await pair.hosts.a.ip("-4 addr show dev eth1")).toContain("10.2.0.77/24");

    await a.press("8", /0 +in force +[0-9a-f]{16} .*operator +from the/);
    await a.press("\r", /Roll back the configuration/);
    await a.press(`${DOWN}\r`, /config apply[\s\S]*Put this configuration into force again/);
    await a.press("y", /Revision [0-9a-f]{16} is in force/);
    expect(await pair.hosts.a.ip("-4 addr show dev eth1")).not.toContain("10.2.0.77/24");
    await back("a");
  });

  it("does not commit what somebody else is editing", async () => {
    const a = screenOf("a");
    const { revision } = await pair.status("a");
    await boxOf("a").futago("set", "interfaces.wan.note", "half done");
    await a.press("2", /> wan/);
    await a.press("\r", /> 10\.1\.0\.2\/24_/);
    await a.press(",10.1.0.77/24\r", /Put this into force\?/);
    await a.press("y", /This did not work:[\s\S]*has not committed it yet/);
    await back("a");
    expect((await pair.status("a")).revision).toBe(revision);
    expect((await boxOf("a").futago("discard", "--force")).code).toBe(0);
  });

  it("counts down what waits to be confirmed, confirms it, and rolls another one back", async () => {
    const a = screenOf("a");
    const trial = async (note: string) => {
      await boxOf("a").futago("set", "interfaces.wan.note", note);
      expect((await boxOf("a").futago("commit", "--confirm", "600")).code).toBe(0);
      return (await pair.status("a")).revision;
    };
    const kept = await trial("kept");
    const waiting = /ROLLED BACK IN (\d+:\d\d) unless confirmed \(c\): revision ([0-9a-f]{16})/;
    const [, left, revision] = waiting.exec((await a.until(waiting)).join("\n"))!;
    expect(revision).toBe(kept.slice(0, 16));
    await a.until(new RegExp(`ROLLED BACK IN (?!${left})`));
    await a.press("c", /> Keep it/);
    await a.press("\r", /knows whether it does what it should[\s\S]*Keep it for good\?/);
    await a.press("y", /Revision [0-9a-f]{16} is confirmed and stays/);
    expect((await back("a")).join("\n")).not.toMatch(/ROLLED BACK/);
    expect((await pair.status("b")).unconfirmed).toBeNull();

    await trial("not kept");
    await a.until(waiting);
    await a.press("c", /> Keep it/);
    await a.press(`${DOWN}\r`, /Put what was before it into force again\?/);
    await a.press("y", /Revision [0-9a-f]{16} is in force/);
    await back("a");
    expect((await boxOf("b").futago("show", "config")).stdout).toContain('"note": "kept"');
  });

  it("restores a backup file, whose passphrase it asks for", async () => {
    const [a, box, file] = [screenOf("a"), boxOf("a"), join(pair.files.directory, "a backup")];
    const passphrase = pair.files.file("passphrase", "one two three four five\n");
    expect(await box.futago("backup", file, "--passphrase-file", passphrase)).toMatchObject({ code: 0, stderr: "" });
    const { revision } = await pair.status("a");
    await box.futago("set", "interfaces.wan.note", "after the backup");
    expect((await box.futago("commit")).code).toBe(0);
    await a.press("r", /The path of the backup file/);
    await a.press(`${file}\r`, /[Pp]assphrase/);
    await a.press("one two three four five\r", /The backup's configuration is in force[\s\S]*Press Enter/);
    expect(a.lines.join("\n")).not.toContain("one two three");
    await back("a", "\r");
    const shown = async (which: string) => (await box.futago("show", "config", "--revision", which)).stdout;
    expect(await shown("0")).toBe(await shown(revision));
  });

  it("shows the code that claims the box, then resets a password, which it does not show", async () => {
    const a = screenOf("a");
    expect((await a.press("1", /claim code +[0-9A-Z]{5}-[0-9A-Z]{5}/)).join("\n")).toMatch(/web UI +does not run/);
    await back("a");
    const password = pair.files.file("password", "seven old lanterns\n");
    const added = await boxOf("a").futago("user", "add", "anna", "--role", "admin", "--password-file", password);
    expect(added).toMatchObject({ code: 0 });
    await a.until(/\n[> ] 7 {2}Reset the password\n/);
    await a.press("7", /> anna +admin/);
    await a.press("\r", /Password of anna:/);
    await a.press("nine green bottles\r", /The same again:/);
    await a.press("nine green bottles\r", /User anna has another password[\s\S]*Press Enter/);
    expect(a.lines.join("\n")).not.toContain("green");
    await back("a", "\r");
    const audit = (await boxOf("a").futago("audit")).stdout;
    expect(audit).toMatch(/console +userSet +anna, another password/);
    expect(audit).not.toContain("green");
  });

  it("changes the keys of both boxes", async () => {
    const before = (await pairing("a")).pairing?.fingerprint;
    await screenOf("a").press("6", /> - Invite/);
    await screenOf("a").press(`${UP}${UP}\r`, /Both boxes have new keys and certificates[\s\S]*Press Enter/);
    await back("a", "\r");
    expect((await pairing("a")).pairing?.fingerprint).not.toBe(before);
  });

  it("releases the active box of a cold pair, and activates the spare", async () => {
    await bring("a");
    await apply("a", cold);
    await pair.until("a", "active with a spare", ({ activation, peer, replication }) => {
      return activation?.active === "a" && peer?.role === "spare" && replication?.linked === true;
    });
    await screenOf("b").until(/Box b is the SPARE/);
    await screenOf("a").until(/\n {2}5 {2}Release this box/);
    await order("a", "5", /Release this box now\?/, /Box a is the spare; nobody serves[\s\S]*Press Enter/);
    await back("a", "\r");
    await order("b", "5", /Activate this spare now\?/, /Box b is ACTIVE\.[\s\S]*Press Enter/);
    await back("b", "\r");
    expect(await pair.status("b")).toMatchObject({ role: "active", activation: { active: "b" } });
    await apply("b", hot);
    await pair.settled("b");
  });

  it("lends the terminal to a shell, redraws, and says when the box is away", async () => {
    const a = screenOf("a");
    await a.press("s", /^# *$/m);
    await a.press("echo one$((1+1))three\r", /one2three/);
    await a.press("exit\r", menu);
    a.disturb();
    await a.press("\u000c", menu);
    process.kill(boxOf("a").pid("core"), "SIGKILL");
    await a.until(/the box runs but its core is starting|Box a is/);
    await a.until(/Box a is (ACTIVE|STANDBY)/);
    expect(boxOf("a").process.exitCode).toBeNull();
  });

  it("reboots the active box, whose peer takes over first", async () => {
    await bring("b");
    await screenOf("b").until(/Box b is ACTIVE/);
    await screenOf("b").press("p", /> Reboot this box/);
    await screenOf("b").press("\r", /The peer takes over first[\s\S]*Reboot this box now\?/);
    await screenOf("b").press("y", /The peer has taken over\. This box reboots now\./);
    const { code, stdout, stderr } = await boxOf("b").ended();
    expect([code, stdout]).toEqual([0, expect.stringContaining('{"event":"reboot"}')]);
    // The sentinel was to end.
    expect(stderr).not.toContain("sentinel-away");
    const away = await screenOf("b").press("x", /no box runs in this state directory/);
    // What was wrong with it is not known any more.
    expect(away.join("\n")).not.toMatch(/ALARM|Box b is/);
    await screenOf("b").press("1", /Status: not now, no box runs/);
    await start("b");
    await pair.settled("a");
  });

  it("makes the active box one out of its carton; the peer serves on and knows that it has none", async () => {
    const a = screenOf("a");
    await bring("a");
    await a.press("f", /Only a backup file brings that back[\s\S]*Type RESET or the box's name, edge-a, to go on/);
    await a.press("reset\r", /The word was another one: nothing was done/);
    await back("a");
    expect((await pair.status("a")).role).toBe("active");
    await a.press("f", /Type RESET/);
    await a.press("RESET\r", /The peer has taken over\. This box has forgotten everything/);
    await a.press("x", /This box \(alone\) has no configuration yet/);
    expect(await pair.status("a")).toMatchObject({ box: "alone", revision: "", groups: [], peer: null });
    expect(await pairing("a")).toMatchObject({ kind: "alone", pairing: null });
    expect((await boxOf("a").futago("history")).stdout).toBe("There is no revision.\n");
    for (const device of ["eth0", "eth1", "eth2"]) {
      expect(await pair.hosts.a.ip(`-4 addr show dev ${device}`)).toBe("");
    }
    const serves = await pair.until("b", "active", ({ role }) => role === "active");
    await expect.poll(async () => (await pairing("b")).kind, { timeout: READY_MILLIS }).toBe("left");
    await pair.client.run(["ping", "-c", "1", "-W", "2", VIP]);
    await pair.until("b", "the same role", ({ groups }) => groups[0]?.since === serves.groups[0]?.since);
  });

  it("gives that box a new beginning: alone, then as the peer again, for which it gives up what it has", async () => {
    await apply("a", alone);
    await screenOf("a").until(/This box \(alone\) is ALONE/);
    await screenOf("a").press("4", /Switch over: not now, this box is alone/);
    await screenOf("a").press("m", /Nobody takes over from a box that is alone[\s\S]*Begin maintenance/);
    await back("a", "n");
    await marry("b", `${DOWN}${DOWN}`, "a", `${DOWN}${DOWN}${DOWN}`, true);
    for (const name of BOXES) await screenOf(name).until(/The two are linked\.[\s\S]*Press Enter to go on\./);
    for (const name of BOXES) await back(name, "\r");
    await pair.settled("b");
    expect((await pair.status("a")).revision).toBe((await pair.status("b")).revision);
  });

  it("powers a box off; the other one gives its peer up, and does not forget what nobody takes over", async () => {
    await screenOf("a").until(/Box a is STANDBY/);
    await screenOf("a").press("p", /> Reboot this box/);
    await screenOf("a").press(`${DOWN}\r`, /is not the active one[\s\S]*Power this box off now\?/);
    await screenOf("a").press("y", /This box powers off now\./);
    expect((await boxOf("a").ended()).stdout).toContain('{"event":"poweroff"}');
    await screenOf("b").until(/The peer is NOT HEARD/);
    await screenOf("b").press("6", /> Invite/);
    await screenOf("b").press(`${UP}\r`, /Give the peer up\?/);
    await screenOf("b").press("y", /This box has no peer any more[\s\S]*Press Enter/);
    await back("b", "\r");
    expect(await pairing("b")).toMatchObject({ kind: "left", linked: false });
    await screenOf("b").press("f", /Type RESET/);
    await screenOf("b").press("edge-b\r", /This did not work:[\s\S]*no peer can take over[\s\S]*--force/);
    await back("b");
    expect((await pair.status("b")).role).toBe("active");
    expect((await boxOf("b").stop()).code).toBe(0);
  });

  it("leaves, having sent nothing that a vt100 does not know", async () => {
    for (const name of BOXES) screenOf(name).type("xq");
    expect(await Promise.all(BOXES.map((name) => screenOf(name).ended))).toEqual([0, 0]);
    for (const name of BOXES) expect(screenOf(name).strange).toEqual([]);
  });
});

it("needs a terminal", async () => {
  const { code, stderr } = await pair.hosts.a.tryRun([FUTAGO, "console"]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("the console menu needs a terminal")]);
});
