import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ok, refuse } from "@futago/hal/units/result.ts";
import { type BootState, defaultBootState } from "../../update/boot-state.ts";
import { beginTrial, loaderBoots } from "../../update/boot-steps.ts";
import { readRefusal } from "../../update/bundle.ts";
import { unitsOf, verityOf } from "./machine-health.ts";
import { type Slots, Updater, UpdaterError } from "./updater.ts";
import { UpdaterServer } from "./updater-server.ts";

let place: string;
let now: BootState;
/** What the boot state was while RAUC wrote. */
let whileWriting: BootState | undefined;
let bundle: string;

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "futago-updater-"));
  now = defaultBootState;
  whileWriting = undefined;
  bundle = join(place, "new.raucb");
  writeFileSync(bundle, "");
});
afterEach(() => rmSync(place, { recursive: true }));

const facts = { compatible: "futago-amd64", version: "0.8.0", time: "2026-12-24T00:00:00Z" };

function updater(changes: Partial<Slots> = {}): Updater {
  return new Updater({
    image: { version: "0.7.0", time: "2026-11-30T00:00:00Z", architecture: "amd64" },
    running: "a",
    store: {
      read: () => ({ state: now, from: "bs0", isWhole: true }),
      write: (state) => {
        now = state;
        return [];
      },
    },
    record: join(place, "update/slots.json"),
    inspect: () => Promise.resolve(ok(facts)),
    install: (_, onProgress) => {
      whileWriting = now;
      onProgress(50, "Copying image to rootfs.1");
      return Promise.resolve(undefined);
    },
    health: () => Promise.resolve({ verity: "good", failedUnits: [] }),
    ...changes,
  });
}

async function reasonOf(act: () => unknown): Promise<string> {
  try {
    await act();
    return "none";
  } catch (error) {
    return (error as UpdaterError).refusal.reason;
  }
}

describe("an installation", () => {
  it("goes into the other slot, which no boot takes before the trial begins", async () => {
    const one = updater();
    const heard: number[] = [];
    expect(await one.install(bundle, ({ percent }) => heard.push(percent))).toEqual(facts);
    expect(heard).toEqual([50]);
    expect(whileWriting).toMatchObject({ primary: "a", slots: { b: { verdict: "bad", tries: 0 } } });
    expect(loaderBoots(now).slot).toBe("a");
    expect(one.state().installed).toEqual({ b: { version: "0.8.0", time: "2026-12-24T00:00:00Z" } });
    expect(one.beginTrial().bootState).toMatchObject({ primary: "b", slots: { b: { verdict: "trial", tries: 3 } } });
  });

  it("that fails leaves the box on what runs, and the other slot without a trial", async () => {
    const one = updater({ install: () => Promise.resolve(readRefusal("Input/output error")) });
    expect(await reasonOf(() => one.install(bundle, () => undefined))).toBe("broken");
    expect(loaderBoots(now).slot).toBe("a");
    expect(await reasonOf(() => one.beginTrial())).toBe("nothingInstalled");
  });

  it("is refused while the version that runs is on trial itself: the other slot is its way back", async () => {
    now = beginTrial(defaultBootState, "a");
    const before = now;
    expect(await reasonOf(() => updater().install(bundle, () => undefined))).toBe("notProven");
    expect(now).toBe(before);
  });

  it.each([
    ["an older bundle", { inspect: () => Promise.resolve(ok({ ...facts, version: "0.6.0" })) }, "older"],
    ["one for arm64", { inspect: () => Promise.resolve(ok({ ...facts, compatible: "futago-arm64" })) }, "foreign"],
    ["an unsigned one", { inspect: () => Promise.resolve(refuse(readRefusal("Verify error"))) }, "untrusted"],
    ["one for a box without slots", { store: undefined }, "noSlots"],
  ])("of %s is refused before anything is written", async (_, changes, reason) => {
    expect(await reasonOf(() => updater(changes).install(bundle, () => undefined))).toBe(reason);
    expect(now).toBe(defaultBootState);
    expect(whileWriting).toBeUndefined();
  });

  it("of a file that is not there is refused", async () => {
    expect(await reasonOf(() => updater().install(join(place, "none"), () => undefined))).toBe("noFile");
  });
});

describe("after a boot", () => {
  it("a trial that ended in the old slot is told, once", () => {
    now = {
      ...beginTrial(defaultBootState, "b"),
      slots: { ...defaultBootState.slots, b: { verdict: "trial", tries: 0 } },
    };
    expect(updater().settle()).toEqual({ failed: "b" });
    expect(now).toMatchObject({ primary: "a", slots: { b: { verdict: "bad" } } });
    expect(updater().settle()).toEqual({ failed: null });
  });

  it("the slot that runs is marked good or bad", () => {
    now = beginTrial(defaultBootState, "b");
    const one = updater({ running: "b" });
    expect(one.markGood().bootState.slots.b).toEqual({ verdict: "good", tries: 8 });
    expect(one.markBad().bootState).toMatchObject({ primary: "a", slots: { b: { verdict: "bad" } } });
    expect(one.endTrial().bootState).toMatchObject({ primary: "b", slots: { b: { verdict: "trial" } } });
  });
});

describe("the socket", () => {
  it("makes changes in order, looks at once, tells progress, refuses in words, and ends when nobody asks any more", async () => {
    const path = join(place, "updater.sock");
    const faults: string[] = [];
    const ended = new Promise<void>((resolve) => {
      const server = new UpdaterServer({
        updater: updater({ health: () => Promise.reject(new Error("no systemctl")) }),
        listen: { path },
        idleMillis: 20,
        onIdle: () => {
          server.close();
          resolve();
        },
        onFault: (method) => faults.push(method),
      });
    });
    while (!existsSync(path)) await new Promise(setImmediate);
    const socket = connect(path);
    const asked = [
      ["install", { file: bundle }],
      ["inspect", { file: join(place, "none") }],
      ["health", {}],
      ["state", {}],
    ] as const;
    for (const [id, [method, params]] of asked.entries()) socket.write(`${JSON.stringify({ id, method, params })}\n`);
    let text = "";
    for await (const chunk of socket) {
      text += String(chunk);
      if (text.trim().split("\n").length === 5) break;
    }
    const replies = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { id: number });
    expect(replies.toSorted((one, other) => one.id - other.id)).toMatchObject([
      { id: 0, progress: { percent: 50 } },
      { id: 0, result: facts },
      { id: 1, error: { reason: "noFile" } },
      { id: 2, error: { reason: "failed", what: "the updater failed: no systemctl" } },
      { id: 3, result: { running: "a", image: { version: "0.7.0" } } },
    ]);
    expect(faults).toEqual(["health"]);
    await ended;
    expect(readFileSync(join(place, "update/slots.json"), "utf8")).toContain("0.8.0");
  });
});

describe("the machine's health", () => {
  it("is read from what the programs print", () => {
    expect(verityOf("root: 0 524288 verity V\n")).toBe("good");
    expect(verityOf("root: 0 524288 verity C\n")).toBe("corrupt");
    expect(verityOf("No devices found\n")).toBe("unknown");
    expect(unitsOf("  ssh.service loaded failed failed OpenBSD\n● a.mount loaded failed failed /a\n")).toEqual([
      "ssh.service",
      "a.mount",
    ]);
    expect(unitsOf("")).toEqual([]);
  });
});
