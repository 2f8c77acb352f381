/** Boxes alone beside FRR's vrrpd: hand-over both ways, over IPv4 and IPv6. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Namespace } from "../netns/namespaces.ts";
import { type Frr, hasFrr, startFrr } from "./frr.ts";
import { type AloneBox, createRig, holds, type Rig, startBox, until } from "./rig.ts";

const VIP = "192.0.2.1";
const VIP6 = "2001:db8::1";
const OWN = ["192.0.2.11/24"];
const ROUTER = { family: "ipv4", vrid: 10, priority: 100, addresses: [VIP] } as const;
const ROUTER6 = { family: "ipv6", vrid: 20, priority: 100, addresses: ["fe80::100", VIP6] } as const;

let rig: Rig;
let ours: Namespace;
let theirs: Namespace;
beforeEach(async (context) => {
  context.skip(!hasFrr, "FRR's vrrpd is not installed; ./build.sh setup has it");
  rig = await createRig();
  ours = await rig.host("ours", ...OWN);
  theirs = await rig.host("theirs", "192.0.2.12/24");
});
afterEach(() => rig?.destroy());

const isActive = (box: AloneBox, vip: string) =>
  until("the box is active", () => box.state() === "active" && holds(ours, vip));
const isStandby = (box: AloneBox, vip: string) =>
  until("the box is standby", async () => box.state() === "standby" && !(await holds(ours, vip)));
const reaches = (frr: Frr, vrid: number, state: string) =>
  until(`FRR is ${state}`, async () => (await frr.state(vrid)) === state);
const hears = (box: AloneBox, counter: string) =>
  until(`a packet is ${counter}`, () => (box.counters()[counter] ?? 0) > 0);

describe("beside FRR", () => {
  test("IPv4: it takes over when FRR loses power, and yields when a better FRR preempts", async () => {
    const first = await startFrr(rig, theirs, [{ ...ROUTER, priority: 150 }]);
    await reaches(first, 10, "Active");
    const box = await startBox(rig, ours, { own: OWN });
    await hears(box, "accepted-rfc5798");
    await first.kill();
    await isActive(box, VIP);
    const second = await startFrr(rig, theirs, [{ ...ROUTER, priority: 150 }]);
    await reaches(second, 10, "Active");
    await isStandby(box, VIP);
    expect(box.counters()["checksum-wrong"] ?? 0).toBe(0);
  });

  test("row 9: FRR takes over within its skew when the box stops, and the box preempts when it is better", async () => {
    const box = await startBox(rig, ours, { own: OWN, priority: 200 });
    await isActive(box, VIP);
    const frr = await startFrr(rig, theirs, [ROUTER]);
    await reaches(frr, 10, "Backup");
    const stopped = box.stop();
    await reaches(frr, 10, "Active");
    expect(await stopped).toBe(0);
    expect(await holds(ours, VIP)).toBe(false);
    const again = await startBox(rig, ours, { own: OWN, priority: 200 });
    await isActive(again, VIP);
    await reaches(frr, 10, "Backup");
  });

  test("row 15: IPv6 both ways, the link-local virtual address first", async () => {
    const frr = await startFrr(rig, theirs, [{ ...ROUTER6, priority: 150 }]);
    await reaches(frr, 20, "Active");
    const box = await startBox(rig, ours, { own: OWN, routers: [{ family: "ipv6", vrid: 20 }] });
    await hears(box, "accepted-ipv6");
    await frr.kill();
    await isActive(box, VIP6);
    const again = await startFrr(rig, theirs, [{ ...ROUTER6, priority: 150 }]);
    await reaches(again, 20, "Active");
    await isStandby(box, VIP6);
    expect(box.counters()["first-address-not-link-local"] ?? 0).toBe(0);
  });

  test("with preemption off on both sides, whoever is active stays so", async () => {
    const frr = await startFrr(rig, theirs, [{ ...ROUTER, preempt: false }]);
    await reaches(frr, 10, "Active");
    const box = await startBox(rig, ours, { own: OWN, priority: 200, preempt: false });
    await until("more than a down interval is heard", () => (box.counters()["accepted-rfc5798"] ?? 0) > 6);
    expect(box.state()).toBe("standby");
    expect(await frr.state(10)).toBe("Active");
  });
});
