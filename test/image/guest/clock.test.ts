/**
 * The machine's clock is set, which only a guest's may be: by a box that joins an inviter whose clock is another, and by a
 * person while a box serves.
 */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:tls";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openWallClock } from "@futago/hal/board/clock.ts";
import { type Identity, makeIdentity } from "@futago/firmware/runtime/core/pairing/identity.ts";
import {
  certificateCredentials,
  clientTls,
  isPeer,
  serverTls,
} from "@futago/firmware/runtime/core/peer-link/credentials.ts";
import { ask } from "@futago/firmware/cli/client.ts";
import type { BoxStatus } from "@futago/firmware/runtime/control.ts";
import { createNetwork, type Namespace, type TestNetwork } from "../../netns/namespaces.ts";
import { PairTerminal } from "../../netns/pair-terminal.ts";
import { Boxes, type RunningBox } from "../../netns/running-box.ts";

const PATIENCE_MILLIS = 240_000;
const CODE = "K7QM-3XRP";
const STAND_IN = fileURLToPath(new URL("../../netns/stand-in.ts", import.meta.url));
const KEEP_CLOCK = fileURLToPath(new URL("../build/keep-clock", import.meta.url));
const HOUR_MILLIS = 3_600_000;
/** Two clocks are read one after the other, four times. */
const READINGS_MILLIS = 1_000;

let net: TestNetwork;
let files: Boxes;
let here: Namespace;
let there: Namespace;

beforeEach(async () => {
  if (!readFileSync("/proc/cmdline", "utf8").includes("futago.guest")) throw new Error("this sets the machine's clock");
  files = new Boxes();
  net = await createNetwork();
  [here, there] = await Promise.all([net.namespace("here"), net.namespace("there")]);
  await net.link(here, "eth0", there, "eth0");
});
afterEach(async () => {
  execFileSync(KEEP_CLOCK, ["nobody"]);
  await files.destroy([here, there]);
  await net.destroy();
});

/** When this process started, by the wall clock, which is set. */
const startedAt = () => Date.now() - performance.now();

async function start(...argv: string[]): Promise<RunningBox> {
  const box = files.start(here, files.state(), ...argv);
  await box.ready(PATIENCE_MILLIS);
  return box;
}

/** A box joins an inviter whose clock is ahead by so much; what its person reads at the end. */
async function join(aheadMillis: number): Promise<PairTerminal> {
  const box = await start();
  there.spawn([process.execPath, STAND_IN, CODE, "eth0", "1.0.0", String(aheadMillis)], {
    stdio: ["pipe", "ignore", "inherit"],
  });
  const joiner = new PairTerminal(here, box.state, "join", CODE);
  joiner.patienceMillis = PATIENCE_MILLIS;
  await joiner.digits();
  joiner.says("yes");
  await joiner.reads(/Paired: this box is (b)\.\n.*clock.*\n/);
  return joiner;
}

describe("the clock of a box that joins", () => {
  it("is set by the inviter's when it is wrong", async () => {
    const aheadMillis = 3 * HOUR_MILLIS + 12 * 60_000;
    const before = startedAt();
    const joiner = await join(aheadMillis);
    const moved = startedAt() - before;
    const within = await joiner.reads(/This box's clock was 3 h 12 min behind; set, to within (\d+) ms\.\n/);
    expect(Math.abs(moved - aheadMillis)).toBeLessThan(Number(within) + READINGS_MILLIS);
  });

  it("is left alone when the kernel says that somebody keeps it", async () => {
    execFileSync(KEEP_CLOCK);
    expect(openWallClock().isKept()).toBe(true);
    const before = startedAt();
    const joiner = await join(3 * HOUR_MILLIS);
    expect(joiner.out).toContain(
      "This box's clock is 3 h behind and kept by NTP, so it was left alone: set the other one.\n",
    );
    expect(Math.abs(startedAt() - before)).toBeLessThan(READINGS_MILLIS);
  });
});

describe("the wall clock", () => {
  it("is set by so much, ahead and back, and by what is no time not at all", () => {
    const clock = openWallClock();
    expect(clock.isKept()).toBe(false);
    const before = startedAt();
    for (const [millis, sum] of [
      [90_500, 90_500],
      [-81_234, 9_266],
      [-9_266, 0],
    ] as const) {
      clock.step(millis);
      expect(Math.abs(startedAt() - before - sum)).toBeLessThan(READINGS_MILLIS);
    }
    for (const millis of [-Date.now(), 1e18]) {
      expect(() => clock.step(millis)).toThrow(expect.objectContaining({ code: "EINVAL", syscall: "clock_adjtime" }));
    }
    expect(Math.abs(startedAt() - before)).toBeLessThan(READINGS_MILLIS);
  });

  it.each([1970, 2200])("keeps no two boxes from linking in %i", async (year) => {
    const clock = openWallClock();
    const aheadMillis = Date.UTC(year, 5) - clock.now();
    clock.step(aheadMillis);
    try {
      const [a, b] = [await makeIdentity(), await makeIdentity()];
      const of = (own: Identity, other: Identity) =>
        certificateCredentials({ ...own, peerCertificate: other.certificate, rotation: null })!;
      const server = createServer(serverTls(of(a, b), "a", []), (socket) =>
        socket.end(String(isPeer(of(a, b), socket))),
      );
      await once(server.listen(0, "127.0.0.1"), "listening");
      const { port } = server.address() as AddressInfo;
      const socket = connect({ ...clientTls(of(b, a), "b"), host: "127.0.0.1", port });
      const [said] = (await once(socket, "data")) as [Buffer];
      expect([said.toString(), new Date().getFullYear()]).toEqual(["true", year]);
      expect(isPeer(of(b, a), socket)).toBe(true);
      server.close();
    } finally {
      clock.step(-aheadMillis);
    }
  });

  it("moves no role and rolls back nothing when somebody sets it, ahead or back", { timeout: 600_000 }, async () => {
    const document = (note: string) =>
      files.document(`${note}.json`, {
        interfaces: [{ name: "wan", device: "eth0", addresses: ["10.1.0.2/24"], note }],
        failoverGroups: [
          { name: "edge", virtualRouters: [{ interface: "wan", vrid: 10, addresses: ["10.1.0.1/24"] }] },
        ],
      });
    const box = await start("--import", document("old"));
    // Without a command, which takes seconds to start on an emulated processor.
    const status = () => ask(box.state, "status", { services: [] }).catch(() => undefined);
    const whenActive = () =>
      vi.waitUntil(
        async () => {
          const shown = await status();
          return shown?.role === "active" && shown;
        },
        { timeout: PATIENCE_MILLIS },
      );
    await whenActive();
    expect(await box.futago("config", "apply", document("new"), "--confirm", "3600")).toMatchObject({ code: 0 });
    const roleEvents = () => box.stderr().split('"event":"role"').length;
    const roles = roleEvents();
    const waits = ({ unconfirmed, revision }: BoxStatus) => {
      expect(unconfirmed?.revision).toBe(revision);
      const left = Date.parse(unconfirmed?.rollsBackAt ?? "") - Date.now();
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThanOrEqual(HOUR_MILLIS);
    };
    openWallClock().step(30 * 24 * HOUR_MILLIS);
    waits(await whenActive());
    openWallClock().step(-60 * 24 * HOUR_MILLIS);
    // A core that starts anew reads the deadline from the disk.
    const pid = box.pid("core");
    process.kill(pid, "SIGKILL");
    await vi.waitUntil(() => ![0, pid].includes(box.pid("core")), { timeout: PATIENCE_MILLIS });
    waits(await whenActive());
    expect(roleEvents()).toBe(roles);
  });
});
