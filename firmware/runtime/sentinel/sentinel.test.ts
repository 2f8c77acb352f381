import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { HalError } from "@futago/hal/contract/error.ts";
import type { Hal } from "@futago/hal/contract/hal.ts";
import { FakeBpf } from "@futago/hal/fake/bpf.ts";
import { FakeFrames, FakeSegment } from "@futago/hal/fake/frames.ts";
import { FakeIcmp } from "@futago/hal/fake/icmp.ts";
import { FakeSysctl } from "@futago/hal/fake/machine.ts";
import { FakeNetwork } from "@futago/hal/fake/network.ts";
import { requestBuilder } from "@futago/hal/netlink/request-builder.ts";
import { instant } from "@futago/hal/units/time.ts";
import type { Orders } from "../../config/orders.ts";
import { LineReader } from "../line-reader.ts";
import type { CoreToSentinel, SentinelStatus, SentinelToCore } from "../messages.ts";
import { BPF, ETH0, ETH1, FakePulse, pairOrders } from "./pair-machine.suite.ts";
import { Sentinel } from "./sentinel.ts";

/** The sentinel process without its process: real sockets and real time, the rest of the machine in memory. */
let directory: string;
let network: FakeNetwork;
let bpf: FakeBpf;
let pulse: FakePulse;
let sentinel: Sentinel;
let core: Core;

class Core {
  readonly heard: SentinelToCore[] = [];
  readonly socket: Socket;
  #id = 0;

  constructor(path: string) {
    const lines = new LineReader(1 << 20);
    this.socket = connect(path);
    // A sentinel that stops cuts the line.
    this.socket.on("error", () => this.socket.destroy());
    this.socket.on("data", (chunk: Buffer) => {
      for (const line of lines.push(chunk)) this.heard.push(JSON.parse(line) as SentinelToCore);
    });
  }

  say(...messages: CoreToSentinel[]): void {
    this.socket.write(messages.map((message) => `${JSON.stringify(message)}\n`).join(""));
  }

  async ask(command: Extract<CoreToSentinel, { kind: "command" }>["command"]): Promise<unknown> {
    const id = ++this.#id;
    this.say({ kind: "command", id, command });
    return vi.waitUntil(() => this.heard.find((one) => one.kind === "result" && one.id === id), { interval: 2 });
  }

  get status(): SentinelStatus | undefined {
    const last = this.heard.findLast((one) => one.kind === "status");
    return last?.kind === "status" ? last.status : undefined;
  }

  async until(holds: (status: SentinelStatus) => boolean): Promise<void> {
    await vi.waitUntil(() => this.status !== undefined && holds(this.status), { timeout: 4_000, interval: 2 });
  }
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "futago-sentinel-"));
  network = new FakeNetwork();
  bpf = new FakeBpf();
  pulse = new FakePulse();
  bpf.mount(BPF);
  const clock = { now: () => instant(performance.now() * 1_000) };
  const frames = new FakeFrames(clock.now);
  for (const ifname of [ETH0, ETH1]) frames.plug(network.plug(ifname), new FakeSegment());
  const parts = { clock, network, frames, bpf, icmp: new FakeIcmp(clock.now), requests: requestBuilder };
  const hal = { ...parts, sysctl: new FakeSysctl() } as Partial<Hal> as Hal;
  const beatKeys = () => ({ key: new Uint8Array(32), other: undefined });
  const options = { hal, launcher: pulse.launcher, beatKeys, stateDirectory: directory, bpfDirectory: BPF };
  sentinel = new Sentinel(options);
  await sentinel.start();
  core = new Core(join(directory, "sentinel.sock"));
});

afterEach(async () => {
  await sentinel.stop();
  core.socket.destroy();
  rmSync(directory, { recursive: true, force: true });
});

function alone(orders: Orders): Orders {
  return { ...orders, pair: undefined, box: undefined };
}

const orders = (one: Orders): CoreToSentinel => ({ kind: "orders", orders: one });
const maintenance: CoreToSentinel = { kind: "command", id: 100, command: { kind: "maintenance", on: true } };

describe("maintenance", () => {
  test("that core repeats before its orders is in force from the first moment", async () => {
    expect(await core.ask({ kind: "maintenance", on: true })).toMatchObject({ ok: true });
    expect(pulse.starts).toBe(0);
    core.say(orders(pairOrders()));
    await core.until((status) => status.role === "maintenance");
    const groups = pulse.take("group");
    expect(groups.every(({ armed }) => !armed)).toBe(true);
    expect(groups.at(-1)?.idle).toBe("fault");
  });

  test("that core repeats right after its orders is in force as soon", async () => {
    core.say(orders(pairOrders()), maintenance);
    await core.until((status) => status.role === "maintenance");
    expect(pulse.take("group").every(({ armed }) => !armed)).toBe(true);
  });

  test("goes on when the box changes from alone to paired", async () => {
    core.say(orders(alone(pairOrders())), maintenance);
    await core.until((status) => status.role === "maintenance" && status.peer === undefined);
    core.say(orders(pairOrders()));
    await core.until((status) => status.peer !== undefined);
    expect(core.status?.role).toBe("maintenance");
  });

  test("that was ended before the orders is not in force", async () => {
    core.say(
      maintenance,
      { ...maintenance, id: 101, command: { kind: "maintenance", on: false } },
      orders(pairOrders()),
    );
    await core.until((status) => status.role === "standby");
    expect(pulse.take("group").map((command) => command.idle)).not.toContain("fault");
  });
});

