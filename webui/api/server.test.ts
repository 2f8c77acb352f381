import { createServer } from "node:http";
import { ExitCode, type Refusal, RefusalError } from "@futago/firmware/runtime/exit-code.ts";
import type { FastifyInstance, InjectOptions } from "fastify";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CoreClient } from "../client/control.ts";
import { StandInCore } from "../client/stand-in-core.test-support.ts";
import { etagOf } from "./candidate.ts";
import { sourceOf } from "./credential.ts";
import { Live } from "./live.ts";
import { ROUTES } from "./routes.ts";
import { buildServer } from "./server.ts";

let core: StandInCore;
let client: CoreClient;
let live: Live;
let app: FastifyInstance;
let faults: string[] = [];
let candidate = "{}";

const status = { box: "a", role: "active", services: [{ name: "www" }] };
const who = { name: "token t", role: null, scopes: [] as string[], expiresAt: null };
const refuse = (refusal: Partial<Refusal>) => {
  throw new RefusalError({ exitCode: ExitCode.failed, what: "no", ...refusal });
};

beforeEach(async () => {
  faults = [];
  who.scopes = ["read", "configure", "admin"];
  candidate = '{"pools":[]}';
  core = new StandInCore({
    accessState: () => ({ claimed: true }),
    status: ({ credential }) => (credential === undefined ? refuse({ reason: "notSignedIn" }) : status),
    watchStatus: () => status,
    watchAccess: () => ({ claimed: true, fingerprint: "" }),
    whoAmI: () => who,
    signIn: () => ({ session: "S1", proof: "P1", user: { name: "ann", role: "admin" }, expiresAt: "2030" }),
    signOut: () => ({ message: "out" }),
    config: () => ({ revision: "r1", document: JSON.parse(candidate) as unknown }),
    edit: ({ params }) => {
      candidate = params["document"] as string;
      return { changes: [], remarks: [] };
    },
    set: () => ({ changes: [], remarks: [] }),
    commit: () =>
      refuse({ exitCode: 3, what: "bad", where: "pools", reason: "missing", also: [{ what: "worse", where: "x" }] }),
    backupSealed: () => ({
      file: Buffer.from("sealed").toString("base64"),
      revision: "0123456789abcdefff",
      letter: "a",
    }),
    restoreSealed: () => ({ revision: "r", letter: null, whole: false, remarks: [] }),
    updateUpload: () => ({ upload: 3 }),
    updateUploadPart: ({ params }) => ({ received: params["offset"] }),
    update: () => ({ message: "It is installed now." }),
    switchover: () => refuse({ exitCode: 5, what: "no peer" }),
    claim: () => refuse({ reason: "tooManyAttempts", parameters: { seconds: 7 } }),
    boxes: () => ({ boxes: [], survival: { survives: "no", reasons: [] } }),
    capture: () => ({ kind: "began", devices: [], snap: 64, hostname: "edge" }),
    ping: () => refuse({ exitCode: 2, what: "that is the box itself", reason: "notAllowed" }),
  });
  await core.listen();
  client = new CoreClient({ path: core.path });
  live = new Live({ core: client, onAccess: () => undefined });
  app = await buildServer({
    core: client,
    live,
    pages: { index: undefined, assets: new Map() },
    routes: ROUTES,
    version: "1.2.3",
    listener: (handler) => createServer(handler as never),
    origins: () => Promise.resolve(["https://10.0.0.1:8443"]),
    onFault: (route, error) => faults.push(`${route} ${String(error)}`),
    requestsMax: 40,
  });
});
afterEach(async () => {
  await app.close();
  live.close();
  client.close();
  core.close();
});

const token = { authorization: "Bearer T1" };
const api = (method: "GET" | "POST" | "PUT" | "DELETE", path: string, more: InjectOptions = {}) =>
  app.inject({ method, url: `/api/v1${path}`, ...more, headers: { ...token, ...more.headers } });

