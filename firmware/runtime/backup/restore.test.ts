import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { canonicalJson } from "../../config/canonical.ts";
import { exampleDocument } from "../../config/example.test-support.ts";
import { RefusalError } from "../exit-code.ts";
import { revisionId } from "../store/revision.ts";
import { refusal } from "../store/refusal.ts";
import { Store, StoreError } from "../store/store.ts";
import type { Backup } from "./backup.ts";
import { makeBackup } from "./make.ts";
import { fitted, putDown } from "./restore.ts";

const time = "2026-11-29T15:00:00.000Z";
const here = ["lo", "enp1s0", "enp2s0", "enp3s0"];
const MAP = "eth0=enp1s0,eth1=enp2s0,eth2=enp3s0";

function backupOf(document: unknown): Backup {
  const text = canonicalJson(document);
  const head = { id: revisionId(undefined, text), parent: undefined, author: "alice", comment: "", time, text };
  return {
    release: "0.1.0",
    made: time,
    letter: "a",
    devices: [],
    pairing: undefined,
    settings: {},
    head,
    lineage: [],
  };
}

const mapOf = (text: string) => new Map(text.split(",").map((each) => each.split("=") as [string, string]));
const target = (map: string, devices = here) => ({ letter: "a" as const, devices, map: mapOf(map) });

async function refusalOf(promise: Promise<unknown>) {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  if (!(error instanceof RefusalError)) throw new Error("nothing was refused");
  const { exitCode, what, mend } = error.refusal;
  return [exitCode, what, mend];
}

describe("a document on other hardware", () => {
  const backup = backupOf(exampleDocument);

  it("is refused while its devices are missing, by their names and those that are here", async () => {
    expect(await refusalOf(fitted(backup, { letter: "a", devices: here, map: new Map() }))).toEqual([
      3,
      "this box has no eth0, eth1, eth2, which the backup file's document names",
      "It has lo, enp1s0, enp2s0, enp3s0. Say which is which: --map eth0=enp1s0, once for each.",
    ]);
    expect(await refusalOf(fitted(backup, target("eth0=enp1s0,eth1=enp2s0")))).toEqual([
      3,
      "this box has no eth2, which the backup file's document names",
      expect.stringContaining("--map eth2="),
    ]);
  });

  it("is refused with names that are nobody's, and with one for two", async () => {
    expect(await refusalOf(fitted(backup, target("eth7=enp1s0")))).toEqual([
      2,
      "the backup file's document names no device eth7",
      "It names eth0, eth1, eth2.",
    ]);
    expect((await refusalOf(fitted(backup, target("eth0=eno1"))))[1]).toBe("this box has no device eno1");
    expect((await refusalOf(fitted(backup, target("eth0=enp1s0,eth1=enp1s0"))))[1]).toBe(
      "two devices are to be enp1s0",
    );
  });

  it("gets its names for this box, and is judged like any other", async () => {
    const { text, ofPair } = await fitted(backup, target(MAP));
    expect(ofPair).toBe(true);
    const { interfaces } = JSON.parse(text) as { interfaces: { device: unknown }[] };
    expect(interfaces.map(({ device }) => device)).toEqual([
      { a: "enp1s0", b: "eth0" },
      { a: "enp2s0", b: "eth1" },
      { a: "enp3s0", b: "eth2" },
    ]);
    const bad = backupOf({ ...exampleDocument, shell: "rm" });
    expect(await refusalOf(fitted(bad, target(MAP)))).toEqual([3, "is no key that is known here", expect.anything()]);
  });

  it("that fits as it is stays the same to the letter", async () => {
    const devices = ["eth0", "eth1", "eth2"];
    expect((await fitted(backup, { letter: "a", devices, map: new Map() })).text).toBe(backup.head.text);
  });
});

describe("what is put down", () => {
  let stateDirectory = "";
  let store: Store;
  beforeEach(async () => {
    stateDirectory = mkdtempSync(join(tmpdir(), "futago-restore-"));
    const opened = await Store.open(stateDirectory);
    if (!opened.ok) throw new Error(opened.what);
    ({ store } = opened);
  });
  afterEach(async () => {
    await store.close();
    rmSync(stateDirectory, { recursive: true, force: true });
  });

  it("is the box again, of which the same backup can be made", async () => {
    const parent = revisionId(undefined, "{}");
    const { head } = backupOf(exampleDocument);
    const id = revisionId(parent, head.text);
    const backup: Backup = {
      ...backupOf(exampleDocument),
      settings: { maintenance: "on" },
      head: { ...head, id, parent },
      lineage: [{ id: parent, parent: undefined, author: "bob", comment: "", time }],
    };
    const into = { store, stateDirectory, pairing: undefined, text: head.text, author: "carol" };
    expect(await putDown(backup, into)).toBe(id);
    const again = await makeBackup(store, { letter: "a", devices: [], pairing: undefined });
    expect(again).toEqual({ ...backup, made: expect.any(String) });
    expect(existsSync(join(stateDirectory, "pairing.json"))).toBe(false);
  });

  it("is refused in words when the disk is full", async () => {
    const full = new StoreError(refusal("diskFull", "futago.db: database or disk is full"));
    const refusing = {
      adopt: () => Promise.reject(full),
      append: store.append.bind(store),
      putSetting: async () => {},
    };
    const backup = backupOf(exampleDocument);
    const into = { store: refusing, stateDirectory, pairing: undefined, text: backup.head.text, author: "carol" };
    expect(await refusalOf(putDown(backup, into))).toEqual([
      1,
      "futago.db: database or disk is full",
      "free some space on that file system, and restore again.",
    ]);
    expect(await store.head()).toBeUndefined();
  });

  it("with other devices is a revision after that of the file, by whoever restored it", async () => {
    const backup = backupOf(exampleDocument);
    const { text } = await fitted(backup, target(MAP));
    const revision = await putDown(backup, { store, stateDirectory, pairing: undefined, text, author: "carol" });
    expect(await store.head()).toMatchObject({ id: revision, parent: backup.head.id, author: "carol", text });
  });
});
