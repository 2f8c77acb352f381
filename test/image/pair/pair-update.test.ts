/**
 * Two boxes from the image, made a pair by their pages, are updated by the API under a hundred probes a second: RAUC, the
 * boot loader and the pair's own judgement for real. (A thousand take more than half of an emulated processor: test/netns/pair-update
 * asks so often.) Then by a version whose service does not come up.
 */
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

const CONNECTIONS = 20;
const PROBE_MICROS = 10_000;
const UPLOAD_MILLIS = 600_000;
/** Sent, written, started, proved for two minutes, watched for one; then the other box. By emulated clocks. */
const UPDATE = { timeout: 2_400_000, interval: 10_000 };
const TEST = { timeout: 2 * UPDATE.timeout };

let pair: ServedPair;
let token: string;
let later: string;
let broken: string;
let signedIn: "a" | "b";
let done = false;

beforeAll(async () => {
  later = await bundleOf({ name: "later", days: 1 });
  broken = await bundleOf(withoutService(2));
  pair = await ServedPair.start();
}, TEST.timeout);
afterAll(async () => {
  // Why it failed stands in the machine's journal, which ends with it.
  if (token !== undefined && !done) process.stdout.write(`${await journal()}\n`);
  await pair?.destroy();
});

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

/** The body of the answer; nothing where the box does not answer. */
async function api(box: "a" | "b", ...more: readonly string[]): Promise<string> {
  const url = `https://${CARTON_ADDRESSES[box]}/api/v1/update`;
  const head = ["-sk", "-H", `authorization: Bearer ${token}`, "-H", "content-type: application/octet-stream"];
  return (await pair.twins.client.tryRun(["curl", ...head, ...more, url], { timeoutMillis: UPLOAD_MILLIS })).stdout;
}

async function shown(box: "a" | "b"): Promise<UpdateShown | undefined> {
  const text = await api(box, "-m", "10");
  return text.startsWith("{") ? (JSON.parse(text) as UpdateShown) : undefined;
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

/** Uploads the bundle at the box that serves, and waits for the end; what it cost clients is printed. */
async function update(bundle: string): Promise<{ readonly end: PairUpdateShown; readonly lost: number }> {
  await bothGood();
  const { active } = await pair.byRole();
  const kept = await KeptConnections.open(pair.twins.client, VIP, CONNECTIONS);
  expect(await kept.ask()).toEqual({ answered: CONNECTIONS, ended: 0 });
  const prober = await Prober.start(pair.twins.client, { address: VIP, ping: true, intervalMicros: PROBE_MICROS });
  const from = monotonicMicros();
  const answer = await api(active, "--data-binary", `@${bundle}`);
  const id = await startedBy(active, answer);
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

async function startedBy(box: "a" | "b", answer: string): Promise<string> {
  await expect.poll(async () => (await shown(box))?.pair?.outcome, { ...PATIENCE, message: answer }).toBe("running");
  return (await shown(box))?.pair?.id ?? "";
}

const running = async () =>
  Promise.all((["a", "b"] as const).map(async (box) => (await shown(box))?.slots.find((slot) => slot.isRunning)));

it("become a pair by their pages, whose token opens the API", TEST, async () => {
  await pair.makeByPages();
  const { active } = await pair.byRole();
  signedIn = active;
  await signInAtConsole(pair.twins[active], ALICE);
  const { text } = await shell(pair.twins[active], "futago token create rig --scope read,admin --json");
  token = /"token":\s*"([^"]+)"/.exec(text)?.[1] ?? "";
  expect(token, text).not.toBe("");
});

it("are updated one after the other, and no client notices", TEST, async () => {
  const { end, lost } = await update(later);
  expect([end.outcome, end.failure]).toEqual(["done", null]);
  expect(await running()).toMatchObject([
    { slot: "b", verdict: "good" },
    { slot: "b", verdict: "good" },
  ]);
  expect(lost).toBe(0);
});

it("come back by themselves from a version that does not come up, and no client notices", TEST, async () => {
  const { end, lost } = await update(broken);
  expect([end.outcome, end.failure]).toEqual(["cameBack", expect.stringContaining("did not come up on box")]);
  expect(await running()).toMatchObject([
    { slot: "b", verdict: "good" },
    { slot: "b", verdict: "good" },
  ]);
  expect(lost).toBe(0);
  done = true;
});
