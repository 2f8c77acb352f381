/** A box out of a file: `futago backup` and `futago restore` with real boxes, on hardware with other device names. */
import { randomBytes } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { validate } from "@futago/firmware/config/validate.ts";
import { type Backup, backupFacts, backupText } from "@futago/firmware/runtime/backup/backup.ts";
import { seal } from "@futago/firmware/runtime/backup/container.ts";
import { makeIdentity } from "@futago/firmware/runtime/core/pairing/identity.ts";
import { writePairing } from "@futago/firmware/runtime/pairing-file.ts";
import { revisionId } from "@futago/firmware/runtime/store/revision.ts";
import { type Box, BOXES } from "../lab/topology.ts";
import { other, Pair, pairDocument, pause, VIP } from "./pair-fixture.ts";
import { FUTAGO, type RunningBox } from "./running-box.ts";
import { Vt100 } from "./vt100.ts";

const READY_MILLIS = 20_000;
const PASSPHRASE = "correct horse battery staple";
/** What a spare's ports are called. */
const RENAMED = { eth0: "enp1s0", eth1: "enp2s0", eth2: "enp3s0" };
const MAP = Object.entries(RENAMED)
  .map((names) => names.join("="))
  .join(",");

let pair: Pair;
const running: RunningBox[] = [];
const log = () => running.map((one) => one.stderr().slice(-4000)).join("\n===\n");
afterEach(async () => {
  running.length = 0;
  await pair.destroy();
});

/** State directories of two boxes that were paired, as the ceremony leaves them. */
async function marry(): Promise<void> {
  const keys = { pairKey: randomBytes(32).toString("hex"), seed: randomBytes(16).toString("hex") };
  const identities = { a: await makeIdentity(), b: await makeIdentity() };
  for (const letter of BOXES) {
    const role = letter === "a" ? "inviter" : "joiner";
    const peerCertificate = identities[other(letter)].certificate;
    const met = { device: "eth2", address: await linkLocal(other(letter), "eth2") };
    const since = new Date().toISOString();
    const own = { ...keys, ...identities[letter], peerCertificate, met, since, rotation: null };
    writePairing(pair.files.state(letter), { version: 1, letter, role, ...own });
  }
}

async function linkLocal(name: Box, device: string): Promise<string> {
  const text = await pair.hosts[name].ip(`-6 -j addr show dev ${device} scope link`);
  const found = JSON.parse(text) as { addr_info?: { local?: string }[] }[];
  return found.find(({ addr_info }) => addr_info !== undefined)?.addr_info?.[0]?.local ?? "fe80::1";
}

async function start(name: Box, state: string, ...argv: string[]): Promise<RunningBox> {
  const box = pair.files.start(pair.hosts[name], pair.files.state(state), ...argv);
  running.push(box);
  await box.ready(READY_MILLIS);
  return box;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 40_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`never: ${what}\n${log()}`);
    await pause(50);
  }
}

/** The box that was restored by force beside the one it was made of: it is told of, and when it is gone the pair is one. */
async function seenTwice(a: RunningBox, b: RunningBox): Promise<void> {
  const twin = pair.files.start(pair.stranger, pair.files.state("off"));
  running.push(twin);
  const sentences = async (box: RunningBox) => (await box.status()).alarms.map(({ sentence }) => sentence).join("\n");
  await until("b hears two boxes that are a", async () =>
    (await sentences(b)).includes("two boxes say that they are a"),
  );
  twin.process.kill("SIGKILL");
  await twin.ended();
  for (const device of Object.keys(RENAMED)) await pair.stranger.ip(`link set dev ${device} down`);
  await until("one serves, they hear each other, and nobody tells of a third", async () => {
    const both = [await a.status(), await b.status()];
    const roles = both.map(({ role }) => role).toSorted();
    const kinds = both.flatMap(({ alarms }) => alarms.map(({ kind }) => kind));
    return (
      roles.join() === "active,standby" &&
      both.every(({ peer }) => peer?.alive === true) &&
      !kinds.includes("same-box") &&
      !kinds.includes("two-actives")
    );
  });
}

const vipAnswers = async () => (await pair.client.tryRun(["ping", "-n", "-q", "-c", "1", "-W", "0.2", VIP])).code === 0;

