import { instant, millis } from "@futago/hal/units/time.ts";
import { FakeBpf } from "@futago/hal/fake/bpf.ts";
import { encodeNumber, REFUSAL_RESET } from "@futago/hal/xdp/layout.ts";
import { expect, it } from "vitest";
import { RefusalWatch } from "./refusal-watch.ts";

function rig() {
  const bpf = new FakeBpf();
  bpf.mount("/bpf");
  const object = bpf.load("balancer", "/bpf");
  let now = instant(millis(1_000));
  const heard: string[] = [];
  const watch = new RefusalWatch({
    clock: { now: () => now, wallMillis: () => 0 } as never,
    backendOf: (number) => (number < 2 ? { protocol: "tcp", id: `web/s${number}` } : undefined),
    onRefusal: ({ id }) => heard.push(id),
  });
  watch.watch(object);
  const ring = bpf.mounts.get("/bpf")?.get("refusals");
  const refuse = (...numbers: number[]) =>
    ring?.emit(Uint8Array.from(numbers.flatMap((one) => [...encodeNumber(one), ...encodeNumber(REFUSAL_RESET)])));
  return {
    heard,
    refuse,
    watch,
    to: (milliseconds: number) => {
      now = instant(millis(milliseconds));
    },
  };
}

it("tells of each backend that refuses, once in a tenth of a second", () => {
  const { heard, refuse, to } = rig();
  refuse(1, 1, 0, 1);
  expect(heard).toEqual(["web/s1", "web/s0"]);
  to(1_099);
  refuse(1);
  expect(heard).toHaveLength(2);
  to(1_100);
  refuse(1);
  expect(heard).toEqual(["web/s1", "web/s0", "web/s1"]);
});

it("knows nothing of numbers that no service has, and hears nothing when closed", () => {
  const { heard, refuse, watch } = rig();
  refuse(7, 0xffff_ffff);
  watch.close();
  refuse(1);
  expect(heard).toEqual([]);
});
