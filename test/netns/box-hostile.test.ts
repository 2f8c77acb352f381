/**
 * Every text of the configuration against what people and strangers may write there, through a real commit on a running
 * box: it is refused in words that a terminal can bear, or it is in force and does nothing but stand there.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { itemKeys, formatPath, type Path } from "@futago/firmware/config/path.ts";
import { DocumentSchema } from "@futago/firmware/config/schema.ts";
import { isObject, own, type SchemaView } from "@futago/firmware/config/shape.ts";
import { ask } from "@futago/firmware/cli/client.ts";
import { RefusalError } from "@futago/firmware/runtime/exit-code.ts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createNetwork, type Namespace, type TestNetwork } from "./namespaces.ts";
import { Boxes, type RunningBox } from "./running-box.ts";

const timing = { intervalMs: 5_000, timeoutMs: 100 };
const pool = (name: string, port: number, check: object) => ({
  name,
  backends: [{ name: `${name}1`, address: "10.2.0.11", port }],
  check,
});
/** Every kind of thing once, so that every text of the schema has a place. */
const document = {
  system: { hostname: "edge", timezone: "UTC" },
  interfaces: [
    { name: "wan", device: "eth0", addresses: ["10.1.0.2/24"] },
    { name: "lan", device: "eth1", addresses: ["10.2.0.2/24"] },
  ],
  routes: [{ to: "default", via: "10.1.0.254" }],
  failoverGroups: [
    {
      name: "edge",
      track: [{ check: { type: "tcp", address: "10.1.0.254", port: 80, ...timing }, weight: -1 }],
      virtualRouters: [
        { interface: "wan", vrid: 10, name: "front", addresses: ["10.1.0.1/24"], advertisementIntervalMs: 100 },
        { interface: "lan", vrid: 11, addresses: ["10.2.0.1/24"], advertisementIntervalMs: 100 },
      ],
    },
  ],
  pools: [
    pool("http", 80, { type: "http", path: "/", host: "x", expectStatus: "200", expectBody: "x", ...timing }),
    pool("https", 443, { type: "https", sni: "x", ...timing }),
    pool("dns", 53, { type: "dns", query: "x", expectAnswer: "10.2.0.11", ...timing }),
    pool("tcp", 90, { type: "tcp", ...timing }),
    pool("icmp", 91, { type: "icmp", ...timing }),
    pool("none", 92, { type: "none" }),
  ],
  services: [
    { name: "www", address: "front", protocol: "tcp", port: 80, pool: "http", sorryPool: "none", allow: ["10.1.0.9"] },
  ],
  balancer: { flows: 131_072 },
};

let net: TestNetwork;
let host: Namespace;
let boxes: Boxes;
let box: RunningBox;
let mark = "";
const by = { author: "test" };

beforeAll(async () => {
  boxes = new Boxes();
  mark = join(boxes.directory, "mark");
  net = await createNetwork();
  host = await net.namespace("box");
  const other = await net.namespace("other");
  await net.link(host, "eth0", other, "eth0");
  await net.link(host, "eth1", other, "eth1");
  box = boxes.start(host, boxes.state(), "--import", boxes.document("box.json", document));
  await box.ready();
  await box.futago("wait", "--role", "active", "--timeout", "10");
});
afterAll(async () => {
  await boxes?.destroy([host]);
  await net?.destroy();
});

/** So many of them at the beginning are shell commands. A box starts no program at all: it speaks to the kernel itself. */
const COMMANDS = 10;
const hostile = (): readonly string[] =>
  [
    [`$(touch ${mark})`, `\`touch ${mark}\``, `;touch ${mark};`, `|touch ${mark}`, `&&touch ${mark}&&`],
    [
      `'; touch ${mark}; '`,
      `"; touch ${mark}; "`,
      `\ntouch ${mark}\n`,
      `/$(touch\${IFS}${mark})`,
      `/\`touch\${IFS}${mark}\``,
    ],
    ["", " ", "-rf", "--help", "../../../../etc/passwd", "/../../etc/shadow", "%s%s%n%n", "%00", "\u0000", "a\u0000b"],
    [
      "a\u001b[2Jb",
      "a\u009b2Jb",
      "a\u202eb",
      "a\r\nX-Injected: 1",
      "/ HTTP/1.1\r\nHost: evil",
      "{{7*7}}",
      "${process.exit()}",
    ],
    [
      "<script>alert(1)</script>",
      "' OR 1=1 --",
      "x'); DROP TABLE revision; --",
      "__proto__",
      "constructor",
      "toString",
    ],
    [
      "nft flush ruleset",
      "127.0.0.1",
      "::1",
      "0.0.0.0/0",
      "fe80::1%eth0",
      "0x7f.1",
      "1e999",
      "NaN",
      "null",
      "\ud800",
      "東京🎉",
    ],
    ["x".repeat(300), "a.".repeat(120), "9".repeat(5_000)],
  ].flat();

interface Place {
  readonly path: Path;
  readonly isList: boolean;
}

