/** The largest configuration, given to a box that serves meanwhile. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { ask } from "@futago/firmware/cli/client.ts";
import { largeDocument } from "./large-document.ts";
import { createNetwork, type Namespace, type TestNetwork } from "./namespaces.ts";
import { Boxes } from "./running-box.ts";

const BACKENDS = 100;

function document(services: number, weight: number): unknown {
  // All clients of the first service go to one backend, the one that is there.
  const weights = (pool: number) => (backend: number) => (pool > 0 || backend === 0 ? weight : 0);
  return largeDocument({ services, backends: BACKENDS }, (pool) => ({
    weights: weights(pool),
    check: { type: "none" },
  }));
}

let net: TestNetwork;
let host: Namespace;
let client: Namespace;
let boxes: Boxes;

beforeEach(async () => {
  boxes = new Boxes();
  net = await createNetwork();
  host = await net.namespace("box");
  client = await net.namespace("client");
  const servers = await net.namespace("servers");
  await net.link(host, "eth0", client, "eth0");
  await net.link(host, "eth1", servers, "eth0");
  await client.ip("addr add 10.1.0.254/24 dev eth0");
  await servers.ip("addr add 10.2.0.10/24 dev eth0");
  await servers.ip("route add default via 10.2.0.1");
  for (const namespace of [client, servers])
    await namespace.run(["ethtool", "-K", "eth0", "tx", "off", "tso", "off", "gro", "on"]);
  const code = `require("node:http").createServer((_, r) => r.end("one")).listen(1000, "10.2.0.10")`;
  servers.spawn([process.execPath, "-e", code], { stdio: "ignore" });
});
afterEach(async () => {
  await boxes.destroy([host]);
  await net.destroy();
});

it("takes 1,000 services of 100 backends each, and serves the one that was there", { timeout: 120_000 }, async () => {
  const box = boxes.start(host, boxes.state(), "--import", boxes.document("small.json", document(1, 1)));
  await box.ready();
  await box.futago("wait", "--role", "active", "--timeout", "10");
  const core = box.pid("core");
  const fetchVip = async () => (await client.tryRun(["curl", "-s", "-m", "5", "http://10.1.0.1/"])).stdout;
  await expect.poll(fetchVip, { timeout: 5_000 }).toBe("one");

  const answers = new Set<string>();
  const enough = new AbortController();
  const asking = (async () => {
    while (!enough.signal.aborted) answers.add(await fetchVip());
  })();
  for (const weight of [1, 2]) {
    const applied = await box.futago(
      "config",
      "apply",
      boxes.document("large.json", document(1_000, weight)),
      "--json",
    );
    expect(applied.code, applied.stderr.slice(0, 500)).toBe(0);
    expect(JSON.parse(applied.stdout)).toMatchObject({ changed: true });
  }
  // What one asks of a box must not wait for what another is told: the longest answer is of some megabytes.
  const waits: number[] = [];
  const small = (async () => {
    while (!enough.signal.aborted) {
      const from = performance.now();
      await ask(box.state, "status", { services: [] });
      waits.push(performance.now() - from);
    }
  })().catch(() => undefined);
  const from = performance.now();
  const status = await ask(box.state, "status", {});
  const health = await ask(box.state, "health", {});
  const traced = await ask(box.state, "trace", { client: "10.1.0.254", clientPort: 4_000, service: "v7" });
  const [one] = (await ask(box.state, "status", { services: ["v999"] })).services;
  const large = performance.now() - from;
  enough.abort();
  await Promise.all([asking, small]);
  expect(waits.length).toBeGreaterThan(5);
  // Nearly all of it is one answer. Measured: an eighth; core works in slices of some milliseconds, and V8 collects.
  expect(Math.max(...waits)).toBeLessThan(large / 3);
  expect([...answers]).toEqual(["one"]);
  expect(box.pid("core")).toBe(core);
  expect(status.services).toHaveLength(1_000);
  expect(status.services.every(({ backends }) => backends.length === BACKENDS)).toBe(true);
  expect(status.alarms).toEqual([]);
  expect(health).toEqual([]);
  expect(traced.backends).toMatchObject([{ share: 1 }]);
  expect(one).toEqual(status.services[999]);
});
