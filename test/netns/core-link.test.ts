/** The link between the two cores over a real cable with nothing but link-local addresses on it. */
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type Identity, makeIdentity } from "@futago/firmware/runtime/core/pairing/identity.ts";
import { PEER_PROTOCOL_VERSION } from "@futago/firmware/runtime/core/peer-link/message.ts";
import { createNetwork, type Namespace, type TestNetwork } from "./namespaces.ts";

const PORT = "7405";
const KEY = randomBytes(32).toString("hex");
const PICTURE = [
  { name: "web", backends: [{ name: "s1", healthy: false, blind: false, reason: "connection refused" }] },
];

interface Said {
  readonly up?: boolean;
  readonly revision?: string;
  readonly told?: unknown;
  readonly count?: string;
  readonly flows?: boolean;
  readonly bundle?: boolean;
  readonly arriving?: number;
}
interface End {
  readonly process: ChildProcess;
  readonly said: Said[];
}

let net: TestNetwork;
let a: Namespace;
let b: Namespace;
let addressOfA = "";
const script = new URL("core-link-end.ts", import.meta.url).pathname;

beforeEach(async () => {
  net = await createNetwork();
  a = await net.namespace("a");
  b = await net.namespace("b");
  await net.link(a, "sync0", b, "sync0");
  // The kernel gives the address a moment after the carrier.
  await vi.waitUntil(async () => (addressOfA = await linkLocal(a)) !== "", { timeout: 5_000 });
});
afterEach(() => net.destroy());

async function linkLocal(namespace: Namespace): Promise<string> {
  const [link] = JSON.parse(await namespace.ip("-j -6 addr show dev sync0")) as { addr_info: { local: string }[] }[];
  return link?.addr_info[0]?.local ?? "";
}

function start(namespace: Namespace, ...argv: string[]): End {
  const child = namespace.spawn([process.execPath, script, ...argv], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin?.on("error", () => {
    // It ended before it had read everything, as some are made to do.
  });
  const said: Said[] = [];
  let rest = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop() ?? "";
    said.push(...lines.map((line) => JSON.parse(line) as Said));
  });
  return { process: child, said };
}

const startA = (key = KEY) => start(a, "a", PORT, key);
const startB = (key = KEY) => start(b, "b", PORT, key, addressOfA, "sync0");
const isUp = (end: End) => end.said.findLast((one) => one.up !== undefined)?.up;
const revisionAt = (end: End) => end.said.findLast((one) => one.revision !== undefined)?.revision;
const toldTo = (end: End) => end.said.findLast((one) => one.told !== undefined)?.told;
const carriesFlows = (end: End) => end.said.findLast((one) => one.flows !== undefined)?.flows;
const carriesBundle = (end: End) => end.said.findLast((one) => one.bundle !== undefined)?.bundle;
const counts = (end: End) => end.said.flatMap((one) => one.count ?? []);

/** Sends bytes to A's port from B's side; resolves true when A took the connection and then closed it. */
async function attack(bytes: string): Promise<boolean> {
  const code = `let took = false;
    const s = require("node:net").connect({ host: "${addressOfA}%sync0", port: ${PORT} });
    s.on("connect", () => { took = true; s.write(Buffer.from(process.argv[1], "base64")); });
    s.on("error", () => {}); s.on("close", () => process.exit(took ? 0 : 3));`;
  const base64 = Buffer.from(bytes, "latin1").toString("base64");
  return (await b.tryRun([process.execPath, "-e", code, base64], { timeoutMillis: 10_000 })).code === 0;
}

