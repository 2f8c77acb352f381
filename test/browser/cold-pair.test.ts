/** A pair of which one box is a cold spare: people decide who serves, on the page. */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { labDocument } from "../lab/document.ts";
import { type Box, WEB_PORT } from "../lab/topology.ts";
import { Browser } from "./browser.ts";
import { Rig, until } from "./rig.ts";
import { show } from "./pages.ts";
import { ALICE, Visit } from "./visit.ts";

let rig: Rig;
let a: Visit;
beforeAll(async () => {
  rig = await Rig.start({ document: coldDocument() });
  a = await Visit.begin(await rig.browser.visitor());
  await a.claim(rig.url("a"), await rig.claimCode("a"));
});
afterAll(() => rig?.destroy());

/** The spare has the ports of all virtual routers shut: heartbeats go over the cable between the boxes. */
function coldDocument(): unknown {
  const lab = labDocument("calm");
  return { ...lab, pair: { standby: "cold", heartbeat: { over: ["sync"], profile: "calm" } } };
}

function roleOf(box: Box): string | undefined {
  return rig.boxes[box].feed.latest?.role;
}

/** Where the data ports are shut, whoever stands before a box comes over the cable between the boxes. */
async function before(box: Box, act: (visit: Visit) => Promise<void>): Promise<void> {
  const host = rig.topology.boxNamespace(box);
  if (host === undefined) throw new Error(`box ${box} has no power`);
  const browser = await Browser.start(host, mkdtempSync(join(rig.directory, "browser-")));
  try {
    const visit = await Visit.begin(await browser.visitor());
    await visit.signIn(`https://10.3.0.${box === "a" ? 1 : 2}:${WEB_PORT}/pair`, ALICE);
    await act(visit);
    expect(visit.troubles).toEqual([]);
  } finally {
    await browser.close();
  }
}

it("one box is released and the other activated, and the page goes on there", async () => {
  await show(a, rig, "pair");
  const { page } = a;
  await page.getByRole("button", { name: "Release this box" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("nobody serves").waitFor();
  await dialog.getByRole("button", { name: "Release this box" }).click();
  await until("two spares", () => roleOf("a") === "spare" && roleOf("b") === "spare");
  // The question does not turn into the opposite one under the hand, and goes though its answer may be lost with the port.
  expect(await dialog.getByRole("button", { name: "Activate this box" }).count()).toBe(0);
  await dialog.waitFor({ state: "detached" });
  await before("b", async (visit) => {
    await visit.page.getByRole("button", { name: "Activate this box" }).click();
    await visit.page.getByRole("dialog").getByRole("button", { name: "Activate this box" }).click();
    await until("an active box b", () => roleOf("b") === "active");
  });
  await page.waitForURL((url) => url.hostname !== "10.1.0.2", { timeout: 60_000 });
  await page.getByText("You are on box b").first().waitFor();
  expect(a.troubles).toEqual([]);
}, 120_000);

it("a spare is activated against an active box only by force", async () => {
  await before("a", async ({ page }) => {
    await page.getByRole("button", { name: "Activate this box" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Activate this box" }).click();
    const refusal = dialog.getByRole("alert");
    await refusal.waitFor();
    expect(await refusal.innerText()).toMatch(/box b is heard, and it is active/);
    expect(await refusal.innerText()).not.toMatch(/futago|--force/);
    await dialog.getByLabel("Although something speaks against it").check();
    await dialog.getByRole("button", { name: "Activate this box" }).click();
    await until("an active box a", () => roleOf("a") === "active" && roleOf("b") === "spare");
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Release this box" }).waitFor();
  });
}, 120_000);
