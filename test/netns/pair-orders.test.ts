/** What people tell a pair: maintenance, switch-over, changes of the configuration. None moves a role by accident. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Prober } from "../lab/prober.ts";
import { BOXES } from "../lab/topology.ts";
import { CORE_LINK, type Document, LAN_VIP, Pair, pairDocument, pause, VIP } from "./pair-fixture.ts";

const SECOND_VIP = "10.1.0.5";
const pools = [{ name: "web", backends: [{ name: "s1", address: "10.2.0.11", port: 80 }], check: { type: "none" } }];
const service = (port: number) => ({ name: "www", address: VIP, protocol: "tcp", port, pool: "web" });
const document: Document = { ...pairDocument(), pools, services: [service(80)] };

let pair: Pair;
let prober: Prober;

beforeAll(async () => {
  pair = await Pair.start({ document });
  await pair.settled("a");
  prober = await Prober.start(pair.client, { address: VIP, ping: true });
});
afterAll(async () => {
  await prober.stop();
  await pair.destroy();
});

/** Applies a document to a box as a person would. */
async function apply(box: "a" | "b", changed: Document): Promise<void> {
  const file = pair.files.document("changed.json", changed);
  const { code, stderr } = await pair.box(box).futago("config", "apply", file);
  expect(`${code} ${stderr}`).toMatch(/^0 /);
}

/** Applies a document; both boxes have it, no role moves, and the client notices nothing. */
async function expectCalm(changed: Document, look?: () => Promise<void>): Promise<void> {
  const before = await pair.moves();
  const { lost } = prober.tick;
  await apply("a", changed);
  const revisions = await Promise.all(BOXES.map(async (box) => (await pair.status(box)).revision));
  expect(revisions[1]).toBe(revisions[0]);
  await look?.();
  await pair.settled("a");
  // The prober gives an echo half a second.
  await pause(700);
  expect(await pair.moves()).toEqual(before);
  expect(prober.tick.lost).toBe(lost);
}

const answers = async (address: string) => (await pair.client.tryRun(["ping", "-c1", "-W1", address])).code === 0;

function withVips(vips: readonly string[]): Document {
  const [group] = document.failoverGroups as readonly [object];
  const virtualRouters = [
    { interface: "wan", vrid: 10, addresses: vips.map((vip) => `${vip}/24`) },
    { interface: "lan", vrid: 11, addresses: [`${LAN_VIP}/24`] },
  ];
  return { ...document, failoverGroups: [{ ...group, virtualRouters }] };
}

describe("a change of the configuration", () => {
  it("of a service moves no role", async () => {
    await expectCalm({ ...document, services: [service(8080)] });
    await expectCalm(document);
  });

  it("of the addresses of a group moves none, and each address answers from the box that holds the group", async () => {
    await expectCalm(withVips([VIP, SECOND_VIP]), async () => {
      await expect.poll(() => answers(SECOND_VIP), { timeout: 5_000 }).toBe(true);
      expect((await pair.status("a")).groups[0]?.addresses).toContain(`${SECOND_VIP}/24`);
    });
    expect(await pair.clientSendsTo(SECOND_VIP)).toBe(await pair.mac(pair.hosts.a));
    expect(await pair.hosts.b.ip("-4 addr show dev eth0")).not.toContain(SECOND_VIP);
    await expectCalm(document);
    await expect.poll(() => answers(SECOND_VIP), { timeout: 5_000 }).toBe(false);
    expect(await pair.hosts.a.ip("-4 addr show dev eth0")).not.toContain(SECOND_VIP);
  });

  it("of an own address of the active box leaves it in its subnet, with the VIP beside it", async () => {
    const [wan, lan, sync] = document.interfaces as readonly [object, object, object];
    const routes = async () => (await pair.hosts.a.ip("-4 route show dev eth1")).trim();
    for (const own of ["10.2.0.66", "10.2.0.2"]) {
      const moved = { ...lan, addresses: { a: [`${own}/24`], b: ["10.2.0.3/24"] } };
      await expectCalm({ ...document, interfaces: [wan, moved, sync] }, async () => {
        await expect.poll(routes, { timeout: 3_000 }).toMatch(new RegExp(`^10\\.2\\.0\\.0/24 .*src ${own}`));
        expect((await pair.hosts.a.tryRun(["ping", "-c1", "-W2", "10.2.0.3"])).code).toBe(0);
        expect(await pair.hosts.a.ip("-4 addr show dev eth1")).toContain(`${LAN_VIP}/32`);
      });
    }
  });

  it("of the heartbeat's paths cuts none that stays", async () => {
    const over = (...ports: readonly string[]): Document => ({
      ...document,
      pair: { heartbeat: { over: ports, profile: "calm" } },
    });
    const shown = async (box: "a" | "b") => (await pair.status(box)).peer?.paths.map((path) => path.interface).join();
    await expectCalm(over("lan", "wan"), async () => {
      expect(await pair.status("b")).toMatchObject({ peer: { alive: true }, role: "standby" });
    });
    for (const box of BOXES) await expect.poll(() => shown(box)).toBe("lan,wan");
    await expectCalm(over("wan", "sync"));
    for (const box of BOXES) await expect.poll(() => shown(box)).toBe("wan,sync");
    await expectCalm(document);
  });

  it("of the profile cuts nothing either", async () => {
    const profile = (name: string): Document => ({
      ...document,
      pair: { heartbeat: { over: ["sync", "lan", "wan"], profile: name, fixed: true } },
    });
    await expectCalm(profile("default"));
    await pair.until("a", "75 ms", ({ heartbeat }) => heartbeat?.deadMs === 75);
    await expectCalm(document);
    await pair.until("a", "600 ms", ({ heartbeat }) => heartbeat?.deadMs === 600);
  });
});

