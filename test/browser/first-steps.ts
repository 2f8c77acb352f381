/** What a new user does on the pages of two bare boxes, until a service is balanced and a drill has tried it. */
import { expect } from "vitest";
import type { Locator } from "playwright-core";
import { ALICE, Visit } from "./visit.ts";

export interface FirstSteps {
  readonly a: Visit;
  readonly b: Visit;
  /** Where each box is before it has a configuration, and the code that its console shows. */
  readonly urls: { readonly a: string; readonly b: string };
  readonly codes: { readonly a: string; readonly b: string };
  /** Devices of wan, lan and sync, as the boxes call them. */
  readonly devices: readonly [wan: string, lan: string, sync: string];
  /** What a client gets at 10.1.0.1: the name of a server. */
  readonly served: () => Promise<string>;
  /** What the drill's card says in the end; left out, there is no drill. */
  readonly drilled?: string;
  /** How long a page may take; what a change of addresses cuts off comes back, and the page with it. */
  readonly patienceMillis: number;
}

const NAMES = ["wan", "lan", "sync"] as const;

/** The ports have the addresses 10.1.0.2 and .3, 10.2.0.2 and .3, 10.3.0.1 and .2 afterwards. */
export async function takeFirstSteps(way: FirstSteps): Promise<void> {
  const { a, b } = way;
  const on = new Pages(way.patienceMillis);
  await a.claim(way.urls.a, way.codes.a);
  await on.step(a, "Name the ports");
  for (const [index, name] of NAMES.entries()) await on.fill(a, `Name of ${way.devices[index]}`, name);
  await on.press(a, "Next");

  await on.step(a, "Give it addresses");
  await on.fill(a, "Addresses on wan", "10.1.0.2/24");
  await on.fill(a, "Addresses on lan", "10.2.0.2/24");
  await on.fill(a, "Addresses on sync", "10.3.0.1/30");
  await on.fill(a, "Default gateway (optional)", "10.1.0.254");
  await on.send(a, "Put into force", on.open(a, "Pair the two boxes"));

  await on.press(a, "Invite the other box");
  const code = await a.page.locator(".big-code").innerText(on.patience);
  await b.claim(way.urls.b, way.codes.b, { ...ALICE, name: "bob" });
  await b.go("Pair");
  await on.fill(b, "Code that the other box shows", code);
  await on.send(b, "Join the other box", b.page.getByRole("button", { name: "Yes, the same", exact: true }));
  for (const visit of [a, b]) await on.press(visit, "Yes, the same");

  for (const [index, name] of NAMES.entries())
    await on.fill(a, `Device of ${name} on the other box`, way.devices[index]);
  await a.page.getByLabel("Addresses on wan").last().fill("10.1.0.3/24");
  await a.page.getByLabel("Addresses on lan").last().fill("10.2.0.3/24");
  await a.page.getByLabel("Addresses on sync").last().fill("10.3.0.2/30");
  await on.send(a, "Configure both boxes", on.open(a, "Balance the first service"));

  await a.page.getByLabel("Where the clients are").selectOption("wan");
  await on.fill(a, "Virtual address for clients, with prefix length", "10.1.0.1/24");
  await a.page.getByLabel("How the backends are reached").selectOption("nat");
  await a.page.getByLabel("Where the backends are").selectOption("lan");
  await on.fill(a, "Virtual address as their gateway, with prefix length", "10.2.0.1/24");
  await on.fill(a, "Backends, one a line, such as 10.2.0.11:80", "10.2.0.11:80\n10.2.0.12:80\n10.2.0.13:80");
  await on.commit(a, "Balance it");

  await expect.poll(way.served, on.patience).toMatch(/^s[123]$/);
  await on.step(a, "Try a fail-over");
  if (way.drilled === undefined) return;
  await a.go("Pair");
  await on.press(a, "Begin the drill");
  await a.page.getByText(way.drilled).first().waitFor(on.patience);
  await expect.poll(way.served, on.patience).toMatch(/^s[123]$/);
}

class Pages {
  readonly patience: { readonly timeout: number };

  constructor(patienceMillis: number) {
    this.patience = { timeout: patienceMillis };
  }

  async step(visit: Visit, name: string): Promise<void> {
    await this.open(visit, name).waitFor(this.patience);
  }

  async fill({ page }: Visit, label: string, value = ""): Promise<void> {
    await page.getByLabel(label, { exact: true }).first().fill(value, this.patience);
  }

  /** A button of that name which can be pressed, the newest dialog's first. */
  async press({ page }: Visit, name: string): Promise<void> {
    const button: Locator = page.getByRole("button", { name, exact: true }).last();
    await button.click(this.patience);
  }

  /**
   * Presses until what it leads to is there. What is refused, while a slow box still takes over its part of the pair, is sent
   * again, as a person does it; the refusals are printed.
   */
  async send({ page }: Visit, name: string, leadsTo: Locator): Promise<void> {
    const button = page.getByRole("button", { name, exact: true }).last();
    await button.click(this.patience);
    const isThere = async () => {
      if (await leadsTo.isVisible()) return true;
      const refusals = await page.locator(".trouble").allInnerTexts();
      if (refusals.length > 0 && (await button.isVisible()) && (await button.isEnabled())) {
        process.stdout.write(`${name}: ${refusals.join(" ")}\n`);
        await button.click(this.patience);
      }
      return false;
    };
    await expect.poll(isThere, { ...this.patience, interval: 3_000 }).toBe(true);
  }

  async commit(visit: Visit, name: string): Promise<void> {
    const keep = visit.page.getByRole("button", { name: "Keep it", exact: true });
    await this.send(visit, name, keep);
    await this.press(visit, "Keep it");
    await keep.waitFor({ state: "detached", ...this.patience });
  }

  /** The step that is open. */
  open({ page }: Visit, name: string): Locator {
    return page.locator('li[aria-current="step"]').getByRole("heading", { name });
  }
}
