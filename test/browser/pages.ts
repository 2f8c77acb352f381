/** Every page there is, and a person who has everything to see on each. */
import type { BrowserContextOptions } from "playwright-core";
import { type Page as PageName, pages, pathOf } from "@futago/webui/pages/logic/routes.ts";
import type { Rig } from "./rig.ts";
import { ALICE, type Person, Visit } from "./visit.ts";

export const PAGES: readonly PageName[] = pages;

export interface Look {
  readonly theme: "light" | "dark";
  readonly language: "en" | "ja";
  readonly size: "phone" | "wide";
}

const SIZES: Readonly<Record<Look["size"], { readonly width: number; readonly height: number }>> = {
  phone: { width: 360, height: 740 },
  wide: { width: 1_440, height: 900 },
};

const REST_MILLIS = 250;

/** A browser that wants it so. */
export function optionsFor({ theme, language, size }: Look): BrowserContextOptions {
  return {
    colorScheme: theme,
    locale: language === "ja" ? "ja-JP" : "en-GB",
    viewport: SIZES[size],
    hasTouch: size === "phone",
    reducedMotion: "reduce",
  };
}

/** Opens a page by its address and waits until it shows what it has to show. */
export async function show(visit: Visit, rig: Rig, page: PageName, where: "a" | "b" | "vip" = "a"): Promise<void> {
  await visit.open(rig.url(where, pathOf(page)));
  await settled(visit);
}

/** The head stands, nothing is loading, and the picture of the box has come. */
export async function settled({ page }: Visit): Promise<void> {
  await page.locator("main h1").first().waitFor();
  // Each part of a page says so while its answer is on its way, and one answer may ask for the next.
  const loading = page.locator('.loading, [aria-busy="true"]');
  do await loading.first().waitFor({ state: "detached" });
  while ((await loading.count()) > 0);
  // What comes by the stream of events makes a page longer; it rests once it has been as long as now for a while.
  let [before, now] = [-1, await lengthOf(page)];
  while (before !== now) {
    await page.waitForTimeout(REST_MILLIS);
    [before, now] = [now, await lengthOf(page)];
  }
}

function lengthOf(page: Visit["page"]): Promise<number> {
  return page.evaluate<number>("document.documentElement.scrollHeight");
}

/** Makes the window as high as the page is long, so that no bar stands before anything; what is returned takes that back. */
export async function unroll({ page }: Visit): Promise<() => Promise<void>> {
  const size = page.viewportSize();
  if (size === null) return async () => undefined;
  await page.setViewportSize({ width: size.width, height: Math.max(size.height, await lengthOf(page)) });
  return () => page.setViewportSize(size);
}

/** Signs in with a browser that wants it so. */
export async function visitor(rig: Rig, look: Look, person: Person = ALICE): Promise<Visit> {
  const visit = await Visit.begin(await rig.browser.visitor(optionsFor(look)));
  await visit.enter(rig.url("a"), person);
  return visit;
}
