/** Health checks against nginx, nsd and sshd: each well, then stopped, hung or wrong, and what people are told of it. */
import { unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TestAuthority } from "@futago/firmware/runtime/core/checks/certificates.suite.ts";
import type { BoxStatus, CheckStatus } from "@futago/firmware/runtime/control.ts";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { processesIn, signalAll } from "../lab/processes.ts";
import type { Namespace } from "../netns/namespaces.ts";
import { Boxes, type RunningBox } from "../netns/running-box.ts";
import { KNOWN } from "./document.ts";
import { makeKeys } from "./fixture.ts";
import { createServersNetwork, SERVERS, type ServersNetwork } from "./network.ts";
import { type Servers, startServers } from "./servers.ts";

const VIP = "10.1.0.1";
/** The first has a certificate that ends soon, and is the one that things happen to. */
const BACKENDS = { ill: SERVERS.ipv4.nat, well: SERVERS.ipv4.direct } as const;
const pace = { intervalMs: 300, timeoutMs: 150, rise: 2, fall: 2 };
const POOLS = {
  web: { port: 80, check: { type: "http", path: "/", expectBody: "served by nginx" } },
  secure: { port: 443, check: { type: "https", sni: KNOWN.name, host: KNOWN.name } },
  nameless: { port: 443, check: { type: "https" } },
  dns: { port: 53, check: { type: "dns", query: KNOWN.name, expectAnswer: KNOWN.address } },
  ssh: { port: 22, check: { type: "tcp" } },
} as const;
type Pool = keyof typeof POOLS;

const document = {
  interfaces: [
    { name: "wan", device: "eth0", addresses: ["10.1.0.2/24"] },
    { name: "lan", device: "eth1", addresses: ["10.2.0.2/24"] },
  ],
  routes: [
    { to: "10.9.0.0/24", via: "10.1.0.254" },
    { to: "10.4.0.0/24", via: "10.2.0.254" },
  ],
  failoverGroups: [
    {
      name: "edge",
      virtualRouters: [
        { interface: "wan", vrid: 10, addresses: [`${VIP}/24`], advertisementIntervalMs: 100 },
        { interface: "lan", vrid: 11, addresses: ["10.2.0.1/24"], advertisementIntervalMs: 100 },
      ],
    },
  ],
  pools: Object.entries(POOLS).map(([name, { port, check }]) => ({
    name,
    backends: Object.entries(BACKENDS).map(([backend, address]) => ({ name: backend, address, port })),
    check: { ...check, ...pace },
  })),
  services: Object.entries(POOLS).map(([name, { port }]) => ({
    name,
    address: VIP,
    protocol: name === "dns" ? "udp" : "tcp",
    port: name === "nameless" ? 8443 : port,
    pool: name,
    mode: "one-arm",
  })),
};

let net: ServersNetwork;
let box: RunningBox;
let ill: Servers;
const boxes = new Boxes();
const authority = new TestAuthority();

beforeAll(async () => {
  net = await createServersNetwork();
  makeKeys(boxes.directory);
  const start = (namespace: Namespace, name: keyof typeof BACKENDS, endsInDays: number) => {
    const tls = { name: KNOWN.name, ...authority.sign(`DNS:${KNOWN.name}`, endsInDays) };
    const directory = join(boxes.directory, name);
    return startServers({ namespace, directory, addresses: [BACKENDS[name]], tls }, boxes.directory);
  };
  [ill] = await Promise.all([start(net.server, "ill", 9), start(net.beside, "well", 25)]);
  box = boxes.start(trusting(net.box, authority.listPath), boxes.state(), "--import", boxes.document("box", document));
  await box.ready(30_000);
  await box.futago("wait", "--role", "active", "--timeout", "20");
}, 90_000);
afterAll(async () => {
  await boxes.destroy(net === undefined ? [] : [net.box]);
  await net?.destroy();
  authority.remove();
});

/** A host whose programs trust the authorities of a list, and no others. */
function trusting(namespace: Namespace, list: string): Namespace {
  const script = 'mount --bind "$0" /etc/ssl/certs/ca-certificates.crt && exec "$@"';
  const argvOf = (argv: readonly string[]) => ["unshare", "--mount", "sh", "-c", script, list, ...argv];
  return { ...namespace, spawn: (argv, options) => namespace.spawn(argvOf(argv), options) };
}

async function checkOf(pool: Pool, backend: keyof typeof BACKENDS): Promise<CheckStatus> {
  const { stdout } = await box.futago("show", "health", "--json");
  const found = (JSON.parse(stdout) as CheckStatus[]).find(
    ({ subject }) => subject === `pools.${pool}.backends.${backend}`,
  );
  if (found === undefined) throw new Error(`no check of ${pool} ${backend} in ${stdout}`);
  return found;
}

