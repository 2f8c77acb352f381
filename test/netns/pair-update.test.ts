/**
 * The update of a pair: two whole boxes with the real updater beside each, under a thousand probes a second. The slots are the
 * test's, and a version is what it does: some of them are bad.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ask } from "@futago/firmware/cli/client.ts";
import type { PairUpdateShown } from "@futago/firmware/runtime/control-update.ts";
import type { Box } from "../lab/topology.ts";
import { Prober } from "../lab/prober.ts";
import { Pair, pairDocument, pause, VIP } from "./pair-fixture.ts";
import { UpdatingBox, type Version, writeBundle } from "./updating-box.ts";

/** Seconds: a version is proved for so long, and watched. */
const PACE = "4,6";
/** What is lost is counted once the last probe has had its time. */
const TAIL_MILLIS = 700;

vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });

let pair: Pair;
let prober: Prober;
let boxes: Readonly<Record<Box, UpdatingBox>>;
let version = 1;

beforeAll(async () => {
  const document = pairDocument();
  pair = await Pair.start({ document, bare: true });
  const box = (name: Box) => new UpdatingBox(pair, name, document, PACE, { version: "1.0.0" });
  boxes = { a: box("a"), b: box("b") };
  await Promise.all([boxes.a.start(), boxes.b.start()]);
  await pair.settled("a");
  prober = await Prober.start(pair.client, { address: VIP, ping: true });
});
afterAll(async () => {
  boxes.a.close();
  boxes.b.close();
  await prober.stop();
  await pair.destroy();
});

/** A bundle of the next version. */
function bundle(of: Omit<Version, "version"> = {}): { readonly file: string; readonly version: string } {
  const next = `${++version}.0.0`;
  return { file: writeBundle(pair.files.file("bundle.raucb", ""), { ...of, version: next }), version: next };
}

/** Both run what was found good, and each knows that of the other. */
async function ready(active: Box): Promise<void> {
  await pair.bringTo(active);
  for (const name of ["a", "b"] as const) {
    await boxes[name].proven();
    await pair.until(name, "whole flows", ({ replication }) => replication?.whole !== false);
  }
}

async function begin(name: Box, file: string): Promise<string> {
  const { message } = await ask(pair.files.state(name), "update", { file, author: "test" });
  return message;
}

async function over(name: Box, id?: string): Promise<PairUpdateShown> {
  const shown = await boxes[name].until(
    "the end of the update",
    (seen) => seen.outcome !== "running" && (id === undefined || seen.id === id),
  );
  await pause(TAIL_MILLIS);
  return shown;
}

const stage = (name: Box, wanted: PairUpdateShown["stage"], of: Box) =>
  boxes[name].until(
    `stage ${wanted} of box ${of}`,
    (seen) => seen.outcome === "running" && seen.stage === wanted && seen.box === of,
  );

const versions = () => [boxes.a.version, boxes.b.version];

describe("an update of a pair", () => {
  it("brings a new version onto both boxes, and loses nothing", async () => {
    await ready("a");
    const { lost } = prober.tick;
    const before = prober.tick.answered;
    const next = bundle();
    expect(await begin("a", next.file)).toContain("Both boxes are updated to it, the other one first.");
    const { id } = await stage("b", "watching", "b");
    const crossing = await pair.box("b").futago("switchover");
    expect([crossing.code, crossing.stderr]).toEqual([6, expect.stringContaining("the pair is being updated")]);
    const shown = await over("a", id);
    expect([shown.outcome, shown.failure, versions()]).toEqual(["done", null, [next.version, next.version]]);
    expect((await over("b", id)).outcome).toBe("done");
    expect([prober.tick.lost - lost, prober.tick.answered > before + 5_000]).toEqual([0, true]);
    expect((await pair.status("b")).role).toBe("active");
  });

  it("is handed on by the box that does not serve, and leads from the one that does", async () => {
    await ready("b");
    const { lost } = prober.tick;
    const next = bundle();
    expect(await begin("a", next.file)).toContain("the other one serves, and leads");
    await stage("a", "starting", "a");
    const shown = await over("b");
    expect([shown.outcome, shown.failure, versions()]).toEqual(["done", null, [next.version, next.version]]);
    expect(prober.tick.lost - lost).toBe(0);
  });

  it("is refused where there is nothing newer in the bundle, and changes nothing", async () => {
    await ready("a");
    const file = writeBundle(pair.files.file("old.raucb", ""), { version: "1.0.0" });
    await expect(begin("a", file)).rejects.toThrow("older than this box");
    expect((await boxes.a.shown())?.pair?.outcome).toBe("done");
  });
});