describe("the link between the two cores", () => {
  it("comes up, tells the revisions both ways, and carries the active's picture", async () => {
    const endB = startB();
    const endA = startA();
    await expect.poll(() => [isUp(endA), isUp(endB)], { timeout: 5_000 }).toEqual([true, true]);
    expect(revisionAt(endA)).toBe("bb".repeat(32));
    expect(revisionAt(endB)).toBe("aa".repeat(32));
    endA.process.stdin?.write(`${JSON.stringify(PICTURE)}\n`);
    await expect.poll(() => toldTo(endB), { timeout: 5_000 }).toEqual(PICTURE);
  });

  it("comes back by itself after the other end died", async () => {
    const endB = startB();
    const first = startA();
    await expect.poll(() => isUp(endB), { timeout: 5_000 }).toBe(true);
    first.process.kill("SIGKILL");
    await expect.poll(() => isUp(endB), { timeout: 5_000 }).toBe(false);
    const second = startA();
    await expect.poll(() => [isUp(second), isUp(endB)], { timeout: 5_000 }).toEqual([true, true]);
  });

  it("has a second connection for flows, as long as the link stands", async () => {
    const endA = startA();
    const endB = startB();
    const both = () => [carriesFlows(endA), carriesFlows(endB)];
    await expect.poll(both, { timeout: 5_000 }).toEqual([true, true]);
    await b.ip("link set sync0 down");
    await expect.poll(both, { timeout: 8_000 }).toEqual([false, false]);
    await b.ip("link set sync0 up");
    await expect.poll(both, { timeout: 20_000 }).toEqual([true, true]);
    expect([isUp(endA), isUp(endB)]).toEqual([true, true]);
  });

  it.each([
    ["flows", "futago-flows", "flowLinkNoHello"],
    ["a bundle", "futago-bundle", "bundleLinkNoHello"],
  ])("takes no connection for %s from somebody who holds the key but never said hello", async (_, name, counter) => {
    const endA = startA();
    const attempt = async () => {
      const raw = start(b, "raw", PORT, KEY, addressOfA, "sync0", name);
      await vi.waitUntil(() => raw.process.exitCode !== null, { timeout: 10_000 });
      return counts(endA);
    };
    await expect.poll(attempt, { timeout: 10_000 }).toContain(counter);
    expect([carriesFlows(endA), carriesBundle(endA)]).toEqual([undefined, undefined]);
  });

  it("has one for a bundle when box b wants it, and none before", async () => {
    const endA = startA();
    const endB = startB();
    await expect.poll(() => [carriesFlows(endA), carriesFlows(endB)], { timeout: 5_000 }).toEqual([true, true]);
    expect([carriesBundle(endA), carriesBundle(endB)]).toEqual([undefined, undefined]);
    endB.process.stdin?.write('"bundle"\n');
    await expect.poll(() => [carriesBundle(endA), carriesBundle(endB)], { timeout: 5_000 }).toEqual([true, true]);
  });

  it("notices a cut cable, which no packet tells of", async () => {
    const endA = startA();
    const endB = startB();
    await expect.poll(() => [isUp(endA), isUp(endB)], { timeout: 5_000 }).toEqual([true, true]);
    await b.ip("link set sync0 down");
    await expect.poll(() => [isUp(endA), isUp(endB)], { timeout: 8_000 }).toEqual([false, false]);
  });

  it("lets nobody in who has another key, and counts it on the listening side", async () => {
    const endA = startA();
    const endB = startB(randomBytes(32).toString("hex"));
    await expect.poll(() => counts(endA), { timeout: 5_000 }).toContain("peerLinkWrongKey");
    expect(isUp(endA)).toBeUndefined();
    expect(isUp(endB)).not.toBe(true);
  });

  it("drops what is no TLS, however long, and goes on serving the peer", async () => {
    const endA = startA();
    await expect.poll(() => attack("GET / HTTP/1.1\r\n\r\n"), { timeout: 5_000 }).toBe(true);
    expect(await attack("\x16\x03\x01\xff\xff".repeat(1_000))).toBe(true);
    const endB = startB();
    await expect.poll(() => [isUp(endA), isUp(endB)], { timeout: 5_000 }).toEqual([true, true]);
  });

  it("is not kept out by somebody who opens connections and says nothing in them", async () => {
    const endA = startA();
    const crowd = `const { connect } = require("node:net");
      const open = () => connect({ host: "${addressOfA}%sync0", port: ${PORT} })
        .on("error", () => {}).on("close", () => setTimeout(open, 50)).resume();
      for (let i = 0; i < 12; i++) open();
      setTimeout(() => process.exit(), 30_000);`;
    const stranger = b.spawn([process.execPath, "-e", crowd], { stdio: "ignore" });
    await expect.poll(() => counts(endA), { timeout: 5_000 }).toContain("peerLinkCrowded");
    const endB = startB();
    await expect.poll(() => [isUp(endA), isUp(endB)], { timeout: 5_000 }).toEqual([true, true]);
    await expect.poll(() => [carriesFlows(endA), carriesFlows(endB)], { timeout: 5_000 }).toEqual([true, true]);
    stranger.kill();
  });

  it.each([
    ["nonsense", "hello\n", "peerLink_notAnObject"],
    ["an unknown message", '{"kind":"reboot"}\n', "peerLink_unknownKind"],
    ["health before hello", `{"kind":"health","revision":"${"bb".repeat(32)}","pools":[]}\n`, "peerLinkNoHello"],
    ["a line without end", "x".repeat(2 << 20), "peerLinkOversized"],
    ["A's own name", `{"kind":"hello","version":1,"box":"a","revision":"${"bb".repeat(32)}"}\n`, "peerLinkSameBox"],
    ["another version", `{"kind":"hello","version":9,"box":"b","revision":"${"bb".repeat(32)}"}\n`, "peerLinkVersion"],
    [
      "the version after the next",
      `{"kind":"hello","version":${PEER_PROTOCOL_VERSION + 2},"box":"b","revision":"${"bb".repeat(32)}"}\n`,
      "peerLinkVersion",
    ],
  ])("drops a peer that holds the key but sends %s, counts it, and serves the next", async (_, text, counter) => {
    const endA = startA();
    const endB = startB();
    await expect.poll(() => isUp(endA), { timeout: 5_000 }).toBe(true);
    const raw = start(b, "raw", PORT, KEY, addressOfA, "sync0");
    await expect.poll(() => isUp(raw), { timeout: 5_000 }).toBe(true);
    raw.process.stdin?.write(text);
    await expect.poll(() => counts(endA), { timeout: 5_000 }).toContain(counter);
    await expect.poll(() => raw.process.exitCode, { timeout: 5_000 }).toBe(0);
    expect([isUp(endA), isUp(endB)]).toEqual([true, true]);
  });
});

