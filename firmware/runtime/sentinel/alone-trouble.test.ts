import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { HalError } from "@futago/hal/contract/error.ts";
import { FakeSegment } from "@futago/hal/fake/frames.ts";
import { type Ipv4, parseInterfaceAddress, parseIpAddress, parseMac } from "@futago/hal/units/address.ts";
import { seconds } from "@futago/hal/units/time.ts";
import { encodeGratuitousArp } from "../../announce/arp.ts";
import { encodeVrrpFrame } from "../../announce/vrrp-frame.ts";
import { encodeAdvertisement } from "../../standby/vrrp/packet.ts";
import { Box, pass, Sniffer } from "./alone-machine.suite.ts";

let segment: FakeSegment;
let box: Box;
beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000, toFake: ["setTimeout", "clearTimeout", "Date"] });
  segment = new FakeSegment();
  box = new Box(segment, "02:00:00:00:00:0a");
});
afterEach(() => vi.useRealTimers());

test("penalties never take the priority below 1 [RFC9568-5.2.4-b]", async () => {
  const vrrp = new Sniffer(segment, "vrrp");
  const sentinel = await box.start({ priority: 200 });
  const sentence = "the gateway 10.1.0.254 does not answer";
  sentinel.setPenalties([200, 100].map((weight) => ({ group: undefined, cause: "gateway", weight, sentence })));
  await pass(5_000);
  expect([box.state(), vrrp.last().priority]).toEqual(["active", 1]);
  sentinel.setPenalties([]);
  await pass(1_000);
  expect(vrrp.last().priority).toBe(200);
});

describe("what the machine refuses", () => {
  test("a lost carrier: silent at once, fault; back: standby first", async () => {
    await box.start();
    await pass(4_000);
    box.network.setCable(box.ifindex, false);
    await pass(0);
    expect([box.state(), box.leaseMillis()]).toEqual(["fault", 0]);
    expect(box.sentinel?.status().groups[0]?.reason).toBe("eth0 has no carrier");
    box.network.setCable(box.ifindex, true);
    await pass(0);
    expect(box.state()).toBe("standby");
  });

  test("an address that the kernel refuses: the role is given up, said so, and tried again", async () => {
    await box.start();
    await pass(3_000);
    box.network.refuseNext(new HalError("ENOMEM", "RTM_NEWADDR", "no memory"));
    await pass(700);
    expect(box.state()).toBe("fault");
    expect(box.leaseMillis()).toBe(0);
    expect(box.events.find((event) => event.event === "address-refused")?.reason).toContain("no memory");
    await pass(5_000 + 3_700);
    expect(box.state()).toBe("active");
    expect(await box.addresses()).toContain("10.1.0.1");
  });

  test("a VIP that somebody else takes away is put back and announced", async () => {
    const arp = new Sniffer(segment, "arp");
    await box.start();
    await pass(30_000);
    arp.count();
    await box.network.deleteAddress(box.ifindex, parseInterfaceAddress("10.1.0.1/32")!);
    await pass(0);
    expect(await box.addresses()).toContain("10.1.0.1");
    expect([box.state(), arp.count()]).toEqual(["active", 2]);
  });

  test("advertisements that cannot be sent renew no lease; the first that can announces again", async () => {
    const arp = new Sniffer(segment, "arp");
    await box.start();
    await pass(20_000);
    expect(box.leaseMillis()).toBeGreaterThan(0);
    box.sendRefused = new HalError("ENOBUFS", "sendto(AF_PACKET)", "no buffer space");
    await pass(3_000);
    expect(box.leaseMillis()).toBeLessThan(0);
    expect(box.sentinel?.status().groups[0]?.answering).toBe(false);
    expect(box.sentinel?.counters["send-failed"]).toBe(3);
    box.sendRefused = undefined;
    arp.count();
    await pass(1_000);
    expect(box.leaseMillis()).toBeGreaterThan(1_000);
    expect(arp.count()).toBeGreaterThan(0);
  });
});

describe("what others say", () => {
  test("somebody else's claim of the VIP is defended and shown with its MAC", async () => {
    const arp = new Sniffer(segment, "arp");
    await box.start();
    await pass(30_000);
    arp.count();
    arp.socket.send(encodeGratuitousArp("request", parseIpAddress("10.1.0.1") as Ipv4, parseMac("02:00:00:00:00:99")!));
    await pass(0);
    expect(arp.count(), "one round in defence").toBe(2);
    expect(box.sentinel?.status().alarms).toMatchObject([{ kind: "address-conflict" }]);
    expect(box.sentinel?.status().alarms[0]?.sentence).toContain(
      "02:00:00:00:00:99 on wan says that it holds 10.1.0.1",
    );
  });

  test("packets are counted by what became of them, and odd ones are remarked on once [RFC9568-7.1-e]", async () => {
    const other = new Box(segment, "02:00:00:00:00:0b");
    await box.start({ priority: 200 });
    await other.start({ own: "10.1.0.3/24", vips: ["10.1.0.1/24", "10.1.0.9/24"] });
    const sniffer = new Sniffer(segment, "vrrp");
    await pass(10_000);
    const frame = sniffer.heard.at(-1)!;
    sniffer.socket.send(frame.map((byte, i) => (i === frame.length - 1 ? byte ^ 1 : byte)));
    const addresses = [parseIpAddress("10.1.0.1")!];
    const source = parseIpAddress("10.1.0.4")!;
    const foreign = { vrid: 99, priority: 254, maxAdvertiseInterval: seconds(1), addresses };
    sniffer.socket.send(encodeVrrpFrame(99, source, encodeAdvertisement(foreign, source, "rfc9568")));
    await pass(0);
    expect([box.state(), other.state()]).toEqual(["active", "standby"]);
    expect(other.sentinel?.counters).toMatchObject({ "accepted-rfc5798": 7, "checksum-wrong": 1, "vrid-unknown": 1 });
    expect(other.events.map((event) => event.event)).toEqual([
      "role",
      "addresses-differ",
      "vrrp-refused",
      "vrrp-refused",
    ]);
  });
});
