import type { Link } from "@futago/hal/contract/network.ts";
import type { Ifindex, Ifname, Mac } from "@futago/hal/units/address.ts";
import { instant } from "@futago/hal/units/time.ts";
import type { Captured, CaptureFilter } from "@futago/hal/xdp/capture.ts";
import { beforeEach, describe, expect, it } from "vitest";
import type { CaptureEvent } from "../../control.ts";
import { framesOf } from "./captured-frames.ts";
import { PacketCapture } from "./packet-capture.ts";

const link = (ifindex: number, ifname: string, last: string) =>
  ({ ifindex: ifindex as Ifindex, ifname: ifname as Ifname, mac: `02:00:00:00:00:${last}` as Mac }) as Link;
const links = [link(2, "eth0", "02"), link(3, "eth1", "03")];

/** An Ethernet header, to somebody, from the port whose address ends so. */
const frame = (last: number, length = 60) => ({ length, bytes: Uint8Array.of(2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, last) });
const packet = (more: Partial<Captured> = {}): Captured => ({
  atNanos: 5n,
  reasons: [],
  ifindex: 2 as Ifindex,
  verdict: "redirect",
  before: frame(7),
  after: frame(3),
  ...more,
});
const context = { links, bootedAtNanos: 1_000n };

describe("a captured packet's frames", () => {
  it("are the one that came and the one that went, with their devices and one time", () => {
    expect(framesOf(packet(), context)).toMatchObject([
      { atNanos: "1005", device: "eth0", direction: "in", stage: "came", comment: "sent on by eth1" },
      { atNanos: "1005", device: "eth1", direction: "out", stage: "went", comment: "as the balancer sent it" },
    ]);
    expect(framesOf(packet({ verdict: "tx" }), context)[1]).toMatchObject({ device: "eth0", direction: "out" });
  });

  it("are one when it was dropped, which says why in words and by the counter's name", () => {
    const [only, ...more] = framesOf(packet({ verdict: "drop", reasons: ["dropDenied"] }), context);
    expect(more).toEqual([]);
    expect(only?.comment).toBe("dropped; the packet came from a client that the service's lists deny (dropDenied)");
  });

  it("are two when the kernel got it changed, and one when as it was", () => {
    const asItWas = packet({ verdict: "pass", after: frame(7), reasons: ["passOwn"] });
    expect(framesOf(asItWas, context)).toHaveLength(1);
    const changed = framesOf(packet({ verdict: "pass" }), context);
    expect(changed[1]).toMatchObject({
      device: "eth0",
      direction: "in",
      comment: "as the balancer left it to the kernel",
    });
  });

  it("have no device when the port is gone", () => {
    expect(framesOf(packet({ ifindex: 9 as Ifindex, verdict: "drop" }), context)).toMatchObject([{ device: null }]);
  });
});

describe("a capture", () => {
  let filter: CaptureFilter | undefined;
  let ended = 0;
  let put: (some: readonly Captured[]) => void = () => undefined;
  let left: Captured[] = [];
  let open = 0;
  let capture: PacketCapture;
  let events: CaptureEvent[] = [];
  const wanted = { client: undefined, endpoints: undefined, count: 3, seconds: 60, snap: 96 };
  const begin = (more: Partial<typeof wanted> = {}) =>
    capture.begin({ ...wanted, ...more }, (event) => events.push(event));

  beforeEach(() => {
    filter = undefined;
    [ended, open, events, left] = [0, 0, [], []];
    capture = new PacketCapture({
      clock: { now: () => instant(1_000) },
      hostname: () => "edge",
      links: () => links,
      devices: () => ["eth0"],
      tables: {
        begin: (one) => {
          filter = one;
        },
        end: () => {
          filter = undefined;
          ended++;
          return 7;
        },
        read: (onCaptured) => {
          put = onCaptured;
          open++;
          return { drain: () => onCaptured(left.splice(0)), close: () => open-- };
        },
      },
    });
  });

  it("takes away what a predecessor left", () => {
    expect(ended).toBe(1);
  });

  it("begins with the filter, which ends by itself a little after its time", () => {
    left = [packet()];
    begin();
    expect(events).toEqual([{ kind: "began", devices: ["eth0"], snap: 96, hostname: "edge" }]);
    expect(filter).toEqual({ untilNanos: 62_001_000_000n, client: undefined, endpoints: undefined, snap: 96 });
  });

  it("ends after so many packets, and shows no more", () => {
    begin();
    put([packet(), packet()]);
    put([packet(), packet()]);
    expect(events.map(({ kind }) => kind)).toEqual(["began", "frames", "frames", "ended"]);
    expect(events.at(-1)).toEqual({ kind: "ended", packets: 3, lost: 7 });
    expect([filter, open]).toEqual([undefined, 0]);
  });

  it("ends when its time is over, with what is there", async () => {
    begin({ seconds: 0.02 });
    left = [packet()];
    await expect.poll(() => events.at(-1)).toEqual({ kind: "ended", packets: 1, lost: 7 });
  });

  it("shows no more of a flood than core can bear, and counts the rest", () => {
    const stop = begin({ count: 1_000_000 });
    const flood = Array.from({ length: 4_096 }, () => packet({ verdict: "drop" }));
    for (let i = 0; i < 8; i++) put(flood);
    stop();
    const last = events.at(-1);
    if (last?.kind !== "ended") throw new Error("it has not ended");
    expect(last.packets).toBeGreaterThanOrEqual(20_000);
    expect(last.packets).toBeLessThan(8 * 4_096);
    expect(last.packets + last.lost).toBe(8 * 4_096 + 7);
  });

  it("ends once, and another may begin then and not before", () => {
    const stop = begin();
    expect(() => begin()).toThrow("a capture is running already");
    stop();
    stop();
    expect(events.filter(({ kind }) => kind === "ended")).toHaveLength(1);
    begin();
    stop();
    expect(filter).toBeDefined();
    capture.close();
    expect([filter, open]).toEqual([undefined, 0]);
  });
});