describe("a bad version", () => {
  it("whose box answers and whose VIP does not goes back by itself", async () => {
    await ready("a");
    const former = versions();
    const { lost, sent } = prober.tick;
    const next = bundle({
      breaks: `chain in {\ntype filter hook input priority -300\nip daddr ${VIP} icmp type echo-request drop\n}`,
    });
    await begin("a", next.file);
    await boxes.b.until("that the bad version serves", (seen) => seen.stage === "watching");
    const shown = await over("a");
    expect([shown.outcome, shown.failure]).toEqual([
      "cameBack",
      expect.stringContaining(`${VIP} does not answer any more`),
    ]);
    expect(versions()).toEqual(former);
    const cost = prober.tick.lost - lost;
    console.log(`a bad version that was seen only while it served cost ${cost} of ${prober.tick.sent - sent} probes`);
    expect(cost).toBeGreaterThan(0);
    await pair.settled("a");
    const healed = prober.tick.lost;
    await pause(2_000);
    expect(prober.tick.lost).toBe(healed);
    expect(await pair.alarm("a", "pair-update-failed")).toContain("the former version serves");
  });

  it("that does not come up is left by the loader, and nothing is lost", async () => {
    await ready("a");
    const [former, { lost }] = [versions(), prober.tick];
    await begin("a", bundle({ isDead: true }).file);
    const shown = await over("a");
    expect([shown.outcome, shown.failure]).toEqual(["cameBack", expect.stringContaining("did not come up on box b")]);
    expect([versions(), prober.tick.lost - lost]).toEqual([former, 0]);
  });

  it("that is not found good can be stopped, and nothing is lost", async () => {
    await ready("a");
    const [former, { lost }] = [versions(), prober.tick];
    await begin("a", bundle({ failedUnits: ["ssh.service"] }).file);
    await boxes.a.until("what is wrong", (seen) => seen.findings.some((one) => one.includes("ssh.service has failed")));
    const stopped = await pair.box("b").futago("update", "stop");
    expect([stopped.code, stopped.stdout]).toEqual([0, expect.stringContaining("is taken back")]);
    const shown = await over("a");
    expect([shown.outcome, shown.failure]).toEqual(["cameBack", expect.stringContaining("stopped it")]);
    await pair.settled("a");
    expect([versions(), prober.tick.lost - lost]).toEqual([former, 0]);
    const again = await pair.box("a").futago("update", "stop");
    expect([again.code, again.stderr]).toEqual([6, expect.stringContaining("no update of the pair is under way")]);
  });
});

describe("a box that loses its power", () => {
  it.each(["installing", "proving"] as const)(
    "while it is updated (%s) ends the update, and nothing is lost",
    async (at) => {
      await ready("a");
      const [former, { lost }] = [versions(), prober.tick];
      await begin("a", bundle({ failedUnits: ["ssh.service"] }).file);
      await stage("a", at, "b");
      await boxes.b.die();
      await boxes.b.start();
      if (at === "proving") await ask(pair.files.state("a"), "updateStop", { author: "test" });
      const shown = await over("a");
      expect(shown.outcome).toBe("cameBack");
      await pair.settled("a");
      expect([versions(), prober.tick.lost - lost]).toEqual([former, 0]);
    },
  );

  it("while it leads takes back what was begun when it is there again", async () => {
    await ready("a");
    const former = versions();
    await begin("a", bundle({ failedUnits: ["ssh.service"] }).file);
    await stage("b", "proving", "b");
    await boxes.a.die();
    await pair.role("b", "active");
    await boxes.a.start();
    const shown = await over("a");
    expect([shown.outcome, shown.failure]).toEqual(["cameBack", expect.stringContaining("was started anew meanwhile")]);
    await pair.settled("a");
    expect(versions()).toEqual(former);
  });
});
