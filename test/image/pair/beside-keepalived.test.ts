/**
 * Power cuts of the active one of two machines, Futago's from the image and keepalived's in the same emulator with the same
 * processor, memory and cables, one after the other on this machine: for how long the VIP is silent to a client that asks
 * a thousand times a second. What comes out is printed; nothing is judged but that the other one answers.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Namespace } from "../../netns/namespaces.ts";
import { longestSilence, monotonicMicros, Prober, type Silence } from "../../lab/prober.ts";
import { Cabling } from "../appliance/cabling.ts";
import { PATIENCE, ServedPair } from "../appliance/served-pair.ts";
import { VIP } from "../appliance/twins.ts";
import { kernelOf } from "../kernels.ts";
import { KeepalivedMachine } from "./keepalived-machine.ts";

const CUTS = 3;
const BOOT = { timeout: 600_000, interval: 500 };
/** After a change of roles, until both say the same of it and nothing is being caught up. */
const SETTLE_MILLIS = 10_000;
const NETWORKS = ["wan", "lan", "sync"] as const;
const BOTH = { a: "b", b: "a" } as const;

type Box = keyof typeof BOTH;

it("Futago's pair from the image", { timeout: 3_000_000 }, async () => {
  const pair = await ServedPair.start();
  try {
    await pair.makeByPages();
    await pair.leavePages();
    const silences: Silence[] = [];
    for (let cut = 0; cut < CUTS; cut++) {
      const { active, standby } = await pair.byRole();
      await settled();
      silences.push(await silenceOf(pair.twins.client, () => pair.twins[active].cut()));
      await expect.poll(async () => (await pair.health(standby)).role, PATIENCE).toBe("active");
      await pair.twins[active].start();
      await expect.poll(async () => (await pair.health(active)).role, BOOT).toBe("standby");
    }
    tell("Futago", silences);
  } finally {
    await pair.destroy();
  }
});

it.each(["fast.conf", "default.conf"] as const)("keepalived with %s", { timeout: 3_000_000 }, async (template) => {
  const directory = mkdtempSync(join(tmpdir(), "futago-keepalived-"));
  const cabling = await Cabling.start(NETWORKS);
  const kernel = kernelOf("trixie");
  const machine = async (name: Box) =>
    new KeepalivedMachine({
      name,
      kernel,
      directory,
      host: cabling.switches,
      cables: await cabling.cables(name, NETWORKS),
      template,
    });
  const machines = { a: await machine("a"), b: await machine("b") };
  try {
    const client = await cabling.host("client", "wan", "10.1.0.50/24");
    const silences: Silence[] = [];
    for (const box of ["a", "b"] as const) machines[box].start();
    for (let cut = 0; cut < CUTS; cut++) {
      for (const box of ["a", "b"] as const) await expect.poll(() => isUp(client, box), BOOT).toBe(true);
      await expect.poll(() => holder(client, machines), BOOT).toBeDefined();
      await settled();
      const active = (await holder(client, machines)) ?? "a";
      silences.push(await silenceOf(client, () => machines[active].cut()));
      await expect.poll(() => holder(client, machines), PATIENCE).toBe(BOTH[active]);
      machines[active].start();
    }
    tell(`keepalived with ${template}`, silences);
  } catch (error) {
    process.stdout.write(`a: ${machines.a.said}\nb: ${machines.b.said}\n`);
    throw error;
  } finally {
    for (const box of ["a", "b"] as const) await machines[box].cut();
    await cabling.destroy();
    rmSync(directory, { recursive: true });
  }
});

/** For how long the VIP did not answer when that was done. */
async function silenceOf(client: Namespace, cut: () => Promise<void>): Promise<Silence> {
  const prober = await Prober.start(client, { address: VIP, ping: true });
  // It answers before anything is done to it.
  await expect.poll(() => prober.tick.answered, PATIENCE).toBeGreaterThan(500);
  const cutAt = monotonicMicros();
  await cut();
  await expect.poll(() => prober.tick.lastAnswerAt - cutAt, PATIENCE).toBeGreaterThan(1_000_000);
  const silence = longestSilence(prober, cutAt, cutAt);
  await prober.stop();
  if (silence === undefined) throw new Error("the VIP was not seen to be silent, so it was not the active one's power");
  return silence;
}

async function isUp(client: Namespace, box: Box): Promise<boolean> {
  const address = { a: "10.1.0.2", b: "10.1.0.3" }[box];
  return (await client.tryRun(["ping", "-c", "1", "-W", "1", address])).code === 0;
}

/** Whose Ethernet address the client knows for the VIP, where it answers. */
async function holder(client: Namespace, machines: Readonly<Record<Box, KeepalivedMachine>>): Promise<Box | undefined> {
  if ((await client.tryRun(["ping", "-c", "1", "-W", "1", VIP])).code !== 0) return undefined;
  const shown = await client.ip(`neigh show ${VIP}`);
  return (["a", "b"] as const).find((box) => shown.includes(machines[box].macs[0] ?? "none"));
}

function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SETTLE_MILLIS));
}

function tell(who: string, silences: readonly Silence[]): void {
  const millis = (micros: number) => Math.round(micros / 1_000);
  const sorted = silences.map(({ micros }) => millis(micros)).toSorted((one, other) => one - other);
  const each = silences.map(({ micros, stallMicros }) => `${millis(micros)} ms (stall ${millis(stallMicros)} ms)`);
  const median = sorted[Math.floor(sorted.length / 2)];
  process.stdout.write(`${who}: the VIP was silent for ${each.join(", ")}; median ${median} ms\n`);
}
