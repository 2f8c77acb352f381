/** What a person does on the pages, and what went wrong there that nobody sees. */
import type { BrowserContext, Page } from "playwright-core";

export const PASSWORD = "correct horse battery staple";

export interface Person {
  readonly name: string;
  readonly password: string;
}

export const ALICE: Person = { name: "alice", password: PASSWORD };

export class Visit {
  readonly page: Page;
  /** Errors of the page's program, and whatever the policy of its contents refused. */
  readonly troubles: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on("pageerror", (error) => this.troubles.push(`error: ${error.message}`));
    page.on("console", (message) => {
      const text = message.text();
      // A request that failed because the box is away is what some tests are about.
      if (message.type() === "error" && !/Failed to load resource/.test(text)) this.troubles.push(`console: ${text}`);
    });
  }

  /** `patienceMillis`: how long each thing may take on a slow box. */
  static async begin(context: BrowserContext, patienceMillis?: number): Promise<Visit> {
    const page = await context.newPage();
    if (patienceMillis !== undefined) page.setDefaultTimeout(patienceMillis);
    return new Visit(page);
  }

  async open(url: string): Promise<void> {
    await this.page.goto(url);
  }

  /** The first account of a box that nobody claimed. */
  async claim(url: string, code: string, { name, password }: Person = ALICE): Promise<void> {
    await this.open(url);
    const { page } = this;
    await page.getByRole("heading", { name: "This box is new" }).waitFor();
    await page.getByLabel("Code from the console").fill(code);
    await page.getByLabel("Your name").fill(name);
    await page.getByLabel("New password").fill(password);
    await page.getByRole("button", { name: "Claim this box" }).click();
    await page.getByRole("navigation", { name: "Menu" }).waitFor();
  }

  async signIn(url: string, { name, password }: Person = ALICE): Promise<void> {
    await this.open(url);
    const { page } = this;
    await page.getByLabel("Name").fill(name);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("navigation", { name: "Menu" }).waitFor();
  }

  /** As {@link signIn}, whatever language the pages speak and whatever room the menu has. */
  async enter(url: string, { name, password }: Person = ALICE): Promise<void> {
    await this.open(url);
    const { page } = this;
    await page.locator('input[autocomplete="username"]').fill(name);
    await page.locator('input[autocomplete="current-password"]').fill(password);
    await page.locator('button[type="submit"]').click();
    await page.locator("nav.nav").waitFor({ state: "attached" });
  }

  /** Asks the API past the page, as whoever is signed in there. */
  async call(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly body: unknown }> {
    const wish = JSON.stringify({
      method,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return await this.page.evaluate(`(async (wish) => {
      const headers = { ...wish.headers, "futago-proof": localStorage.getItem("futago-proof") ?? "" };
      const answer = await fetch("/api/v1/${path}", { ...wish, headers });
      return { status: answer.status, body: await answer.json().catch(() => null) };
    })(${wish})`);
  }

  async end(): Promise<void> {
    await this.page.context().close();
  }

  /** By the menu, as a person goes. */
  async go(name: string): Promise<void> {
    await this.page.getByRole("navigation", { name: "Menu" }).getByRole("link", { name, exact: true }).click();
  }
}
