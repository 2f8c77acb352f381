/**
 * Two boxes whose wan ports take no XDP program: nftables serves on both. Nobody tells the standby of connections, so
 * what lives on after a power loss lives by what both boxes compute alike; what begins is served as before.
 */
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { BoxStatus } from "@futago/firmware/runtime/control.ts";
import { type Box, BOXES } from "../lab/topology.ts";
import { listensOn } from "../lab/processes.ts";
import { putForeignXdp } from "./foreign-xdp.ts";
import { CLIENT, Pair, pairDocument, VIP } from "./pair-fixture.ts";

const HOSTS = ["10.2.0.11", "10.2.0.12", "10.2.0.13"];
const COUNT = 30;
const WAIT = { timeout: 20_000 };
const backends = HOSTS.map((address, i) => ({ name: `s${i}`, address, port: 7000 }));
const service = (name: string, port: number, mode: string) => ({
  name,
  address: VIP,
  port,
  protocol: "tcp",
  mode,
  pool: "web",
});
const document = {
  ...pairDocument(),
  pools: [{ name: "web", check: { type: "tcp" }, backends }],
  services: [service("routed", 80, "nat"), service("armed", 81, "one-arm")],
};

/** Echoes; a line on standard input is said to every connection that is open, unasked. */
const SERVER = `
const open = new Set();
for (const host of ${JSON.stringify(HOSTS)})
  require("node:net").createServer((s) => {
    open.add(s);
    s.on("error", () => s.destroy()).on("close", () => open.delete(s)).pipe(s);
  }).listen(7000, host);
process.stdin.on("data", () => { for (const s of open) s.write("y"); });`;
/** Keeps connections to a port; a line on standard input is sent over each. Counts what is heard, and what is lost. */
const TALK = `
const sockets = Array.from({ length: ${COUNT} }, () => require("node:net").connect({ host: "${VIP}", port: Number(process.argv[1]) }));
let open = 0, heard = 0, lost = 0;
const say = () => console.log(JSON.stringify({ open, heard, lost }));
for (const s of sockets) {
  s.on("connect", () => { open++; say(); });
  s.on("data", () => { heard++; say(); });
  s.on("error", () => {}); s.on("close", () => { lost++; say(); });
}
process.stdin.on("data", () => { for (const s of sockets) s.write("x"); });`;

interface Said {
  readonly open: number;
  readonly heard: number;
  readonly lost: number;
}

let pair: Pair;
let server: ChildProcess;

class Talk {
  readonly #child: ChildProcess;
  #said: Said = { open: 0, heard: 0, lost: 0 };

  constructor(port: number) {
    this.#child = pair.client.spawn([process.execPath, "-e", TALK, String(port)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => (this.#said = JSON.parse(line) as Said));
  }

  get said(): Said {
    return this.#said;
  }

  speak(): void {
    this.#child.stdin?.write("go\n");
  }

  close(): void {
    this.#child.kill("SIGKILL");
  }
}

beforeAll(async () => {
  pair = await Pair.start({
    document,
    before: async (hosts) => {
      for (const box of BOXES) await putForeignXdp(hosts[box], "eth0");
    },
  });
  for (const host of HOSTS) await pair.stranger.ip(`addr add ${host}/24 dev eth1`);
  await pair.stranger.ip("route add default via 10.2.0.1");
  server = pair.stranger.spawn([process.execPath, "-e", SERVER], { stdio: ["pipe", "ignore", "inherit"] });
  await vi.waitUntil(() => listensOn(server.pid, 7000), WAIT);
  await pair.settled("a");
  const checked = ({ services }: BoxStatus) =>
    services.every(
      ({ attach, backends: all }) =>
        attach === "nftables" && all.every(({ reason }) => reason === "accepted the connection"),
    );
  await pair.until("a", "healthy backends, served by nftables", checked);
  await pair.until("b", "the same", checked);
  // The rules come after the verdicts; a connection that began before goes by other rings than those that follow.
  for (const box of BOXES)
    await vi.waitUntil(async () => (await marksOf(box)) === document.services.length * backends.length, WAIT);
});
afterAll(() => pair.destroy());

/** How many backends of services the rules of the box send new connections to. */
async function marksOf(box: Box): Promise<number> {
  const { stdout } = await pair.hosts[box].tryRun(["nft", "list", "table", "inet", "futago_balancer"]);
  const chains = [...stdout.matchAll(/chain begin_\d+ \{[^}]*map \{([^}]*)\}/g)];
  return chains.reduce((sum, [, map = ""]) => sum + new Set(map.match(/0x46[0-9a-f]{6}/g)).size, 0);
}

let asking: Talk;
let told: Talk;

it("connections are counted, and nothing is said of their survival", async () => {
  [asking, told] = [new Talk(80), new Talk(80)];
  await vi.waitUntil(() => asking.said.open + told.said.open === 2 * COUNT, WAIT);
  const status = await pair.until("a", "all counted", ({ connections }) => connections.established === 2 * COUNT);
  expect(status.connections.replicated).toBeNull();
  expect(status.services.map(({ connections }) => connections.replicated)).toEqual([null, null]);
  const alarm = await pair.alarm("a", "balancer-fallback");
  expect(alarm).toContain("Rules of nftables serve routed, armed instead");
  expect((await pair.box("a").futago("status")).stdout).not.toContain("would survive a");
});

it("the standby has the same rules, and answers nobody", async () => {
  const rules = async (box: "a" | "b") =>
    pair.hosts[box].run(["nft", "-s", "list", "table", "inet", "futago_balancer"]);
  expect(await rules("b")).toBe(await rules("a"));
  // A client that has the Ethernet address of the wrong box.
  await pair.client.ip(`neigh replace ${VIP} lladdr ${await pair.mac(pair.hosts.b)} dev eth0 nud permanent`);
  expect((await pair.client.tryRun(["curl", "-s", "-m", "1", `http://${VIP}/`])).code).toBe(28);
  await pair.client.ip(`neigh del ${VIP} dev eth0`);
});

it("after a power loss new connections work in both modes, and those of nat go on, whoever speaks first", async () => {
  await pair.powerOff("a");
  await pair.role("b", "active");
  for (const port of [80, 81]) {
    const fresh = new Talk(port);
    await vi.waitUntil(() => fresh.said.open === COUNT, WAIT);
    fresh.speak();
    await vi.waitUntil(() => fresh.said.heard === COUNT, WAIT);
    fresh.close();
  }
  asking.speak();
  await vi.waitUntil(() => asking.said.heard === COUNT, WAIT);
  // Those that only listen hear it from backends whose connections the box has never seen.
  server.stdin?.write("go\n");
  await vi.waitUntil(() => told.said.heard === COUNT, WAIT);
  expect([asking.said.lost, told.said.lost]).toEqual([0, 0]);
  const seen = await pair.hosts.b.run(["conntrack", "-L"]);
  expect(seen).toMatch(new RegExp(`src=10\\.2\\.0\\.1\\d dst=${CLIENT.replaceAll(".", "\\.")} sport=7000`));
  asking.close();
  told.close();
});
