/** What each role is offered on the pages, and that whoever goes round the pages gets no further. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PAGES, show } from "./pages.ts";
import { Rig } from "./rig.ts";
import { PASSWORD, type Person, Visit } from "./visit.ts";

const VIEWER: Person = { name: "vera", password: PASSWORD };
const OPERATOR: Person = { name: "otto", password: PASSWORD };

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
  const admin = await Visit.begin(await rig.browser.visitor());
  await admin.claim(rig.url("a"), await rig.claimCode("a"));
  expect((await admin.call("POST", "users", { ...VIEWER, role: "viewer" })).status).toBe(200);
  expect((await admin.call("POST", "users", { ...OPERATOR, role: "operator" })).status).toBe(200);
  // Something to review, which neither of the two may commit.
  expect((await admin.call("POST", "candidate/set", { path: "system.note", value: '"changed"' })).status).toBe(200);
  await admin.end();
});
afterAll(() => rig?.destroy());

/** Every button between the bars of the pages, by its name. */
async function offered(visit: Visit): Promise<readonly string[]> {
  const { page } = visit;
  const seen = new Set<string>();
  for (const name of PAGES) {
    await show(visit, rig, name);
    await page.locator(".live.live").waitFor();
    await page.locator(".change-bar").waitFor();
    for (const button of await page.locator("main button, main input[type=file], .change-bar button").all()) {
      const text = (await button.getAttribute("aria-label")) ?? (await button.innerText());
      seen.add(`${name}: ${text.trim()}`);
    }
  }
  return [...seen];
}

/** What anybody may do: look closer, choose how it looks, and change one's own password. */
const OF_EVERYBODY = [
  "overview: Review",
  "services: Review",
  "addresses: Review",
  "network: Review",
  "pair: Review",
  "history: Review",
  "history: What changed",
  ...["English", "日本語", "As the device", "Light", "Dark", "Change it", "Review"].map((name) => `system: ${name}`),
  "logs: Review",
  "diagnostics: Review",
  "start: Review",
];

describe("a viewer", () => {
  it("sees every page and is offered nothing that a viewer may not do", async () => {
    const visit = await Visit.begin(await rig.browser.visitor());
    await visit.signIn(rig.url("a"), VIEWER);
    const buttons = await offered(visit);
    expect(buttons).toContain("system: Change it");
    expect(buttons.filter((button) => !OF_EVERYBODY.includes(button))).toEqual([]);
    expect(visit.troubles).toEqual([]);
    await visit.end();
  });

  it.each([
    ["POST", "switchover", {}],
    ["POST", "maintenance", { on: true }],
    ["POST", "drain", { backend: "web/s1" }],
    ["POST", "drill", {}],
    ["POST", "ping", { to: "10.1.0.254" }],
    ["POST", "candidate/set", { path: "system.note", value: '"x"' }],
    ["POST", "commit", {}],
    ["POST", "reboot", {}],
    ["GET", "users", undefined],
    ["GET", "audit", undefined],
  ] as const)("is refused %s %s", async (method, path, body) => {
    const visit = await Visit.begin(await rig.browser.visitor());
    await visit.signIn(rig.url("a"), VIEWER);
    expect(await visit.call(method, path, body)).toMatchObject({ status: 403, body: { reason: "notAllowed" } });
    await visit.end();
  });
});

describe("an operator", () => {
  it("is offered what changes and operates the pair, and nothing of an admin's", async () => {
    const visit = await Visit.begin(await rig.browser.visitor());
    await visit.signIn(rig.url("a"), OPERATOR);
    const buttons = await offered(visit);
    expect(buttons).toEqual(expect.arrayContaining(["services: Drain", "pair: Begin the drill", "services: Commit…"]));
    const admins = /user|token|certificate|backup|restore|reboot|power|factory|pair the|unpair|keys|audit|claim/i;
    expect(buttons.filter((button) => admins.test(button.slice(button.indexOf(":"))))).toEqual([]);
    expect(visit.troubles).toEqual([]);
    await visit.end();
  });

  it.each([
    ["POST", "users", { name: "mallory", role: "admin", password: PASSWORD }],
    ["POST", "certificate/new", {}],
    ["POST", "pair/unpair", {}],
    ["POST", "factory-reset", {}],
  ] as const)("is refused %s %s", async (method, path, body) => {
    const visit = await Visit.begin(await rig.browser.visitor());
    await visit.signIn(rig.url("a"), OPERATOR);
    expect(await visit.call(method, path, body)).toMatchObject({ status: 403, body: { reason: "notAllowed" } });
    await visit.end();
  });
});
