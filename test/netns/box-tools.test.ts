/** The verbs by which people look into a running box: flows, trace, capture, drain, services. Real traffic, real tshark. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { BoxStatus, DrainShown, FlowsShown, TraceShown } from "@futago/firmware/runtime/control.ts";
import { watch } from "@futago/firmware/cli/client.ts";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { createNetwork, type Namespace, type TestNetwork } from "./namespaces.ts";
import { Boxes, type RunningBox } from "./running-box.ts";

const check = { type: "tcp", intervalMs: 200, timeoutMs: 100, rise: 1, fall: 2 };
const document = {
  interfaces: [
    { name: "wan", device: "eth0", addresses: ["10.1.0.2/24", "fd00:1::2/64"] },
    { name: "lan", device: "eth1", addresses: ["10.2.0.2/24", "fd00:2::2/64"] },
  ],
  failoverGroups: [
    {
      name: "edge",
      virtualRouters: [
        { interface: "wan", vrid: 10, name: "front", addresses: ["10.1.0.1/24"], advertisementIntervalMs: 100 },
        { interface: "lan", vrid: 11, addresses: ["10.2.0.1/24"], advertisementIntervalMs: 100 },
        { interface: "wan", vrid: 10, name: "front6", addresses: ["fd00:1::1/64"], advertisementIntervalMs: 100 },
        { interface: "lan", vrid: 11, addresses: ["fd00:2::1/64"], advertisementIntervalMs: 100 },
      ],
    },
  ],
  pools: [
    {
      name: "web",
      backends: [
        { name: "s1", address: "10.2.0.11", port: 80 },
        { name: "s2", address: "10.2.0.12", port: 80 },
      ],
      check,
    },
    { name: "relay", backends: [{ name: "r1", address: "10.2.0.11", port: 90 }], check },
    { name: "echo", backends: [{ name: "e1", address: "10.2.0.12", port: 7 }], check: { type: "none" } },
    { name: "six", backends: [{ name: "x1", address: "fd00:2::11", port: 80 }], check },
  ],
  services: [
    { name: "www", address: "front", protocol: "tcp", port: 80, pool: "web", deny: ["10.1.0.66"] },
    { name: "relayed", address: "front", protocol: "tcp", port: 90, pool: "relay", mode: "one-arm" },
    { name: "echoed", address: "front", protocol: "udp", port: 7, pool: "echo" },
    { name: "www6", address: "front6", protocol: "tcp", port: 80, pool: "six" },
  ],
};

let net: TestNetwork;
let host: Namespace;
let client: Namespace;
let servers: Namespace;
let boxes: Boxes;
let box: RunningBox;
const closing: (() => void)[] = [];

beforeAll(async () => {
  boxes = new Boxes();
  net = await createNetwork();
  host = await net.namespace("box");
  client = await net.namespace("client");
  servers = await net.namespace("servers");
  await net.link(host, "eth0", client, "eth0");
  await net.link(host, "eth1", servers, "eth0");
  for (const address of ["10.1.0.9", "10.1.0.66"]) await client.ip(`addr add ${address}/24 dev eth0`);
  for (const address of ["10.2.0.11", "10.2.0.12"]) await servers.ip(`addr add ${address}/24 dev eth0`);
  await client.ip("addr add fd00:1::9/64 dev eth0");
  await servers.ip("addr add fd00:2::11/64 dev eth0");
  await servers.ip("route add default via 10.2.0.1");
  await servers.ip("route add default via fd00:2::1");
  for (const namespace of [client, servers]) {
    await namespace.run(["ethtool", "-K", "eth0", "tx", "off", "tso", "off", "gro", "on"]);
  }
  // Whoever connects is told the server's address, and is kept until they go.
  const code = `
    const net = require("node:net");
    for (const [address, port] of [["10.2.0.11", 80], ["10.2.0.12", 80], ["10.2.0.11", 90], ["fd00:2::11", 80]])
      net.createServer((s) => { s.on("error", () => {}); s.on("data", () => s.write(address + "\\n")); }).listen(port, address);
    const udp = require("node:dgram").createSocket("udp4");
    udp.on("message", (m, from) => udp.send(m, from.port, from.address)).bind(7, "10.2.0.12");`;
  servers.spawn([process.execPath, "-e", code], { stdio: "ignore" });
  box = boxes.start(host, boxes.state(), "--import", boxes.document("box.json", document));
  await box.ready();
  await box.futago("wait", "--role", "active", "--timeout", "10");
  await vi.waitUntil(async () => (await box.status()).services.every((one) => one.backends.every((b) => b.healthy)), {
    timeout: 10_000,
  });
});
afterAll(async () => {
  await boxes?.destroy([host]);
  await net?.destroy();
});
afterEach(async () => {
  for (const close of closing.splice(0)) close();
  for (const name of ["web/s1", "web/s2"]) await box.futago("undrain", name);
});

async function asked<T>(...argv: string[]): Promise<T> {
  const { code, stdout, stderr } = await box.futago(...argv, "--json");
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as T;
}

/** A connection that stays open; resolves to what its server said, which is its address. */
async function connect(port: number, localPort: number, from = "10.1.0.9", to = "10.1.0.1"): Promise<string> {
  const code = `const s = require("node:net").connect({ host: "${to}", port: ${port}, localAddress: "${from}", localPort: ${localPort} });
    s.on("connect", () => s.write("x")); s.on("data", (d) => process.stdout.write(d)); s.on("error", () => process.exit(1));`;
  const child = client.spawn([process.execPath, "-e", code], { stdio: ["ignore", "pipe", "ignore"] });
  closing.push(() => child.kill("SIGKILL"));
  return new Promise((resolve, reject) => {
    child.stdout?.once("data", (data: Buffer) => resolve(data.toString().trim()));
    child.once("exit", (exit) => reject(new Error(`the connection ended with exit code ${exit}`)));
  });
}

