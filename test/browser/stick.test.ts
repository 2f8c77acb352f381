/** A bare box finds a backup file on a USB stick, and its first page makes it the box that was backed up. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { validate } from "@futago/firmware/config/validate.ts";
import { type Backup, backupFacts, backupText } from "@futago/firmware/runtime/backup/backup.ts";
import { seal } from "@futago/firmware/runtime/backup/container.ts";
import { revisionId } from "@futago/firmware/runtime/store/revision.ts";
import { Rig } from "./rig.ts";
import { Visit } from "./visit.ts";

const PASSPHRASE = "seven wet umbrellas";
const DOCUMENT = { interfaces: [{ name: "lan", device: "eth1", addresses: ["10.2.0.77/24"] }] };

let rig: Rig;
let run: string;
let revision: string;
const former = process.env["RUNTIME_DIRECTORY"];

beforeAll(async () => {
  run = mkdtempSync(join(tmpdir(), "futago-run-"));
  process.env["RUNTIME_DIRECTORY"] = run;
  rig = await Rig.start({ bare: true });
});
afterAll(async () => {
  if (former === undefined) delete process.env["RUNTIME_DIRECTORY"];
  else process.env["RUNTIME_DIRECTORY"] = former;
  await rig?.destroy();
  rmSync(run, { recursive: true });
});

/** As the image leaves what it took from a stick. */
async function putIn(): Promise<void> {
  const judged = validate(DOCUMENT, { box: undefined });
  if (!judged.ok) throw new Error(JSON.stringify(judged));
  const { text } = judged;
  const made = new Date().toISOString();
  revision = revisionId(undefined, text);
  const head = { id: revision, parent: undefined, author: "alice", comment: "", time: made, text };
  const none = { letter: undefined, devices: ["eth1"], pairing: undefined, settings: {}, lineage: [] };
  const backup: Backup = { release: "0.1.0", made, head, ...none };
  mkdirSync(join(run, "stick"));
  writeFileSync(join(run, "stick", "1-edge.age"), await seal(backupText(backupFacts(backup), text), PASSPHRASE));
}

it("is offered once it is there, and with its passphrase the box is what was backed up", async () => {
  const { page, revisionNow } = await visit();
  const card = page.getByRole("region", { name: "A backup file on the USB stick" });
  expect(await card.count()).toBe(0);
  await putIn();
  await card.waitFor();
  await card.getByLabel("Passphrase").fill("another one");
  await card.getByRole("button", { name: "Restore it" }).click();
  await card.getByText("passphrase is another one").waitFor();
  expect(revisionNow()).toBe("");
  await card.getByLabel("Passphrase").fill(PASSPHRASE);
  await card.getByRole("button", { name: "Restore it" }).click();
  await expect.poll(revisionNow, { timeout: 20_000 }).toBe(revision);
  await card.waitFor({ state: "detached" });
});

async function visit() {
  const a = await Visit.begin(await rig.browser.visitor());
  await a.claim(rig.url("a"), await rig.claimCode("a"));
  return { page: a.page, revisionNow: () => rig.boxes.a.feed.latest?.revision };
}