/** Waits until the check says so, and that the status and the table for people say the same. */
async function expectSaid(pool: Pool, backend: keyof typeof BACKENDS, healthy: boolean, reason: string): Promise<void> {
  await expect
    .poll(() => checkOf(pool, backend), { timeout: 10_000, interval: 100 })
    .toMatchObject({ healthy, reason, target: expect.stringContaining(BACKENDS[backend]) });
  const service = (await box.status()).services.find(({ name }) => name === pool);
  expect(service?.backends.find(({ name }) => name === backend)).toMatchObject({ healthy, reason });
  const row = new RegExp(
    `pools\\.${pool}\\.backends\\.${backend} .* ${healthy ? "healthy" : "DEAD"} .* ${escaped(reason)}`,
  );
  expect((await box.futago("show", "health")).stdout).toMatch(row);
}

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");

describe("checks of servers that are well", () => {
  it.each([
    ["web", 'answered 200 OK, with "served by nginx"'],
    ["secure", "answered 200 OK"],
    ["dns", "answered 192.0.2.80"],
    ["ssh", "accepted the connection"],
  ] as const)("say so: %s", async (pool, reason) => {
    await expectSaid(pool, "well", true, reason);
  });

  it("warn of a certificate that ends soon, which still serves", async () => {
    await expectSaid("secure", "ill", true, "answered 200 OK; certificate ends in 9 days");
    const alarms = (status: BoxStatus) => status.alarms.map(({ kind, sentence }) => [kind, sentence]);
    // A check that asks for no name is shown no certificate, and can warn of none.
    expect(alarms(await box.status())).toEqual([
      [
        "certificate-ends",
        "pools.secure.backends.ill: the certificate ends in 9 days (https 10.4.0.11:443). Renew it on the backend.",
      ],
    ]);
    const resolve = `${KNOWN.name}:443:${VIP}`;
    const argv = ["curl", "-sS", "-m", "5", "--cacert", authority.listPath, "--resolve", resolve];
    for (let i = 0; i < 4; i++) {
      expect(await net.client.run([...argv, `https://${KNOWN.name}/`])).toBe("served by nginx\n");
    }
  });

  it("say what a server that serves by name alone answers to a check without a name", async () => {
    await expectSaid("nameless", "well", false, "TLS refused: unrecognized name");
  });
});

describe("a server that is stopped", () => {
  const ask: Readonly<Record<"web" | "dns" | "ssh", readonly string[]>> = {
    web: ["curl", "-sS", "--fail", "-m", "5", `http://${VIP}/`],
    dns: ["drill", KNOWN.name, `@${VIP}`],
    ssh: ["ssh-keyscan", "-T", "5", "-t", "ed25519", VIP],
  };
  const EXPECTED = { web: "served by nginx", dns: "NOERROR", ssh: "ssh-ed25519" } as const;
  const PROGRAM = { web: "http", dns: "dns", ssh: "ssh" } as const;
  const WELL = {
    web: 'answered 200 OK, with "served by nginx"',
    dns: "answered 192.0.2.80",
    ssh: "accepted the connection",
  } as const;

  /** Connections that the backends have got of a service. */
  async function flows(pool: Pool): Promise<Readonly<Record<string, number>>> {
    const service = (await box.status()).services.find(({ name }) => name === pool);
    return Object.fromEntries(service?.backends.map(({ name, traffic }) => [name, traffic.flows]) ?? []);
  }

  it.each(["web", "dns", "ssh"] as const)("is asked nothing until it is back: %s", async (pool) => {
    await expectSaid(pool, "ill", true, WELL[pool]);
    await ill[PROGRAM[pool]].stop();
    await expectSaid(pool, "ill", false, "connection refused");
    const before = await flows(pool);
    for (let i = 0; i < 8; i++) expect(await net.client.run(ask[pool])).toContain(EXPECTED[pool]);
    const after = await flows(pool);
    expect([after["ill"], after["well"]! - before["well"]!]).toEqual([before["ill"], 8]);

    await ill[PROGRAM[pool]].start();
    await expectSaid(pool, "ill", true, WELL[pool]);
    await vi.waitUntil(
      async () => {
        expect(await net.client.run(ask[pool])).toContain(EXPECTED[pool]);
        return (await flows(pool))["ill"]! > before["ill"]!;
      },
      { timeout: 10_000, interval: 50 },
    );
  });

  it("or hangs, or answers something else, is told apart", async () => {
    const nginx = processesIn(net.server.path).filter(({ command }) => command.startsWith("nginx"));
    const pids = nginx.map(({ pid }) => pid);
    signalAll(pids, "SIGSTOP");
    await expectSaid("web", "ill", false, "connected, but no answer within 150 ms");
    signalAll(pids, "SIGCONT");
    await expectSaid("web", "ill", true, WELL.web);
    const page = join(boxes.directory, "ill", "index.html");
    writeFileSync(page, "closed\n");
    await expectSaid("web", "ill", false, 'answered 200 OK, but the body does not hold "served by nginx"');
    unlinkSync(page);
    await expectSaid("web", "ill", false, "answered 403 Forbidden, expected 200-399");
    for (let i = 0; i < 4; i++) expect(await net.client.run(ask.web)).toContain(EXPECTED.web);
  });
});