const addresses: Readonly<Record<string, string>> = { "web/s1": "10.2.0.11", "web/s2": "10.2.0.12" };

describe("`futago trace`", () => {
  it("names the backend to which a connection then goes, and the entry of one that stands", async () => {
    for (const port of [41_001, 41_002, 41_003, 41_004]) {
      const told = await asked<TraceShown>("trace", `10.1.0.9:${port}`, "www");
      expect(told).toMatchObject({ outcome: "backend", counter: null });
      const id = told.backends[0]?.id ?? "";
      expect(await connect(80, port)).toBe(addresses[id]);
      const after = await box.futago("trace", `10.1.0.9:${port}`, "www");
      expect(after.stdout).toContain(`table of established connections knows the flow: it belongs to ${id}`);
    }
  });

  it("tells the way in plain sentences: VIP, service, ring, next hop, rewriting", async () => {
    const { stdout, code } = await box.futago("trace", "10.1.0.9:42000", "relayed");
    expect(code).toBe(0);
    expect(stdout).toMatch(/vip +10\.1\.0\.1 belongs to the failover group edge, which this box holds/);
    expect(stdout).toMatch(/port +The balancer looks at the packet on eth0\./);
    expect(stdout).toMatch(/hop +10\.2\.0\.11 is on the link of eth1, and the frame goes to [0-9a-f:]{17}\./);
    expect(stdout).toMatch(/rewrite .* the source becomes 10\.1\.0\.1 with a free port of 1024 to 31999/);
    expect(stdout).toMatch(/The packet goes to relay\/r1\.\n$/);
  });

  it("says why a packet would be dropped, and what it needs to know", async () => {
    const denied = await asked<TraceShown>("trace", "10.1.0.66:1234", "www");
    expect(denied).toMatchObject({ outcome: "dropped", counter: "dropDenied" });
    const shares = await asked<TraceShown>("trace", "10.1.0.9", "www");
    expect(shares).toMatchObject({ outcome: "shares" });
    expect(shares.backends.map(({ share }) => Math.round(share * 100))).toEqual([50, 50]);
    expect(await box.futago("trace", "10.1.0.9", "wwv")).toMatchObject({
      code: 1,
      stdout: "",
      stderr: 'futago: there is no service "wwv"\n  Did you mean "www"?\n',
    });
    expect((await box.futago("trace", "www", "10.1.0.9")).stderr).toContain("is no IP address");
  });
});

describe("the status of some services, as it changes", () => {
  it("is refused for services that there are none of, and the box goes on", async () => {
    const watched = (services: readonly string[]) =>
      watch(box.state, "watchStatus", () => true, undefined, { services });
    await expect(watched(["wwv"])).rejects.toMatchObject({
      refusal: { what: 'there is no service "wwv"', mend: 'Did you mean "www"?' },
    });
    await expect(watched("www" as never)).rejects.toMatchObject({ refusal: { what: "services is a list of names" } });
    const before = box.pid("core");
    const seen: string[][] = [];
    await watch(
      box.state,
      "watchStatus",
      ({ services }) => seen.push(services.map(({ name }) => name)) === 2,
      undefined,
      {
        services: ["www"],
      },
    );
    expect(seen).toEqual([["www"], ["www"]]);
    expect(box.pid("core")).toBe(before);
  });
});

