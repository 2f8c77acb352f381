import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, instant, seconds } from "@futago/hal/units/time.ts";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CommitMessage, Revision, Standing } from "../../../pair/commit/types.ts";
import { revisionId } from "../../store/revision.ts";
import { StoreError } from "../../store/store.ts";
import { Configuration } from "../configuration.ts";
import type { Log } from "../log.ts";
import { commitAlarms } from "../sentences.ts";
import { Committer } from "./committer.ts";
import { SIBLINGS_MAX } from "./handed-over.ts";

const nothing = () => undefined;
const sent: CommitMessage[] = [];
const warned: string[] = [];
let now = instant(1_000);
let trouble: string | undefined;
let directory = "";
let configuration: Configuration;
let committer: Committer;

const text = JSON.stringify({ interfaces: [{ addresses: ["10.1.0.2/24"], device: "eth0", name: "wan" }] });
const head = { id: revisionId(undefined, text), parent: undefined, author: "alice", comment: "", time: "", text };

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "futago-committer-"));
  sent.length = 0;
  warned.length = 0;
  now = instant(1_000);
  trouble = undefined;
  configuration = await Configuration.open({
    stateDirectory: directory,
    box: "b",
    hasPairKey: true,
    joined: undefined,
    devices: () => Promise.resolve(["eth0"]),
  });
  await configuration.store.append(head);
  committer = await begin("a boot");
});
afterEach(async () => {
  vi.useRealTimers();
  committer.close();
  await configuration.close();
  rmSync(directory, { recursive: true });
});

/** One after the other, from the head on. */
function descendants(count: number): readonly [readonly Revision[], Revision] {
  const line: Revision[] = [];
  for (let i = 0; i < count; i++) {
    const changed = text.replace("10.1.0.2", `10.2.${i}.2`);
    const parent = line.at(-1)?.id ?? head.id;
    line.push({ ...head, id: revisionId(parent, changed), parent, text: changed });
  }
  return [line, line.at(-1) ?? head];
}

const withoutText = ({ id, parent, author, comment, time }: Revision) => ({ id, parent, author, comment, time });

/** A core that starts. */
async function begin(boot: string): Promise<Committer> {
  const begun = await Committer.open({
    hal: { clock: { now: () => now }, sysctl: { read: () => boot, write: nothing } },
    configuration,
    log: { info: nothing, warn: (event: string) => void warned.push(event), error: nothing } as unknown as Log,
    box: "b",
    putIntoForce: () => Promise.resolve(trouble),
    send: (message) => void sent.push(message),
    sent: () => Promise.resolve(),
    onChange: nothing,
  });
  await begun.bringUp();
  return begun;
}

function say(of: string): void {
  const standing: Standing = {
    head: of,
    parent: undefined,
    active: true,
    automatic: false,
    confirmed: undefined,
    cannot: undefined,
  };
  committer.receive({ kind: "standing", standing });
}

it("says what of the peer it cannot take, until the peer has what this box has", async () => {
  const other = "2".repeat(64);
  committer.setLink(true);
  say(other);
  committer.receive({ kind: "kin", mine: other, yours: head.id, kinship: "ancestor" });
  await expect.poll(() => sent.at(-1)?.kind).toBe("fetch");
  const torn = { ...head, id: other, parent: head.id };
  committer.receive({ kind: "revision", revision: torn, parent: undefined, lineage: [] });
  await expect.poll(() => committer.disagreement.cannotTake?.what).toContain("does not hold what its id says");
  say(head.id);
  expect(committer.disagreement.cannotTake).toBeUndefined();
});

it("waits on for what comes slowly, and asks again when nothing comes any more", async () => {
  const other = "2".repeat(64);
  const asked = () => sent.filter(({ kind }) => kind === "fetch").length;
  committer.setLink(true);
  say(other);
  await expect.poll(() => sent.at(-1)?.kind).toBe("kin");
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const pass = (wait: number) => {
    now = after(now, seconds(wait));
    vi.advanceTimersByTime(wait * 1_000);
  };
  committer.receive({ kind: "kin", mine: other, yours: head.id, kinship: "ancestor" });
  pass(29);
  committer.arriving(1 << 20);
  pass(29);
  expect(sent.at(-1)).toMatchObject({ kind: "fetch", id: other });
  pass(1);
  expect(sent.at(-1)).toMatchObject({ kind: "standing", standing: { cannot: other } });
  expect(asked()).toBe(1);
  pass(10);
  expect(asked()).toBe(2);
});

it("keeps some siblings that the other box hands over, and not as many as it likes", async () => {
  committer.setLink(true);
  for (let i = 0; i < 200; i++) {
    const sibling = text.replace("10.1.0.2", `10.2.${i}.2`);
    committer.receive({ kind: "keep", revision: { ...head, id: revisionId(undefined, sibling), text: sibling } });
  }
  await expect.poll(() => committer.disagreement.lost).toBeDefined();
  await configuration.putSetting("after", "that");
  expect(await configuration.store.history(1_000)).toHaveLength(1 + SIBLINGS_MAX);
  expect(warned.filter((event) => event === "revision-not-kept")).toHaveLength(1);
});

it("takes the same sibling as often as it is handed over, one after the other", async () => {
  const sibling = text.replace("10.1.0.2", "10.2.0.2");
  const revision = { ...head, id: revisionId(undefined, sibling), text: sibling };
  for (let i = 0; i < 150; i++) {
    committer.receive({ kind: "keep", revision });
    await configuration.setting("after that");
  }
  expect(warned).toEqual(["revision-lost"]);
});

