import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CollectReason, collectReason, correctedClosed, type FlowFacts } from "./collect.ts";

const quiet: FlowFacts = {
  finished: 0,
  reset: false,
  told: false,
  idleSeconds: 0,
  backend: "usable",
  idleTimeoutSeconds: 100,
};

const rows: readonly (readonly [string, Partial<FlowFacts>, CollectReason | undefined])[] = [
  ["a running flow stays", { idleSeconds: 100 }, undefined],
  ["one that is silent for longer than its service lets it goes", { idleSeconds: 100.1 }, "idle"],
  ["one that was just reset stays for its last packets", { reset: true, idleSeconds: 1.9 }, undefined],
  ["one that was reset goes after two seconds", { reset: true, idleSeconds: 2 }, "reset"],
  ["one that both ends finished stays for late packets", { finished: 2, idleSeconds: 9.9 }, undefined],
  ["one that both ends finished goes after ten seconds", { finished: 2, idleSeconds: 10 }, "finished"],
  [
    "one that one end finished stays for four minutes",
    { finished: 1, idleSeconds: 239, idleTimeoutSeconds: 7440 },
    undefined,
  ],
  ["and then goes", { finished: 1, idleSeconds: 240, idleTimeoutSeconds: 7440 }, "halfClosed"],
  ["a shorter time of the service counts all the same", { finished: 1, idleSeconds: 101 }, "idle"],
  [
    "one of a dead backend waits for the packet that gets the reset",
    { backend: "dead", idleSeconds: 299, idleTimeoutSeconds: 7440 },
    undefined,
  ],
  ["but not for ever", { backend: "dead", idleSeconds: 300, idleTimeoutSeconds: 7440 }, "backendDead"],
  [
    "one of a backend that is no more, too",
    { backend: "gone", idleSeconds: 300, idleTimeoutSeconds: 7440 },
    "backendGone",
  ],
  ["one of a service that is no more goes at once", { backend: "gone", idleTimeoutSeconds: undefined }, "backendGone"],
  ["one of a service that core has not read yet stays", { idleTimeoutSeconds: undefined, idleSeconds: 1e6 }, undefined],
  ["what the peer told is not judged by its silence here", { told: true, idleSeconds: 3_700 }, undefined],
  ["nor by its ends", { told: true, finished: 2, reset: true, backend: "dead", idleSeconds: 400 }, undefined],
  ["unless nobody spoke of it for an hour more", { told: true, idleSeconds: 3_701 }, "idle"],
];

describe("collecting flows", () => {
  it.each(rows)("%s", (_, facts, reason) => {
    expect(collectReason({ ...quiet, ...facts })).toBe(reason);
  });
});

describe("the count of closed flows", () => {
  const counts = { found: 10n, openedBefore: 100n, openedAfter: 100n, closedBefore: 90n, closedAfter: 90n };

  it("stays when the walk found what is open", () => {
    expect(correctedClosed(counts)).toBe(90n);
  });

  it("stays when what began or ended meanwhile may explain the difference", () => {
    expect(correctedClosed({ ...counts, openedAfter: 103n })).toBe(90n);
    expect(correctedClosed({ ...counts, openedAfter: 103n, closedAfter: 93n })).toBe(93n);
    expect(correctedClosed({ ...counts, closedAfter: 97n })).toBe(97n);
  });

  it("is put right when flows went that nobody counted, and when some came", () => {
    expect(correctedClosed({ ...counts, found: 4n })).toBe(96n);
    expect(correctedClosed({ ...counts, found: 25n })).toBe(75n);
    expect(correctedClosed({ ...counts, found: 25n, closedAfter: 93n })).toBe(78n);
    expect(correctedClosed({ ...counts, found: 4n, openedAfter: 101n })).toBe(96n);
  });

  it("goes below zero as 64 bits do, where more was told than ever opened", () => {
    const closed = correctedClosed({
      found: 7n,
      openedBefore: 2n,
      openedAfter: 2n,
      closedBefore: 0n,
      closedAfter: 0n,
    });
    expect(closed).toBe(2n ** 64n - 5n);
    expect(BigInt.asUintN(64, 2n - closed)).toBe(7n);
  });

  it("leaves no more and no less open than the walk allows, whatever stood there", () => {
    const number = fc.bigInt({ min: 0n, max: 1_000n });
    fc.assert(
      fc.property(number, number, number, number, number, (found, openedBefore, begun, closedBefore, over) => {
        const [openedAfter, closedAfter] = [openedBefore + begun, closedBefore + over];
        const closed = correctedClosed({ found, openedBefore, openedAfter, closedBefore, closedAfter });
        const open = BigInt.asIntN(64, openedAfter - closed);
        expect(open >= found - over && open >= 0n && open <= found + begun).toBe(true);
      }),
    );
  });
});