/** Every text of the schema, in what of the document holds it. Words of a fixed choice are texts, too. */
function* places(schema: SchemaView, value: unknown, path: Path): Generator<Place> {
  if (schema.perBox === true) return yield* places(schema.anyOf?.[0] ?? {}, value, path);
  if (schema.by !== undefined) {
    const type = isObject(value) ? own(value, schema.by) : undefined;
    const branch = schema.anyOf?.find((one) => one.properties?.["type"]?.const === type);
    return yield* places(branch ?? {}, value, path);
  }
  if (schema.type === "string") yield { path, isList: false };
  if (schema.type === "array" && schema.items?.type === "string") yield { path, isList: true };
  else if (schema.type === "array" && Array.isArray(value)) {
    const keys = itemKeys(value);
    for (const [i, item] of value.entries()) yield* places(schema.items ?? {}, item, [...path, keys[i] ?? ""]);
  }
  if (schema.type !== "object" || !isObject(value)) return;
  for (const [key, property] of Object.entries(schema.properties ?? {}))
    yield* places(property, own(value, key), [...path, key]);
}

/** Whether it was accepted; what is refused is refused as such, in words without anything that a terminal obeys. */
async function accepted(asking: Promise<unknown>): Promise<boolean> {
  try {
    await asking;
    return true;
  } catch (error) {
    if (!(error instanceof RefusalError)) throw error;
    expect([2, 3], error.message).toContain(error.refusal.exitCode);
    // oxlint-disable-next-line no-control-regex -- they are what is looked for.
    expect(error.refusal.what).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
    return false;
  }
}

const put = ({ path, isList }: Place, value: string) =>
  accepted(ask(box.state, "set", { path: formatPath(path), value: JSON.stringify(isList ? [value] : value), ...by }));
const commit = () => accepted(ask(box.state, "commit", by));

/** The programs that processes start while it lasts, as strace sees them. */
class Trace {
  readonly #strace: ChildProcess;
  readonly #file: string;

  private constructor(strace: ChildProcess, file: string) {
    this.#strace = strace;
    this.#file = file;
  }

  static async start(pids: readonly number[], file: string): Promise<Trace> {
    const targets = pids.flatMap((pid) => ["-p", String(pid)]);
    const calls = "trace=execve,execveat";
    const strace = spawn("strace", ["-f", "-e", calls, "-o", file, ...targets], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    // "strace: Process 7 attached", with how many threads.
    let told = "";
    await new Promise<void>((resolve, reject) => {
      strace.once("error", reject).once("exit", () => reject(new Error(told)));
      strace.stderr?.on("data", (chunk: Buffer) => {
        told += chunk.toString();
        if (pids.every((pid) => told.includes(`Process ${pid} attached`))) resolve();
      });
    });
    return new Trace(strace, file);
  }

  async end(): Promise<readonly string[]> {
    const gone = new Promise((resolve) => this.#strace.once("exit", resolve));
    this.#strace.kill("SIGINT");
    await gone;
    return readFileSync(this.#file, "utf8").split("\n");
  }
}

it("is refused in words, or stands there and does nothing", { timeout: 120_000 }, async () => {
  const pids = [box.pid("core"), box.pid("sentinel")];
  const trace = await Trace.start([...pids, box.process.pid ?? 0], join(boxes.directory, "trace"));
  const all = [...places(DocumentSchema as unknown as SchemaView, document, [])];
  expect(all.length).toBeGreaterThan(100);
  // What refers to nothing is committed together; a name moves what is below it, so those go one by one.
  const isFree = ({ path }: Place) => /^(note|path|expectBody)$/.test(path.at(-1) ?? "");
  const rounds = [all.filter(isFree), ...all.filter((place) => !isFree(place)).map((place) => [place])];
  let inForce = 0;
  const started: string[] = [];
  for (const [i, value] of hostile().entries()) {
    // Tracing makes a box slow; what would start a program stands first.
    if (i === COMMANDS) started.push(...(await trace.end()).filter((line) => line.includes("execve")));
    for (const round of rounds) {
      let taken = 0;
      for (const place of round) if (await put(place, value)) taken++;
      if (taken === 0) continue;
      if (await commit()) {
        inForce += taken;
        await ask(box.state, "apply", { document, ...by });
      } else await ask(box.state, "discard", { ...by, force: true });
    }
  }
  // Notes take nearly everything; a corpus of which nothing is ever in force would show nothing.
  expect(inForce).toBeGreaterThan(500);
  expect(started).toEqual([]);
  expect(existsSync(mark)).toBe(false);
  expect([box.pid("core"), box.pid("sentinel")]).toEqual(pids);
  // The last change may have been to the group, which begins anew as a standby.
  await expect.poll(() => box.status(), { timeout: 10_000 }).toMatchObject({ role: "active", hostname: "edge" });
  const logged = box.stderr().trim().split("\n");
  for (const line of logged) expect(() => JSON.parse(line) as unknown).not.toThrow();
  expect(box.stderr()).not.toMatch(/control-fault/);
});

it("moves no terminal when it is looked at", async () => {
  const note = "a\u202eb\u2066c";
  expect(await put({ path: ["pools", "http", "note"], isList: false }, note)).toBe(true);
  expect(await commit()).toBe(true);
  for (const argv of [["show", "config"], ["show", "log"], ["history"], ["status"], ["diff"]]) {
    expect((await box.futago(...argv)).stdout).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
  }
  const shown = JSON.parse((await box.futago("show", "config")).stdout) as typeof document & {
    pools: { note: string }[];
  };
  expect(shown.pools[0]?.note).toBe(note);
});
