import { instant, seconds } from "@futago/hal/units/time.ts";
import { describe, expect, it } from "vitest";
import { FlowCounter } from "./flow-counter.ts";

const clock = { now: () => instant(seconds(1_000)) };
const flow = (address: string, seenSeconds: number) => ({
  address,
  port: 80,
  seenNanos: BigInt(seenSeconds) * 1_000_000_000n,
});

describe("counting flows", () => {
  it("counts those seen in the last minute, by backend", async () => {
    const flows = [flow("10.2.0.11", 999), flow("10.2.0.11", 940), flow("10.2.0.11", 939), flow("10.2.0.12", 1_000)];
    const counter = new FlowCounter(clock, () => flows);
    expect(counter.counts.size).toBe(0);
    await counter.count();
    expect(Object.fromEntries(counter.counts)).toEqual({ "10.2.0.11:80": 2, "10.2.0.12:80": 1 });
  });

  it("lets others run while it counts a large table, and reads it once for all who ask meanwhile", async () => {
    let reads = 0;
    let turns = 0;
    const counter = new FlowCounter(clock, function* () {
      reads++;
      for (let i = 0; i < 20_000; i++) yield flow("10.2.0.11", 999);
    });
    const others = setInterval(() => turns++, 0);
    await Promise.all([counter.count(), counter.count()]);
    clearInterval(others);
    expect(counter.counts.get("10.2.0.11:80")).toBe(20_000);
    expect(turns).toBeGreaterThan(0);
    await counter.count();
    expect(reads).toBe(1);
  });
});
