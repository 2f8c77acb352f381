/** The API under weight: many watchers, clients that never end a request, the largest document; and in a closed directory. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { largeDocument } from "./large-document.ts";
import { createNetwork, type Namespace, type TestNetwork } from "./namespaces.ts";
import { Boxes, findPid, type RunningBox } from "./running-box.ts";
import { claim, type Session, WebClient, WEB_PORT } from "./web-rig.ts";

const CONNECTIONS = 1_200;
const WATCHERS = 200;
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SLOW_CLIENT = fileURLToPath(new URL("./slow-client.ts", import.meta.url));
const document = largeDocument({ services: 3, backends: 2 }, () => ({ weights: () => 1, check: { type: "none" } }));

let net: TestNetwork;
let host: Namespace;
let client: Namespace;
let boxes: Boxes;
let box: RunningBox;
let web: WebClient;
let anna: Session;

beforeAll(async () => {
  boxes = new Boxes();
  net = await createNetwork();
  host = await net.namespace("box");
  client = await net.namespace("client");
  await net.link(host, "eth0", client, "eth0");
  await net.link(host, "eth1", client, "eth1");
  await client.ip("addr add 10.1.0.9/24 dev eth0");
  await client.ip("addr add 10.1.0.10/24 dev eth0");
  box = await start(boxes.state(), boxes.document("box.json", document));
  web = new WebClient(client, "10.1.0.2");
  await isUp(web);
  anna = await claim(web, box.state);
});
afterAll(async () => {
  await boxes?.destroy([host]);
  await net?.destroy();
});

async function start(state: string, file: string): Promise<RunningBox> {
  const started = boxes.start(host, state, "--import", file, "--web", `:${WEB_PORT}`);
  await started.ready();
  await started.futago("wait", "--role", "active", "--timeout", "10");
  return started;
}

async function isUp(asking: WebClient): Promise<void> {
  await vi.waitUntil(async () => (await asking.ask("GET", "/healthz")).status === 200, { timeout: 15_000 });
}

const get = (path: string) => web.ask("GET", `/api/v1${path}`, { headers: anna });

/** Echoes to the VIP that nobody answered. */
async function lostOf(during: () => Promise<void>): Promise<string> {
  const ping = client.spawn(["ping", "-q", "-i", "0.01", "-w", "60", "10.1.0.1"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  let said = "";
  ping.stdout?.on("data", (part: Buffer) => (said += part.toString()));
  await during();
  ping.kill("SIGINT");
  await new Promise((resolve) => ping.once("close", resolve));
  return /(\d+)% packet loss/.exec(said)?.[1] ?? said;
}

describe("the API", () => {
  it("answers while a client holds every connection that it can get, and the VIP does not notice", async () => {
    const pid = box.pid("web");
    const lost = await lostOf(async () => {
      const slow = client.spawn([process.execPath, SLOW_CLIENT, "10.1.0.2", String(WEB_PORT), String(CONNECTIONS)], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      await new Promise((resolve) => slow.stdout?.once("data", resolve));
      const codes = new Set<number>();
      for (let count = 0; count < 50; count++) codes.add((await get("/status")).status);
      expect([...codes]).toEqual([200]);
      slow.kill("SIGKILL");
    });
    expect(lost).toBe("0");
    expect(box.pid("web")).toBe(pid);
  });

  it("is followed by two hundred at once, who all hear the same", async () => {
    const following = Array.from({ length: WATCHERS }, () => web.follow("/api/v1/events", anna));
    await vi.waitUntil(() => following.every((one) => one.events().length > 2), { timeout: 30_000 });
    const lost = await lostOf(async () => {
      for (let count = 0; count < 20; count++) expect((await get("/status")).status).toBe(200);
    });
    expect(lost).toBe("0");
    await web.ask("POST", "/api/v1/drain", { headers: anna, body: { backend: "p0/s0" } });
    const isDrained = (data: string) => data.includes('"draining":true');
    await vi.waitUntil(
      () => following.every((one) => one.events().some(({ event, data }) => event === "status" && isDrained(data))),
      { timeout: 10_000 },
    );
    for (const one of following) one.close();
  });

  it("takes the largest document, and goes on", async () => {
    const large = largeDocument({ services: 1_000, backends: 100 }, () => ({
      weights: () => 1,
      check: { type: "none" },
    }));
    const pid = box.pid("web");
    const { headers } = await get("/candidate");
    const put = await web.ask("PUT", "/api/v1/candidate", {
      headers: { ...anna, "if-match": headers["etag"] ?? "" },
      body: large,
    });
    expect(put.status).toBe(200);
    expect((await get("/candidate")).bytes.length).toBeGreaterThan(5 << 20);
    expect((await web.ask("DELETE", "/api/v1/candidate?force=true", { headers: anna })).status).toBe(200);
    const refused = await web.ask("PUT", "/api/v1/config", {
      headers: anna,
      body: { document: { ...large, routes: [{ to: "nowhere", via: "10.1.0.1" }] } },
    });
    expect([refused.status, refused.json()]).toMatchObject([
      422,
      { errors: [{ path: expect.stringContaining("routes") }] },
    ]);
    expect(box.pid("web")).toBe(pid);
    expect(box.stderr()).not.toContain("web-failed");
  }, 120_000);
});

it("a box runs from a directory that root alone may enter", async () => {
  await box.stop();
  const closed = join(boxes.directory, "closed");
  mkdirSync(join(closed, "futago"), { recursive: true, mode: 0o700 });
  const script = `mount --bind "$0" "$1/futago" && exec setpriv --groups 4,27 "$1/futago/firmware/bin/futago" run --state "$2" --web ":${WEB_PORT}"`;
  const state = boxes.state("of-closed");
  const run = host.spawn(["unshare", "--mount", "sh", "-c", script, ROOT, closed, state], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  await new Promise((resolve) => run.stdout?.once("data", resolve));
  await isUp(web);
  const status = readFileSync(`/proc/${findPid(state, "webui/api/main.ts")}/status`, "utf8");
  expect(status).toMatch(/^Uid:\t(?!0\t)/m);
  expect(status).toMatch(/^Groups:\s*$/m);
  const bob = await claim(web, state);
  for (const path of ["/metrics", "/api/v1/openapi.json", "/api/v1/schema", "/api/v1/status", "/api/v1/boxes"])
    expect([path, (await web.ask("GET", path, { headers: bob })).status]).toEqual([path, 200]);
  // Whatever is wrong is told by what was loaded before, too.
  expect((await web.ask("POST", "/api/v1/ping", { headers: bob, body: { to: 1 } })).status).toBe(400);
  run.kill("SIGTERM");
  await new Promise((resolve) => run.once("exit", resolve));
});