describe("orders", () => {
  test("that are said again are nothing new", async () => {
    core.say(orders(pairOrders()), orders(pairOrders()));
    await core.until((status) => status.peer !== undefined);
    core.say(orders(pairOrders()));
    await core.ask({ kind: "switchover", group: "no-such" });
    expect([pulse.starts, pulse.take("configure").length]).toEqual([1, 2]);
  });

  test("that come one right after the other make one pulse, which hears of the last", async () => {
    core.say(orders(pairOrders()), orders({ ...pairOrders(), revision: "cd".repeat(32) }));
    await vi.waitUntil(() => pulse.told.some((one) => one.kind === "configure" && one.configId === "cdcdcdcdcdcdcdcd"));
    expect(pulse.starts).toBe(1);
  });

  test("from paired to alone let pulse go before the box begins alone, and back", async () => {
    core.say(orders(pairOrders()));
    await core.until((status) => status.peer !== undefined);
    pulse.obedient = false;
    core.say(orders(alone(pairOrders())));
    await vi.waitUntil(() => pulse.told.some((one) => one.kind === "quit"));
    // While the one is ending, the orders turn back: the next pulse waits for its end.
    core.say(orders(pairOrders()));
    await core.ask({ kind: "switchover", group: undefined });
    expect(pulse.starts).toBe(1);
    pulse.die("exit status 0");
    pulse.obedient = true;
    await vi.waitUntil(() => pulse.starts === 2);
    await core.until((status) => status.peer !== undefined);
  });

  test("put the gate on the devices that carry VIPs, and on no other", async () => {
    core.say(orders(pairOrders()));
    await core.until((status) => status.peer !== undefined);
    expect([...bpf.tc.keys()]).toEqual([1]);
    core.say(orders(pairOrders({ groups: [] })));
    await vi.waitUntil(() => bpf.tc.size === 0);
  });

  test("put the gate back where somebody took it away, and say so", { timeout: 10_000 }, async () => {
    core.say(orders(pairOrders()));
    await core.until((status) => status.peer !== undefined);
    bpf.tc.clear();
    const heard = await vi.waitUntil(() => core.heard.find((one) => one.kind === "event"), { timeout: 5_000 });
    expect(heard).toMatchObject({ event: { event: "gate-restored" } });
    expect([...bpf.tc.keys()]).toEqual([1]);
  });

  test("for a device that has just vanished harm nobody", async () => {
    vi.spyOn(bpf, "attachTc").mockImplementation(() => {
      throw new HalError("ENODEV", "bpf(BPF_PROG_ATTACH)", "No such device");
    });
    core.say(orders(pairOrders()));
    await core.until((status) => status.groups.length === 1);
    expect(bpf.tc.size).toBe(0);
  });
});

describe("core", () => {
  test("is told what happened while it was away", async () => {
    core.say(orders(pairOrders()));
    await core.until((status) => status.peer !== undefined);
    core.socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 20));
    pulse.die("signal SIGKILL");
    await vi.waitUntil(() => pulse.starts === 2);
    core = new Core(join(directory, "sentinel.sock"));
    const heard = await vi.waitUntil(() => core.heard.find((one) => one.kind === "event"));
    expect(heard).toMatchObject({ event: { event: "pulse-ended", reason: "signal SIGKILL" } });
  });

  test("is refused a command before its orders", async () => {
    expect(await core.ask({ kind: "switchover", group: undefined })).toMatchObject({
      ok: false,
      message: "the sentinel has no orders yet; try again",
      exitCode: 1,
    });
  });
});

describe("the end", () => {
  test("takes the gate away, shuts every lease and removes the socket", async () => {
    core.say(orders(pairOrders()));
    await core.until((status) => status.peer !== undefined);
    const memory = bpf.load("gate", BPF).map("futago_groups").memory();
    memory.fill(1);
    await sentinel.stop();
    expect(bpf.tc.size).toBe(0);
    expect(memory.every((byte) => byte === 0)).toBe(true);
    expect(pulse.take("quit")).toHaveLength(1);
    await vi.waitUntil(() => core.socket.destroyed || core.socket.readableEnded);
  });

  test("comes once the change that is under way is over, and nothing begins after it", async () => {
    core.say(orders(pairOrders()));
    await core.until((status) => status.peer !== undefined);
    core.say(orders(alone(pairOrders())));
    await vi.waitUntil(() => pulse.told.some((one) => one.kind === "quit"));
    const stopped = sentinel.stop();
    core.say(orders(pairOrders()));
    await stopped;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(pulse.starts).toBe(1);
  });
});
