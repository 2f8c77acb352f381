import { describe, expect, test } from "vitest";
import { Maintenance } from "./maintenance.ts";
import type { CommandResult, SentinelLink } from "./sentinel-link.ts";

/** Answers one after the other, and the last again and again. */
function sentinelThat(...answers: readonly Pick<CommandResult, "ok" | "exitCode">[]) {
  const said: unknown[] = [];
  const link = {
    connected: true,
    command: async (command: unknown) => {
      const answer = answers[Math.min(said.length, answers.length - 1)];
      said.push(command);
      return { kind: "result", id: 1, message: "", ...answer };
    },
  } as unknown as SentinelLink;
  return { link, said };
}

const DONE = { ok: true, exitCode: 0 };
const FAILED = { ok: false, exitCode: 1 };
const PEER_NEEDED = { ok: false, exitCode: 5 };
const ON = { kind: "maintenance", on: true };

async function maintenance(setting: string | undefined): Promise<Maintenance> {
  return Maintenance.load({ setting: async () => setting, putSetting: async () => undefined });
}

describe("maintenance that was ordered", () => {
  test("waits while the sentinel refuses it to an active box, and says so until it is taken back", async () => {
    const one = await maintenance(undefined);
    await one.set(true, sentinelThat(PEER_NEEDED).link);
    expect(one.wish("active")).toContain("`futago maintenance off` takes that back");
    expect(one.wish("maintenance")).toBeUndefined();
    await one.set(false, sentinelThat(DONE).link);
    expect(one.wish("active")).toBeUndefined();
  });

  test("waits, too, when a core that was started again finds it refused", async () => {
    const one = await maintenance("on");
    expect(one.wish("active")).toBeUndefined();
    const { link, said } = sentinelThat(PEER_NEEDED);
    await one.repeat(link);
    expect(said).toEqual([ON]);
    expect(one.wish("active")).toContain("goes into maintenance");
  });

  test("is repeated until the sentinel is there to hear it", async () => {
    const one = await maintenance("on");
    const { link, said } = sentinelThat(FAILED, FAILED, DONE);
    await one.repeat(link);
    expect(said).toEqual([ON, ON, ON]);
    expect(one.wish("active")).toBeUndefined();
  });

  test("is not repeated when nobody ordered it", async () => {
    const { link, said } = sentinelThat(DONE);
    await (await maintenance(undefined)).repeat(link);
    expect(said).toEqual([]);
  });
});
