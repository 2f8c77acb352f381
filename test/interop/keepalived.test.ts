/** Boxes alone beside keepalived: hand-over both ways, over IPv4 and IPv6. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Namespace } from "../netns/namespaces.ts";
import { hasKeepalived, startKeepalived } from "./keepalived.ts";
import { type AloneBox, createRig, holds, type Rig, startBox, until } from "./rig.ts";

const VIP = "192.0.2.1";
const VIP6 = "2001:db8::1";
const OWN = ["192.0.2.11/24"];
const IPV6 = { family: "ipv6", vrid: 20 } as const;
const THEIRS6 = { vrid: 20, addresses: ["fe80::100/64", `${VIP6}/64`] };

let rig: Rig;
let ours: Namespace;
let theirs: Namespace;
beforeEach(async (context) => {
  context.skip(!hasKeepalived, "keepalived is not installed; ./build.sh setup has it");
  rig = await createRig();
  ours = await rig.host("ours", ...OWN);
  theirs = await rig.host("theirs", "192.0.2.12/24");
});
afterEach(() => rig?.destroy());

const isActive = (box: AloneBox, vip = VIP) =>
  until("the box is active", () => box.state() === "active" && holds(ours, vip));
const isStandby = (box: AloneBox, vip = VIP) =>
  until("the box is standby", async () => box.state() === "standby" && !(await holds(ours, vip)));
const theyHold = (vip = VIP) => until("keepalived is active", () => holds(theirs, vip));
const theyLack = (vip = VIP) => until("keepalived is backup", async () => !(await holds(theirs, vip)));
const hears = (box: AloneBox, counter: string, times = 1) =>
  until(`${times} packets are ${counter}`, () => (box.counters()[counter] ?? 0) >= times);

describe("beside keepalived", () => {
  test("row 9: the box takes over from one that stops within the skew, and yields to one that preempts", async () => {
    const first = await startKeepalived(rig, theirs, [{ priority: 150 }]);
    await theyHold();
    const box = await startBox(rig, ours, { own: OWN });
    await hears(box, "accepted-rfc5798");
    await first.stop();
    await isActive(box);
    expect(box.events.at(-1)?.reason).toMatch(/^192\.0\.2\.12 on eth0\/ipv4\/10 gave the role up 0\.\d+ s ago$/);
    await startKeepalived(rig, theirs, [{ priority: 150 }]);
    await theyHold();
    await isStandby(box);
    expect(box.counters()["checksum-wrong"] ?? 0).toBe(0);
  });

  test("the box takes over from one that loses power", async () => {
    const other = await startKeepalived(rig, theirs, [{ priority: 150 }]);
    await theyHold();
    const box = await startBox(rig, ours, { own: OWN });
    await hears(box, "accepted-rfc5798");
    await other.kill();
    await isActive(box);
    expect(box.events.at(-1)?.reason).toMatch(/was last heard 0\.\d+ s ago$/);
  });

  test("row 9: keepalived takes over from a box that stops, and yields to a better box that preempts", async () => {
    const box = await startBox(rig, ours, { own: OWN, priority: 200 });
    await isActive(box);
    await startKeepalived(rig, theirs, [{ priority: 100 }]);
    const stopped = box.stop();
    await theyHold();
    expect(await stopped).toBe(0);
    expect(await holds(ours, VIP)).toBe(false);
    const again = await startBox(rig, ours, { own: OWN, priority: 200 });
    await isActive(again);
    await theyLack();
  });

  test("row 15: IPv6 both ways", async () => {
    const first = await startKeepalived(rig, theirs, [{ ...THEIRS6, priority: 150 }]);
    await theyHold(VIP6);
    const box = await startBox(rig, ours, { own: OWN, routers: [IPV6] });
    await hears(box, "accepted-ipv6");
    await first.stop();
    await isActive(box, VIP6);
    await startKeepalived(rig, theirs, [{ ...THEIRS6, priority: 150 }]);
    await theyHold(VIP6);
    await isStandby(box, VIP6);
    const refused = Object.keys(box.counters()).filter((name) => !/^(accepted-|send-failed$)/.test(name));
    expect(refused).toEqual([]);
  });

  test("a group of IPv4 and IPv6 moves as one against a sync group of equal priority", async () => {
    const other = await startKeepalived(rig, theirs, [{ priority: 100 }, { ...THEIRS6, priority: 100 }]);
    await theyHold();
    await theyHold(VIP6);
    const box = await startBox(rig, ours, { own: OWN, routers: [{}, IPV6] });
    await hears(box, "accepted-ipv6", 6);
    expect(box.state()).toBe("standby");
    await other.stop();
    await isActive(box);
    await isActive(box, VIP6);
    const stopped = box.stop();
    await startKeepalived(rig, theirs, [{ priority: 100 }, { ...THEIRS6, priority: 100 }]);
    expect(await stopped).toBe(0);
    await theyHold();
    await theyHold(VIP6);
  });

  test("preemption off: a better box waits, and a better keepalived waits", async () => {
    const other = await startKeepalived(rig, theirs, [{ priority: 100, preempt: false }]);
    await theyHold();
    const box = await startBox(rig, ours, { own: OWN, priority: 200, preempt: false });
    await hears(box, "accepted-rfc5798", 8);
    expect(box.state()).toBe("standby");
    await other.stop();
    await isActive(box);
    const better = await startKeepalived(rig, theirs, [{ priority: 250, preempt: false }]);
    await until("keepalived has heard the box", () => better.log().includes("Entering BACKUP STATE"));
    const events = box.events.length;
    const start = Date.now();
    await until("a second passes", () => Date.now() - start > 1_000);
    expect([box.state(), box.events.length]).toEqual(["active", events]);
    expect(await holds(theirs, VIP)).toBe(false);
  });

  test.each([
    ["row 12: equal priorities, the box has the higher address: it stays", "192.0.2.200/24", true],
    ["row 12: equal priorities, keepalived has the higher address: the box yields", "192.0.2.5/24", false],
  ])("%s", async (_name, own, stays) => {
    await ours.ip("address flush dev eth0 scope global");
    await ours.ip(`address add ${own} dev eth0`);
    await rig.part("ours", "theirs");
    const box = await startBox(rig, ours, { own: [own] });
    await startKeepalived(rig, theirs, [{ priority: 100 }]);
    await isActive(box);
    await theyHold();
    await rig.join("ours", "theirs");
    if (stays) await theyLack();
    else await isStandby(box);
    expect([box.state(), await holds(theirs, VIP)]).toEqual(stays ? ["active", false] : ["standby", true]);
  });

  test("row 7: the active router's interval is learnt", async () => {
    await startKeepalived(rig, theirs, [{ priority: 150, intervalMs: 1000 }]);
    await theyHold();
    const box = await startBox(rig, ours, { own: OWN, routers: [{ intervalMs: 100 }] });
    await hears(box, "accepted-rfc5798");
    await isStandby(box);
    const before = box.events.filter((event) => event.to === "active").length;
    await hears(box, "accepted-rfc5798", 4);
    // Its own down interval of 0.36 s passed between any two of them.
    expect(box.events.filter((event) => event.to === "active")).toHaveLength(before);
    expect(box.events.some((event) => event.event === "interval-differs")).toBe(true);
  });

  test("row 1: keepalived refuses the message-only checksum, so rfc5798 is what to send it", async () => {
    const other = await startKeepalived(rig, theirs, [{ priority: 100 }]);
    await theyHold();
    await startBox(rig, ours, { own: OWN, priority: 200, routers: [{ checksum: "rfc9568" }] });
    await until("keepalived complains", () => /checksum/i.test(other.log()));
    expect(await holds(theirs, VIP)).toBe(true);
  });

  test("row 10: the owner takes its address at once and keeps it when it stops", async () => {
    await startKeepalived(rig, theirs, [{ priority: 200 }]);
    await theyHold();
    await ours.ip(`address add ${VIP}/24 dev eth0`);
    const box = await startBox(rig, ours, { own: [`${VIP}/24`, ...OWN], priority: 255 });
    await isActive(box);
    await theyLack();
    expect(await box.stop()).toBe(0);
    await theyHold();
    expect(await holds(ours, VIP)).toBe(true);
  });

  test("worse health hands the role to a lower priority that does not preempt, without a word from a person", async () => {
    const box = await startBox(rig, ours, { own: OWN, priority: 200, preempt: false });
    await isActive(box);
    await startKeepalived(rig, theirs, [{ priority: 100, preempt: false }]);
    const sentence = "check http 127.0.0.1:80 failed: connection refused";
    box.give({ kind: "penalties", penalties: [{ group: "edge", cause: "check", weight: 150, sentence }] });
    await theyHold();
    await isStandby(box);
    expect(box.events.find((event) => event.event === "role-offered")?.reason).toContain(sentence);
  });

  test("a switch-over that is asked for goes to keepalived", async () => {
    const box = await startBox(rig, ours, { own: OWN, priority: 200, preempt: false });
    await isActive(box);
    expect(await box.command({ kind: "switchover", group: undefined })).toMatchObject({ ok: false, exitCode: 5 });
    const other = await startKeepalived(rig, theirs, [{ priority: 50, preempt: false }]);
    await until("keepalived has heard the box", () => other.log().includes("Entering BACKUP STATE"));
    expect(await box.command({ kind: "switchover", group: undefined })).toMatchObject({ ok: true });
    await theyHold();
  });

  test("row 25: a standby that stood still finds the advertisements that waited for it and stays standby", async () => {
    await startKeepalived(rig, theirs, [{ priority: 150 }]);
    await theyHold();
    const box = await startBox(rig, ours, { own: OWN });
    await hears(box, "accepted-rfc5798", 2);
    box.child.kill("SIGSTOP");
    const start = Date.now();
    await until("three down intervals pass", () => Date.now() - start > 2_200);
    const before = box.counters()["accepted-rfc5798"] ?? 0;
    box.child.kill("SIGCONT");
    await hears(box, "accepted-rfc5798", before + 12);
    expect(box.events.filter((event) => event.to === "active")).toEqual([]);
  });

  test("row 18: a frozen box is silent before keepalived answers, and comes back as standby", async () => {
    const client = await rig.host("client", "192.0.2.99/24");
    const box = await startBox(rig, ours, { own: OWN, priority: 200, preempt: false });
    await isActive(box);
    await startKeepalived(rig, theirs, [{ priority: 100 }]);
    const answers = async () => (await client.tryRun(["arping", "-c1", "-w1", "-I", "eth0", VIP])).stdout;
    const mac = (await ours.ip("-o link show eth0")).match(/link\/ether (\S+)/)?.[1] ?? "";
    expect((await answers()).toLowerCase()).toContain(mac);
    box.child.kill("SIGSTOP");
    await theyHold();
    // The VIP is still on the frozen box: only the gate keeps it silent.
    expect(await holds(ours, VIP)).toBe(true);
    expect((await answers()).toLowerCase()).not.toContain(mac);
    box.child.kill("SIGCONT");
    await isStandby(box);
  });
});
