/**
 * The active one of two boxes from the image has its sentinel frozen: it falls silent by its lease, the other one answers,
 * the machine's watchdog (QEMU's i6300esb) resets what nobody feeds it from, and it comes back as the standby.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { ALICE } from "../../browser/visit.ts";
import { monotonicMicros, Prober } from "../../lab/prober.ts";
import { KeptConnections } from "../appliance/kept-connections.ts";
import type { Machine } from "../appliance/machine.ts";
import { PATIENCE, ServedPair } from "../appliance/served-pair.ts";
import { signInAtConsole } from "../appliance/signed-in-shell.ts";
import { VIP } from "../appliance/twins.ts";
import { shell } from "../update/shell.ts";

const CONNECTIONS = 20;
/** Silences shorter than this are not told. */
const TOLD_MICROS = 50_000;
const WHAT_HAPPENED =
  'journalctl -q --no-pager -o short-precise -u futago -n 2000 | grep -E \'"event":"(role|lease|widened|narrowed|pulse|child|offer|yielded|peer|held)\' | cut -c1-330 | tail -60';
/** The watchdog's thirty seconds by the emulated clock, and a boot. */
const RESET = { timeout: 600_000, interval: 500 };

let pair: ServedPair;
beforeAll(async () => {
  pair = await ServedPair.start(["-device", "i6300esb", "-action", "watchdog=reset"]);
});
afterAll(() => pair?.destroy());

it("a box whose sentinel is frozen is replaced at once, reset by its watchdog, and the standby afterwards", async () => {
  await pair.makeByPages();
  await pair.leavePages();
  const { active, standby } = await pair.byRole();
  const machine = pair.twins[active];
  await signInAtConsole(machine, ALICE);
  const armed = await shell(machine, "cat /sys/class/watchdog/watchdog0/state /sys/class/watchdog/watchdog0/timeout");
  expect(armed.text).toMatch(/^active\s+30\s/m);
  const boot = await bootOf(machine);

  const kept = await KeptConnections.open(pair.twins.client, VIP, CONNECTIONS);
  expect(await kept.ask()).toEqual({ answered: CONNECTIONS, ended: 0 });
  const prober = await Prober.start(pair.twins.client, { address: VIP, ping: true });
  const frozenAt = monotonicMicros();
  const stop = await shell(machine, "kill -STOP $(pgrep -f runtime/sentinel/main)");
  expect(stop.code).toBe(0);
  await expect.poll(async () => (await pair.health(standby)).role, PATIENCE).toBe("active");
  expect(await kept.ask()).toEqual({ answered: CONNECTIONS, ended: 0 });
  await expect.poll(() => machine.qmp.events, RESET).toContain("WATCHDOG");

  await expect.poll(async () => (await pair.health(active)).role, RESET).toBe("standby");
  expect(await pair.roles()).toEqual(active === "a" ? ["standby", "active"] : ["active", "standby"]);
  expect(await pair.twins.served()).toMatch(/^s[123]$/);
  expect(await kept.ask()).toEqual({ answered: CONNECTIONS, ended: 0 });
  const { sent, answered } = prober.tick;
  const silences = prober
    .linesOf("gap", frozenAt)
    .filter(({ start, end }) => end - start > TOLD_MICROS)
    .map(({ start, end }) => `${millis(end - start)} ms after ${millis(start - frozenAt)}`);
  await prober.stop();
  process.stdout.write(
    `the VIP was silent for ${silences.join(", ") || "no longer than 50"} ms; ${answered} of ${sent} probes answered, ` +
      "emulated\n",
  );
  kept.close();
  await signInAtConsole(pair.twins[standby], ALICE);
  process.stdout.write(`${(await shell(pair.twins[standby], WHAT_HAPPENED)).text}\n`);
  await signInAtConsole(machine, ALICE);
  expect(await bootOf(machine)).not.toBe(boot);
});

/** A name that each start has of its own. */
async function bootOf(machine: Machine): Promise<string> {
  const { text } = await shell(machine, "cat /proc/sys/kernel/random/boot_id");
  const id = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(text)?.[0];
  if (id === undefined) throw new Error(`no boot_id in ${text}`);
  return id;
}

function millis(micros: number): string {
  return (micros / 1_000).toFixed(0);
}
