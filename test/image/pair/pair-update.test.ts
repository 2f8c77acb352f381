/**
 * Two boxes from the image, made a pair by their pages, are updated at a console from a disk, under a thousand probes a
 * second: RAUC, the boot loader and the pair's own judgement for real. Then by a version whose service does not come up.
 * The bundle does not come over TLS, which takes an emulated processor whole: test/netns/pair-update sends it to the API.
 */
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { PairUpdateShown, UpdateShown } from "@futago/firmware/runtime/control-update.ts";
import { ALICE } from "../../browser/visit.ts";
import { longestSilence, monotonicMicros, Prober } from "../../lab/prober.ts";
import { KeptConnections } from "../appliance/kept-connections.ts";
import { PATIENCE, ServedPair } from "../appliance/served-pair.ts";
import { signInAtConsole } from "../appliance/signed-in-shell.ts";
import { CARTON_ADDRESSES, VIP } from "../appliance/twins.ts";
import { shell } from "../update/shell.ts";
import { bundleOf, withoutService } from "../update/variant.ts";

const IMAGES = fileURLToPath(new URL("../../../images/build", import.meta.url));
const CONNECTIONS = 20;
const ANSWER_SECONDS = "10";
const MOUNTED = "/run/media";
/** Sent, written, started, proved for two minutes, watched for one; then the other box. By emulated clocks. */
const UPDATE = { timeout: 2_400_000, interval: 10_000 };
const TEST = { timeout: 2 * UPDATE.timeout };

let pair: ServedPair;
let token: string;
let place: string;
let signedIn: "a" | "b";
let done = false;

beforeAll(async () => {
  place = mkdtempSync(join(IMAGES, "test-pair-update-"));
  const drive = `file=${await bundles()},if=none,id=media,format=raw,readonly=on`;
  pair = await ServedPair.start(["-drive", drive, "-device", "virtio-blk-pci,drive=media"]);
}, TEST.timeout);
afterAll(async () => {
  // Why it failed stands in the machine's journal, which ends with it.
  if (token !== undefined && !done) process.stdout.write(`${await journal()}\n`);
  await pair?.destroy();
  rmSync(place, { recursive: true, force: true });
});

/** Both versions on one read-only disk. */
async function bundles(): Promise<string> {
  const directory = join(place, "bundles");
  mkdirSync(directory);
  const versions = { later: await bundleOf({ name: "later", days: 1 }), broken: await bundleOf(withoutService(2)) };
  for (const [name, path] of Object.entries(versions)) linkSync(path, join(directory, `${name}.raucb`));
  const disk = join(place, "bundles.img");
  execFileSync("mksquashfs", [directory, disk, "-noD", "-noappend", "-quiet", "-no-progress"]);
  return disk;
}

/** Of the box whose console somebody signed in at. */
async function journal(): Promise<string> {
  const command =
    "journalctl -q --no-pager -o short-precise -n 400 | cut -c1-300; cat /proc/loadavg; free -k; cat /proc/pressure/*";
  try {
    return (await shell(pair.twins[signedIn], command)).text;
  } catch (error) {
    return `box ${signedIn} told nothing: ${String(error)}`;
  }
}

async function shown(box: "a" | "b"): Promise<UpdateShown | undefined> {
  const url = `https://${CARTON_ADDRESSES[box]}/api/v1/update`;
  const head = ["-sk", "-m", ANSWER_SECONDS, "-H", `authorization: Bearer ${token}`];
  const { stdout } = await pair.twins.client.tryRun(["curl", ...head, url]);
  return stdout.startsWith("{") ? (JSON.parse(stdout) as UpdateShown) : undefined;
}

async function bothGood(): Promise<void> {
  const proofs = async () => [(await shown("a"))?.proof.state, (await shown("b"))?.proof.state];
  await expect.poll(proofs, UPDATE).toEqual(["good", "good"]);
}

