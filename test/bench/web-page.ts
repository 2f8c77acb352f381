/**
 * How long a page takes in headless Chromium until it can be used, in the client's namespace: navigation to the drawn
 * overview, with an empty cache each time. Orders as one JSON object on standard input; prints the milliseconds.
 */
import { json } from "node:stream/consumers";
import { chromium } from "playwright-core";

export interface PageOrders {
  readonly url: string;
  readonly cookie: string;
  readonly proof: string;
  readonly times: number;
  /** What is there once the page can be used. */
  readonly usable: string;
}

const { url, cookie, proof, times, usable } = (await json(process.stdin)) as PageOrders;
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
  await context.close();
}
await browser.close();
process.stdout.write(`${JSON.stringify(taken)}\n`);
