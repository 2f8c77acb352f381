import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Instant, instant } from "@futago/hal/units/time.ts";
import { type BootState, defaultBootState } from "../../../update/boot-state.ts";
import { beginTrial } from "../../../update/boot-steps.ts";
import { readRefusal } from "../../../update/bundle.ts";
import { type Finding, SOAK } from "../../../update/proof.ts";
import { ok } from "@futago/hal/units/result.ts";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import { type Slots, Updater, UpdaterError } from "../../update/updater.ts";
import { AlarmBoard } from "../alarm-board.ts";
import { ProofKeeper } from "./proof-keeper.ts";
import type { AskUpdater } from "./updater-client.ts";
import { UpdateRoom, type UpdateRoomOptions } from "./update-room.ts";

let place: string;
let now: BootState;
let alarms: AlarmBoard;
let reboots: boolean[];
let room: UpdateRoom;
const logged: string[] = [];
const log = {
  info: (event: string) => void logged.push(event),
  warn: (event: string) => void logged.push(event),
  error: (event: string) => void logged.push(event),
  lines: () => [],
};

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "futago-update-room-"));
  now = defaultBootState;
  alarms = new AlarmBoard(() => undefined);
  reboots = [];
  logged.length = 0;
});
afterEach(() => {
  room.close();
  rmSync(place, { recursive: true });
});

const facts = { compatible: "futago-amd64", version: "0.8.0", time: "2026-12-24T00:00:00Z" };

/** The real updater, on a boot state in memory. */
function updater(running: "a" | "b", changes: Partial<Slots> = {}): AskUpdater {
  const one = new Updater({
    image: { version: "0.7.0", time: "2026-11-30T00:00:00Z", architecture: "amd64" },
    running,
    store: {
      read: () => ({ state: now, from: "bs0", isWhole: true }),
      write: (state) => {
        now = state;
        return [];
      },
    },
    record: join(place, "slots.json"),
    inspect: () => Promise.resolve(ok(facts)),
    install: () => Promise.resolve(undefined),
    health: () => Promise.resolve({ verity: "good", failedUnits: [] }),
    ...changes,
  });
  const ask = async (method: string, params: { file?: string }, onProgress: never) => {
    try {
      if (method === "inspect") return await one.inspect(params.file ?? "");
      if (method === "install") return await one.install(params.file ?? "", onProgress);
      return one[method as "state"]();
    } catch (error) {
      if (!(error instanceof UpdaterError)) throw error;
      throw new RefusalError({ exitCode: ExitCode.failed, ...error.refusal });
    }
  };
  return ask as unknown as AskUpdater;
}

function open(options: Partial<UpdateRoomOptions>): UpdateRoom {
  room = new UpdateRoom({
    clock: { now: () => instant(0) },
    log,
    stateDirectory: place,
    alarms,
    updater: updater("a"),
    look: () => Promise.resolve([]),
    isServing: () => false,
    keepPorts: () => Promise.resolve(),
    reboot: (force) => {
      reboots.push(force);
      return Promise.resolve("This box reboots now.");
    },
    soak: SOAK,
    pairPart: () => ({ peer: null, pair: null }),
    onImage: () => undefined,
    ...options,
  });
  return room;
}

async function settled(): Promise<void> {
  while ((await room.shown()).isWorking) await new Promise(setImmediate);
}

async function sent(text: string): Promise<number> {
  const id = await room.upload.begin(text.length);
  await room.upload.take(id, 0, Buffer.from(text));
  return id;
}