describe("`futago show flows`", () => {
  it("lists connections, newest first, by service, client and backend", async () => {
    const server = await connect(80, 43_001);
    await connect(90, 43_002);
    const all = await asked<FlowsShown>("show", "flows");
    const ports = all.flows.map((flow) => flow.clientPort);
    expect(ports).toEqual(expect.arrayContaining([43_001, 43_002]));
    const www = await asked<FlowsShown>("show", "flows", "--service", "www", "--client", "10.1.0.9", "--limit", "1");
    expect(www.flows).toMatchObject([{ clientPort: 43_001, service: "www", mode: "nat", state: "established" }]);
    expect(www.flows[0]?.backendAddress).toBe(server);
    const relayed = await asked<FlowsShown>("show", "flows", "--backend", "r1");
    const flow = relayed.flows.find((one) => one.clientPort === 43_002);
    expect(flow).toMatchObject({ mode: "one-arm", backend: "relay/r1", remarks: [] });
    expect(flow?.sourcePort).toBeGreaterThanOrEqual(1_024);
    expect(flow?.sourcePort).toBeLessThanOrEqual(31_999);
    const text = (await box.futago("show", "flows", "--client", "10.1.0.9")).stdout;
    expect(text).toMatch(
      /10\.1\.0\.9:43001 +10\.1\.0\.1:80\/tcp +www +nat +web\/s[12] \(10\.2\.0\.1[12]:80\) +established/,
    );
    expect(text).toMatch(/\d+ flows in all, \d+ of them open\.\n$/);
    const none = await asked<FlowsShown>("show", "flows", "--client", "2001:db8::7");
    expect(none).toEqual({ total: 0, open: 0, flows: [] });
  });
});

describe("UDP and IPv6", () => {
  it("are traced, listed and served alike", async () => {
    expect(await asked<TraceShown>("trace", "10.1.0.9:47001", "echoed")).toMatchObject({
      backends: [{ id: "echo/e1" }],
    });
    const code = `const s = require("node:dgram").createSocket("udp4"); s.bind(47001, "10.1.0.9", () => s.send("x", 7, "10.1.0.1"));
      s.on("message", () => process.exit(0)); setTimeout(() => process.exit(1), 3000);`;
    expect((await client.tryRun([process.execPath, "-e", code])).code).toBe(0);
    const udp = await asked<FlowsShown>("show", "flows", "--service", "echoed");
    expect(udp).toMatchObject({ total: 1, open: 1, flows: [{ state: "udp", clientPort: 47_001, backend: "echo/e1" }] });
    expect((await box.futago("trace", "10.1.0.9:47001", "echoed")).stdout).toContain(
      "table of UDP flows knows the flow",
    );

    expect(await connect(80, 47_002, "fd00:1::9", "fd00:1::1")).toBe("fd00:2::11");
    const six = await asked<FlowsShown>("show", "flows", "--client", "fd00:1::9");
    expect(six.flows).toMatchObject([{ service: "www6", backend: "six/x1", vip: "fd00:1::1", state: "established" }]);
    const traced = await box.futago("trace", "[fd00:1::9]:47002", "www6");
    expect(traced.stdout).toMatch(/table of established connections knows the flow: it belongs to six\/x1/);
    expect(traced.stdout).toMatch(/fd00:2::11 is on the link of eth1, and the frame goes to [0-9a-f:]{17}\./);
    const wrong = await asked<TraceShown>("trace", "10.1.0.9", "www6");
    expect(wrong).toMatchObject({ outcome: "dropped", counter: null });
  });
});

