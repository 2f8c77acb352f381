/**
 * A page in headless Chromium, in the client's namespace: how long it takes until it can be used, from navigation with an
 * empty cache; or, with `awaited`, at what time something is on it that was not. Orders as one JSON object a line on
 * standard input; prints milliseconds, "open" once it watches, and the time by the wall clock.
 */
import { once } from "node:events";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

export interface PageOrders {
  readonly url: string;
  readonly cookie: string;
  readonly proof: string;
  readonly times: number;
  /** What is there once the page can be used. */
  readonly usable: string;
  /** What is looked for from then on, in the last page. */
  readonly awaited?: string;
}

const [line] = (await once(createInterface({ input: process.stdin }), "line")) as [string];
const { url, cookie, proof, times, usable, awaited } = JSON.parse(line) as PageOrders;
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium-headless-shell", args: ["--no-sandbox"] });
const taken: number[] = [];
for (let i = 0; i < times; i++) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  if (url.startsWith("https:")) {
    const kept = { name: "__Host-futago", value: cookie, url, secure: true, httpOnly: true };
    await context.addCookies([{ ...kept, sameSite: "Strict" }]);
  }
  await context.addInitScript((kept: string) => localStorage.setItem("futago-proof", kept), proof);
  const page = await context.newPage();
  const from = performance.now();
  await page.goto(url, { waitUntil: "commit" });
  await page.locator(usable).first().waitFor();
  taken.push(performance.now() - from);
  if (awaited !== undefined) {
    process.stdout.write("open\n");
    // The page's own clock: what drives the browser would add its way.
    const at = await page.evaluate<number>(`new Promise((resolve) => {
      const look = () => document.querySelector(${JSON.stringify(awaited)})
        ? resolve(Date.now())
        : requestAnimationFrame(look);
      look();
    })`);
    process.stdout.write(`${at}\n`);
  }
  await context.close();
}
await browser.close();
if (awaited === undefined) process.stdout.write(`${JSON.stringify(taken)}\n`);
process.exit(0);
