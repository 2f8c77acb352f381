/** The API of a whole box, over HTTPS from another host: signing in, changing, following, and what it keeps to itself. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { askSupervisor } from "@futago/firmware/cli/client.ts";
import type { BoxStatus } from "@futago/firmware/runtime/control.ts";
import { Validator } from "@seriousme/openapi-schema-validator";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createNetwork, type Namespace, type TestNetwork } from "./namespaces.ts";
import { Boxes, type RunningBox } from "./running-box.ts";
import { claim, PASSWORD, type Session, sessionOf, tokenWith, WebClient, WEB_PORT } from "./web-rig.ts";

const document = {
  system: { hostname: "edge" },
  interfaces: [
    { name: "wan", device: "eth0", addresses: ["10.1.0.2/24"] },
    { name: "lan", device: "eth1", addresses: ["10.2.0.2/24"] },
  ],
  failoverGroups: [
    {
      name: "edge",
      virtualRouters: [
        { interface: "wan", vrid: 10, name: "front", addresses: ["10.1.0.1/24"], advertisementIntervalMs: 100 },
        { interface: "lan", vrid: 11, addresses: ["10.2.0.1/24"], advertisementIntervalMs: 100 },
      ],
    },
  ],
  pools: [{ name: "web", backends: [{ name: "s1", address: "10.2.0.11", port: 80 }], check: { type: "none" } }],
  services: [{ name: "www", address: "front", protocol: "tcp", port: 80, pool: "web" }],
};

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
  box = boxes.start(host, boxes.state(), "--import", boxes.document("box.json", document), "--web", `[::]:${WEB_PORT}`);
  await box.ready();
  await box.futago("wait", "--role", "active", "--timeout", "10");
  web = new WebClient(client, "10.1.0.2");
  await vi.waitUntil(async () => (await web.ask("GET", "/healthz")).status === 200, { timeout: 10_000 });
  anna = await claim(web, box.state);
});
afterAll(async () => {
  await boxes?.destroy([host]);
  await net?.destroy();
});

const get = (path: string, headers: Readonly<Record<string, string>> = anna) =>
  web.ask("GET", `/api/v1${path}`, { headers });
const post = (path: string, body?: unknown, headers: Readonly<Record<string, string>> = anna) =>
  web.ask("POST", `/api/v1${path}`, { headers, body });

describe("a box's API", () => {
  it("tells everybody which box it is, and nobody else more", async () => {
    expect((await web.ask("GET", "/api/v1/access")).json()).toMatchObject({
      claimed: true,
      box: "alone",
      hostname: "edge",
    });
    expect((await web.ask("GET", "/healthz")).json()).toEqual({ ok: true, box: "alone", role: "active" });
    expect((await get("/status", {})).json()).toMatchObject({ status: 401, reason: "notSignedIn" });
    expect((await web.ask("GET", "/metrics")).status).toBe(401);
  });

  it("signs a person in and out, by cookie and proof together", async () => {
    const answer = await web.ask("POST", "/api/v1/session", { body: { name: "anna", password: PASSWORD } });
    const mine = sessionOf(answer);
    expect((await get("/session", mine)).json()).toMatchObject({ name: "anna", role: "admin" });
    expect((await get("/session", { cookie: mine.cookie })).status).toBe(401);
    expect((await get("/session", { ...mine, "futago-proof": anna["futago-proof"] })).status).toBe(401);
    expect((await web.ask("DELETE", "/api/v1/session", { headers: mine })).status).toBe(200);
    expect((await get("/session", mine)).status).toBe(401);
    expect((await get("/session")).status).toBe(200);
  });

  it("changes the configuration: candidate, diff, commit, confirm, roll-back", async () => {
    const { headers, json } = await get("/candidate");
    const before = json() as { revision: string; document: { pools: { backends: { weight?: number }[] }[] } };
    const changed = structuredClone(before.document);
    const [backend] = changed.pools[0]?.backends ?? [];
    if (backend !== undefined) backend.weight = 5;
    const put = (etag: string) =>
      web.ask("PUT", "/api/v1/candidate", { headers: { ...anna, "if-match": etag }, body: changed });
    const first = await put(headers["etag"] ?? "");
    expect([first.status, first.json()]).toMatchObject([200, { changes: [{ path: "pools.web.backends.s1.weight" }] }]);
    expect((await put(headers["etag"] ?? "")).json()).toMatchObject({ status: 412, reason: "changedMeanwhile" });
    expect((await get("/diff")).json()).toMatchObject({ authors: [{ author: "anna" }], problems: [] });
    const commit = (await post("/commit", { comment: "more", confirmSeconds: 60 })).json() as { revision: string };
    expect((await get("/status")).json()).toMatchObject({ unconfirmed: { revision: commit.revision, author: "anna" } });
    expect((await post("/confirm", {})).status).toBe(200);
    expect((await get("/history?limit=1")).json()).toMatchObject([{ author: "anna", comment: "more" }]);
    expect((await post("/rollback", { to: "1" })).status).toBe(200);
    expect((await get("/config")).json()).toMatchObject({ document: before.document });
  });

  it("tells place by place why a configuration cannot be", async () => {
    const wrong = { ...document, services: [{ ...document.services[0], pool: "wab" }] };
    const answer = await web.ask("PUT", "/api/v1/config", { headers: anna, body: { document: wrong } });
    expect([answer.status, answer.json()]).toMatchObject([
      422,
      { exitCode: 3, errors: [{ path: "services.www.pool" }] },
    ]);
  });

  it("lets events follow what happens, and resume", async () => {
    const following = web.follow("/api/v1/events", anna);
    await vi.waitUntil(() => following.events().some(({ event }) => event === "boxes"));
    expect(following.events()[0]?.event).toBe("status");
    await post("/maintenance", { on: true });
    const roleNow = () =>
      following
        .events()
        .filter(({ event }) => event === "status")
        .map(({ data }) => (JSON.parse(data) as BoxStatus).role)
        .at(-1);
    await vi.waitUntil(() => roleNow() === "maintenance");
    await vi.waitUntil(() => following.events().some(({ event }) => event === "happened"));
    const first = following.events().find(({ event }) => event === "happened");
    following.close();
    await post("/maintenance", { on: false });
    expect((await get("/wait?role=active&timeout=30")).json()).toEqual({ role: "active" });
    const resumed = web.follow("/api/v1/events", { ...anna, "last-event-id": first?.id ?? "" });
    await vi.waitUntil(() => resumed.events().filter(({ event }) => event === "happened").length > 0);
    expect(resumed.events().map(({ event }) => event)).not.toContain("missed");
    expect(resumed.text()).not.toContain(first?.data);
    resumed.close();
  });

  it("gives a token what its scopes say, and no more", async () => {
    const may = async (scope: string) => {
      const headers = { authorization: `Bearer ${await tokenWith(web, anna, [scope])}` };
      const codes = await Promise.all([
        web.ask("GET", "/metrics", { headers }),
        get("/status", headers),
        post("/undrain", { backend: "web/s1" }, headers),
        web.ask("DELETE", "/api/v1/candidate", { headers }),
        get("/users", headers),
      ]);
      return codes.map(({ status }) => (status === 403 ? "no" : status < 300 ? "yes" : String(status)));
    };
    expect(await may("metrics")).toEqual(["yes", "no", "no", "no", "no"]);
    expect(await may("read")).toEqual(["no", "yes", "no", "no", "no"]);
    expect(await may("operate")).toEqual(["no", "no", "yes", "no", "no"]);
    expect(await may("configure")).toEqual(["no", "no", "no", "yes", "no"]);
    expect(await may("admin")).toEqual(["no", "no", "no", "no", "yes"]);
  });

  it("ends the events of a session that somebody ends", async () => {
    const mine = sessionOf(await web.ask("POST", "/api/v1/session", { body: { name: "anna", password: PASSWORD } }));
    const following = web.follow("/api/v1/events", mine);
    await vi.waitUntil(() => following.events().length > 0);
    await web.ask("DELETE", "/api/v1/session", { headers: mine });
    await expect.poll(() => following.ended(), { timeout: 10_000 }).toBe(true);
  });

  it("keeps a box in a file, and takes it back", async () => {
    const file = await post("/backup", { passphrase: "open sesame" });
    expect([file.status, file.headers["content-type"]]).toEqual([200, "application/age"]);
    expect(file.bytes.subarray(0, 21).toString()).toBe("age-encryption.org/v1");
    const restore = (passphrase: string) =>
      web.ask("POST", "/api/v1/restore", {
        headers: {
          ...anna,
          "content-type": "application/octet-stream",
          "futago-passphrase": Buffer.from(passphrase).toString("base64"),
        },
        body: file.bytes,
      });
    expect((await restore("another")).json()).toMatchObject({ status: 409, reason: "wrongPassphrase" });
    expect((await restore("open sesame")).json()).toMatchObject({ whole: false });
  });

  it("captures into a file that tshark reads", async () => {
    const file = await post("/capture", { seconds: 1, count: 1 });
    expect([file.status, file.headers["content-type"]]).toEqual([200, "application/x-pcapng"]);
    const path = boxes.file("capture.pcapng", file.bytes);
    expect(await client.run(["tshark", "-n", "-r", path, "-T", "fields", "-e", "ip.dst"])).toMatch(/^10\.1\.0\.[12]?/);
  });

  it("describes itself, and its answers are as described", async () => {
    const openapi = await web.ask("GET", "/api/v1/openapi.json");
    const validation = await new Validator().validate(openapi.json() as Record<string, unknown>);
    expect(validation.valid).toBe(true);
    const metrics = (await web.ask("GET", "/metrics", { headers: anna })).bytes.toString();
    expect(metrics).toContain('futago_group_active{group="edge"} 1\n');
    expect(metrics).toMatch(/^# TYPE futago_service_received_bytes_total counter$/m);
  });
});

describe("the web process", () => {
  const pid = () => box.pid("web");

  it("has no right that it does not need", async () => {
    const status = readFileSync(`/proc/${pid()}/status`, "utf8");
    const line = (name: string) => new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(status)?.[1]?.trim();
    expect(line("Uid")).toMatch(/^(?!0\b)(\d+)\t\1\t\1\t\1$/);
    expect(line("Gid")).toMatch(/^(?!0\b)(\d+)\t\1\t\1\t\1$/);
    expect(line("Groups")).toBe("");
    for (const kind of ["CapInh", "CapPrm", "CapEff", "CapAmb"]) expect(line(kind)).toBe("0000000000000000");
    const words = readFileSync(`/proc/${pid()}/cmdline`, "utf8").split("\0");
    expect(words).toContain("--permission");
    expect(words.filter((word) => /^--allow-(?!fs-(read|write)=)/.test(word))).toEqual([]);
    const files = readdirSync(`/proc/${pid()}/fd`).map((fd) => readlinkSync(`/proc/${pid()}/fd/${fd}`));
    expect(files.filter((file) => file.startsWith("/") && file !== "/dev/null")).toEqual([]);
  });

  it("cannot read what the box keeps", async () => {
    const uid = /^Uid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid()}/status`, "utf8"))?.[1] ?? "";
    for (const name of ["futago.db", "configuration.json", "control.sock"]) {
      const look = ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "cat", `${box.state}/${name}`];
      expect(await host.tryRun(look)).toMatchObject({ code: 1, stdout: "" });
    }
  });

  it("is no more than 90 MB of a running box", () => {
    const rollup = readFileSync(`/proc/${pid()}/smaps_rollup`, "utf8");
    expect(Number(/^Pss:\s*(\d+) kB$/m.exec(rollup)?.[1])).toBeLessThan(90_000);
  });

  it("is started again when it is killed, and the session goes on", async () => {
    const before = pid();
    const core = box.pid("core");
    process.kill(before, "SIGKILL");
    await vi.waitUntil(() => pid() !== 0 && pid() !== before, { timeout: 20_000 });
    await vi.waitUntil(async () => (await get("/session")).status === 200, { timeout: 20_000 });
    expect(box.pid("core")).toBe(core);
    const children = (await askSupervisor(box.state))?.children;
    expect(children?.find(({ name }) => name === "web")).toMatchObject({
      pid: pid(),
      restarts: 1,
      lastEnd: "killed by SIGKILL",
    });
    expect((await box.status()).role).toBe("active");
  });

  it("waits for a port that somebody has, while the box serves", async () => {
    const taker = host.spawn(
      [
        process.execPath,
        "-e",
        `require("node:net").createServer().listen(${WEB_PORT + 1}, "::", () => console.log("has it"))`,
      ],
      { stdio: ["ignore", "pipe", "ignore"] },
    );
    await new Promise((resolve) => taker.stdout?.once("data", resolve));
    const second = boxes.start(host, boxes.state("second"), "--web", `:${WEB_PORT + 1}`);
    await second.ready();
    const alarms = async () => (await second.status()).alarms.map(({ kind }) => kind);
    await expect.poll(alarms, { timeout: 30_000 }).toContain("web-away");
    // It tried each second meanwhile.
    expect(second.stderr().match(/web-not-listening/g)).toHaveLength(1);
    taker.kill("SIGKILL");
    await expect.poll(alarms, { timeout: 10_000 }).not.toContain("web-away");
    expect(second.stderr()).toContain('"event":"web-listening"');
    const { code } = await second.stop();
    expect(code).toBe(0);
  });
});
