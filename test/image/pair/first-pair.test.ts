/**
 * Two boxes from the image, out of their cartons: claimed, paired and made to balance by the web UI, with the codes that
 * their serial lines show; then the active one loses its power, and what clients had goes on by the other.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Browser } from "../../browser/browser.ts";
import { takeFirstSteps } from "../../browser/first-steps.ts";
import { Visit } from "../../browser/visit.ts";
import { longestSilence, monotonicMicros, Prober } from "../../lab/prober.ts";
import { imageFile } from "../appliance/image.ts";
import { KeptConnections } from "../appliance/kept-connections.ts";
import type { Machine } from "../appliance/machine.ts";
import { CARTON_ADDRESSES, Twins, VIP } from "../appliance/twins.ts";

const BOOT_MILLIS = 400_000;
const PATIENCE = { timeout: 120_000, interval: 500 };
const CONNECTIONS = 20;

let directory: string;
let twins: Twins;
let browser: Browser;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "futago-twins-"));
  twins = await Twins.make({ image: imageFile(), directory });
  browser = await Browser.start(twins.client, directory);
  for (const machine of [twins.a, twins.b]) await machine.start();
});
afterAll(async () => {
  await browser?.close();
  await twins?.destroy();
  rmSync(directory, { recursive: true, force: true });
});

/** As a person reads it off the serial line. */
async function claimCode({ serial }: Machine): Promise<string> {
  const found = await serial.expect(/Claim code\s+([0-9A-Z]{5}-[0-9A-Z]{5})/, BOOT_MILLIS);
  return found[1] ?? "";
}

it("become a pair that balances, by the codes of their serial lines and the pages", async () => {
  const visitor = () => browser.visitor();
  const [codeOfA, codeOfB] = [await claimCode(twins.a), await claimCode(twins.b)];
  for (const box of ["a", "b"] as const) await expect.poll(() => isWell(CARTON_ADDRESSES[box]), PATIENCE).toBe(true);
  await takeFirstSteps({
    a: await Visit.begin(await visitor(), PATIENCE.timeout),
    b: await Visit.begin(await visitor(), PATIENCE.timeout),
    urls: { a: `https://${CARTON_ADDRESSES.a}/`, b: `https://${CARTON_ADDRESSES.b}/` },
    codes: { a: codeOfA, b: codeOfB },
    devices: ["port1", "port2", "port3"],
    served: () => twins.served(),
    // No drill: by these pages it was sometimes not over in two minutes, and why is not known; see ../RESULTS.md.
    patienceMillis: PATIENCE.timeout,
  });
  expect(await twins.served()).toMatch(/^s[123]$/);
});

it("keep the connections of clients when the active one loses its power", async () => {
  const kept = await KeptConnections.open(twins.client, VIP, CONNECTIONS);
  expect(await kept.ask()).toEqual({ answered: CONNECTIONS, ended: 0 });
  await expect.poll(roles, PATIENCE).toEqual(expect.arrayContaining(["active", "standby"]));
  const active = (await roles())[0] === "active" ? twins.a : twins.b;
  const prober = await Prober.start(twins.client, { address: VIP, ping: true });
  const cutAt = monotonicMicros();
  await active.cut();
  await expect.poll(() => twins.served(), PATIENCE).toMatch(/^s[123]$/);
  expect(await kept.ask()).toEqual({ answered: CONNECTIONS, ended: 0 });
  const silence = longestSilence(prober, cutAt, cutAt);
  await prober.stop();
  expect(silence).toBeDefined();
  process.stdout.write(`the VIP was silent for ${((silence?.micros ?? 0) / 1_000).toFixed(0)} ms, emulated\n`);
  kept.close();
});

/** Whether the web UI is reached at this address. */
async function isWell(address: string): Promise<boolean> {
  return (await health(address)).ok === true;
}

/** Of a and b, as they say themselves. */
async function roles(): Promise<readonly (string | null | undefined)[]> {
  const both = await Promise.all((["a", "b"] as const).map((box) => health(CARTON_ADDRESSES[box])));
  return both.map(({ role }) => role);
}

interface Health {
  readonly ok?: boolean;
  readonly role?: string | null;
}

async function health(address: string): Promise<Health> {
  const { stdout } = await twins.client.tryRun(["curl", "-sk", "-m", "5", `https://${address}/healthz`]);
  return stdout === "" ? {} : (JSON.parse(stdout) as Health);
}
