/** Reboot, power-off and factory reset by command: the peer takes over first, or the box stays up. */
import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Prober } from "../lab/prober.ts";
import { Pair, pause, VIP } from "./pair-fixture.ts";

let pair: Pair;
let prober: Prober;

beforeAll(async () => {
  pair = await Pair.start();
  await pair.settled("a");
  prober = await Prober.start(pair.client, { address: VIP, ping: true });
});
afterAll(async () => {
  await prober.stop();
  await pair.destroy();
});

it("the active box reboots after the peer took over, without a lost probe, and its machine is told", async () => {
  const told = join(pair.files.directory, "told");
  const program = pair.files.file("power", `#!/bin/sh\nprintf '%s' "$*" >${told}\n`);
  chmodSync(program, 0o755);
  await pair.box("a").stop();
  await pair.startBox("a", ["--power", program]);
  await pair.settled("b");
  await pair.bringTo("a");
  const { lost } = prober.tick;
  const answered = await pair.box("a").futago("reboot");
  expect(answered).toMatchObject({ code: 0, stdout: "The peer has taken over. This box reboots now.\n" });
  const ended = await pair.box("a").ended();
  expect([ended.code, ended.stdout.trim().split("\n").at(-1)]).toEqual([0, '{"event":"reboot"}']);
  expect(readFileSync(told, "utf8")).toBe("reboot");
  await pair.role("b", "active");
  await pause(700);
  expect(prober.tick.lost).toBe(lost);
});

it("the active box without a peer refuses, and goes on serving; --force ends it", async () => {
  for (const verb of ["reboot", "poweroff"]) {
    const refused = await pair.box("b").futago(verb);
    expect([refused.code, refused.stderr]).toEqual([5, expect.stringContaining("--force ends this box all the same")]);
  }
  await pause(300);
  expect((await pair.status("b")).role).toBe("active");
  // The wish of a refused order is not kept: a peer that comes back takes nothing over.
  await pair.startBox("a", []);
  await pair.settled("b");
  await pair.powerOff("a");
  await pair.until("b", "without a peer", ({ peer }) => peer?.alive === false);
  const forced = await pair.box("b").futago("poweroff", "--force");
  expect(forced).toMatchObject({ code: 0, stdout: "Nobody has taken over. This box powers off now.\n" });
  expect((await pair.box("b").ended()).stdout).toContain('{"event":"poweroff"}');
});

it("a standby reboots at once", async () => {
  for (const port of ["wan", "lan", "sync"] as const) await pair.setCable("a", port, true);
  await Promise.all([pair.startBox("a", []), pair.startBox("b", [])]);
  await pair.settled("a");
  expect(await pair.box("b").futago("reboot")).toMatchObject({ code: 0, stdout: "This box reboots now.\n" });
  expect((await pair.box("b").ended()).code).toBe(0);
  expect((await pair.status("a")).role).toBe("active");
});

it("a standby forgets everything when somebody says so twice; the active one serves on, and does not", async () => {
  const box = await pair.startBox("b", []);
  await pair.settled("a");
  const since = (await pair.status("a")).groups[0]?.since;
  expect(await box.futago("factory-reset")).toMatchObject({ code: 2, stderr: expect.stringContaining("Say --yes") });
  expect(await box.futago("factory-reset", "--yes")).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^This box has forgotten everything, .* the letter and the key that it was started/),
  });
  expect(await pair.status("b")).toMatchObject({ box: "b", revision: "", groups: [] });
  expect(await pair.hosts.b.ip("-4 addr show dev eth0")).toBe("");
  await pair.until("a", "without a peer", ({ peer }) => peer?.alive === false);
  expect(await pair.box("a").futago("factory-reset", "--yes")).toMatchObject({
    code: 5,
    stderr: expect.stringContaining("--force resets this box all the same"),
  });
  expect((await pair.status("a")).groups[0]).toMatchObject({ state: "active", since });
  await box.stop();
});

it("a box that lost its power while it forgot goes on with that when it starts", async () => {
  await pair.box("a").stop();
  writeFileSync(join(pair.files.state("a"), "factory-reset"), "");
  await pair.startBox("a", []);
  expect((await pair.status("a")).revision).toBe("");
  expect(readdirSync(pair.files.state("a"))).not.toContain("factory-reset");
});