describe("a file of a box", () => {
  it("makes a bare spare with other ports the dead box, which serves and has its peer", async () => {
    pair = await Pair.start({ bare: true });
    const { hosts, files } = pair;
    await marry();
    const importing = ["--import", files.document("pair.json", pairDocument())];
    const [a, b] = await Promise.all([start("a", "a", ...importing), start("b", "b", ...importing)]);
    await until("a serves and hears b", async () => {
      const { role, peer } = await a.status();
      return role === "active" && peer?.alive === true;
    });
    const { revision } = await a.status();
    const [file, pass] = [files.state("a.age"), ["--passphrase-file", files.file("pass", `${PASSPHRASE}\n`)]];
    expect(await a.futago("backup", file, ...pass)).toMatchObject({ code: 0 });
    expect(statSync(file).mode & 0o777).toBe(0o600);

    // The box that it was made of is still there.
    const twin = files.start(pair.stranger, files.state("twin"));
    await twin.ready(READY_MILLIS);
    expect(await twin.futago("restore", file, ...pass)).toMatchObject({
      code: 6,
      stderr: expect.stringMatching(
        /somebody uses 10\.[123]\.0\.[12], which this box would have: [0-9a-f:]{17} on eth/,
      ),
    });
    expect((await twin.status()).revision).toBe("");
    await twin.stop();
    const off = ["restore", file, "--state", files.state("off"), ...pass];
    expect(await pair.stranger.tryRun([FUTAGO, ...off])).toMatchObject({
      code: 6,
      stderr: expect.stringMatching(/somebody uses 10\.[123]\.0\.[12], .*\n  Is box a still there\?/),
    });
    expect(await pair.stranger.tryRun([FUTAGO, ...off, "--force"])).toMatchObject({ code: 0 });
    await seenTwice(a, b);
    await Promise.all([a.stop(), b.stop()]);

    for (const [device, name] of Object.entries(RENAMED)) {
      await hosts.a.ip(`link set dev ${device} down`);
      await hosts.a.ip(`link set dev ${device} name ${name}`);
    }
    const spare = await start("a", "spare");
    expect(await spare.futago("restore", file, "--passphrase-file", files.file("wrong", "another one"))).toMatchObject({
      code: 1,
      stderr: `futago: ${file}: the passphrase is another one\n  Try again; nothing was changed.\n`,
    });
    expect(await spare.futago("restore", file, ...pass)).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(
        /this box has no eth0, eth1, eth2, which .*\n  It has lo, enp1s0, .*--map eth0=enp1s0/,
      ),
    });
    expect((await spare.status()).revision).toBe("");
    const began = performance.now();
    expect(await spare.futago("restore", file, "--map", MAP, ...pass)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^This box is a and has revision [0-9a-f]{16} of the backup\.\n$/),
    });
    await until("the VIP answers", vipAnswers);
    const seconds = (performance.now() - began) / 1_000;
    console.log(`from restore to a VIP that answers: ${seconds.toFixed(1)} s`);
    expect(seconds).toBeLessThan(60);

    const back = await start("b", "b");
    await until("the two are linked and hold the same", async () => {
      const [mine, theirs] = [await spare.status(), await back.status()];
      return mine.peer?.alive === true && mine.revision === theirs.revision && mine.revision !== revision;
    });
    expect(await spare.status()).toMatchObject({ box: "a", role: "active" });
    expect(await back.status()).toMatchObject({ box: "b", role: "standby" });
    expect((await back.futago("history", "--limit", "2")).stdout).toContain("restored with other devices");
  }, 180_000);

  it("is made of a box that does not run, and is put where none was; only a wish replaces one", async () => {
    pair = await Pair.start({ bare: true });
    const { hosts, files } = pair;
    const document = {
      interfaces: [{ name: "wan", device: "eth0", addresses: ["10.1.0.2/24"] }],
      failoverGroups: [{ name: "edge", virtualRouters: [{ interface: "wan", vrid: 10, addresses: [`${VIP}/24`] }] }],
    };
    const box = await start("a", "a", "--import", files.document("alone.json", document));
    const { revision } = await box.status();
    await box.futago("maintenance", "on");
    await box.stop();
    const pass = ["--passphrase-file", files.file("pass", `${PASSPHRASE}\n`)];
    const file = files.state("alone.age");
    const at = (state: string, ...argv: string[]) =>
      hosts.a.tryRun([FUTAGO, ...argv, "--state", files.state(state), ...pass]);
    expect(await at("nowhere", "backup", file)).toMatchObject({ code: 4 });
    expect(existsSync(files.state("nowhere"))).toBe(false);
    expect(await at("a", "backup", file)).toMatchObject({ code: 0 });
    expect(await at("a", "backup", file)).toMatchObject({ code: 6, stderr: expect.stringContaining("say --force") });
    expect(await at("a", "backup", file, "--force")).toMatchObject({ code: 0 });

    // What is refused leaves nothing behind.
    expect(await at("nowhere", "restore", file, "--map", "eth0=eth9")).toMatchObject({ code: 2 });
    expect(existsSync(files.state("nowhere"))).toBe(false);
    expect(await at("fresh", "restore", file)).toMatchObject({ code: 0 });
    expect(await at("fresh", "restore", file)).toMatchObject({
      code: 6,
      stderr: expect.stringContaining("there is a box in this state directory already"),
    });
    expect(await at("fresh", "restore", file, "--replace")).toMatchObject({ code: 0 });
    const fresh = await start("a", "fresh");
    expect(await fresh.status()).toMatchObject({ revision, role: "maintenance" });

    // One that has a configuration takes the document as any other change.
    const changed = files.document("changed.json", { ...document, failoverGroups: [] });
    expect(await fresh.futago("config", "apply", changed)).toMatchObject({ code: 0 });
    expect(await at("fresh", "restore", file)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("letter and peer are as they were"),
    });
    const history = JSON.parse((await fresh.futago("history", "--json")).stdout) as { comment: string }[];
    expect(history.map(({ comment }) => comment)).toEqual([
      expect.stringMatching(/^restored from a backup of 20/),
      "config apply",
      expect.stringContaining("imported from"),
    ]);
    expect((await fresh.futago("show", "config")).stdout).toContain(VIP);

    // What is typed is not seen.
    const typed = files.state("typed.age");
    const terminal = new Vt100(hosts.a, [FUTAGO, "backup", typed, "--state", fresh.state]);
    await terminal.until(/Passphrase of the backup:/);
    await terminal.press(`${PASSPHRASE}x\u007f\r`, /The same again:/);
    const screen = await terminal.press(`${PASSPHRASE}\r`, /of this box is in/);
    expect(screen.join("\n")).not.toContain("correct");
    expect(await terminal.ended).toBe(0);
    expect(await at("typed", "restore", typed)).toMatchObject({ code: 0 });
    const unequal = new Vt100(hosts.a, [FUTAGO, "backup", typed, "--force", "--state", fresh.state]);
    await unequal.until(/Passphrase of the backup:/);
    // Ctrl-U takes back all that was typed.
    await unequal.press(`something\u0015${PASSPHRASE}\r`, /The same again:/);
    await unequal.press("another one\r", /the two were not the same/);
    expect(await unequal.ended).toBe(1);
  }, 120_000);

  it("of a pair that was made by a key needs the key, and the same letter", async () => {
    pair = await Pair.start({ bare: true });
    const { files } = pair;
    const judged = validate(pairDocument(), { box: "b" });
    const text = judged.ok ? judged.text : "";
    const time = new Date().toISOString();
    const head = { id: revisionId(undefined, text), parent: undefined, author: "alice", comment: "", time, text };
    const none = { devices: [], pairing: undefined, settings: {}, lineage: [] };
    const backup: Backup = { release: "0.1.0", made: time, letter: "b", head, ...none };
    const file = files.file("b.age", await seal(backupText(backupFacts(backup), text), PASSPHRASE));
    const pass = ["--passphrase-file", files.file("pass", PASSPHRASE)];
    const key = ["--pair-key", files.file("key", randomBytes(32).toString("hex"))];
    const tried: readonly (readonly [state: string, argv: readonly string[], code: number, says: string])[] = [
      ["keyless", [], 2, "the key is not in it"],
      ["other", ["--box", "a", ...key], 6, "this box was started as a, and the backup is of box b"],
    ];
    for (const [state, argv, code, says] of tried) {
      const box = await start("a", state, ...argv);
      expect(await box.futago("restore", file, ...pass)).toMatchObject({ code, stderr: expect.stringContaining(says) });
      box.process.kill("SIGKILL");
      await box.ended();
    }
    const box = await start("a", "b", "--box", "b", ...key);
    expect(await box.futago("restore", file, ...pass)).toMatchObject({ code: 0 });
    expect(await box.status()).toMatchObject({ box: "b", revision: backup.head.id });
  }, 60_000);
});