describe("`futago capture`", () => {
  const tshark = async (file: string, ...argv: string[]) => {
    const { code, stdout, stderr } = await host.tryRun(["tshark", "-r", file, ...argv]);
    expect([code, stderr]).toEqual([0, expect.not.stringMatching(/corrupt|cut short|isn't a capture/)]);
    return stdout
      .trim()
      .split("\n")
      .map((line) => line.split("\t"));
  };
  const fields = (...names: string[]) => ["-T", "fields", ...names.flatMap((name) => ["-e", name])];

  it("writes what came and what went, on its device, with times, verdicts and reasons that tshark reads", async () => {
    const file = join(boxes.directory, "www.pcapng");
    const argv = ["--service", "www", "--client", "10.1.0.9", "--count", "3", "--seconds", "20", "-o", file];
    const running = box.futago("capture", ...argv, "--json");
    await vi.waitUntil(() => existsSync(file), { timeout: 5_000 });
    const began = Date.now();
    const server = await connect(80, 44_001);
    const { code, stdout } = await running;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ file, packets: 3, frames: 6, lost: 0 });
    const names = ["frame.interface_name", "ip.src", "ip.dst", "frame.comment", "frame.time_epoch", "tcp.flags.str"];
    const packets = await tshark(file, "-o", "tcp.check_checksum:TRUE", ...fields(...names, "tcp.checksum.status"));
    // SYN, SYN-ACK, ACK: each as it came and as it went.
    expect(packets.map(([device, source, destination]) => [device, source, destination])).toEqual([
      ["eth0", "10.1.0.9", "10.1.0.1"],
      ["eth1", "10.1.0.9", server],
      ["eth1", server, "10.1.0.9"],
      ["eth0", "10.1.0.1", "10.1.0.9"],
      ["eth0", "10.1.0.9", "10.1.0.1"],
      ["eth1", "10.1.0.9", server],
    ]);
    expect(packets[0]?.[3]).toBe("sent on by eth1");
    expect(packets[3]?.[3]).toBe("as the balancer sent it");
    expect(packets.map((packet) => packet[6])).toEqual(Array.from({ length: 6 }, () => "1"));
    const times = packets.map((packet) => Number(packet[4]));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(Math.abs(times[0]! * 1_000 - began)).toBeLessThan(5_000);
  });

  it("shows dropped packets with the reason, cut where told, and ends with its time", async () => {
    const file = join(boxes.directory, "denied.pcapng");
    const running = box.futago("capture", "--client", "10.1.0.66", "--seconds", "2", "--snap", "60", "-o", file);
    await vi.waitUntil(() => existsSync(file), { timeout: 5_000 });
    await client.tryRun(["curl", "-s", "-m", "1", "--interface", "10.1.0.66", "http://10.1.0.1/"]);
    const { code, stderr } = await running;
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/^[1-9]\d* packets? captured, [1-9]\d* frames written to /),
    ]);
    const packets = await tshark(file, ...fields("frame.comment", "frame.cap_len", "frame.len", "ip.src"));
    for (const [comment, kept, length, source] of packets) {
      expect(comment).toBe("dropped; the packet came from a client that the service's lists deny (dropDenied)");
      expect([Number(kept), source]).toEqual([60, "10.1.0.66"]);
      expect(Number(length)).toBeGreaterThan(60);
    }
  });

  it("writes into a pipe, refuses a second one meanwhile, and leaves a whole file when it is interrupted", async () => {
    const file = join(boxes.directory, "pipe.pcapng");
    const script = `"$1" capture --seconds 60 -o - --state "$2" > "$3" & echo $!; wait $!`;
    const bin = new URL("../../firmware/bin/futago", import.meta.url).pathname;
    const child = host.spawn(["sh", "-c", script, "sh", bin, box.state, file], { stdio: ["ignore", "pipe", "ignore"] });
    const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
    const pid = await new Promise<number>((resolve) => {
      child.stdout?.once("data", (data: Buffer) => resolve(Number(data.toString())));
    });
    await vi.waitUntil(() => existsSync(file) && statSync(file).size > 0, { timeout: 5_000 });
    const second = await box.futago("capture", "-o", join(boxes.directory, "no"));
    expect([second.code, second.stderr]).toEqual([6, expect.stringContaining("a capture is running already")]);
    expect(existsSync(join(boxes.directory, "no"))).toBe(false);
    await connect(80, 44_101);
    await vi.waitUntil(async () => (await tshark(file, "-Y", "tcp.port == 44101")).length >= 2, { timeout: 5_000 });
    process.kill(pid, "SIGINT");
    expect(await ended).toBe(0);
    expect((await tshark(file, ...fields("frame.interface_name"))).length).toBeGreaterThan(1);
    const again = await asked<{ packets: number }>("capture", "--seconds", "1", "-o", join(boxes.directory, "again"));
    expect(again.packets).toBeTypeOf("number");
  });

  it("refuses what cannot be, leaving no file", async () => {
    const file = join(boxes.directory, "none.pcapng");
    expect((await box.futago("capture", "--service", "wwv", "-o", file)).stderr).toContain('Did you mean "www"?');
    expect((await box.futago("capture", "--snap", "9000", "-o", file)).stderr).toContain("from 1 to 256");
    expect(existsSync(file)).toBe(false);
    const nowhere = await box.futago("capture", "--seconds", "1", "-o", join(boxes.directory, "no/such/place"));
    expect([nowhere.code, nowhere.stderr]).toEqual([
      1,
      expect.stringContaining("cannot be written: there is none (ENOENT)"),
    ]);
  });
});

