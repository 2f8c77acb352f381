/** Two boxes that were paired by hand: their keys are renewed, and each is let go again, by the pages. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { PairingShown } from "@futago/firmware/runtime/control-pairing.ts";
import { show } from "./pages.ts";
import { Rig, until } from "./rig.ts";
import { ALICE, Visit } from "./visit.ts";

let rig: Rig;
let a: Visit;
let b: Visit;
beforeAll(async () => {
  rig = await Rig.start({ bare: true });
  a = await Visit.begin(await rig.browser.visitor());
  b = await Visit.begin(await rig.browser.visitor());
  await a.claim(rig.url("a"), await rig.claimCode("a"));
  await b.claim(rig.url("b"), await rig.claimCode("b"), { ...ALICE, name: "bob" });
});
afterAll(() => rig?.destroy());

/** Two boxes look for each other on every cable. */
const PATIENCE = { timeout: 30_000 };

async function pairing(visit: Visit): Promise<PairingShown> {
  return (await visit.call("GET", "pair")).body as PairingShown;
}

async function press({ page }: Visit, name: string): Promise<void> {
  await page.getByRole("button", { name, exact: true }).last().click(PATIENCE);
}

it("pairs by a code, and the accounts are those of the box that invited", async () => {
  await show(a, rig, "pair", "a");
  await show(b, rig, "pair", "b");
  await press(a, "Invite the other box");
  const code = await a.page.locator(".big-code").innerText(PATIENCE);
  await b.page.getByLabel("Code that the other box shows", { exact: true }).fill(code);
  await press(b, "Join the other box");
  for (const visit of [a, b]) await press(visit, "Yes, the same");
  await a.page.getByText("Paired since").waitFor(PATIENCE);
  // The two boxes have one set of accounts from now on, that of the box which invited: bob is nobody.
  await b.page.getByText("Your session has ended").waitFor(PATIENCE);
  await b.signIn(rig.url("b", "/pair"), ALICE);
  await b.page.getByText("Paired since").waitFor(PATIENCE);
  expect((await pairing(a)).pairing?.peerFingerprint).toBe((await pairing(b)).pairing?.fingerprint);
}, 90_000);

it("new keys are made by a press, and the pages show the new fingerprints", async () => {
  const before = await pairing(a);
  await press(a, "Change the keys");
  await until("new keys on both", async () => {
    const [own, other] = [await pairing(a), await pairing(b)];
    const isNew = own.pairing?.fingerprint !== before.pairing?.fingerprint;
    return isNew && own.pairing?.rotating === false && own.pairing.fingerprint === other.pairing?.peerFingerprint;
  });
  const { pairing: now } = await pairing(a);
  expect(now?.peerFingerprint).not.toBe(before.pairing?.peerFingerprint);
  await a.page.getByText(now?.fingerprint ?? "none").waitFor(PATIENCE);
}, 60_000);

it("each box lets the other one go by a word that is typed, and says that it is alone", async () => {
  for (const visit of [a, b]) {
    const { page } = visit;
    await page.getByRole("button", { name: "Separate the boxes", exact: true }).click();
    const dialog = page.getByRole("dialog");
    const send = dialog.getByRole("button", { name: "Separate the boxes", exact: true });
    expect(await send.isDisabled()).toBe(true);
    await dialog.getByLabel("Type unpair to confirm").fill("unpair");
    await send.click();
    await page.getByText("This box is alone.").waitFor(PATIENCE);
    expect((await pairing(visit)).kind).toBe("alone");
    expect(visit.troubles).toEqual([]);
  }
}, 90_000);
