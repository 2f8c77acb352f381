/** The pages without a mouse: every step by Tab, Enter and the keys that people expect, with the focus to be seen. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { PAGES, show } from "./pages.ts";
import { Rig } from "./rig.ts";
import { ALICE, Visit } from "./visit.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
  const first = await Visit.begin(await rig.browser.visitor());
  await first.claim(rig.url("a"), await rig.claimCode("a"));
  await first.end();
});
afterAll(() => rig?.destroy());

const TABS_MAX = 120;

/** What has the focus: its name, whether a ring shows it, and whether a bar lies over the middle of it. */
const FOCUSED = `(() => {
  const one = document.activeElement;
  const box = one.getBoundingClientRect();
  const name = one === document.body ? "BODY" : one.getAttribute("aria-label") ?? (one.labels?.[0]?.innerText || one.innerText || one.tagName);
  const top = document.elementFromPoint(box.x + box.width / 2, Math.min(box.y + box.height / 2, innerHeight - 1));
  return {
    name: name.trim(),
    ringed: getComputedStyle(one).outlineStyle !== "none",
    covered: box.width > 1 && top !== null && !one.contains(top) && !top.contains(one) && top.closest(".foot, .top-bar") !== null,
    inDialog: one.closest("dialog") !== null,
  };
})()`;

interface Focused {
  readonly name: string;
  readonly ringed: boolean;
  readonly covered: boolean;
  readonly inDialog: boolean;
}

async function focused({ page }: Visit): Promise<Focused> {
  return await page.evaluate<Focused>(FOCUSED);
}

async function tabTo(visit: Visit, name: string): Promise<void> {
  let now: Focused | undefined;
  for (let pressed = 0; now?.name !== name; pressed++) {
    if (pressed === TABS_MAX) throw new Error(`Tab does not lead to ${name}`);
    await visit.page.keyboard.press("Tab");
    now = await focused(visit);
  }
  expect(now).toMatchObject({ ringed: true, covered: false });
}

it("signs in, changes a weight, commits and keeps it", async () => {
  const visit = await Visit.begin(await rig.browser.visitor());
  const { page } = visit;
  const { keyboard } = page;
  await visit.open(rig.url("a", "/services"));
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await tabTo(visit, "Name");
  await keyboard.type(ALICE.name);
  await tabTo(visit, "Password");
  await keyboard.type(ALICE.password);
  await keyboard.press("Enter");

  await page.getByRole("button", { name: "Edit: s2" }).waitFor();
  await tabTo(visit, "Edit: s2");
  await keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  await tabTo(visit, "Weight");
  await keyboard.press("ControlOrMeta+A");
  await keyboard.type("7");
  // Round and round: nothing behind the dialog is reached.
  for (let pressed = 0; pressed < 30; pressed++) {
    await keyboard.press("Tab");
    const now = await focused(visit);
    expect(now.name === "BODY" || now.inDialog, now.name).toBe(true);
  }
  await tabTo(visit, "Weight");
  await keyboard.press("Enter");
  await dialog.waitFor({ state: "detached" });
  expect((await focused(visit)).name).toBe("Edit: s2");

  await tabTo(visit, "Commit…");
  await keyboard.press("Enter");
  await dialog.waitFor();
  await keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  expect((await focused(visit)).name).toBe("Commit…");
  await keyboard.press("Enter");
  await dialog.waitFor();
  await tabTo(visit, "Commit to both boxes");
  await keyboard.press("Enter");
  await page.getByText("Keep this change?").waitFor();
  await dialog.waitFor({ state: "detached" });
  await tabTo(visit, "Keep it");
  await keyboard.press("Enter");
  await page.getByText("Keep this change?").waitFor({ state: "detached" });
  expect(await visit.call("GET", "status")).toMatchObject({ body: { unconfirmed: null } });
  expect(visit.troubles).toEqual([]);
  await visit.end();
});

it("what has the focus on a phone is never under a bar, with changes waiting", async () => {
  const visit = await Visit.begin(
    await rig.browser.visitor({ viewport: { width: 360, height: 740 }, reducedMotion: "reduce" }),
  );
  await visit.enter(rig.url("a"));
  await visit.call("POST", "candidate/set", { path: "system.note", value: '"for the bar"' });
  const hidden: string[] = [];
  for (const name of PAGES) {
    await show(visit, rig, name);
    await visit.page.locator(".change-bar").waitFor();
    const seen = new Set<string>();
    for (let pressed = 0; pressed < TABS_MAX; pressed++) {
      await visit.page.keyboard.press("Tab");
      const now = await focused(visit);
      if (now.name === "BODY") break;
      seen.add(now.name);
      if (now.covered || !now.ringed) hidden.push(`${name}: ${now.name}`);
    }
    expect(seen.size, name).toBeGreaterThan(5);
  }
  expect(hidden).toEqual([]);
  await visit.end();
});
