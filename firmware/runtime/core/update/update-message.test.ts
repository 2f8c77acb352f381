import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeLongMessage } from "../peer-link/long-message.ts";
import { STEPS_MAX, type UpdateMessage } from "./update-message.ts";

const update = "00112233445566aa";
const at = "2026-12-24T00:00:00.000Z";
const sight = {
  groups: 1,
  holds: 1,
  alarms: ["unfit"],
  up: 2,
  away: 0,
  traffic: { flows: 1, packetsIn: 2, packetsOut: 3 },
  answering: ["10.1.0.1"],
  silent: [],
};
const told = {
  version: "2.0.0",
  build: "2.0.0 of then",
  proof: "soaking" as const,
  findings: [],
  secondsLeft: 3,
  work: { update, doing: "installing" as const, percent: 4, failure: null },
  sight,
};
const record = {
  id: update,
  version: "2.0.0",
  build: "2.0.0 of then",
  author: "ann",
  startedAt: at,
  stage: "proving" as const,
  box: "b" as const,
  leader: "a" as const,
  percent: null,
  secondsLeft: 5,
  findings: ["it waits"],
  steps: [{ at, sentence: "it began" }],
  outcome: "running" as const,
  failure: null,
  canStop: true,
};
const offer = { update, lead: false, version: "2.0.0", author: "ann", length: 9, digest: "ab".repeat(32) };
const refusal = { exitCode: 6, what: "busy", mend: "wait" };
const messages: readonly UpdateMessage[] = [
  { kind: "updateTold", told, build: { version: "2.0.0", time: "then", architecture: "amd64" }, isProven: false },
  { kind: "updateTold", told: { ...told, version: null, build: null, work: null }, build: null, isProven: true },
  { kind: "updateOffer", ...offer },
  { kind: "updateGot", update, received: 9, isWhole: true, refusal: undefined },
  { kind: "updateGot", update, received: 0, isWhole: false, refusal },
  { kind: "updateOrder", update, order: "goBack" },
  { kind: "updateStop", update, author: "ann" },
  { kind: "updateRecord", record },
];

const decode = (value: object) => decodeLongMessage(JSON.stringify(value));

describe("what the two cores say of updates", () => {
  it.each(messages)("comes over as it was said: $kind", (message) => {
    expect(decode(message)).toEqual({ ok: true, value: JSON.parse(JSON.stringify(message)) });
  });

  it.each([
    ["another field", { ...messages[5], more: 1 }, "unknownField"],
    ["another order", { ...messages[5], order: "poweroff" }, "badField"],
    ["an id that is a path", { ...messages[5], update: "../../etc/passwd" }, "badField"],
    ["a bundle that is too long", { kind: "updateOffer", ...offer, length: (512 << 20) + 1 }, "badField"],
    ["a bundle of no length", { kind: "updateOffer", ...offer, length: 0 }, "badField"],
    [
      "more steps than are kept",
      { kind: "updateRecord", record: { ...record, steps: Array(STEPS_MAX + 1).fill(record.steps[0]) } },
      "badField",
    ],
    ["a stage that there is not", { kind: "updateRecord", record: { ...record, stage: "done" } }, "badField"],
    [
      "a sight with a hole",
      { kind: "updateTold", told: { ...told, sight: { ...sight, up: null } }, build: null, isProven: true },
      "badField",
    ],
  ])("refuses %s", (_, message, reason) => {
    expect(decode(message as object)).toEqual({ ok: false, reason });
  });

  it("never throws, whatever stands in a field", () => {
    const any = fc
      .constantFrom(...messages)
      .chain((message) =>
        fc
          .tuple(fc.constantFrom(...Object.keys(message)), fc.jsonValue())
          .map(([key, value]) => ({ ...message, [key]: value })),
      );
    fc.assert(fc.property(any, (message) => [true, false].includes(decode(message).ok)));
  });
});