describe("`futago drain`", () => {
  const share = async (name: string) =>
    (await asked<TraceShown>("trace", "10.1.0.9", "www")).backends.find(({ id }) => id === name)?.share ?? 0;

  it("keeps connections and gives no new ones, until undrained", async () => {
    const server = await connect(80, 45_001);
    const name = server === "10.2.0.11" ? "web/s1" : "web/s2";
    const other = server === "10.2.0.11" ? "10.2.0.12" : "10.2.0.11";
    expect(await asked<DrainShown>("drain", name)).toMatchObject({ draining: true, pool: "web" });
    expect(await share(name)).toBe(0);
    for (const port of [45_002, 45_003, 45_004]) expect(await connect(80, port)).toBe(other);
    const kept = await asked<FlowsShown>("show", "flows", "--backend", name);
    expect(kept.flows.find((flow) => flow.clientPort === 45_001)).toMatchObject({ state: "established", remarks: [] });
    const services = (await box.futago("show", "services")).stdout;
    expect(services).toMatch(new RegExp(`${name.slice(4)} +${server.replaceAll(".", "\\.")}:80 +draining`));
    expect((await box.futago("undrain", name.slice(4))).stdout).toBe(`${name} takes new connections again.\n`);
    expect(await share(name)).toBeCloseTo(0.5, 2);
  });

  it("waits until the backend is idle, and says what is left when the time is over", async () => {
    const server = await connect(80, 45_101);
    const name = server === "10.2.0.11" ? "web/s1" : "web/s2";
    const late = await box.futago("drain", name, "--until-idle", "--timeout", "1");
    expect(late.code).toBe(1);
    expect(late.stderr).toMatch(/still has \d+ connections? after 1 s\n  The drain stays in force\./);
    const waiting = box.futago("drain", name, "--until-idle", "--timeout", "20");
    for (const close of closing.splice(0)) close();
    const done = await waiting;
    expect([done.code, done.stdout]).toEqual([0, expect.stringContaining(`${name} has no connection left.\n`)]);
  });

  it("survives the core, and refuses a backend that is not there", async () => {
    await asked<DrainShown>("drain", "s1");
    const before = box.pid("core");
    process.kill(before, "SIGKILL");
    await vi.waitUntil(async () => (await box.futago("status")).code === 0 && box.pid("core") !== before, {
      timeout: 10_000,
    });
    const status = await box.status();
    expect(status.services[0]?.backends.map(({ draining }) => draining)).toEqual([true, false]);
    await vi.waitUntil(async () => (await share("web/s1")) === 0, { timeout: 5_000 });
    expect((await box.futago("drain", "s3")).stderr).toContain('there is no backend "s3"');
  });
});

describe("`futago show services`", () => {
  it("says what each carried and what was dropped, in words and as JSON", async () => {
    await connect(80, 46_001);
    await client.tryRun(["curl", "-s", "-m", "1", "--interface", "10.1.0.66", "http://10.1.0.1/"]);
    const services = await asked<BoxStatus["services"]>("show", "services");
    const { counters } = await box.status();
    const www = services.find((service) => service.name === "www");
    expect(www).toMatchObject({ mode: "nat", family: "ipv4", persistence: "none" });
    expect(www?.traffic.packetsIn).toBeGreaterThan(1);
    expect(www?.traffic.bytesOut).toBeGreaterThan(60);
    const sum = www?.backends.reduce((all, backend) => all + backend.traffic.packetsIn, 0);
    expect(sum).toBe(www?.traffic.packetsIn);
    expect(counters["dropDenied"]).toBeGreaterThan(0);
    const { stdout } = await box.futago("show", "services");
    expect(stdout).toMatch(/www +10\.1\.0\.1:80\/tcp +IPv4 nat, pool web, XDP native/);
    expect(stdout).toMatch(/relayed +10\.1\.0\.1:90\/tcp +IPv4 one-arm, pool relay/);
    expect(stdout).toMatch(
      /DROPPED: the packet …[\s\S]*came from a client that the service's lists deny \(dropDenied\)/,
    );
  });
});