describe("an update", () => {
  it("installs, begins the trial, and starts the box anew", async () => {
    open({});
    await expect(room.updateFromUpload(await sent("bundle"), false)).resolves.toContain("0.8.0");
    await settled();
    expect(reboots).toEqual([false]);
    expect(now).toMatchObject({ primary: "b", slots: { b: { verdict: "trial", tries: 3 } } });
    const { steps, failure } = await room.shown();
    expect(failure).toBeNull();
    expect(steps.map(({ sentence }) => sentence)).toEqual([
      "the bundle holds 0.8.0, and its signature is good",
      "it is written into the slot that does not run",
      "it is written whole",
      "This box reboots now.",
    ]);
  });

  it("that cannot be written leaves the box as it is, and says why", async () => {
    open({ updater: updater("a", { install: () => Promise.resolve(readRefusal("Input/output error")) }) });
    await room.updateFromUpload(await sent("bundle"), false);
    await settled();
    expect(reboots).toEqual([]);
    expect(now.primary).toBe("a");
    expect((await room.shown()).failure).toContain("damaged");
  });

  it("that nobody can take over for is taken back", async () => {
    const refusal = new RefusalError({ exitCode: ExitCode.peerNeeded, what: "no peer can take over" });
    open({ reboot: () => Promise.reject(refusal) });
    await room.updateFromUpload(await sent("bundle"), false);
    await settled();
    expect(now.primary).toBe("a");
    expect((await room.shown()).failure).toContain("no peer can take over");
  });

  it("is refused while another one is under way, and where there are no slots", async () => {
    open({ updater: updater("a", { install: () => new Promise(() => undefined) }) });
    await room.updateFromUpload(await sent("bundle"), false);
    await expect(room.back(false)).rejects.toMatchObject({ refusal: { exitCode: ExitCode.conflict } });
    room.close();
    open({ updater: undefined });
    await expect(room.back(false)).rejects.toThrow("did not boot from a Futago image");
    expect(await room.shown()).toMatchObject({ version: null, proof: { state: "off" } });
  });

  it("back starts the other slot on trial", async () => {
    open({});
    expect(await room.back(true)).toBe("This box starts anew now, from slot b.");
    expect(reboots).toEqual([true]);
    expect(now).toMatchObject({ primary: "b", slots: { b: { verdict: "trial" } } });
  });
});

describe("after a start", () => {
  const kinds = () => alarms.alarms.map(({ kind }) => kind);

  it("a trial that ended in the old slot is an alarm until the next update", async () => {
    open({});
    await room.updateFromUpload(await sent("bundle"), false);
    await settled();
    room.close();
    open({});
    while (kinds().length === 0) await new Promise(setImmediate);
    expect(kinds()).toEqual(["update-failed"]);
    expect(alarms.alarms[0]?.sentence).toContain("the update to 0.8.0 failed");
    expect(now).toMatchObject({ primary: "a", slots: { b: { verdict: "bad" } } });
    expect(logged).toContain("update-fell-back");
  });

  it("a box that starts again and again is an alarm", async () => {
    now = { ...now, slots: { ...now.slots, a: { verdict: "good", tries: 2 } } };
    open({});
    while (kinds().length === 0) await new Promise(setImmediate);
    expect(kinds()).toEqual(["starts-unproven"]);
  });
});

describe("the proof", () => {
  /** Looks at these seconds, with what is wrong then; what was done in the end. */
  async function proof(looks: readonly (readonly [second: number, wrong?: string])[]): Promise<readonly string[]> {
    open({});
    let at: Instant = instant(0);
    let findings: readonly Finding[] = [];
    const done: string[] = [];
    const keeper = new ProofKeeper({
      clock: { now: () => at },
      config: { isTrial: true, canGoBack: true, soak: SOAK },
      look: () => Promise.resolve(findings),
      isServing: () => false,
      markGood: () => {
        done.push("good");
        return done.length < 2 ? Promise.reject(new RefusalError({ exitCode: 1, what: "busy" })) : Promise.resolve();
      },
      goBack: () => Promise.resolve(void done.push("back")),
      onTrouble: () => done.push("trouble"),
      onChange: () => undefined,
    });
    await new Promise(setImmediate);
    for (const [second, wrong] of looks) {
      at = instant(second * 1_000_000);
      findings = wrong === undefined ? [] : [{ subject: "units", sentence: wrong }];
      await keeper.look();
    }
    keeper.close();
    return [...done, keeper.shown.state, ...keeper.shown.findings];
  }

  it("marks the slot good after the soak, again if the updater was not there", async () => {
    expect(await proof([[60], [119]])).toEqual(["soaking"]);
    expect(await proof([[120], [125], [130]])).toEqual(["good", "trouble", "good", "good"]);
  });

  it("goes back, and says why", async () => {
    expect(
      await proof([
        [10, "x has failed"],
        [900, "x has failed"],
      ]),
    ).toEqual(["back", "givenUp", "x has failed"]);
  });

  it("of a box on trial ends with its slot marked good", async () => {
    now = beginTrial(now, "b");
    let at = 0;
    open({ updater: updater("b"), clock: { now: () => instant((at += 200_000_000)) } });
    while ((await room.shown()).proof.state !== "soaking") await new Promise(setImmediate);
    expect(now.slots.b.verdict).toBe("trial");
  });
});

it("what keeps a bundle that was sent is over with the update", async () => {
  open({});
  await room.updateFromUpload(await sent("bundle"), false);
  await settled();
  await expect(room.update(room.upload.path, false)).rejects.toThrow("there is no such file");
});
