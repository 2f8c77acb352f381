/** What other people's programs do with the API: the examples of docs/api.md, and a client made from its description. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { typesOf } from "./api-types.ts";
import { createNetwork, type Namespace, type TestNetwork } from "./namespaces.ts";
import { Boxes, type RunningBox } from "./running-box.ts";
import { operationsOf } from "./web-fuzz.ts";
import { claim, tokenWith, WebClient, WEB_PORT } from "./web-rig.ts";

const document = {
  system: { hostname: "edge" },
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

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Beside the packages, and made anew each time. */
const WORK = join(ROOT, "test/netns/build", `client-${process.pid}`);
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const blocks = (text: string, language: string) =>
  Array.from(text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm")), ([, code = ""]) => code);

let net: TestNetwork;
let host: Namespace;
let client: Namespace;
let boxes: Boxes;
let box: RunningBox;
let openapi: unknown;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  boxes = new Boxes();
  net = await createNetwork();
  host = await net.namespace("box");
  client = await net.namespace("client");
  await net.link(host, "eth0", client, "eth0");
  await client.ip("addr add 10.1.0.9/24 dev eth0");
  box = boxes.start(host, boxes.state(), "--import", boxes.document("box.json", document), "--web", `:${WEB_PORT}`);
  await box.ready();
  await box.futago("wait", "--role", "active", "--timeout", "10");
  const web = new WebClient(client, "10.1.0.2");
  await vi.waitUntil(async () => (await web.ask("GET", "/healthz")).status === 200, { timeout: 10_000 });
  const anna = await claim(web, box.state);
  openapi = (await web.ask("GET", "/api/v1/openapi.json")).json();
  env = {
    ...process.env,
    BOX: `10.1.0.2:${WEB_PORT}`,
    ADMIN_TOKEN: await tokenWith(web, anna, ["admin", "operate"]),
    TOKEN: await tokenWith(web, anna, ["read", "configure"]),
  };
  mkdirSync(WORK, { recursive: true });
});
afterAll(async () => {
  rmSync(WORK, { recursive: true, force: true });
  await boxes?.destroy([host]);
  await net?.destroy();
});

describe("the examples of docs/api.md and docs/metrics.md", () => {
  it("do what they say, one after the other", async () => {
    const examples = [...blocks(read("docs/api.md"), "sh"), ...blocks(read("docs/metrics.md"), "sh")];
    expect(examples.length).toBeGreaterThan(5);
    let said = "";
    for (const example of examples) {
      // Its input is a socket, by which bash takes itself for a shell from afar, which reads the machine's own settings.
      const { code, stdout, stderr } = await client.tryRun(["bash", "--norc", "-euo", "pipefail", "-c", example], {
        cwd: WORK,
        env,
      });
      expect([code, stderr, example]).toEqual([0, "", example]);
      said += stdout;
    }
    expect(said).toContain("sha256 Fingerprint=");
    expect(said).toContain('"text":"+ pools.web.backends.s1.weight');
    expect(said).toContain("age-encryption.org/v1");
    const now = JSON.parse((await box.futago("show", "config")).stdout) as {
      pools: { backends: { weight?: number }[] }[];
    };
    expect(now.pools[0]?.backends[0]?.weight).toBe(3);
  });

  it("ask for what there is, with keys that there are", () => {
    const operations = operationsOf(openapi);
    const tasks = read("docs/api.md").split("ansible.builtin.uri:").slice(1);
    expect(tasks).toHaveLength(3);
    for (const task of tasks) {
      const [, path = ""] = /\/api\/v1(\/[\w/-]+)/.exec(task) ?? [];
      const method = /method: (\w+)/.exec(task)?.[1] ?? "GET";
      const operation = operations.find((one) => one.path === path && one.method === method);
      const keys = Array.from(/body: \{(.*)\}/.exec(task)?.[1]?.matchAll(/(?:^|,) (\w+):/g) ?? [], ([, key]) => key);
      expect(Object.keys(operation?.body?.["properties"] ?? {})).toEqual(expect.arrayContaining(keys));
      expect(operation?.path).toBe(path);
    }
  });
});

const SWITCHES =
  "--ignoreConfig --noEmit --strict --module nodenext --target es2024 --types node --skipLibCheck --allowImportingTsExtensions";
const TSC = [join(ROOT, "node_modules/.bin/tsc"), ...SWITCHES.split(" ")];

const PROGRAM = `
import createClient from "openapi-fetch";
import type { paths } from "./types.ts";
const client = createClient<paths>({
  baseUrl: \`https://\${process.env["BOX"]}/api/v1\`,
  headers: { authorization: \`Bearer \${process.env["TOKEN"]}\` },
});
const status = await client.GET("/status", { params: { query: { services: ["www"] } } });
const trace = await client.GET("/trace", { params: { query: { client: "10.1.0.9", clientPort: 40000, service: "www" } } });
const set = await client.POST("/candidate/set", { body: { path: "pools.web.backends.s1.weight", value: "7" } });
const refused = await client.POST("/users", { body: { name: "bob", role: "viewer", password: "x" } });
const gone = await client.DELETE("/candidate", { params: { query: { force: true } } });
console.log(
  JSON.stringify({
    role: status.data?.role satisfies string | undefined,
    services: status.data?.services.map(({ name, backends }) => [name, backends[0]?.weight]),
    step: trace.data?.steps[0]?.step,
    change: set.data?.changes[0]?.path,
    reason: refused.error?.reason,
    message: gone.data?.message,
  }),
);
`;

describe("a client made from the OpenAPI document", () => {
  const node = process.execPath;

  it("compiles, and works", async () => {
    writeFileSync(join(WORK, "types.ts"), typesOf(openapi));
    writeFileSync(join(WORK, "client.ts"), PROGRAM);
    expect(await client.tryRun([...TSC, "client.ts"], { cwd: WORK })).toEqual({ code: 0, stdout: "", stderr: "" });
    const trusting = { ...env, NODE_EXTRA_CA_CERTS: join(WORK, "box.pem") };
    const { code, stdout, stderr } = await client.tryRun([node, "client.ts"], { cwd: WORK, env: trusting });
    expect([code, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toEqual({
      role: "active",
      services: [["www", 3]],
      step: "vip",
      change: "pools.web.backends.s1.weight",
      reason: "notAllowed",
      message: "The candidate is discarded.",
    });
  });

  it("does not compile where it asks for what there is not", async () => {
    writeFileSync(join(WORK, "wrong.ts"), PROGRAM.replace('value: "7"', "value: 7").replace('"/trace"', '"/trase"'));
    const { code, stdout } = await client.tryRun([...TSC, "wrong.ts"], { cwd: WORK });
    expect(code).not.toBe(0);
    expect(stdout).toContain("'number' is not assignable to type 'string'");
    expect(stdout).toContain("/trase");
  });
});
