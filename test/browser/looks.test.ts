/** The pages as some people need them: zoomed in, in the system's own colours, without motion, on paper. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pathOf } from "@futago/webui/pages/logic/routes.ts";
import { PAGES, settled, show } from "./pages.ts";
import { Rig } from "./rig.ts";
import { Visit } from "./visit.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
  const first = await Visit.begin(await rig.browser.visitor());
  await first.claim(rig.url("a"), await rig.claimCode("a"));
  await first.call("POST", "candidate/set", { path: "system.note", value: '"for the bar"' });
  await first.end();
});
afterAll(() => rig?.destroy());

describe.each([
  ["200 % on a laptop", { width: 640, height: 400 }],
  ["400 % on a laptop", { width: 320, height: 200 }],
])("zoomed to %s", (_, viewport) => {
  it("nothing is wider than the window, and the bars leave room for the page", async () => {
    const visit = await Visit.begin(await rig.browser.visitor({ viewport, reducedMotion: "reduce" }));
    await visit.enter(rig.url("a"));
    for (const page of PAGES) {
      await show(visit, rig, page);
      await visit.page.locator(".change-bar").waitFor();
      const found = await visit.page.evaluate(`({
        wider: document.documentElement.scrollWidth - innerWidth,
        staying: Array.from(document.querySelectorAll(".top-bar, .foot"), (bar) => getComputedStyle(bar).position),
      })`);
      expect(found, page).toEqual({ wider: 0, staying: ["static", "static"] });
    }
    expect(visit.troubles).toEqual([]);
    await visit.end();
  });
});

it("in the system's own colours the page that is shown and what is pressed are still marked", async () => {
  const visit = await Visit.begin(await rig.browser.visitor({ forcedColors: "active" }));
  await visit.enter(rig.url("a"));
  await show(visit, rig, "system");
  const marks =
    await visit.page.evaluate(`[".nav [aria-current=page]", ".choice [aria-pressed=true]", ".button.quiet"].map(
    (selector) => {
      const { outlineStyle, borderTopStyle, borderTopColor } = getComputedStyle(document.querySelector(selector));
      return outlineStyle === "solid" || (borderTopStyle === "solid" && borderTopColor !== "rgba(0, 0, 0, 0)");
    },
  )`);
  expect(marks).toEqual([true, true, true]);
  await visit.end();
});

it("who wants no motion sees none", async () => {
  const visit = await Visit.begin(await rig.browser.visitor({ reducedMotion: "reduce" }));
  await visit.enter(rig.url("a"));
  await show(visit, rig, "overview");
  await visit.page.locator(".drawn-box").first().waitFor();
  const moving = `Array.from(document.querySelectorAll("*"), (one) => getComputedStyle(one))
    .filter(({ animationName, transitionDuration }) => animationName !== "none" || !/^0s(, 0s)*$/.test(transitionDuration)).length`;
  expect(await visit.page.evaluate(moving)).toBe(0);
  await visit.end();
});

it("the report is printed whole, dark on white, without bars and buttons", async () => {
  await rig.boxes.a.drill(false);
  const visit = await Visit.begin(await rig.browser.visitor({ colorScheme: "dark" }));
  const { page } = visit;
  await visit.enter(rig.url("a"));
  await visit.open(rig.url("a", pathOf("pair", "report")));
  await settled(visit);
  await page.evaluate(`document.documentElement.dataset.theme = "dark"`);
  await page.emulateMedia({ media: "print" });
  const { ink, paper, ...shown } = await page.evaluate<Readonly<Record<string, unknown>>>(`({
    ink: getComputedStyle(document.querySelector("h1")).color,
    paper: getComputedStyle(document.documentElement).backgroundColor,
    bars: Array.from(document.querySelectorAll(".top-bar, .nav, .foot, main button, main a.button")).filter((one) => one.checkVisibility()).length,
    cut: Array.from(document.querySelectorAll("main .table, main pre, main code")).filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== "inline").length,
  })`);
  expect(ink).toBe("rgb(23, 32, 43)");
  expect(paper).toBe("rgb(255, 255, 255)");
  expect(shown).toEqual({ bars: 0, cut: 0 });
  expect((await page.pdf({ format: "A4" })).length).toBeGreaterThan(10_000);
  await visit.end();
});
