import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SentinelStatus } from "../messages.ts";
import { refusal } from "../refused.test-support.ts";
import { powerHandlers, type PowerOptions } from "./power.ts";

type Handlers = ReturnType<typeof powerHandlers>;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "futago-power-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function status(state: "active" | "backup", peer?: { readonly alive: boolean }): SentinelStatus {
  return { role: state, groups: [{ state }], peer, heartbeat: undefined, alarms: [] } as unknown as SentinelStatus;
}

/** A box whose sentinel takes orders, or refuses to hand over; `said` is what it and the supervisor were told. */
function box(
  present: SentinelStatus,
  given: Partial<PowerOptions> & { readonly refuses?: boolean; cause?: string } = {},
) {
  const said: string[] = [];
  const { refuses = false, cause, ...options } = given;
  const handlers: Handlers = powerHandlers({
    sentinel: {
      command: (command) => {
        const on = command.kind === "maintenance" && command.on;
        said.push(on ? "hands over" : "holds again");
        const ok = !(on && refuses);
        return Promise.resolve({
          kind: "result",
          id: 1,
          ok,
          message: ok ? "" : "it is starting",
          exitCode: ok ? 0 : 5,
          ...(cause !== undefined && { cause }),
        });
      },
    },
    maintenance: { on: false },
    status: () => present,
    configuration: { inForce: undefined },
    standing: { kind: "paired" },
    stateDirectory: directory,
    log: { warn: () => undefined } as unknown as PowerOptions["log"],
    end: (as) => said.push(as),
    reset: () => said.push("reset"),
    inTurn: (change) => change(),
    ...options,
  });
  return { handlers, said };
}

const reset = ({ handlers }: ReturnType<typeof box>, force = false) =>
  Promise.resolve(handlers.factoryReset({ author: "alice", force }));
const peer = { alive: true };

describe("a box that is to forget everything", () => {
  it.each<[string, SentinelStatus, Partial<PowerOptions>, readonly string[], RegExp]>([
    ["hands over", status("active", peer), {}, ["hands over", "reset"], /^The peer has taken over\. This box has forg/],
    ["holds nothing", status("backup", peer), {}, ["reset"], /^This box has forgotten everything, .*configuration\.$/],
    ["is alone", status("active"), {}, ["hands over", "reset"], /^This box has forgotten everything/],
    ["has a key from outside", status("backup"), { standing: { kind: "key" } }, ["reset"], /still has the letter and/],
  ])("that %s", async (_, present, options, orders, message) => {
    const one = box(present, options);
    expect(await reset(one)).toMatchObject({ message: expect.stringMatching(message) });
    await expect.poll(() => one.said).toEqual(orders);
    expect(readdirSync(directory)).toEqual(["factory-reset"]);
  });

  it("stays as it is when nobody takes over, unless it is forced", async () => {
    const one = box(status("active", peer), { refuses: true });
    expect(await refusal(reset(one))).toMatchObject({
      exitCode: 5,
      what: "this box is active, and no peer can take over: it is starting",
      mend: expect.stringContaining("--force"),
    });
    expect([one.said, readdirSync(directory)]).toEqual([["hands over", "holds again"], []]);
    const gone = box(status("active", { alive: false }), { refuses: true, maintenance: { on: true } });
    expect((await refusal(reset(gone))).what).toContain("the other box is not there");
    // A wish of a person stays.
    expect(gone.said).toEqual(["hands over"]);
    expect(await reset(one, true)).toMatchObject({ message: expect.stringMatching(/^Nobody has taken over\. /) });
    await expect.poll(() => one.said.at(-1)).toBe("reset");
  });

  it("holds its role again when the disk refuses", async () => {
    const one = box(status("active", peer), { stateDirectory: join(directory, "nowhere") });
    expect(await refusal(reset(one))).toMatchObject({ exitCode: 1, where: join(directory, "nowhere") });
    expect(one.said).toEqual(["hands over", "holds again"]);
  });
});

it("a box alone that reboots says nothing of a peer", async () => {
  const one = box(status("active"));
  const answer = await one.handlers.power({ end: "reboot" }, { kind: "root" });
  expect(answer).toEqual({ message: "This box reboots now." });
  await expect.poll(() => one.said).toEqual(["hands over", "reboot"]);
});

describe("an active box that is to reboot or to power off, and nobody takes over", () => {
  const ends = ({ handlers }: ReturnType<typeof box>) =>
    Promise.resolve(handlers.power({ end: "poweroff" }, { kind: "root" }));

  it("tells the cause, and nothing of the maintenance by which it hands over", async () => {
    const one = box(status("active", peer), { refuses: true, cause: "the peer is in maintenance" });
    expect(await refusal(ends(one))).toEqual({
      exitCode: 5,
      what: "this box is active, and no peer can take over: the peer is in maintenance",
      mend: "--force ends this box all the same, and with it the service.",
    });
    expect(one.said).toEqual(["hands over", "holds again"]);
  });

  it("names the release, of a cold pair whose other box is there", async () => {
    const inForce = { resolved: { pair: { standby: "cold" } } } as unknown as PowerOptions["configuration"]["inForce"];
    const cold = (alive: boolean) => box(status("active", { alive }), { refuses: true, configuration: { inForce } });
    expect(await refusal(ends(cold(true)))).toEqual({
      exitCode: 5,
      what: "this box is the active one of a cold pair, and the other one does not take over by itself",
      mend: "Give `futago spare release` first; --force ends this box all the same, and with it the service.",
    });
    expect((await refusal(ends(cold(false)))).what).toContain("the other box is not there");
  });
});