describe("a request", () => {
  it("is answered with what core said, and core is told who asks and from where", async () => {
    const answer = await api("GET", "/status?services=www");
    expect([answer.statusCode, answer.json(), answer.headers["cache-control"]]).toEqual([200, status, "no-store"]);
    expect(core.asked).toContainEqual({
      method: "status",
      params: { services: ["www"] },
      credential: { kind: "token", token: "T1" },
      from: "127.0.0.1",
    });
  });

  it("has the session's rights by cookie and proof together, never by the cookie alone", async () => {
    const cookie = { authorization: "", cookie: "a=b; __Host-futago=S1" };
    const ask = async (headers: Record<string, string>) => {
      await app.inject({ method: "GET", url: "/api/v1/status", headers });
      return core.asked.filter(({ method }) => method === "status").at(-1)?.credential;
    };
    const { authorization: _, ...plain } = cookie;
    expect(await ask(plain)).toBeUndefined();
    expect(await ask({ ...plain, "futago-proof": "P1" })).toEqual({ kind: "session", session: "S1", proof: "P1" });
    expect(await ask({ cookie: "__Host-futago=S1; __Host-futago=S2", "futago-proof": "P1" })).toBeUndefined();
    expect(await ask({ cookie: "__Host-futago=S1", "futago-proof": "P1\u00e9" })).toBeUndefined();
    expect(await ask({ ...plain, "futago-proof": "P1", authorization: "Basic eDp5" })).toBeUndefined();
  });

  it("of nobody is told to sign in", async () => {
    const answer = await app.inject({ method: "GET", url: "/api/v1/status" });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers["content-type"]).toContain("application/problem+json");
    expect(answer.json()).toMatchObject({ type: "urn:futago:problem:notSignedIn", reason: "notSignedIn", exitCode: 1 });
  });

  it.each([
    ["a page of another site", { headers: { origin: "https://evil.example", host: "edge" } }, 403, "foreignOrigin"],
    ["a page of nowhere", { headers: { origin: "null", host: "edge" } }, 403, "foreignOrigin"],
    [
      "a form",
      { headers: { "content-type": "application/x-www-form-urlencoded" }, payload: "a=1" },
      415,
      "wrongContentType",
    ],
    ["plain text", { headers: { "content-type": "text/plain" }, payload: "{}" }, 415, "wrongContentType"],
    ["no JSON", { headers: { "content-type": "application/json" }, payload: "{" }, 400, "notJson"],
    ["an unknown key", { payload: { group: "edge", x: 1 } }, 400, "unknownKey"],
    ["too much", { payload: { group: "x".repeat(80_000) } }, 413, "bodyTooLarge"],
  ])("with %s is refused before core hears of it", async (_, more, code, reason) => {
    const answer = await api("POST", "/switchover", more);
    expect([answer.statusCode, answer.json<{ reason: string }>().reason]).toEqual([code, reason]);
    expect(core.asked.map(({ method }) => method)).not.toContain("switchover");
  });

  it("of the page itself is taken", async () => {
    const answer = await api("POST", "/switchover", {
      headers: { origin: "https://edge:8443", host: "edge:8443" },
      payload: {},
    });
    expect([answer.statusCode, answer.json()]).toMatchObject([
      409,
      { reason: "peerNeeded", exitCode: 5, detail: "no peer" },
    ]);
  });

  it("tells what is wrong with a configuration place by place", async () => {
    const answer = await api("POST", "/commit", { payload: {} });
    expect(answer.statusCode).toBe(422);
    expect(answer.json()).toMatchObject({
      reason: "missing",
      errors: [
        { path: "pools", reason: "missing", detail: "bad" },
        { path: "x", detail: "worse" },
      ],
    });
  });

  it("is told when to come again", async () => {
    const answer = await api("POST", "/claim", { payload: { code: "x", name: "x", password: "x" } });
    expect([answer.statusCode, answer.headers["retry-after"]]).toEqual([429, "7"]);
    const codes: number[] = [];
    for (let count = 0; count < 41; count++) codes.push((await api("GET", "/access")).statusCode);
    expect(new Set(codes)).toEqual(new Set([200, 429]));
    expect((await api("GET", "/access")).json()).toMatchObject({ reason: "tooManyRequests" });
    expect((await app.inject("/healthz")).statusCode).toBe(200);
  });

  it("with a document that is too deep is refused as wrong, and is no fault of ours", async () => {
    const deep = `{"document":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
    const json = { "content-type": "application/json" };
    const answer = await api("PUT", "/config", { headers: json, payload: deep });
    expect([answer.statusCode, answer.json<{ reason: string }>().reason]).toEqual([400, "wrongForm"]);
    expect(faults).toEqual([]);
  });

  it("is judged alike however its path is written", async () => {
    const ask = (headers = {}) => app.inject({ url: "/%61pi/v1/access", headers });
    expect((await ask({ origin: "https://evil.example", host: "edge" })).statusCode).toBe(403);
    const codes: number[] = [];
    for (let count = 0; count < 41; count++) codes.push((await ask()).statusCode);
    expect(new Set(codes)).toEqual(new Set([200, 429]));
  });

  it("by a path that cannot be read is refused as everything is", async () => {
    const answer = await app.inject("/%zz");
    expect([answer.statusCode, answer.json<{ reason: string }>().reason]).toEqual([400, "wrongForm"]);
    expect(answer.headers["x-content-type-options"]).toBe("nosniff");
    expect(answer.body).not.toContain("zz");
  });

  it("for nothing, or by the wrong method, is told so", async () => {
    expect((await api("GET", "/nothing")).json()).toMatchObject({ status: 404, reason: "notFound" });
    const wrong = await api("DELETE", "/users");
    expect([wrong.statusCode, wrong.headers["allow"]]).toEqual([405, "GET, POST"]);
    expect((await api("GET", "/users/../../etc/passwd")).statusCode).toBe(404);
    const json = { headers: { accept: "application/json" } };
    expect((await api("GET", "/%2e%2e/%2e%2e/etc/passwd", json)).statusCode).toBe(404);
  });

  it("is refused as a box that is away while core is", async () => {
    core.die();
    await expect.poll(() => client.isUp).toBe(false);
    const answer = await api("GET", "/status");
    expect([answer.statusCode, answer.headers["retry-after"]]).toEqual([503, "1"]);
    expect((await app.inject("/healthz")).json()).toMatchObject({ ok: false, role: null });
  });
});

describe("signing in", () => {
  it("puts the session into a cookie that no script reads, and the proof into the answer", async () => {
    const answer = await api("POST", "/session", { payload: { name: "ann", password: "x" } });
    expect(answer.headers["set-cookie"]).toBe("__Host-futago=S1; Path=/; Secure; HttpOnly; SameSite=Strict");
    expect(answer.json()).toEqual({ proof: "P1", user: { name: "ann", role: "admin" }, expiresAt: "2030" });
    expect(answer.body).not.toContain("S1");
    // A session that somebody was made to bring along does not become this one.
    expect(core.asked.at(-1)).not.toHaveProperty("credential");
  });

  it("and out takes it away", async () => {
    expect((await api("DELETE", "/session")).headers["set-cookie"]).toContain("__Host-futago=; Path=/");
  });
});

describe("the candidate", () => {
  const put = (ifMatch: string | undefined, payload = '{ "pools" : [ ] }') =>
    api("PUT", "/candidate", {
      headers: { "content-type": "application/json", ...(ifMatch === undefined ? {} : { "if-match": ifMatch }) },
      payload,
    });

  it("has the hash of its text for an ETag", async () => {
    const answer = await api("GET", "/candidate");
    expect(answer.headers["etag"]).toBe(etagOf('{"pools":[]}'));
    expect(answer.json()).toEqual({ revision: "r1", document: { pools: [] } });
  });

  it("is replaced by whoever saw it as it is, to the letter, and core is told what they saw", async () => {
    const answer = await put(etagOf('{"pools":[]}'));
    expect(answer.statusCode).toBe(200);
    const edit = core.asked.find(({ method }) => method === "edit");
    expect(edit?.params).toEqual({ document: '{ "pools" : [ ] }', was: '{"pools":[]}', anyway: true, author: "" });
    expect(answer.headers["etag"]).toBe(etagOf('{"pools":[]}'));
  });

  it.each([
    [undefined, 428, "ifMatchNeeded"],
    ['"0123"', 412, "changedMeanwhile"],
  ])("is not replaced with If-Match %s", async (ifMatch, code, reason) => {
    const answer = await put(ifMatch);
    expect([answer.statusCode, answer.json<{ reason: string }>().reason]).toEqual([code, reason]);
    expect(core.asked.map(({ method }) => method)).not.toContain("edit");
  });

  it("is not even read from whoever may not replace it", async () => {
    who.scopes = ["read"];
    const answer = await put(etagOf('{"pools":[]}'), `{"a":"${"x".repeat(1 << 20)}"}`);
    expect([answer.statusCode, answer.json()]).toMatchObject([
      403,
      { reason: "notAllowed", parameters: { scope: "configure" } },
    ]);
    expect(core.asked.map(({ method }) => method)).not.toContain("config");
  });

  it("is changed in one place with If-Match or without", async () => {
    const set = (headers: Record<string, string>) =>
      api("POST", "/candidate/set", { headers, payload: { path: "a", value: "1" } });
    expect((await set({})).statusCode).toBe(200);
    expect((await set({ "if-match": '"x"' })).statusCode).toBe(412);
    expect((await set({ "if-match": `"x", ${etagOf('{"pools":[]}')}` })).statusCode).toBe(200);
  });
});

describe("files and streams", () => {
  it("carry a sealed backup out, and back in", async () => {
    const out = await api("POST", "/backup", { payload: { passphrase: "words" } });
    expect([out.body, out.headers["content-disposition"]]).toEqual([
      "sealed",
      'attachment; filename="futago-a-0123456789abcdef.age"',
    ]);
    const headers = {
      "content-type": "application/octet-stream",
      "futago-passphrase": Buffer.from("wörds").toString("base64"),
      "futago-options": '{"map":{"eth0":"eth1"}}',
    };
    expect((await api("POST", "/restore", { headers, payload: Buffer.from("sealed") })).statusCode).toBe(200);
    expect(core.asked.at(-1)?.params).toEqual({
      file: Buffer.from("sealed").toString("base64"),
      passphrase: "wörds",
      map: { eth0: "eth1" },
      force: false,
      author: "",
    });
    const json = { ...headers, "content-type": "application/json" };
    expect((await api("POST", "/restore", { headers: json, payload: "{}" })).statusCode).toBe(415);
    const wrong = { ...headers, "futago-options": '{"replace":true}' };
    expect((await api("POST", "/restore", { headers: wrong, payload: Buffer.from("x") })).statusCode).toBe(400);
  });

  it("pass a bundle on to core in pieces, in order and whole", async () => {
    const bundle = Buffer.alloc(600_000, "futago ");
    const headers = { "content-type": "application/octet-stream" };
    const answer = await api("POST", "/update?force=true", { headers, payload: bundle });
    expect([answer.statusCode, answer.json()]).toEqual([200, { message: "It is installed now." }]);
    const of = (method: string) => core.asked.filter((one) => one.method === method).map(({ params }) => params);
    expect(of("updateUpload")).toEqual([{ length: 600_000 }]);
    const parts = of("updateUploadPart").map(({ offset, bytes, upload }) => {
      expect(upload).toBe(3);
      return { offset: Number(offset), bytes: Buffer.from(String(bytes), "base64") };
    });
    expect(parts.length).toBeGreaterThan(0);
    let whole = 0;
    for (const { offset, bytes } of parts) {
      expect(offset).toBe(whole);
      whole += bytes.length;
    }
    expect(Buffer.concat(parts.map(({ bytes }) => bytes)).equals(bundle)).toBe(true);
    expect(of("update")).toEqual([{ upload: 3, force: true, thisBox: false, author: "" }]);
  });

  it("make a capture a pcapng file, and end with core's end", async () => {
    const asking = api("POST", "/capture", { payload: { count: 1 } });
    await expect.poll(() => core.watchers("capture")).toBe(1);
    const frame = {
      atNanos: "1",
      device: "eth0",
      direction: "in",
      stage: "came",
      length: 4,
      bytes: "AAAAAA==",
      comment: "",
    };
    core.publish("capture", { kind: "frames", frames: [frame] });
    core.publish("capture", { kind: "ended", packets: 1, lost: 0 });
    const { rawPayload, headers } = await asking;
    expect(headers["content-type"]).toBe("application/x-pcapng");
    expect(rawPayload.readUInt32LE(0)).toBe(0x0a0d0d0a);
    await expect.poll(() => core.watchers("capture")).toBe(0);
  });

  it("are refused as a problem when core refuses them", async () => {
    const answer = await api("POST", "/ping", { payload: { to: "127.0.0.1" } });
    expect([answer.statusCode, answer.json()]).toMatchObject([403, { reason: "notAllowed" }]);
  });
});

describe("what core is not asked for", () => {
  it("is shown only to whom core knows with that right", async () => {
    expect((await app.inject({ url: "/metrics", headers: token })).statusCode).toBe(403);
    expect((await api("GET", "/schema")).json()).toMatchObject({ type: "object" });
    who.scopes = ["metrics"];
    const metrics = await app.inject({ url: "/metrics", headers: token });
    expect((await api("GET", "/schema")).statusCode).toBe(403);
    expect(metrics.statusCode).not.toBe(403);
  });

  it("is the page, with a policy that names where the pair is", async () => {
    const answer = await app.inject({ url: "/services/www", headers: { accept: "text/html" } });
    expect([answer.statusCode, answer.body]).toEqual([503, expect.stringContaining("./build.sh setup")]);
    const policy = answer.headers["content-security-policy"];
    expect(policy).toContain("connect-src 'self' https://10.0.0.1:8443;");
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; .*trusted-types 'none'$/);
    expect((await app.inject({ url: "/favicon.ico", headers: { accept: "image/*" } })).statusCode).toBe(404);
  });

  it("is waited for", async () => {
    expect((await api("GET", "/wait?role=active")).json()).toEqual({ role: "active" });
    const waiting = api("GET", "/wait?role=standby&timeout=60");
    await expect.poll(() => core.asked.filter(({ method }) => method === "status").length).toBe(2);
    core.publish("watchStatus", { ...status, role: "standby" });
    expect((await waiting).json()).toEqual({ role: "standby" });
  });
});

it.each([
  ["10.0.0.1", "10.0.0.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
  ["2001:db8::6", "2001:db8:0:0"],
  ["::1", "0:0:0:0"],
  ["fe80::1", "fe80:0:0:0"],
])("requests of %s are counted as those of %s", (address, source) => {
  expect(sourceOf(address)).toBe(source);
});
