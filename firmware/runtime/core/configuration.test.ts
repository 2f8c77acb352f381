import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Store, StoreError } from "../store/store.ts";
import { type Applied, Configuration } from "./configuration.ts";
import { judge, judgeAside } from "./judge.ts";
import { refusal } from "../refused.test-support.ts";

const alone = { interfaces: [{ name: "wan", device: "eth0", addresses: ["10.1.0.2/24"] }] };
const paired = {
  ...alone,
  interfaces: [{ name: "wan", device: "eth0", addresses: { a: ["10.1.0.2/24"], b: ["10.1.0.3/24"] } }],
  pair: {},
};

let directory = "";
const open: Configuration[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "futago-config-"));
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
  rmSync(directory, { recursive: true });
});

async function opened(
  options: { box?: "a" | "b"; key?: boolean; joined?: string | undefined; devices?: string[]; state?: string } = {},
) {
  const configuration = await Configuration.open({
    stateDirectory: join(directory, options.state ?? "state"),
    box: options.box,
    hasPairKey: options.key ?? false,
    joined: options.joined,
    devices: () => Promise.resolve(options.devices ?? ["eth0"]),
  });
  open.push(configuration);
  return configuration;
}

/** What `--import` of a file with this document does. */
function imported(configuration: Configuration, document: unknown): Promise<Applied> {
  const path = join(directory, "new.json");
  writeFileSync(path, typeof document === "string" ? document : JSON.stringify(document));
  return configuration.importFile(path);
}

describe("a box that joins another", () => {
  const joining = { box: "b", key: true, joined: "the pairing" } as const;
  const closed = () => open.pop()?.close();
  beforeEach(async () => {
    const configuration = await opened();
    await imported(configuration, alone);
    await configuration.willGiveUp("the pairing");
    await closed();
  });

  it("has given up what it had, also when it died before it could", async () => {
    const configuration = await opened(joining);
    expect(configuration.inForce).toBeUndefined();
    expect(await configuration.store.lineage(1)).toEqual([]);
    expect(await configuration.store.history(10)).toMatchObject([{ author: "import", whole: true }]);
    // What it has afterwards stays.
    await imported(configuration, paired);
    await closed();
    expect((await opened(joining)).inForce?.resolved.pair).toBeDefined();
  });

  it.each([
    ["of none", undefined],
    ["of another pairing", "another"],
  ])("keeps it when it comes to be %s", async (_, joined) => {
    expect((await opened({ ...joining, joined })).inForce).toBeDefined();
    await closed();
    expect((await opened(joining)).inForce).toBeDefined();
  });

  it("gives it up when the pairing stands, and not before", async () => {
    const configuration = await opened({ ...joining, joined: undefined });
    await configuration.willGiveUp("the pairing");
    await configuration.giveUp("another");
    expect(await configuration.store.lineage(1)).toHaveLength(1);
    await configuration.willGiveUp("the pairing");
    await configuration.giveUp("the pairing");
    expect(await configuration.store.lineage(1)).toEqual([]);
  });

  it("does not start while the disk refuses that: it would run on with what it gave up", async () => {
    const refused = { code: "diskFull", what: "the disk is full", mend: "remove something" } as const;
    const forget = vi.spyOn(Store.prototype, "forgetHead").mockRejectedValue(new StoreError(refused));
    expect(await refusal(opened(joining))).toMatchObject({ what: "the disk is full", mend: "remove something." });
    forget.mockRestore();
    expect((await opened(joining)).inForce).toBeUndefined();
  });
});

