import { describe, expect, it } from "vitest";
import type { Resolved } from "../../../config/resolved.ts";
import { Drains } from "./drains.ts";

function memory(initial: Readonly<Record<string, string>> = {}) {
  const held = new Map(Object.entries(initial));
  return {
    held,
    setting: async (key: string) => held.get(key),
    putSetting: async (key: string, value: string | undefined) => {
      if (value === undefined) held.delete(key);
      else held.set(key, value);
    },
  };
}

const config = {
  services: [{ name: "www", pool: "web", sorryPool: undefined }],
  pools: [
    { name: "web", backends: [{ name: "s1" }] },
    { name: "idle", backends: [{ name: "s2" }] },
  ],
} as unknown as Resolved;

describe("drains", () => {
  it("outlive the process that was told of them", async () => {
    const settings = memory();
    const first = await Drains.load(settings);
    expect(await first.order(config, "s1", true)).toEqual({
      pool: "web",
      backend: "s1",
      draining: true,
      message: "web/s1 drains now: it keeps its connections and takes no new ones.",
    });
    const second = await Drains.load(settings);
    expect([...second.names]).toEqual(["web/s1"]);
    expect((await second.order(config, "web/s1", false)).message).toBe("web/s1 takes new connections again.");
    expect((await Drains.load(settings)).names.size).toBe(0);
  });

  it("say what was so already, and that nobody uses the pool", async () => {
    const drains = await Drains.load(memory());
    expect((await drains.order(config, "s1", false)).message).toBe("web/s1 was not draining.");
    await drains.order(config, "s1", true);
    expect((await drains.order(config, "s1", true)).message).toContain("web/s1 was draining already");
    expect((await drains.order(config, "s2", true)).message).toContain("no service uses its pool now");
  });

  it("of two boxes become the same, by the later word, whichever box was told", async () => {
    const [a, b] = [await Drains.load(memory()), await Drains.load(memory())];
    await a.order(config, "s1", true);
    expect(await b.merge(a.all)).toBe(true);
    expect(await b.merge(a.all)).toBe(false);
    expect([...b.names]).toEqual(["web/s1"]);
    await b.order(config, "s1", false);
    // What the other knew before does not undo it.
    expect(await b.merge(a.all)).toBe(false);
    expect(await a.merge(b.all)).toBe(true);
    expect([a.names.size, b.names.size]).toEqual([0, 0]);
    // Told to both while they did not hear each other: a drain wins.
    await a.order(config, "s1", true);
    await b.order(config, "s2", true);
    await b.order(config, "s2", false);
    await Promise.all([a.merge(b.all), b.merge(a.all)]);
    expect([[...a.names], [...b.names]]).toEqual([["web/s1"], ["web/s1"]]);
  });

  it("given at one moment are all kept", async () => {
    const drains = await Drains.load(memory());
    await Promise.all([drains.order(config, "s1", true), drains.order(config, "s2", true)]);
    expect([...drains.names].sort()).toEqual(["idle/s2", "web/s1"]);
  });

  it("are no more than so many, whatever a peer tells", async () => {
    const settings = memory();
    const drains = await Drains.load(settings);
    const told = Array.from({ length: 1_024 }, (_, i) => ({ pool: "p", backend: `b${i}`, on: true, version: 1 }));
    expect(await drains.merge(told)).toBe(true);
    expect(await drains.merge([{ pool: "p", backend: "more", on: true, version: 1 }])).toBe(false);
    expect(drains.names.size).toBe(1_024);
  });

  it("need a configuration, and a backend that is in it", async () => {
    const drains = await Drains.load(memory());
    await expect(drains.order(undefined, "s1", true)).rejects.toMatchObject({ refusal: { exitCode: 1 } });
    await expect(drains.order(config, "s3", true)).rejects.toMatchObject({
      refusal: { what: 'there is no backend "s3"' },
    });
    expect(drains.names.size).toBe(0);
  });
});