describe("a switch-over", () => {
  it("is refused in words while the boxes run different revisions", async () => {
    const before = await pair.moves();
    await pair.lose([], CORE_LINK);
    await apply("a", { ...document, services: [service(8081)] });
    for (const box of BOXES) {
      expect(await pair.alarm(box, "revision-differs")).toContain("as soon as the two cores are linked");
      const refused = await pair.box(box).futago("switchover");
      expect(refused.code).toBe(6);
      expect(refused.stderr).toContain("the boxes run different revisions; give both the same configuration first");
    }
    expect(await pair.moves()).toEqual(before);
    await pair.lose([]);
    for (const box of BOXES) await pair.noAlarm(box, "revision-differs");
    // The sentinels hear of it a moment later than the cores.
    await expect.poll(async () => (await pair.box("a").futago("switchover")).code, { timeout: 5_000 }).toBe(0);
    await pair.settled("b");
    await pair.bringTo("a");
  });

  it("is refused for a group that does not exist, with those that do", async () => {
    const refused = await pair.box("a").futago("switchover", "--group", "nowhere");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("no failover group is called nowhere; there are: edge");
  });
});

describe("maintenance", () => {
  it("hands over first, without a lost packet, and comes back as standby", async () => {
    const { lost } = prober.tick;
    const entered = await pair.box("a").futago("maintenance", "on");
    expect(entered).toMatchObject({ code: 0, stdout: expect.stringContaining("in maintenance") });
    await pair.role("b", "active");
    await pair.role("a", "maintenance");
    for (const box of BOXES) expect((await pair.box(box).futago("switchover")).code).toBe(box === "a" ? 6 : 5);
    expect((await pair.box("b").futago("switchover")).stderr).toContain("the peer is in maintenance");
    expect((await pair.status("b")).peer?.role).toBe("maintenance");
    expect(await pair.box("a").futago("maintenance", "off")).toMatchObject({ code: 0 });
    await pair.settled("b");
    await pause(700);
    expect(prober.tick.lost).toBe(lost);
    await pair.bringTo("a");
  });

  it("of the standby moves nothing, and its peer goes on without it", async () => {
    const before = await pair.moves();
    expect((await pair.box("b").futago("maintenance", "on")).code).toBe(0);
    await pair.role("b", "maintenance");
    expect((await pair.status("a")).role).toBe("active");
    expect((await pair.box("b").futago("maintenance", "off")).code).toBe(0);
    await pair.settled("a");
    expect((await pair.moves()).a).toBe(before.a);
  });

  it("and a switch-over are refused in words when there is no peer", async () => {
    await pair.powerOff("b");
    await pair.alarm("a", "peer-lost");
    const refused = await pair.box("a").futago("switchover");
    expect(refused.code).toBe(5);
    expect(refused.stderr).toContain("the peer is not there; a switch-over needs both boxes");
    const waits = await pair.box("a").futago("maintenance", "on");
    expect(waits.code).toBe(5);
    expect(waits.stderr).toContain("it goes into maintenance when the peer is back");
    expect(await pair.status("a")).toMatchObject({ role: "active", groups: [{ answering: true }] });
    expect(await answers(VIP)).toBe(true);
    expect(await pair.alarm("a", "maintenance-waits")).toContain("futago maintenance off");
    expect((await pair.box("a").futago("maintenance", "off")).code).toBe(0);
    await pair.noAlarm("a", "maintenance-waits");
  });
});
