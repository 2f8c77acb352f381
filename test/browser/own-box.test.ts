/** The box as a machine and its certificate: what a page asks before it does, and how it goes on afterwards. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { show } from "./pages.ts";
import { pagesOf, Rig, until } from "./rig.ts";
import { ALICE, Visit } from "./visit.ts";

let rig: Rig;
let alice: Visit;
beforeAll(async () => {
  rig = await Rig.start();
  alice = await Visit.begin(await rig.browser.visitor());
  await alice.claim(rig.url("a"), await rig.claimCode("a"));
});
afterAll(() => rig?.destroy());

/** Opens the question and gives its word; the button does nothing before. */
async function order(visit: Visit, name: string): Promise<void> {
  const { page } = visit;
  await page.getByRole("button", { name, exact: true }).click();
  const dialog = page.getByRole("dialog");
  const send = dialog.getByRole("button", { name, exact: true });
  expect(await send.isDisabled()).toBe(true);
  await dialog.getByLabel("to confirm").fill("edge-x");
  expect(await send.isDisabled()).toBe(true);
  await dialog.getByLabel("to confirm").fill(visit === alice ? "edge-a" : "edge-b");
  await send.click();
}

it.each(["Reboot", "Power off"])(
  "%s wants the name of the box, and ends it",
  async (name) => {
    const visit = await Visit.begin(await rig.browser.visitor());
    // A box that has just come up does not know yet where the other one's pages are, and lets its own ask nobody there.
    await until("pages of b that may go on at a", async () => {
      const answer = await visit.page.goto(rig.url("b"));
      return answer?.headers()["content-security-policy"]?.includes(new URL(rig.url("a")).origin) === true;
    });
    await visit.signIn(rig.url("b"), ALICE);
    await show(visit, rig, "system", "b");
    await order(visit, name);
    await until("an end of box b", () => rig.boxes.b.processes().length === 0);
    await visit.end();
    await rig.boxes.b.powerOff();
    await rig.boxes.b.powerOn();
    await until("a standby", () => rig.boxes.b.feed.latest?.role === "standby");
    await pagesOf(rig.boxes.b);
    expect(visit.troubles).toEqual([]);
  },
  90_000,
);

function made(name: string): { readonly certificate: string; readonly key: string } {
  const certificate = join(rig.directory, `${name}.crt`);
  const key = join(rig.directory, `${name}.key`);
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"];
  const names = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:10.1.0.1,IP:10.1.0.2,IP:10.1.0.3"];
  execFileSync("openssl", ["req", "-x509", ...curve, ...names, "-keyout", key, "-out", certificate], {
    stdio: "ignore",
  });
  return { certificate: readFileSync(certificate, "utf8"), key: readFileSync(key, "utf8") };
}

async function upload({ page }: Visit, certificate: string, key: string): Promise<void> {
  await page.getByLabel("Certificate with its chain (PEM)").fill(certificate);
  await page.getByLabel("Private key (PEM)").fill(key);
  await page.getByRole("button", { name: "Upload", exact: true }).click();
}

it("a certificate that cannot be is told at its field, and with a good one the page goes on", async () => {
  const { page } = alice;
  const [own, other] = [made("edge.example"), made("other.example")];
  await show(alice, rig, "system");
  await page.getByText("Upload your own certificate").click();
  await upload(alice, "no certificate", own.key);
  const wrong = page.locator(".field.wrong");
  await wrong.getByText("Certificate with its chain (PEM)").waitFor();
  expect(await wrong.locator(".field-error").innerText()).toContain("PEM");
  await upload(alice, own.certificate, other.key);
  await wrong.getByText("Private key (PEM)").waitFor();
  expect(await wrong.count()).toBe(1);
  await upload(alice, own.certificate, own.key);
  await page.getByText("CN=edge.example").waitFor();
  await page.locator(".live.live").waitFor();
  // Loaded anew, by a connection that sees the new one.
  await show(alice, rig, "system");
  await page.getByText("CN=edge.example").waitFor();
  expect(alice.troubles).toEqual([]);
});

it("Factory reset wants the name of the box, and makes it one that nobody claimed", async () => {
  const visit = await Visit.begin(await rig.browser.visitor());
  await visit.signIn(rig.url("b"), ALICE);
  await show(visit, rig, "system", "b");
  await order(visit, "Factory reset");
  await until("a box b without a configuration", () => rig.boxes.b.feed.latest?.revision === "");
  expect(await rig.claimCode("b")).not.toBe("");
  await visit.end();
}, 90_000);
