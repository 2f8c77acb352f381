/** A version by the page: what is refused and why, how a bundle is sent, and how a box and a pair come to the new one. */
import axe, { type AxeResults } from "axe-core";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PairUpdateShown, UpdateShown } from "@futago/firmware/runtime/control-update.ts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { show } from "./pages.ts";
import { Rig, until } from "./rig.ts";
import { TestSlots, writeBundle } from "./slots.ts";
import { PASSWORD, type Person, Visit } from "./visit.ts";

const VIEWER: Person = { name: "vera", password: PASSWORD };
const FACTS = { compatible: "futago-amd64", version: "0.8.0", time: "2026-12-24T00:00:00Z" };
/** Of a box that writes what it is sent, beside others that do. */
const PATIENCE_MILLIS = 45_000;
const BUNDLE_BYTES = 24_000_000;
const SLOW_BYTES_PER_SECOND = 3_000_000;

let rig: Rig;
let slots: TestSlots;
let alice: Visit;
let files: string;
beforeAll(async () => {
  rig = await Rig.start({
    bare: true,
    updater: (box, directory) => {
      const made = new TestSlots(join(directory, `slots-${box}`));
      if (box === "a") slots = made;
      return made.socket;
    },
  });
  files = join(rig.directory, "files");
  mkdirSync(files);
  alice = await Visit.begin(await rig.browser.visitor(), PATIENCE_MILLIS);
  await alice.claim(rig.url("a"), await rig.claimCode("a"));
  await alice.call("POST", "users", { ...VIEWER, role: "viewer" });
}, 90_000);
afterAll(() => rig?.destroy());

function card({ page }: Visit) {
  return page.getByRole("region", { name: "Update", exact: true });
}

async function choose(visit: Visit, file: string): Promise<void> {
  await card(visit).locator("input[type=file]").setInputFiles(file);
}

async function send(visit: Visit, file: string): Promise<void> {
  await choose(visit, file);
  await card(visit).getByRole("button", { name: "Update this box" }).click();
}

it("says what runs and what is in the slots", async () => {
  await show(alice, rig, "system");
  const text = await card(alice).innerText();
  expect(text).toContain("0.7.0");
  expect(text).toMatch(/Slot A[\s\S]*good[\s\S]*runs[\s\S]*Slot B/);
});

it("shows a viewer the same, without anything to press", async () => {
  const visit = await Visit.begin(await rig.browser.visitor());
  await visit.signIn(rig.url("a"), VIEWER);
  await show(visit, rig, "system");
  expect(await card(visit).innerText()).toContain("0.7.0");
  expect(await card(visit).locator("button, input").count()).toBe(0);
  await visit.end();
});

it("tells what is no bundle before it is sent, and what the box refuses with its reason", async () => {
  const picture = join(files, "cat.png");
  writeFileSync(picture, "\u0089PNG");
  await choose(alice, picture);
  await card(alice).getByText("cat.png is no bundle").waitFor();
  const older = join(files, "older.raucb");
  writeBundle(older, { ...FACTS, version: "0.6.0" });
  await send(alice, older);
  const trouble = card(alice).getByRole("alert");
  await trouble.getByText("the bundle is older than this box").waitFor();
  expect(await trouble.innerText()).toContain("Take a newer bundle");
  await card(alice).getByRole("button", { name: "Take another file" }).click();
  expect(await trouble.count()).toBe(0);
  expect(alice.troubles).toEqual([]);
});

it("shows how far a bundle is sent, lets it be cancelled, and tells of a line that broke", async () => {
  const { page } = alice;
  const file = join(files, "futago-0.8.0.raucb");
  writeBundle(file, FACTS, BUNDLE_BYTES);
  const line = await page.context().newCDPSession(page);
  const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: SLOW_BYTES_PER_SECOND };
  await line.send("Network.emulateNetworkConditions", slow);
  await send(alice, file);
  await card(alice)
    .getByText(/of 24 MB, .*B\/s, about .* left/)
    .waitFor();
  await card(alice).getByRole("button", { name: "Cancel sending" }).click();
  await page.getByText("Sending was cancelled. Nothing was changed.").waitFor();
  await card(alice).getByRole("button", { name: "Update this box" }).click();
  await card(alice)
    .getByText(/of 24 MB, .*B\/s, about/)
    .waitFor();
  for (const { pid } of rig.boxes.a.processes().filter(({ command }) => /webui\/.*main/.test(command)))
    process.kill(pid);
  await card(alice).getByText("The line broke after").waitFor();
  await line.send("Network.emulateNetworkConditions", { ...slow, uploadThroughput: -1 });
  await line.detach();
  const answer = `fetch("/healthz").then(({ status }) => status, () => 0)`;
  await until("a web process again", async () => (await page.evaluate<number>(answer)) > 0);
  expect((await alice.call("GET", "update")).body).toMatchObject({ version: "0.7.0", isWorking: false, steps: [] });
}, 120_000);

