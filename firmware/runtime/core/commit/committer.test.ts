import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { instant } from "@futago/hal/units/time.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CommitMessage, Standing } from "../../../pair/commit/types.ts";
import { revisionId } from "../../store/revision.ts";
import { Configuration } from "../configuration.ts";
import type { Log } from "../log.ts";
import { Committer } from "./committer.ts";

const nothing = () => undefined;
const sent: CommitMessage[] = [];
let directory = "";
let configuration: Configuration;
let committer: Committer;

const text = JSON.stringify({ interfaces: [{ addresses: ["10.1.0.2/24"], device: "eth0", name: "wan" }] });
const head = { id: revisionId(undefined, text), parent: undefined, author: "alice", comment: "", time: "", text };

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "futago-committer-"));
  sent.length = 0;
  configuration = await Configuration.open({
    stateDirectory: directory,
    box: "b",
    hasPairKey: true,
    devices: () => Promise.resolve(["eth0"]),
  });
  await configuration.store.append(head);
  committer = await begin("a boot");
});
afterEach(async () => {
  committer.close();
  await configuration.close();
  rmSync(directory, { recursive: true });
});

/** A core that starts. */
async function begin(boot: string): Promise<Committer> {
  const begun = await Committer.open({
    hal: { clock: { now: () => instant(1_000) }, sysctl: { read: () => boot, write: nothing } },
    configuration,
    log: { info: nothing, warn: nothing, error: nothing } as unknown as Log,
    box: "b",
    putIntoForce: () => Promise.resolve(undefined),
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

  it("leaves a head alone of which nothing was kept", async () => {
    await configuration.store.append(second);
    await configuration.putSetting("unconfirmed", JSON.stringify({ id: head.id, at: 0, boot: "a boot" }));
    committer.close();
    committer = await begin("the next boot");
    expect(await configuration.store.head()).toMatchObject({ id: second.id });
  });
});