describe("the configuration in force", () => {
  it("is nothing on a new box, and what was applied after a reopening", async () => {
    const first = await opened();
    expect(first.inForce).toBeUndefined();
    const { inForce } = await imported(first, alone);
    await open.pop()?.close();
    const second = await opened();
    expect(second.inForce?.revision.id).toBe(inForce.revision.id);
    expect(second.inForce?.resolved.interfaces[0]?.device).toBe("eth0");
  });

  it("does not change when an equal document comes, however it is written", async () => {
    const configuration = await opened();
    const first = await imported(configuration, alone);
    expect(first.changed).toBe(true);
    const [wan] = alone.interfaces;
    const shuffled = JSON.stringify(
      { interfaces: [{ addresses: wan?.addresses, device: "eth0", name: "wan" }] },
      undefined,
      4,
    );
    const again = await imported(configuration, shuffled);
    expect(again.changed).toBe(false);
    expect(again.inForce.revision.id).toBe(first.inForce.revision.id);
  });

  it("has the same revision on both boxes that import the same", async () => {
    const a = await opened({ box: "a", key: true, state: "a" });
    const b = await opened({ box: "b", key: true, state: "b" });
    const ids = [await imported(a, paired), await imported(b, paired)];
    expect(ids[0]?.inForce.revision.id).toBe(ids[1]?.inForce.revision.id);
    expect(b.inForce?.resolved.interfaces[0]?.addresses[0]?.address).toBe("10.1.0.3");
  });

  it("is refused with exit code 3 and every problem's path, and stays what it was", async () => {
    const configuration = await opened();
    const { inForce } = await imported(configuration, alone);
    const bad = { interfaces: [{ name: "wan", device: "eth0", adresses: [] }], route: [] };
    const refused = await refusal(imported(configuration, bad));
    expect(refused.exitCode).toBe(3);
    const places = [refused, ...(refused.also ?? [])].map((one) => one.where);
    expect(places).toContain(`${join(directory, "new.json")}: interfaces.wan.adresses`);
    expect(places).toContain(`${join(directory, "new.json")}: route`);
    expect(configuration.inForce?.revision.id).toBe(inForce.revision.id);
  });

  it("is refused when a device is missing, but runs without it once it was accepted", async () => {
    const refused = await refusal(imported(await opened({ devices: ["eth7"] }), alone));
    expect(refused.exitCode).toBe(3);
    expect(refused.what + (refused.mend ?? "")).toContain("eth");
    await open.pop()?.close();
    await imported(await opened(), alone);
    await open.pop()?.close();
    const unplugged = await opened({ devices: [] });
    expect(unplugged.inForce).toBeDefined();
    expect((await imported(unplugged, alone)).changed).toBe(false);
  });

  it("asks for --box and --pair-key with exit code 2, also at the next start", async () => {
    expect((await refusal(imported(await opened(), paired))).exitCode).toBe(2);
    await open.pop()?.close();
    const noKey = await refusal(imported(await opened({ box: "a" }), paired));
    expect(noKey).toMatchObject({ exitCode: 2, mend: expect.stringContaining("--pair-key") as string });
    await open.pop()?.close();
    await imported(await opened({ box: "a", key: true }), paired);
    await open.pop()?.close();
    expect((await refusal(opened({ box: "a" }))).exitCode).toBe(2);
  });

  it("is the newest that this version can run, when the head is none, which stays the head", async () => {
    const first = await opened();
    const { inForce } = await imported(first, alone);
    const rest = { author: "later", comment: "", time: "2026-01-05T03:04:05.678Z" };
    const strange = await first.store.append({ text: '{"antigravity":true}', parent: inForce.revision.id, ...rest });
    await open.pop()?.close();
    const second = await opened();
    expect(second.inForce?.revision.id).toBe(inForce.revision.id);
    expect((await second.store.head())?.id).toBe(strange.ok ? strange.revision.id : "");
    const sentence = second.troubles.get("configuration-unusable");
    expect(sentence).toContain("the stored configuration: antigravity: ");
    expect(sentence).toContain(`revision ${inForce.revision.id.slice(0, 16)} of`);
    // A file that is given at the next start comes after both.
    const { revision } = (await imported(second, { ...alone, note: "mended" })).inForce;
    expect(revision.parent).toBe(strange.ok ? strange.revision.id : "");
    await open.pop()?.close();
    const third = await opened();
    expect([third.inForce?.revision.id, third.troubles.size]).toEqual([revision.id, 0]);
  });

  it("names the file that cannot be read", async () => {
    const path = join(directory, "none.json");
    expect(await refusal((await opened()).importFile(path))).toMatchObject({ exitCode: 3, where: path });
    writeFileSync(path, JSON.stringify(alone));
    expect((await (await opened({ state: "other" })).importFile(path)).changed).toBe(true);
  });
});

describe("a large configuration", () => {
  const pools = Array.from({ length: 100 }, (_, p) => ({
    name: `p${p}`,
    backends: Array.from({ length: 100 }, (_b, i) => ({ name: `s${i}`, address: `10.1.${p + 1}.${i + 1}`, port: 80 })),
  }));
  const large = { interfaces: [{ name: "wan", device: "eth0", addresses: ["10.1.0.2/16"] }], pools };

  it("is judged in a thread as it would be here, and timers go on meanwhile", async () => {
    const text = JSON.stringify(large);
    let latest = performance.now();
    let longest = 0;
    const tick = () => {
      longest = Math.max(longest, performance.now() - latest);
      latest = performance.now();
    };
    const timer = setInterval(tick, 1);
    const start = performance.now();
    const aside = await judgeAside(text, { box: undefined, devices: ["eth0"] }, undefined);
    tick();
    const took = performance.now() - start;
    clearInterval(timer);
    expect(aside).toEqual(judge(text, { box: undefined }));
    expect(aside).toMatchObject({ ok: true, resolved: { pools: { length: 100 } } });
    expect(longest).toBeLessThan(took / 2);
  });

  it("is refused in a thread with the same problems, and committed when it is right", async () => {
    const configuration = await opened();
    const broken = { ...large, pools: [...pools, { name: "p0", backends: [] }] };
    const refused = await refusal(imported(configuration, JSON.stringify(broken)));
    expect([refused, ...(refused.also ?? [])].map((one) => one.where)).toEqual([
      `${join(directory, "new.json")}: pools.100.name`,
      `${join(directory, "new.json")}: pools.100.backends`,
    ]);
    const { inForce } = await imported(configuration, JSON.stringify(large, undefined, 2));
    expect(inForce.resolved.pools).toHaveLength(100);
    expect(await imported(configuration, large)).toMatchObject({ changed: false });
  });
});