/** Ends when a box that can be asked says so. */
async function outcome(id: string): Promise<PairUpdateShown> {
  let last: PairUpdateShown | undefined;
  let told = 0;
  const look = async () => {
    for (const box of ["a", "b"] as const) {
      const seen = (await shown(box))?.pair;
      if (seen?.id !== id) continue;
      for (const { at, sentence } of seen.steps.slice(told)) process.stdout.write(`${at} ${sentence}\n`);
      told = Math.max(told, seen.steps.length);
      last = seen;
      if (seen.outcome !== "running") return seen.outcome;
    }
    return "running";
  };
  await expect.poll(look, UPDATE).not.toBe("running");
  return last!;
}

/** Gives the order at the console that somebody signed in at, and waits for the end; what it cost clients is printed. */
async function update(bundle: "later" | "broken"): Promise<{ readonly end: PairUpdateShown; readonly lost: number }> {
  await bothGood();
  await pair.byRole();
  const kept = await KeptConnections.open(pair.twins.client, VIP, CONNECTIONS);
  expect(await kept.ask()).toEqual({ answered: CONNECTIONS, ended: 0 });
  const prober = await Prober.start(pair.twins.client, { address: VIP, ping: true });
  const from = monotonicMicros();
  const id = await order(`${MOUNTED}/${bundle}.raucb`);
  const end = await outcome(id);
  await pair.byRole();
  expect(await kept.ask()).toEqual({ answered: CONNECTIONS, ended: 0 });
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const { sent, lost } = prober.tick;
  const silence = longestSilence(prober, from);
  await prober.stop();
  kept.close();
  process.stdout.write(
    `${end.outcome}: ${lost} of ${sent} probes lost, silent for ${((silence?.micros ?? 0) / 1_000).toFixed(0)} ms at most ` +
      `(stall ${((silence?.stallMicros ?? 0) / 1_000).toFixed(0)} ms), emulated\n`,
  );
  return { end, lost };
}

/** At the console that somebody signed in at. While the boxes hear little of each other they ask for another try. */
async function order(bundle: string): Promise<string> {
  const box = pair.twins[signedIn];
  await shell(box, `mkdir -p ${MOUNTED} && mount /dev/vdb ${MOUNTED}`);
  let started: PairUpdateShown | undefined;
  const give = async () => {
    const { code, text } = await shell(box, `futago update --no-wait ${bundle}`);
    if (code !== 0) process.stdout.write(`${text.trim()}\n`);
    started = (await shown(signedIn))?.pair ?? undefined;
    return started?.outcome;
  };
  await expect.poll(give, { ...PATIENCE, interval: 10_000 }).toBe("running");
  return started?.id ?? "";
}

const running = async () =>
  Promise.all((["a", "b"] as const).map(async (box) => (await shown(box))?.slots.find((slot) => slot.isRunning)));

/** At the box that serves, whose console shows its banner. */
async function signIn(): Promise<void> {
  signedIn = (await pair.byRole()).active;
  await signInAtConsole(pair.twins[signedIn], ALICE);
}

it("become a pair by their pages, whose token opens the API", TEST, async () => {
  await pair.makeByPages();
  await pair.leavePages();
  await signIn();
  const { text } = await shell(pair.twins[signedIn], "futago token create rig --scope read,admin --json");
  token = /"token":\s*"([^"]+)"/.exec(text)?.[1] ?? "";
  expect(token, text).not.toBe("");
});

it("are updated one after the other, and no client notices", TEST, async () => {
  const { end, lost } = await update("later");
  expect([end.outcome, end.failure]).toEqual(["done", null]);
  expect(await running()).toMatchObject([
    { slot: "b", verdict: "good" },
    { slot: "b", verdict: "good" },
  ]);
  expect(lost).toBe(0);
});

it("come back by themselves from a version that does not come up, and no client notices", TEST, async () => {
  // Both were started anew.
  await signIn();
  const { end, lost } = await update("broken");
  expect([end.outcome, end.failure]).toEqual(["cameBack", expect.stringContaining("did not come up on box")]);
  expect(await running()).toMatchObject([
    { slot: "b", verdict: "good" },
    { slot: "b", verdict: "good" },
  ]);
  expect(lost).toBe(0);
  done = true;
});
