/**
 * A new user, two bare boxes, and nothing but the pages: from the first code to a balanced service that has survived a
 * drill. Each box has an address that somebody gave it by hand, as a box out of its carton has.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Locator } from "playwright-core";
import { Rig } from "./rig.ts";
import { ALICE, Visit } from "./visit.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start({ bare: true });
});
afterAll(() => rig?.destroy());

/** What a change of addresses cuts off comes back, and the page with it. */
const PATIENCE = { timeout: 25_000 };

it("goes from two unclaimed boxes to a balanced service and a passed drill by the pages alone", async () => {
  const a = await Visit.begin(await rig.browser.visitor());
  await a.claim(rig.url("a"), await rig.claimCode("a"));
  await step(a, "Name the ports");
  for (const [device, name] of [
    ["eth0", "wan"],
    ["eth1", "lan"],
    ["eth2", "sync"],
  ])
    await fill(a, `Name of ${device}`, name);
  await press(a, "Next");

  await step(a, "Give it addresses");
  await fill(a, "Addresses on wan", "10.1.0.2/24");
  await fill(a, "Addresses on lan", "10.2.0.2/24");
  await fill(a, "Addresses on sync", "10.3.0.1/30");
  await fill(a, "Default gateway (optional)", "10.1.0.254");
  await press(a, "Put into force");

  await step(a, "Pair the two boxes");
  await press(a, "Invite the other box");
  const code = await a.page.locator(".big-code").innerText(PATIENCE);
  const b = await Visit.begin(await rig.browser.visitor());
  await b.claim(rig.url("b"), await rig.claimCode("b"), { ...ALICE, name: "bob" });
  await b.go("Pair");
  await fill(b, "Code that the other box shows", code);
  await press(b, "Join the other box");
  for (const visit of [a, b]) await press(visit, "Yes, the same");

  await fill(a, "Device of wan on the other box", "eth0");
  await fill(a, "Device of lan on the other box", "eth1");
  await fill(a, "Device of sync on the other box", "eth2");
  await a.page.getByLabel("Addresses on wan").last().fill("10.1.0.3/24");
  await a.page.getByLabel("Addresses on lan").last().fill("10.2.0.3/24");
  await a.page.getByLabel("Addresses on sync").last().fill("10.3.0.2/30");
  await press(a, "Configure both boxes");

  await step(a, "Balance the first service");
  await a.page.getByLabel("Where the clients are").selectOption("wan");
  await fill(a, "Virtual address for clients, with prefix length", "10.1.0.1/24");
  await a.page.getByLabel("How the backends are reached").selectOption("nat");
  await a.page.getByLabel("Where the backends are").selectOption("lan");
  await fill(a, "Virtual address as their gateway, with prefix length", "10.2.0.1/24");
  await fill(a, "Backends, one a line, such as 10.2.0.11:80", "10.2.0.11:80\n10.2.0.12:80\n10.2.0.13:80");
  await press(a, "Balance it");
  await keep(a);

  await expect.poll(served, PATIENCE).toMatch(/^s[123]$/);
  await step(a, "Try a fail-over");
  await a.go("Pair");
  await press(a, "Begin the drill");
  await a.page.getByText("Passed").first().waitFor(PATIENCE);
  await expect.poll(served, PATIENCE).toMatch(/^s[123]$/);
  expect(a.troubles).toEqual([]);
}, 300_000);

/** What the client gets at the virtual address. */
async function served(): Promise<string> {
  const { stdout } = await rig.topology.client.tryRun(["curl", "-s", "-m", "2", "http://10.1.0.1/"]);
  return stdout.trim();
}

async function step({ page }: Visit, name: string): Promise<void> {
  await page.locator('li[aria-current="step"]').getByRole("heading", { name }).waitFor(PATIENCE);
}

async function fill({ page }: Visit, label: string, value = ""): Promise<void> {
  await page.getByLabel(label, { exact: true }).first().fill(value, PATIENCE);
}

/** A button of that name which can be pressed, the newest dialog's first. */
async function press({ page }: Visit, name: string): Promise<void> {
  const button: Locator = page.getByRole("button", { name, exact: true }).last();
  await button.click(PATIENCE);
}

async function keep(visit: Visit): Promise<void> {
  await press(visit, "Keep it");
  await visit.page.getByRole("button", { name: "Keep it" }).waitFor({ state: "detached", ...PATIENCE });
}
