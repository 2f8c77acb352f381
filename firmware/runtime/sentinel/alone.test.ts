import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeSegment } from "@futago/hal/fake/frames.ts";
import { parseInterfaceAddress } from "@futago/hal/units/address.ts";
import { Box, ordersFor, pass, Sniffer, VIP } from "./alone-machine.suite.ts";

let segment: FakeSegment;
let box: Box;
beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000, toFake: ["setTimeout", "clearTimeout", "Date"] });
  segment = new FakeSegment();
  box = new Box(segment, "02:00:00:00:00:0a");
});
afterEach(() => vi.useRealTimers());

describe("a box alone on its link", () => {
  test("waits a down interval, then holds the VIP with a lease of two intervals that it renews", async () => {
    await box.start();
    await pass(3_609);
    expect([box.state(), box.leaseMillis()]).toEqual(["standby", 0]);
    await pass(1);
    expect(box.state()).toBe("active");
    expect(box.leaseMillis()).toBe(2_000);
    expect(await box.addresses()).toEqual(["10.1.0.2", "10.1.0.1"]);
    await pass(900);
    expect(box.leaseMillis()).toBe(1_100);
    await pass(100);
    expect(box.leaseMillis()).toBe(2_000);
  });

  test("row 23: announces by request and reply at 0, 10, 50, 200 ms, 1 s, 5 s and then every minute", async () => {
    const arp = new Sniffer(segment, "arp");
    await box.start();
    await pass(3_610);
    const rounds = [arp.count()];
    for (const wait of [10, 40, 150, 800, 4_000, 59_999, 1]) {
      await pass(wait);
      rounds.push(arp.count());
    }
    expect(rounds).toEqual([2, 2, 2, 2, 2, 2, 0, 2]);
  });

  test("announces nothing before the kernel has the address [RFC9568-8.1.2-b] [RFC9568-8.2.2-b]", async () => {
    const arp = new Sniffer(segment, "arp");
    await box.start();
    const add = box.network.addAddress.bind(box.network);
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    box.network.addAddress = (...request) => gate.then(() => add(...request));
    await pass(5_000);
    expect([box.state(), arp.count()]).toEqual(["active", 0]);
    release();
    await pass(0);
    expect(arp.count()).toBe(2);
  });

  test("what an earlier run left behind goes before it starts", async () => {
    await box.network.addAddress(box.ifindex, parseInterfaceAddress("10.1.0.1/32")!);
    await box.start();
    expect(await box.addresses()).toEqual(["10.1.0.2"]);
  });

  test("without an IPv4 address of its own it speaks from 169.254.0.0/16, never from the VIP", async () => {
    const vrrp = new Sniffer(segment, "vrrp");
    await box.start({ own: "" });
    await pass(3_610);
    // 02:00:00:00:00:0a: (0 mod 254) + 1, 10.
    expect(vrrp.last()).toMatchObject({ source: "169.254.1.10", priority: 100, addresses: ["10.1.0.1"] });
  });

  test("row 9: a stop offers the role, says priority 0 and leaves nothing behind", async () => {
    const vrrp = new Sniffer(segment, "vrrp");
    const sentinel = await box.start();
    await pass(4_000);
    const stopped = sentinel.stop();
    await pass(1_600);
    await stopped;
    expect(vrrp.last().priority).toBe(0);
    expect(await box.addresses()).toEqual(["10.1.0.2"]);
    expect(box.leaseMillis()).toBe(0);
    vrrp.count();
    await pass(120_000);
    expect(vrrp.count()).toBe(0);
  });
});

