/** Changes of the configuration on the pages: refused at their field, kept by somebody, taken back by themselves. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { ask } from "@futago/firmware/cli/client.ts";
import { labDocument } from "../lab/document.ts";
import { DEVICES } from "../lab/topology.ts";
import { show } from "./pages.ts";
import { Rig } from "./rig.ts";
import { ALICE, PASSWORD, type Person, Visit } from "./visit.ts";

const OPERATOR: Person = { name: "otto", password: PASSWORD };
/** What a change of addresses cuts off comes back, and the page with it. */
const PATIENCE = { timeout: 40_000 };

let rig: Rig;
let alice: Visit;
beforeAll(async () => {
  rig = await Rig.start();
  alice = await Visit.begin(await rig.browser.visitor());
  await alice.claim(rig.url("a"), await rig.claimCode("a"));
  expect((await alice.call("POST", "users", { ...OPERATOR, role: "operator" })).status).toBe(200);
});
afterAll(() => rig?.destroy());

it("a wrong value is told at its field, and the right one goes among the changes", async () => {
  const { page } = alice;
  await show(alice, rig, "services");
  await page.getByRole("button", { name: "Edit: s2" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Weight", { exact: true }).fill("9999");
  await dialog.getByRole("button", { name: "Add to the changes" }).click();
  const field = dialog.locator(".field.wrong");
  await field.getByText("Weight", { exact: true }).waitFor();
  await field.locator(".field-error").getByText("9999").waitFor();
  expect(await field.locator("input").getAttribute("aria-invalid")).toBe("true");
  await dialog.getByLabel("Weight", { exact: true }).fill("3");
  await dialog.getByRole("button", { name: "Add to the changes" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.getByText("1 change", { exact: true }).waitFor();
  expect((await alice.call("DELETE", "candidate")).status).toBe(200);
});

it("what somebody else committed is kept only by whoever says so", async () => {
  const otto = await Visit.begin(await rig.browser.visitor());
  await otto.signIn(rig.url("a"), OPERATOR);
  await otto.call("POST", "candidate/set", { path: "system.note", value: '"of otto"' });
  expect((await otto.call("POST", "commit", { confirmSeconds: 300 })).status).toBe(200);
  const { page } = alice;
  await page.getByText("otto committed a change.").waitFor();
  await page.getByRole("button", { name: "Keep it although otto committed it" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Keep it although otto committed it" }).click();
  await page.getByText("otto committed a change.").waitFor({ state: "detached" });
  expect(await alice.call("GET", "status")).toMatchObject({ body: { unconfirmed: null } });
  await otto.end();
});

it("a change that came and went while the page heard nothing is told once the page is back", async () => {
  const { page } = alice;
  const { state } = rig.boxes.a;
  const { client } = rig.topology;
  await client.ip(`link set ${DEVICES.wan} down`);
  await page.locator(".banner.bad", { hasText: "Connection lost" }).waitFor(PATIENCE);
  await ask(state, "set", { path: "system.note", value: '"not for long"', author: "root" });
  await ask(state, "commit", { author: "root", confirmSeconds: 10 });
  const newest = async () => await ask(state, "history", { limit: 1 });
  await expect.poll(newest, PATIENCE).toMatchObject([{ author: "futago" }]);
  await client.ip(`link set ${DEVICES.wan} up`);
  await page.getByText("The change was rolled back.").waitFor(PATIENCE);
  await page.locator(".banner.bad").waitFor({ state: "detached", ...PATIENCE });
}, 90_000);

it("a roll-back that the page learns of by an answer from before it is told once", async () => {
  const { page } = alice;
  const { state } = rig.boxes.a;
  await page.getByText("The change was rolled back.").waitFor({ state: "detached", ...PATIENCE });
  let asked = 0;
  const { promise: isBack, resolve: letThrough } = Promise.withResolvers<void>();
  await page.route("**/api/v1/history*", async (route) => {
    asked += 1;
    await isBack;
    await route.continue();
  });
  await ask(state, "set", { path: "system.note", value: '"not for long either"', author: "root" });
  await ask(state, "commit", { author: "root", confirmSeconds: 10 });
  await expect.poll(() => asked, PATIENCE).toBe(1);
  const newest = async () => await ask(state, "history", { limit: 1 });
  await expect.poll(newest, PATIENCE).toMatchObject([{ author: "futago" }]);
  await expect.poll(() => asked, PATIENCE).toBe(2);
  letThrough();
  const told = page.getByText("The change was rolled back.");
  await told.waitFor(PATIENCE);
  await page.unroute("**/api/v1/history*");
  await told.waitFor({ state: "detached", ...PATIENCE });
  // A line that is there again is when the page looks once more.
  const { client } = rig.topology;
  await client.ip(`link set ${DEVICES.wan} down`);
  await page.locator(".banner.bad", { hasText: "Connection lost" }).waitFor(PATIENCE);
  await client.ip(`link set ${DEVICES.wan} up`);
  await page.locator(".banner.bad").waitFor({ state: "detached", ...PATIENCE });
  await page.waitForTimeout(1_000);
  expect(await told.count()).toBe(0);
}, 90_000);

it("a change that cuts off the page that made it is taken back, and the page comes back and says so", async () => {
  const lab = labDocument("calm");
  const moved = JSON.parse(JSON.stringify(lab).replaceAll("10.1.0.", "10.9.0.")) as typeof lab;
  const { page } = alice;
  await show(alice, rig, "overview");
  // Nothing of the pair is left where the client is.
  await page.evaluate(
    `fetch("/api/v1/config", { method: "PUT", headers: { "content-type": "application/json", "futago-proof": localStorage.getItem("futago-proof") }, body: ${JSON.stringify(JSON.stringify({ document: moved, confirmSeconds: 10 }))} }).catch(() => undefined); undefined`,
  );
  await page.locator(".banner.bad", { hasText: "Connection lost" }).waitFor(PATIENCE);
  await page.getByText("The change was rolled back.").waitFor(PATIENCE);
  await page.locator(".banner.bad").waitFor({ state: "detached", ...PATIENCE });
  expect(await alice.call("GET", "status")).toMatchObject({ body: { unconfirmed: null } });
  expect(alice.troubles).toEqual([]);
}, 90_000);

it("a session that was ended elsewhere asks to sign in again and says why", async () => {
  const other = await Visit.begin(await rig.browser.visitor());
  await other.signIn(rig.url("a"), ALICE);
  const { body } = await other.call("GET", "sessions");
  for (const { id, own } of body as readonly { id: string; own: boolean }[])
    if (!own) await other.call("DELETE", `sessions/${id}`);
  await alice.page.getByText("Your session has ended").waitFor();
  await alice.page.getByRole("heading", { name: "Sign in" }).waitFor();
  expect(await alice.page.locator(".field.wrong").count()).toBe(0);
  await other.end();
});