it("keeps all the documents that it asked for", async () => {
  committer.setLink(true);
  const [line, last] = descendants(30);
  say(last.id);
  committer.receive({ kind: "kin", mine: last.id, yours: head.id, kinship: "ancestor" });
  await expect.poll(() => sent.at(-1)?.kind).toBe("fetch");
  const lineage = line.slice(0, -1).map(withoutText).toReversed();
  committer.receive({ kind: "revision", revision: last, parent: line.at(-2), lineage });
  await expect.poll(() => sent.find(({ kind }) => kind === "want")).toBeDefined();
  for (const revision of line) committer.receive({ kind: "keep", revision });
  const whole = async () => (await configuration.store.history(100)).filter((one) => one.whole);
  await expect.poll(whole).toHaveLength(31);
});

it("stays at the first configuration of the pair when that does not work: the other box may have it already", async () => {
  committer.setRole(true, false);
  const addresses = { a: ["10.1.0.2/24"], b: ["10.1.0.3/24"] };
  const document = JSON.stringify({ pair: {}, interfaces: [{ name: "wan", device: "eth0", addresses }] });
  const wish = { author: "alice", comment: "", base: undefined, confirmSeconds: undefined };
  trouble = "no room for another route";
  const outcome = await committer.request({ kind: "commit", source: { kind: "given", document }, ...wish });
  expect(outcome).toMatchObject({
    kind: "refused",
    refusal: { what: expect.stringContaining("is committed and could not be put into force: no room") },
  });
  const pairs = await configuration.store.head();
  expect(pairs).toMatchObject({ parent: head.id, author: "alice" });
  // The link came up meanwhile, and the other box took it over.
  committer.setLink(true);
  say(pairs?.id ?? "");
  committer.receive({ kind: "withdraw", id: pairs?.id ?? "" });
  await configuration.setting("after that");
  expect(committer.head?.id).toBe(pairs?.id);
  expect(committer.stuck).toBeUndefined();
  expect(configuration.inForce?.resolved.pair).toBeDefined();
  // What comes after it is rolled back as ever.
  committer.setLink(false);
  const other = JSON.stringify({ ...JSON.parse(document), system: { timezone: "Asia/Tokyo" } });
  const failed = await committer.request({ kind: "commit", source: { kind: "given", document: other }, ...wish });
  expect(failed).toMatchObject({ refusal: { what: expect.stringContaining("was rolled back: no room") } });
  expect(await configuration.store.head()).toMatchObject({ author: "futago", text: pairs?.text });
});

describe("a core that starts anew", () => {
  const wrong = text.replace("10.1.0.2", "10.1.0.3");
  const second = { ...head, id: revisionId(head.id, wrong), parent: head.id, text: wrong };

  it("rolls back what the peer withdrew before, when that comes to be the head", async () => {
    committer.setLink(true);
    committer.receive({ kind: "withdraw", id: second.id });
    committer.close();
    await configuration.store.append(second);
    committer = await begin("the next boot");
    expect(await configuration.store.head()).toMatchObject({ parent: second.id, text });
    committer.close();
    committer = await begin("the next boot");
    expect(await configuration.store.head()).toMatchObject({ parent: second.id });
  });

  it("rolls back what could not be rolled back before", async () => {
    await configuration.store.append(second);
    await configuration.putSetting("unconfirmed", JSON.stringify({ id: second.id, at: 0, boot: "a boot" }));
    committer.close();
    committer = await begin("the next boot");
    expect(await configuration.store.head()).toMatchObject({ parent: second.id, text });
  });

  it.each([
    ["by a person", undefined, "another configuration takes its place"],
    ["for a confirmation", 60, "`futago confirm` keeps it, another configuration takes its place"],
  ])(
    "says what cannot be rolled back, why, and how to mend it, until it is: made %s",
    async (_, confirmSeconds, ways) => {
      await configuration.store.append({ ...second, confirmSeconds });
      await configuration.putSetting("unconfirmed", JSON.stringify({ id: second.id, at: 0, boot: "a boot" }));
      committer.close();
      const full = { code: "diskFull", what: "the disk is full", mend: "remove what is not needed" } as const;
      const append = vi.spyOn(configuration.store, "append").mockRejectedValue(new StoreError(full));
      committer = await begin("the next boot");
      const alarms = () => [...commitAlarms(committer)].filter(([, sentence]) => sentence !== undefined);
      const why = "is to be rolled back and cannot be: the disk is full";
      expect(alarms()).toEqual([
        [
          "not-rolled-back",
          `revision ${second.id.slice(0, 16)} of alice ${why}; that is tried again by itself, and ${ways}; remove what is not needed.`,
        ],
      ]);
      expect(committer.unconfirmed === null).toBe(confirmSeconds === undefined);
      append.mockRestore();
      now = after(now, seconds(5));
      committer.setRole(true, false);
      await expect.poll(alarms).toEqual([]);
      expect(await configuration.store.head()).toMatchObject({ parent: second.id, text });
    },
  );

  it("leaves a head alone of which nothing was kept", async () => {
    await configuration.store.append(second);
    await configuration.putSetting("unconfirmed", JSON.stringify({ id: head.id, at: 0, boot: "a boot" }));
    committer.close();
    committer = await begin("the next boot");
    expect(await configuration.store.head()).toMatchObject({ id: second.id });
  });
});
