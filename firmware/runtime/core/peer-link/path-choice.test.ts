import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type PeerAddress, PathChoice } from "./path-choice.ts";

const sync: PeerAddress = { address: "fe80::1", device: "sync" };
const wan: PeerAddress = { address: "fe80::1", device: "wan" };
const met: PeerAddress = { address: "fe80::2", device: "lan" };

let better: PeerAddress[] = [];
let paths: PathChoice;

beforeEach(() => {
  vi.useFakeTimers();
  better = [];
  paths = new PathChoice({ met, onBetter: (best) => void better.push(best) });
});
afterEach(() => {
  paths.close();
  vi.useRealTimers();
});

describe("the choice of a path", () => {
  it("takes each in turn, and where the boxes met only while no heartbeat is heard", () => {
    expect([paths.next(), paths.next()]).toEqual([met, met]);
    paths.setHeard([sync, wan]);
    expect(new Set([paths.next(), paths.next()])).toEqual(new Set([sync, wan]));
    expect(new PathChoice({ met: undefined, onBetter: () => undefined }).next()).toBeUndefined();
  });

  it("begins with the best one again when a link that stood is lost", () => {
    paths.setHeard([sync, wan]);
    for (let i = 0; i < 4; i++) {
      paths.next();
      paths.setCurrent(wan);
      paths.setCurrent(undefined);
      expect(paths.next()).toBe(sync);
    }
  });

  it("asks to go back to the best one when that has been there for ten seconds, until the link stands there", () => {
    paths.setHeard([wan]);
    paths.setCurrent(wan);
    paths.setHeard([sync, wan]);
    vi.advanceTimersByTime(9_900);
    expect(better).toEqual([]);
    vi.advanceTimersByTime(200);
    expect(better).toEqual([sync]);
    vi.advanceTimersByTime(10_000);
    expect(better).toEqual([sync, sync]);
    paths.setCurrent(sync);
    vi.advanceTimersByTime(60_000);
    expect(better).toHaveLength(2);
  });

  it("counts the ten seconds anew when that path goes once more", () => {
    paths.setCurrent(wan);
    for (let i = 0; i < 5; i++) {
      paths.setHeard([sync, wan]);
      vi.advanceTimersByTime(6_000);
      paths.setHeard([wan]);
    }
    expect(better).toEqual([]);
  });

  it("asks nothing while the link is down or nothing is heard: it may stand where the boxes met", () => {
    paths.setHeard([sync]);
    vi.advanceTimersByTime(30_000);
    paths.setHeard([]);
    paths.setCurrent(met);
    vi.advanceTimersByTime(30_000);
    expect(better).toEqual([]);
    paths.setHeard([sync]);
    vi.advanceTimersByTime(10_000);
    expect(better).toEqual([sync]);
  });
});