it("tells how much has come of a message before it is whole", async () => {
  const endA = startA();
  startB();
  await expect.poll(() => isUp(endA), { timeout: 5_000 }).toBe(true);
  const raw = start(b, "raw", PORT, KEY, addressOfA, "sync0");
  await expect.poll(() => isUp(raw), { timeout: 5_000 }).toBe(true);
  // As a box says it that was updated first.
  const hello = { kind: "hello", version: PEER_PROTOCOL_VERSION + 1, news: [1], box: "b", revision: "bb".repeat(32) };
  const parts = [500, 300].map((length) => ({ kind: "part", text: "x".repeat(length), last: false }));
  raw.process.stdin?.write([hello, ...parts].map((line) => `${JSON.stringify(line)}\n`).join(""));
  const arriving = () => endA.said.flatMap((one) => one.arriving ?? []);
  await expect.poll(arriving, { timeout: 5_000 }).toEqual([500, 300]);
});

describe("the link of two boxes that were paired", () => {
  let [ofA, ofB, stranger]: readonly Identity[] = [];
  beforeAll(async () => {
    [ofA, ofB, stranger] = await Promise.all([makeIdentity(), makeIdentity(), makeIdentity()]);
  });
  const pinned = (own: Identity, peer: Identity) =>
    JSON.stringify({ ...own, peerCertificate: peer.certificate, rotation: null });

  it("stands between the two certificates that were pinned, and carries flows", async () => {
    const endA = startA(pinned(ofA!, ofB!));
    const endB = startB(pinned(ofB!, ofA!));
    await expect.poll(() => [carriesFlows(endA), carriesFlows(endB)], { timeout: 5_000 }).toEqual([true, true]);
    expect([revisionAt(endA), revisionAt(endB)]).toEqual(["bb".repeat(32), "aa".repeat(32)]);
    expect([counts(endA), counts(endB)]).toEqual([[], []]);
  });

  it("lets nobody in who has a certificate of its own", async () => {
    const endA = startA(pinned(ofA!, ofB!));
    const endB = startB(pinned(stranger!, ofA!));
    await expect.poll(() => counts(endA), { timeout: 5_000 }).toContain("peerLinkWrongKey");
    expect([isUp(endA), isUp(endB)]).toEqual([undefined, undefined]);
  });

  it("lets nobody in who shows no certificate, and says hello nevertheless", async () => {
    const endA = startA(pinned(ofA!, ofB!));
    const hello = `{"kind":"hello","version":1,"box":"b","revision":"${"bb".repeat(32)}"}\\n`;
    const code = `const s = require("node:tls").connect({ host: "${addressOfA}%sync0", port: ${PORT}, rejectUnauthorized: false,
      minVersion: "TLSv1.3", ciphers: "TLS_AES_128_GCM_SHA256" });
      s.on("secureConnect", () => s.write('${hello}')); s.on("error", () => {}); s.on("close", () => process.exit(0));`;
    const attempt = async () => {
      await b.tryRun([process.execPath, "-e", code], { timeoutMillis: 10_000 });
      return counts(endA);
    };
    await expect.poll(attempt, { timeout: 5_000 }).toContain("peerLinkWrongKey");
    expect(isUp(endA)).toBeUndefined();
  });

  it("does not speak to a box that only has a key", async () => {
    const endA = startA(pinned(ofA!, ofB!));
    const endB = startB(KEY);
    await expect.poll(() => counts(endB), { timeout: 5_000 }).toContain("peerLinkWrongKey");
    expect([isUp(endA), isUp(endB)]).toEqual([undefined, undefined]);
  });

  it("does not speak to a box in the peer's place that has another certificate", async () => {
    const endA = startA(pinned(stranger!, ofB!));
    const endB = startB(pinned(ofB!, ofA!));
    await expect.poll(() => counts(endB), { timeout: 5_000 }).toContain("peerLinkWrongKey");
    expect([isUp(endA), isUp(endB)]).toEqual([undefined, undefined]);
  });
});
