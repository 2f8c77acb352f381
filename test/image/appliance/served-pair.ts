/** Twins that the pages made a pair which balances, with a browser at the client's. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { Browser } from "../../browser/browser.ts";
import { takeFirstSteps } from "../../browser/first-steps.ts";
import { Visit } from "../../browser/visit.ts";
import { imageFile } from "./image.ts";
import type { Machine, MachineOptions } from "./machine.ts";
import { CARTON_ADDRESSES, Twins } from "./twins.ts";

const BOOT_MILLIS = 900_000;
const DRILL_MILLIS = 300_000;
const DRILL_LOOK_MILLIS = 3_000;
/** Emulated, and beside whatever else this machine does. */
export const PATIENCE = { timeout: 240_000, interval: 500 };

export interface Health {
  readonly ok?: boolean;
  readonly role?: string | null;
}

export class ServedPair {
  readonly twins: Twins;
  readonly #browser: Browser;
  readonly #directory: string;

  private constructor(twins: Twins, browser: Browser, directory: string) {
    this.twins = twins;
    this.#browser = browser;
    this.#directory = directory;
  }

  /** Both machines are on, out of their cartons. */
  static async start(devices: MachineOptions["devices"] = []): Promise<ServedPair> {
    const directory = mkdtempSync(join(tmpdir(), "futago-twins-"));
    const twins = await Twins.make({ image: imageFile(), directory, devices });
    const browser = await Browser.start(twins.client, directory);
    for (const machine of [twins.a, twins.b]) await machine.start();
    return new ServedPair(twins, browser, directory);
  }

  /** As a new user does it, with the codes of the serial lines; then both boxes' pages are open. */
  async makeByPages(): Promise<{ readonly a: Visit; readonly b: Visit }> {
    const { twins } = this;
    const codes = { a: await claimCode(twins.a), b: await claimCode(twins.b) };
    for (const box of ["a", "b"] as const)
      await expect.poll(async () => (await this.health(box)).ok, PATIENCE).toBe(true);
    const visit = async () => await Visit.begin(await this.#browser.visitor(), PATIENCE.timeout);
    const [a, b] = [await visit(), await visit()];
    await takeFirstSteps({
      a,
      b,
      urls: { a: `https://${CARTON_ADDRESSES.a}/`, b: `https://${CARTON_ADDRESSES.b}/` },
      codes,
      devices: ["port1", "port2", "port3"],
      served: () => twins.served(),
      patienceMillis: PATIENCE.timeout,
    });
    return { a, b };
  }

  /**
   * Begins a drill on the pair's page and waits for its end: the verdict, as the page words it. One that cannot be just now,
   * or came to nothing, is begun again; `troubles` are the page's words for those.
   */
  async drillByPages(visit: Visit): Promise<{ readonly verdict: string; readonly troubles: readonly string[] }> {
    const { page } = visit;
    await visit.go("Pair");
    const verdicts = page.locator("td .good-text, td .bad-text");
    const begin = page.getByRole("button", { name: "Begin the drill", exact: true });
    const troubles: string[] = [];
    const verdict = async () => {
      if ((await verdicts.count()) > 0) return (await verdicts.first().innerText()).trim();
      troubles.push(...(await page.locator(".trouble, p.bad-text").allInnerTexts()));
      if ((await begin.isVisible()) && (await begin.isEnabled())) await begin.click();
      return "";
    };
    await expect.poll(verdict, { timeout: DRILL_MILLIS, interval: DRILL_LOOK_MILLIS }).not.toBe("");
    return { verdict: await verdict(), troubles };
  }

  /** An open page asks its box all the time, over TLS, which takes an emulated processor from what is measured. */
  async leavePages(): Promise<void> {
    await this.#browser.close();
  }

  /** What a box says of itself to anybody; nothing where it does not answer. */
  async health(box: "a" | "b"): Promise<Health> {
    const url = `https://${CARTON_ADDRESSES[box]}/healthz`;
    const { stdout } = await this.twins.client.tryRun(["curl", "-sk", "-m", "5", url]);
    return stdout === "" ? {} : (JSON.parse(stdout) as Health);
  }

  /** Of a and b, as they say themselves. */
  async roles(): Promise<readonly (string | null | undefined)[]> {
    return [(await this.health("a")).role, (await this.health("b")).role];
  }

  /** Once one box is active and the other its standby. */
  async byRole(): Promise<{ readonly active: "a" | "b"; readonly standby: "a" | "b" }> {
    await expect.poll(() => this.roles(), PATIENCE).toEqual(expect.arrayContaining(["active", "standby"]));
    return (await this.roles())[0] === "active" ? { active: "a", standby: "b" } : { active: "b", standby: "a" };
  }

  async destroy(): Promise<void> {
    await this.#browser.close();
    await this.twins.destroy();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** As a person reads it off the serial line. */
async function claimCode({ serial }: Machine): Promise<string> {
  const found = await serial.expect(/Claim code\s+([0-9A-Z]{5}-[0-9A-Z]{5})/, BOOT_MILLIS);
  return found[1] ?? "";
}
