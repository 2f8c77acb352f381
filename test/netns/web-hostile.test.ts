/** What strangers, pages of other sites and broken programs do to a box's API, and what the box makes of it: nothing. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createNetwork, type Namespace, type TestNetwork } from "./namespaces.ts";
import { Boxes, type RunningBox } from "./running-box.ts";
import { type Operation, operationsOf, Random, someBody, somePath } from "./web-fuzz.ts";
import { claim, PASSWORD, type Session, tokenWith, WebClient, WEB_PORT } from "./web-rig.ts";

const document = {
  interfaces: [{ name: "wan", device: "eth0", addresses: ["10.1.0.2/24"] }],
  failoverGroups: [
    {
      name: "edge",
      virtualRouters: [
        { interface: "wan", vrid: 10, name: "front", addresses: ["10.1.0.1/24"], advertisementIntervalMs: 100 },
      ],
    },
  ],
  pools: [{ name: "web", backends: [{ name: "s1", address: "10.1.0.9", port: 80 }], check: { type: "none" } }],
  services: [{ name: "www", address: "front", protocol: "tcp", port: 80, pool: "web", mode: "one-arm" }],
};

let net: TestNetwork;
let host: Namespace;
let client: Namespace;
let boxes: Boxes;
let box: RunningBox;
let web: WebClient;
let anna: Session;
let operations: readonly Operation[];

beforeAll(async () => {
  boxes = new Boxes();
  net = await createNetwork();
  host = await net.namespace("box");
  client = await net.namespace("client");
  await net.link(host, "eth0", client, "eth0");
  await client.ip("addr add 10.1.0.9/24 dev eth0");
  box = boxes.start(
    host,
    boxes.state(),
    "--import",
    boxes.document("box.json", document),
    "--web",
    `10.1.0.2:${WEB_PORT}`,
  );
  await box.ready();
  await box.futago("wait", "--role", "active", "--timeout", "10");
  web = new WebClient(client, "10.1.0.2");
  await vi.waitUntil(async () => (await web.ask("GET", "/healthz")).status === 200, { timeout: 10_000 });
  anna = await claim(web, box.state);
  operations = operationsOf((await web.ask("GET", "/api/v1/openapi.json")).json());
});
afterAll(async () => {
  await boxes?.destroy([host]);
  await net?.destroy();
});

/** All of the box that anybody could change. Who was seen when is not. */
async function standing(): Promise<Readonly<Record<string, string>>> {
  const { role, revision, editors, unconfirmed, activation, pairing, services } = await box.status();
  const draining = services.flatMap(({ backends }) => backends.map((backend) => backend.draining));
  const access = ["users", "tokens", "certificate"].map((name) => web.ask("GET", `/api/v1/${name}`, { headers: anna }));
  const kernel = await Promise.all(
    [
      ["ip", "addr"],
      ["ip", "route", "show", "table", "all"],
      ["nft", "list", "ruleset"],
      ["ip", "-d", "link"],
    ].map(async (argv) => [
      argv.join(" "),
      (await host.run(argv)).replaceAll(/(counter packets|valid_lft|preferred_lft)[^\n]*/g, ""),
    ]),
  );
  return {
    history: (await box.futago("history", "--json")).stdout,
    candidate: (await box.futago("diff", "--json")).stdout,
    config: (await box.futago("show", "config")).stdout,
    status: JSON.stringify({ role, revision, editors, unconfirmed, activation, pairing, draining }),
    access: (await Promise.all(access)).map(({ bytes }) => bytes.toString()).join(" "),
    ...Object.fromEntries(kernel),
  };
}

