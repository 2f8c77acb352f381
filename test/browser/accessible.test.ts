/** What axe-core finds on every page: nothing serious, in light and in dark, on a phone and on a wide screen. */
import axe, { type AxeResults } from "axe-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Look, PAGES, show, unroll, visitor } from "./pages.ts";
import { Rig } from "./rig.ts";
import { Visit } from "./visit.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
});
afterAll(() => rig?.destroy());

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** "color-contrast (serious): #main > p", of what is serious or worse. */
async function wrong(visit: Visit): Promise<readonly string[]> {
  const { page } = visit;
  // What a bar covers at this moment a person scrolls to.
  const rollBack = await unroll(visit);
  await page.evaluate(axe.source);
  // As text: what runs in the browser has its types, which nothing else here has.
  const values = JSON.stringify(RULES);
  const results = await page.evaluate<AxeResults>(`axe.run(document, { runOnly: { type: "tag", values: ${values} } })`);
  await rollBack();
  return results.violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, impact, nodes }) => nodes.map(({ target }) => `${id} (${impact}): ${target.join(" ")}`));
}

it("to claim a box, and to sign in", async () => {
  const visit = await Visit.begin(await rig.browser.visitor());
  await visit.open(rig.url("a"));
  await visit.page.getByRole("heading", { name: "This box is new" }).waitFor();
  expect(await wrong(visit)).toEqual([]);
  await visit.claim(rig.url("a"), await rig.claimCode("a"));
  await visit.end();
  const stranger = await Visit.begin(await rig.browser.visitor({ colorScheme: "dark" }));
  await stranger.open(rig.url("a"));
  await stranger.page.getByRole("heading", { name: "Sign in" }).waitFor();
  expect(await wrong(stranger)).toEqual([]);
  await stranger.end();
});

const LOOKS: readonly Look[] = [
  { theme: "light", language: "en", size: "wide" },
  { theme: "dark", language: "en", size: "phone" },
  { theme: "dark", language: "ja", size: "wide" },
];

describe.each(LOOKS)("$theme, $language, $size", (look) => {
  let visit: Visit;
  beforeAll(async () => {
    visit = await visitor(rig, look);
  });
  afterAll(() => visit?.end());

  it.each(PAGES)("%s", async (page) => {
    await show(visit, rig, page);
    expect(await wrong(visit)).toEqual([]);
    expect(visit.troubles).toEqual([]);
    // Nothing wider than the screen: people do not scroll sideways.
    expect(await visit.page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
  });
});
