/** Words that somebody else wrote stay words, on every page: notes, comments, names that were tried, answers of backends. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { labDocument } from "../lab/document.ts";
import { ALL, CORPUS, TRACES } from "./corpus.ts";
import { PAGES, show } from "./pages.ts";
import { Rig } from "./rig.ts";
import { ALICE, Visit } from "./visit.ts";

let rig: Rig;
let visit: Visit;
beforeAll(async () => {
  rig = await Rig.start({ document: hostileDocument() });
  visit = await Visit.begin(await rig.browser.visitor());
  await visit.claim(rig.url("a"), await rig.claimCode("a"));
});
afterAll(() => rig?.destroy());

/** The lab's, with a note wherever one may be, and a backend whose answer is hostile. */
function hostileDocument(): unknown {
  const document = labDocument("calm");
  return noted({
    ...document,
    pools: [
      ...document.pools,
      {
        name: "rude",
        backends: [{ name: "r1", address: "10.2.0.11", port: 8_081 }],
        check: { type: "http", path: "/?q=<b>", expectBody: CORPUS[0], intervalMs: 1_000 },
      },
    ],
    services: [
      ...document.services,
      { name: "rude", address: "front", protocol: "tcp", port: 81, pool: "rude", mode: "nat" },
    ],
  });
}

function noted(value: unknown, path = ""): unknown {
  if (Array.isArray(value)) return value.map((one) => noted(one, path));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, one]) => [key, noted(one, key)] as const);
  // A value for each box is no object of the schema.
  const isPerBox = Object.keys(value).toSorted().join() === "a,b";
  return isPerBox ? value : { ...Object.fromEntries(entries), note: ALL };
}

/** Answers every request with the corpus in the place of the words behind the status. */
function startRudeServer(): void {
  const answer = JSON.stringify(`HTTP/1.1 500 ${CORPUS[0]}\r\ncontent-length: 0\r\n\r\n`);
  const code = `require("node:net").createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.once("data", () => socket.end(${answer}));
  }).listen(8081, "10.2.0.11")`;
  rig.topology.backends.get("s1")?.spawn([process.execPath, "-e", code], { stdio: "ignore" });
}

it("stay words on every page", async () => {
  startRudeServer();
  const { page } = visit;
  const call = (path: string, body: unknown, method = "POST") =>
    page.evaluate(
      `fetch("/api/v1/${path}", { method: "${method}", headers: { "content-type": "application/json", "futago-proof": localStorage.getItem("futago-proof") }, body: ${JSON.stringify(JSON.stringify(body))} }).then((answer) => answer.status)`,
    );
  // What is refused is told in the answer, in the log and in the audit, and is shown there.
  await call("session", { name: CORPUS[0], password: ALICE.password });
  await call("users", { name: CORPUS[1], role: "viewer", password: ALICE.password });
  await call("tokens", { name: CORPUS[2], scopes: ["read"] });
  await call("ping", { to: CORPUS[4] });
  expect(await call("candidate/set", { path: "system.note", value: JSON.stringify(CORPUS[1]) })).toBe(200);
  expect(await call("commit", { comment: ALL })).toBe(200);

  const seen: string[] = [];
  for (const name of PAGES) {
    await show(visit, rig, name);
    expect(await page.evaluate(TRACES), name).toEqual([]);
    if ((await page.evaluate<string>("document.body.innerText")).includes("pwned")) seen.push(name);
  }
  // Else nothing was looked at.
  expect(seen).toContain("history");
  expect(visit.troubles).toEqual([]);
});

it("stay words in the forms that are opened on a page", async () => {
  const { page } = visit;
  for (const name of ["services", "network", "addresses", "pair"] as const) {
    await show(visit, rig, name);
    await page
      .locator("main button")
      .filter({ hasText: /edit|settings/i })
      .first()
      .click();
    await page.getByRole("dialog").waitFor();
    expect(await page.evaluate(TRACES), name).toEqual([]);
  }
  expect(visit.troubles).toEqual([]);
});