describe("two boxes alone", () => {
  test("the better one holds the VIP; when it dies the other takes over; when it returns it preempts", async () => {
    const other = new Box(segment, "02:00:00:00:00:0b");
    await box.start({ priority: 200 });
    await other.start({ own: "10.1.0.3/24" });
    await pass(4_000);
    expect([box.state(), other.state()]).toEqual(["active", "standby"]);
    box.frames.pull(box.ifindex);
    await pass(3_700);
    expect(other.state()).toBe("active");
    expect(other.sentinel?.status().groups[0]?.reason).toMatch(/^10\.1\.0\.2 on eth0\/ipv4\/10 was last heard 3\.6/);
    box.frames.plug(box.ifindex, segment);
    await pass(1_100);
    expect([box.state(), other.state()]).toEqual(["active", "standby"]);
    expect(await other.addresses()).toEqual(["10.1.0.3"]);
    expect(other.leaseMillis()).toBe(0);
  });

  test("a switch-over goes to the other, and is refused where there is none or nothing to give", async () => {
    const sentinel = await box.start({ priority: 200, preempt: false });
    await pass(4_000);
    const lonely = sentinel.command({ kind: "switchover", group: undefined });
    await pass(1_600);
    expect(await lonely).toMatchObject({ ok: false, exitCode: 5 });
    const other = new Box(segment, "02:00:00:00:00:0b");
    const peer = await other.start({ own: "10.1.0.3/24", preempt: false });
    await pass(1_000);
    expect(await peer.command({ kind: "switchover", group: "edge" })).toMatchObject({ ok: false, exitCode: 5 });
    const asked = sentinel.command({ kind: "switchover", group: "edge" });
    await pass(1_600);
    expect(await asked).toMatchObject({ ok: true, exitCode: 0 });
    expect([box.state(), other.state()]).toEqual(["standby", "active"]);
  });

  test("maintenance hands over and takes part again when it ends", async () => {
    const other = new Box(segment, "02:00:00:00:00:0b");
    const sentinel = await box.start({ priority: 200 });
    await other.start({ own: "10.1.0.3/24" });
    await pass(4_000);
    const on = sentinel.command({ kind: "maintenance", on: true });
    await pass(1_600);
    expect(await on).toMatchObject({ ok: true });
    expect([box.state(), sentinel.status().role, other.state()]).toEqual(["maintenance", "maintenance", "active"]);
    await pass(10_000);
    expect(box.state()).toBe("maintenance");
    await sentinel.command({ kind: "maintenance", on: false });
    await pass(4_000);
    expect([box.state(), other.state()]).toEqual(["active", "standby"]);
  });

  test("worse health hands over even without preemption, and so does a core that stays away", async () => {
    const other = new Box(segment, "02:00:00:00:00:0b");
    const sentinel = await box.start({ priority: 150, preempt: false });
    await other.start({ own: "10.1.0.3/24", preempt: false });
    await pass(4_000);
    sentinel.setCoreConnected(false);
    await pass(9_900);
    sentinel.setCoreConnected(true);
    await pass(9_900);
    expect(box.state()).toBe("active");
    sentinel.setCoreConnected(false);
    await pass(11_000);
    expect([box.state(), other.state()]).toEqual(["standby", "active"]);
    expect(sentinel.status()).toMatchObject({ groups: [{ priority: 90 }], alarms: [{ kind: "unfit" }] });
  });
});

describe("a commit", () => {
  test("changes addresses without moving the role", async () => {
    const sentinel = await box.start();
    await pass(4_000);
    const slots = new Map([["edge", 3]]);
    sentinel.setOrders(ordersFor({ vips: ["10.1.0.7/24", VIP] }), slots);
    await pass(0);
    expect(await box.addresses()).toEqual(["10.1.0.2", "10.1.0.1", "10.1.0.7"]);
    sentinel.setOrders(ordersFor({ vips: ["10.1.0.7/24"] }), slots);
    await pass(0);
    expect(await box.addresses()).toEqual(["10.1.0.2", "10.1.0.7"]);
    expect(box.events.filter((event) => event.event === "role")).toHaveLength(2);
    expect(box.leaseMillis()).toBeGreaterThan(0);
  });

  test("a group that is gone lets go of everything", async () => {
    const vrrp = new Sniffer(segment, "vrrp");
    const sentinel = await box.start();
    await pass(4_000);
    sentinel.setOrders({ ...ordersFor({}), groups: [] }, new Map());
    await pass(0);
    expect(await box.addresses()).toEqual(["10.1.0.2"]);
    expect(box.leaseMillis()).toBe(0);
    expect(vrrp.last().priority).toBe(0);
    expect(sentinel.status()).toMatchObject({ role: "alone", groups: [] });
  });
});
