/** A headless Chromium inside a host's network namespace: what it reaches is what that host reaches. */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser as Chromium, type BrowserContext, type BrowserContextOptions, chromium } from "playwright-core";
import type { Namespace } from "../netns/namespaces.ts";

/** Of Debian's package chromium-headless-shell. */
const PROGRAM = "/usr/bin/chromium-headless-shell";
/** Longer than anything that a page may take; a test that waits so long has failed. */
export const PATIENCE_MILLIS = 15_000;

export class Browser {
  readonly #chromium: Chromium;

  private constructor(started: Chromium) {
    this.#chromium = started;
  }

  static async start(host: Namespace, directory: string): Promise<Browser> {
    // It speaks over inherited descriptors, which nsenter(1) hands on.
    const entered = join(directory, "chromium");
    writeFileSync(entered, `#!/bin/sh\nexec nsenter --net=${host.path} -- ${PROGRAM} "$@"\n`);
    chmodSync(entered, 0o700);
    const started = await chromium.launch({
      executablePath: entered,
      // Everything here runs as root, and nothing comes from elsewhere.
      args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--force-color-profile=srgb"],
    });
    return new Browser(started);
  }

  /** A person's browser with an empty memory. The boxes sign their certificates themselves. */
  async visitor(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const context = await this.#chromium.newContext({ locale: "en-GB", ignoreHTTPSErrors: true, ...options });
    context.setDefaultTimeout(PATIENCE_MILLIS);
    return context;
  }

  async close(): Promise<void> {
    await this.#chromium.close();
  }
}
