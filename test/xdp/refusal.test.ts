/** What the balancer tells core of backends that refuse clients, or that cannot be reached. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { BpfEvents } from "@futago/hal/contract/bpf.ts";
import { decodeNumber, REFUSAL_RESET, REFUSAL_UNREACHABLE } from "@futago/hal/xdp/layout.ts";
import { REFUSAL_BYTES } from "@futago/hal/xdp/layout-flows.ts";
import { createOddBox, FLOWS, type OddBox, openFlow, startOver } from "./odd-box.ts";
import { type Family, icmpOf, packetOf } from "./odd-packet.ts";
import { ACK, FIN, PSH, RST, SYN } from "./packet.ts";

let box: OddBox;
let events: BpfEvents;
let told: (readonly [backend: number, kind: number])[] = [];

beforeAll(async () => {
  box = await createOddBox();
  events = box.object.events("refusals", REFUSAL_BYTES, (records) => {
    for (let at = 0; at < records.length; at += REFUSAL_BYTES)
      told.push([decodeNumber(records.subarray(at)), decodeNumber(records.subarray(at + 4))]);
  });
});
afterAll(async () => {
  events?.close();
  await box?.destroy();
});
beforeEach(() => {
  startOver(box);
  told = [];
});

/** The kinds that core hears of while `act` is done. */
function heard(act: () => void): readonly number[] {
  events.drain();
  told = [];
  act();
  events.drain();
  return told.map(([, kind]) => kind);
}

describe.each(FLOWS.filter(({ mode, protocol }) => mode !== "direct" && protocol === "tcp"))(
  "$family, $mode: a backend",
  ({ family, mode }) => {
    it("that answers a SYN with a reset is told of, with its number", () => {
      const { reply } = openFlow(box, family, mode, "tcp");
      expect(
        heard(() => box.fromBackend(packetOf({ ...reply, flags: RST | ACK, sequence: 0, acknowledgement: 1001 }))),
      ).toEqual([REFUSAL_RESET]);
      const number = told[0]?.[0] ?? -1;
      expect(box.tables.read()).toContainEqual(expect.objectContaining({ kind: "backend", number }));
    });

    it("that ends a connection is not", () => {
      const { reply } = openFlow(box, family, mode, "tcp");
      for (const [flags, sequence] of [
        [RST, 0],
        [RST, 2001],
        [RST | ACK, 2001],
        [FIN | ACK, 2001],
        [PSH | ACK, 0],
        [SYN | ACK, 0],
      ] as const)
        expect(heard(() => box.fromBackend(packetOf({ ...reply, flags, sequence })))).toEqual([]);
    });
  },
);

const UNREACHABLE = {
  ipv4: [0, 1, 2, 3, 9, 10, 13].map((code) => ({ type: 3, code })),
  ipv6: [0, 1, 3, 4].map((code) => ({ type: 1, code })),
} as const;
const OTHERS: Readonly<Record<Family, readonly { type: number; code: number; rest?: number }[]>> = {
  ipv4: [
    { type: 3, code: 4, rest: 1400 },
    { type: 11, code: 0 },
    { type: 12, code: 0 },
  ],
  ipv6: [
    { type: 2, code: 0, rest: 1400 },
    { type: 3, code: 0 },
    { type: 4, code: 1 },
  ],
};

describe.each(FLOWS.filter(({ mode }) => mode !== "direct"))(
  "$family, $mode, $protocol: an ICMP error about what a client sent",
  ({ family, mode, protocol }) => {
    const about = (kind: { type: number; code: number; rest?: number }) => {
      const { inner } = openFlow(box, family, mode, protocol);
      const error = icmpOf({ source: inner.destination, destination: inner.source, ...kind, quoted: packetOf(inner) });
      return heard(() => box.fromBackend(error));
    };

    it.each(UNREACHABLE[family])("that says unreachable is told of: type $type, code $code", (kind) => {
      expect(about(kind)).toEqual([REFUSAL_UNREACHABLE]);
    });

    it.each(OTHERS[family])("that says something else is not: type $type, code $code", (kind) => {
      expect(about(kind)).toEqual([]);
    });
  },
);