it("follows the box through the installation into the new version, on trial", async () => {
  const { page } = alice;
  await show(alice, rig, "system");
  const file = join(files, "small-0.8.0.raucb");
  writeBundle(file, FACTS);
  await send(alice, file);
  const bar = card(alice).getByRole("progressbar", { name: "The bundle is written into the slot that does not run." });
  await bar.waitFor();
  await card(alice).locator('progress[value="40"]').waitFor();
  expect(await card(alice).innerText()).toContain("the bundle holds 0.8.0, and its signature is good");
  slots.goOn();
  await until("an end of box a", () => rig.boxes.a.processes().length === 0);
  await page.locator(".banner.bad").waitFor();
  slots.boot();
  await rig.boxes.a.powerOff();
  await rig.boxes.a.powerOn();
  await page.locator(".live.live").waitFor();
  await card(alice).locator(".version", { hasText: "0.8.0" }).waitFor();
  expect(await card(alice).innerText()).toMatch(/Slot B[\s\S]*0\.8\.0[\s\S]*on trial[\s\S]*runs/);
  await choose(alice, file);
  expect(await card(alice).getByRole("button", { name: "Update this box" }).isDisabled()).toBe(true);
  await card(alice).getByText("the version that runs has to be found good first").first().waitFor();
  expect(alice.troubles).toEqual([]);
}, 120_000);

const STEP = { at: "2026-12-24T08:00:00.000Z", sentence: "box b has it whole, and starts anew from it, on trial" };
const PAIR: PairUpdateShown = {
  id: "0123456789abcdef",
  version: "0.8.0",
  author: "alice",
  startedAt: STEP.at,
  stage: "proving",
  box: "b",
  percent: null,
  secondsLeft: 87,
  findings: ["port lan has no link"],
  steps: [STEP],
  outcome: "running",
  failure: null,
  canStop: true,
};

const SHOWN: UpdateShown = {
  version: "0.7.0",
  slots: [
    { slot: "a", isRunning: true, isFirst: true, verdict: "good", tries: 8, version: "0.7.0" },
    { slot: "b", isRunning: false, isFirst: false, verdict: "bad", tries: 0, version: null },
  ],
  proof: { state: "good", findings: [], secondsLeft: null },
  percent: null,
  steps: [],
  isWorking: false,
  failure: null,
  peer: { version: "0.8.0", proof: "soaking" },
  pair: null,
};

/** What a box tells of a pair that is being updated, in the place of this one's answer. */
async function telling(visit: Visit, pair: PairUpdateShown): Promise<() => readonly string[]> {
  const asked: string[] = [];
  const { page } = visit;
  await page.unrouteAll();
  await page.route("**/api/v1/update/stop", async (route) => {
    asked.push(route.request().method());
    await route.fulfill({ json: { message: "The update is taken back." } });
  });
  await page.route("**/api/v1/update", async (route) => {
    await route.fulfill({ json: { ...SHOWN, pair } satisfies UpdateShown });
  });
  return () => asked;
}

it("shows where a pair's update is, what speaks against it, and stops it after a question", async () => {
  const asked = await telling(alice, PAIR);
  await show(alice, rig, "system");
  const { page } = alice;
  const now = card(alice).locator("[aria-current=step]");
  await now.waitFor();
  expect((await now.innerText()).split("\n")[0]).toContain("Prove");
  const text = await card(alice).innerText();
  for (const said of ["87 s left", "port lan has no link", STEP.sentence, "begun by alice"])
    expect(text).toContain(said);
  await page.evaluate(axe.source);
  const found = await page.evaluate<AxeResults>(
    `axe.run("#update", { runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "best-practice"] } })`,
  );
  expect(found.violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
  await card(alice).getByRole("button", { name: "Stop the update" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Stop the update" }).click();
  await page.getByText("The update is taken back.").waitFor();
  expect(asked()).toEqual(["POST"]);
});

it("offers no stop once the second box is about to run it, and says how it came out", async () => {
  await telling(alice, { ...PAIR, stage: "installing", box: "a", percent: 40, secondsLeft: null, canStop: false });
  await show(alice, rig, "system");
  await card(alice).getByText("Box a writes it").waitFor();
  await card(alice).locator('progress[value="40"]').waitFor();
  expect(await card(alice).getByRole("button", { name: "Stop the update" }).count()).toBe(0);
  const failure = "0.8.0 is worse: 1 VIP does not answer any more";
  await telling(alice, { ...PAIR, stage: "over", outcome: "cameBack", failure, canStop: false, secondsLeft: null });
  await show(alice, rig, "system");
  await card(alice).getByText("The update to 0.8.0 was taken back").waitFor();
  expect(await card(alice).innerText()).toContain(failure);
});