describe("a stranger", () => {
  it("is refused by every route that is not for everybody", async () => {
    const open: string[] = [];
    for (const operation of operations.filter(({ scope }) => scope !== "public")) {
      const { method } = operation;
      const body = operation.body === undefined ? {} : { body: someBody(new Random(1), operation) };
      for (const headers of [{}, { authorization: "Bearer nonsense" }, { cookie: anna.cookie }]) {
        const answer = await web.ask(method, somePath(new Random(1), operation), { ...body, headers });
        if (answer.status !== 401 && answer.status !== 400 && answer.status !== 415 && answer.status !== 428)
          open.push(`${method} ${operation.path}: ${answer.status}`);
      }
    }
    expect(operations.length).toBeGreaterThan(60);
    expect(open).toEqual([]);
  });

  it("changes nothing by asking", async () => {
    expect((await box.status()).role).toBe("active");
    expect(JSON.parse((await box.futago("history", "--json")).stdout)).toHaveLength(1);
  });

  it("finds no file by any path", async () => {
    const paths = [
      "/../../../../etc/passwd",
      "/assets/../../../../etc/passwd",
      "/assets/..%2f..%2f..%2fetc%2fpasswd",
      "/%2e%2e/%2e%2e/etc/passwd",
      "/assets/%00",
      "//etc/passwd",
      "/api/v1/../../etc/passwd",
      `/assets/${"a/".repeat(300)}`,
      `/${"x".repeat(8_000)}`,
      "/package.json",
      "/webui/package.json",
      "/.git/config",
    ];
    for (const path of paths) {
      const { status, bytes, headers } = await web.ask("GET", path, { headers: { accept: "application/json" } });
      expect([path, bytes.includes("root:"), bytes.includes("futago/hal")]).toEqual([path, false, false]);
      expect([400, 404, 414, 431]).toContain(status);
      expect(headers["x-content-type-options"] ?? "nosniff").toBe("nosniff");
    }
  });
});

describe("a page of another site", () => {
  const headers = () => ({ ...anna, origin: "https://evil.example" });

  it("does nothing with the cookie that the browser sends along", async () => {
    const alone = { cookie: anna.cookie };
    expect((await web.ask("POST", "/api/v1/maintenance", { headers: alone, body: { on: true } })).status).toBe(401);
    expect((await web.ask("POST", "/api/v1/maintenance", { headers: headers(), body: { on: true } })).status).toBe(403);
    const form = { ...anna, "content-type": "application/x-www-form-urlencoded" };
    expect((await web.ask("POST", "/api/v1/maintenance", { headers: form, body: Buffer.from("on=true") })).status).toBe(
      415,
    );
    expect((await box.status()).role).toBe("active");
  });

  it("frames nothing, and reads nothing but whether the box lives", async () => {
    const page = await web.ask("GET", "/", { headers: { accept: "text/html" } });
    expect(page.headers["content-security-policy"]).toContain("frame-ancestors 'none'");
    expect(page.headers["x-frame-options"]).toBe("DENY");
    expect(page.headers["access-control-allow-origin"]).toBeUndefined();
    const health = await web.ask("GET", "/healthz", { headers: { origin: "https://10.1.0.1:8443" } });
    expect(health.headers["access-control-allow-origin"]).toBe("*");
    const status = await web.ask("GET", "/api/v1/status", { headers: anna });
    expect(status.headers["access-control-allow-origin"]).toBeUndefined();
    const preflight = await web.ask("OPTIONS", "/api/v1/status", { headers: { origin: "https://evil.example" } });
    expect([preflight.status, preflight.headers["access-control-allow-origin"]]).toEqual([403, undefined]);
  });
});

it("a crawl of all that can be read changes nothing", async () => {
  const before = await standing();
  const codes: string[] = [];
  for (const operation of operations.filter(({ method, path }) => method === "GET" && path !== "/events")) {
    const answer = await web.ask("GET", somePath(new Random(7), operation, { role: "active", service: "www" }), {
      headers: anna,
    });
    if (answer.status >= 500) codes.push(`${operation.path}: ${answer.status} ${answer.bytes.toString()}`);
  }
  for (const path of ["/", "/healthz", "/metrics", "/network"]) await web.ask("GET", path, { headers: anna });
  const following = web.follow("/api/v1/events", anna);
  await vi.waitUntil(() => following.events().length > 1);
  following.close();
  expect(codes).toEqual([]);
  expect(await standing()).toEqual(before);
});

/** They end the box, its role or the session that asks, or take longer than anybody waits. */
const ENDING = new Set([
  "/reboot",
  "/poweroff",
  "/factory-reset",
  "/events",
  "/session",
  "/capture",
  "/certificate/new",
  "/wait",
  "/maintenance",
]);
const ROUNDS = 15;

