/** A box dies while its page is open. How long the picture takes is measured and printed; that it follows is asked. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { labDocument } from "../lab/document.ts";
import { Rig } from "./rig.ts";
import { ALICE, Visit } from "./visit.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start({ document: labDocument("default") });
});
afterAll(() => rig?.destroy());

it("the page of the dead box goes on at another address of the pair, and nobody signs in again", async () => {
  const dead = await Visit.begin(await rig.browser.visitor());
  await dead.claim(rig.url("a"), await rig.claimCode("a"));
  await dead.go("Overview");
  const other = await Visit.begin(await rig.browser.visitor());
  await other.signIn(rig.url("b"), ALICE);
  await other.go("Overview");
  const drawn = other.page.locator(".drawn-box.box-b");
  await drawn.and(other.page.locator(".role-standby")).waitFor();

  const followed = (async () => {
    await drawn.and(other.page.locator(".role-active")).waitFor();
    return performance.now();
  })();
  const cutAt = performance.now();
  await rig.boxes.a.powerOff();
  process.stdout.write(`the picture followed ${Math.round((await followed) - cutAt)} ms after the power went\n`);
  // The dead box is not gone from the picture: it is silent.
  await other.page.locator(".drawn-box.box-a.role-silent").waitFor();
  expect(other.troubles).toEqual([]);

  await dead.page.waitForURL((url) => url.hostname !== "10.1.0.2", { timeout: 60_000 });
  expect(["10.1.0.1", "10.1.0.3"]).toContain(new URL(dead.page.url()).hostname);
  await dead.page.getByText("You are on box b").first().waitFor();
  await dead.page.getByRole("navigation", { name: "Menu" }).waitFor();
  await other.end();
  await dead.end();
});
