import { expect, it } from "vitest";
import type { AuditEntry } from "../../control-access.ts";
import { AuditLog } from "./audit-log.ts";

const entry = (n: number): AuditEntry => ({
  at: new Date(Date.UTC(2026, 0, 1) + n).toISOString(),
  box: "a",
  who: "anna",
  from: "10.0.0.1",
  what: "commit",
  about: `${n}`,
  outcome: "done",
});

function disk() {
  const kept = new Map<string, string>();
  const settings = {
    setting: (key: string) => Promise.resolve(kept.get(key)),
    putSetting: (key: string, value: string | undefined) => Promise.resolve(void kept.set(key, value ?? "")),
  };
  return { kept, options: { settings, onTrouble: () => undefined } };
}

it("keeps the newest, in bounded room, over a restart", async () => {
  const { kept, options } = disk();
  const log = await AuditLog.load(options);
  for (let n = 0; n < 8_350; n++) log.add(entry(n), false);
  await log.saved();
  expect(kept.size).toBe(80);
  for (const one of [log, await AuditLog.load(options)]) {
    const all = one.newest(20_000, undefined);
    expect(all[0]?.about).toBe("8349");
    expect(all).toHaveLength(7_950);
    expect(one.newest(2, all[0]?.at).map(({ about }) => about)).toEqual(["8348", "8347"]);
  }
});

it("keeps what people did, however many strangers knock", async () => {
  const { options } = disk();
  const log = await AuditLog.load(options);
  log.add(entry(1), false);
  for (let n = 10; n < 5_000; n++) log.add(entry(n), true);
  await log.saved();
  const all = (await AuditLog.load(options)).newest(10_000, undefined);
  expect(all.at(-1)?.about).toBe("1");
  expect(all.length).toBeLessThanOrEqual(2_001);
});