it("nonsense in every place of every request is refused, and harms neither core nor the web process", async () => {
  const pids = () => ["core", "web", "sentinel"].map((name) => box.pid(name as "core"));
  const before = pids();
  const headers = {
    authorization: `Bearer ${await tokenWith(web, anna, ["read", "operate", "configure", "admin", "metrics"])}`,
  };
  const amiss: string[] = [];
  const met = new Set<number>();
  for (let seed = 1; seed <= ROUNDS; seed++) {
    for (const operation of operations.filter(({ path }) => !ENDING.has(path) && !path.startsWith("/pair/"))) {
      const random = new Random(seed * 1_000 + operation.path.length);
      const { method, bodyMedia } = operation;
      const path = somePath(random, operation);
      const body = operation.body === undefined ? {} : { body: someBody(random, operation) };
      const type = bodyMedia === undefined ? {} : { "content-type": bodyMedia };
      const answer = await web.ask(method, path, {
        ...body,
        headers: { ...headers, ...type, "if-match": random.text() },
      });
      met.add(answer.status);
      const isJson = /json|ndjson|age|event-stream/.test(String(answer.headers["content-type"]));
      if (answer.status < 200 || answer.status >= 500 || !isJson)
        amiss.push(
          `seed ${seed} ${method} ${path}: ${answer.status} ${answer.error ?? answer.bytes.toString().slice(0, 300)}`,
        );
    }
  }
  expect(amiss).toEqual([]);
  // Some of it was right, and some was wrong in different ways.
  expect([...met]).toEqual(expect.arrayContaining([200, 400, 404, 409, 412]));
  expect(pids()).toEqual(before);
  expect((await box.status()).role).toBe("active");
  expect(box.stderr()).not.toMatch(/"event":"(web-fault|web-failed|core-failed|control-fault)"/);
});

it("neither core nor the web process starts a program, and the web process opens no file", async () => {
  const trace = boxes.file("trace.log", "");
  const calls = "trace=execve,execveat,fork,vfork,open,openat,openat2,ptrace,bind";
  const tracer = host.spawn(
    ["strace", "-f", "-qq", "-e", calls, "-o", trace, "-p", String(box.pid("web")), "-p", String(box.pid("core"))],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  await vi.waitUntil(() => /^TracerPid:\s*[1-9]/m.test(readFileSync(`/proc/${box.pid("core")}/status`, "utf8")));
  await vi.waitUntil(() => /^TracerPid:\s*[1-9]/m.test(readFileSync(`/proc/${box.pid("web")}/status`, "utf8")));
  const session = await web.ask("POST", "/api/v1/session", { body: { name: "anna", password: PASSWORD } });
  expect(session.status).toBe(200);
  for (const operation of operations.filter(({ method, path }) => method === "GET" && path !== "/events"))
    await web.ask("GET", somePath(new Random(3), operation, { role: "active" }), { headers: anna });
  for (const path of ["/", "/metrics", "/assets/x.js", "/healthz"]) await web.ask("GET", path, { headers: anna });
  for (const to of ["10.1.0.9; reboot", "$(reboot)", "10.1.0.9"])
    await web.ask("POST", "/api/v1/ping", { headers: anna, body: { to, count: 1 } });
  await web.ask("POST", "/api/v1/backup", { headers: anna, body: { passphrase: "words" } });
  await web.ask("POST", "/api/v1/candidate/set", {
    headers: anna,
    body: { path: "pools.web.note", value: "`reboot`" },
  });
  await web.ask("DELETE", "/api/v1/candidate?force=true", { headers: anna });
  const webThreads = new Set([String(box.pid("web"))]);
  tracer.kill("SIGINT");
  await new Promise((resolve) => tracer.once("exit", resolve));
  const lines = readFileSync(trace, "utf8").split("\n");
  expect(lines.filter((line) => /\b(execve|execveat|fork|vfork|ptrace)\(/.test(line))).toEqual([]);
  const ofWeb = lines.filter((line) => webThreads.has(line.split(/\s+/, 1)[0] ?? "") && /\bopen/.test(line));
  expect(ofWeb).toEqual([]);
  expect(lines.length).toBeGreaterThan(1);
});
