import { afterAll, beforeAll, expect, it } from "vitest";
import { Rig } from "./rig.ts";
import { Visit } from "./visit.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
});
afterAll(() => rig?.destroy());

it("a box that nobody claimed asks for the code of its console, then shows both boxes", async () => {
  const visit = await Visit.begin(await rig.browser.visitor());
  await visit.claim(rig.url("a"), await rig.claimCode("a"));
  await visit.go("Overview");
  const { page } = visit;
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await page.getByText("edge-a").first().waitFor();
  await page.getByText("edge-b").first().waitFor();
  await page.getByText("The pair would survive the next failure.").first().waitFor();
  expect(visit.troubles).toEqual([]);
  await page.context().close();
});

it("whoever has an account signs in on the other box too, and by the virtual address", async () => {
  for (const where of ["b", "vip"] as const) {
    const visit = await Visit.begin(await rig.browser.visitor());
    await visit.signIn(rig.url(where));
    await visit.page
      .getByText(where === "b" ? "You are on box b" : "You are on box a")
      .first()
      .waitFor();
    expect(visit.troubles).toEqual([]);
    await visit.page.context().close();
  }
});
