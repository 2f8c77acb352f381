import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeLongMessage, isBoxMessage, isCommitMessage } from "../peer-link/long-message.ts";

const port = {
  device: "eth0",
  interface: "wan",
  mac: "02:00:00:00:00:01",
  up: true,
  carrier: true,
  speedMbps: 1_000,
  mtu: 1_500,
  addresses: ["10.1.0.2/24"],
  virtualAddresses: ["10.1.0.1/24"],
  receivedBytes: 2 ** 40,
  sentBytes: 1,
  receivedPackets: 2,
  sentPackets: 3,
  troubles: 0,
  heartbeat: { alive: true, rttMicros: 180 },
};
const shown = {
  box: "b",
  own: true,
  hostname: "edge-b",
  version: "1.2.3",
  role: "standby",
  revision: "ab".repeat(32),
  uptimeSeconds: 12,
  at: "2026-01-05T03:04:05.678Z",
  urls: ["https://10.1.0.3:8443", "https://[2001:db8::3]:8443/"],
  ports: [port],
};
const facts = {
  role: "standby",
  revision: "",
  groups: [{ name: "edge", state: "standby", down: ["wan"] }],
  alarms: ["widened"],
  told: true,
};
const answer = { kind: "boxAnswer", request: 7, told: { shown, facts } };
const withShown = (more: object) => ({ ...answer, told: { shown: { ...shown, ...more }, facts } });
const withPort = (more: object) => withShown({ ports: [{ ...port, ...more }] });
const withFacts = (more: object) => ({ ...answer, told: { shown, facts: { ...facts, ...more } } });
const many = (count: number, item: unknown) => Array.from({ length: count }, () => item);

describe("what the cores say of the boxes", () => {
  it.each([
    { kind: "boxAsk", request: 7 },
    answer,
    withPort({ heartbeat: null, interface: null, mac: null, speedMbps: null }),
  ])("reads back what it wrote", (message) => {
    const decoded = decodeLongMessage(JSON.stringify(message));
    expect(decoded).toEqual({ ok: true, value: message });
    expect(decoded.ok && isBoxMessage(decoded.value) && !isCommitMessage(decoded.value)).toBe(true);
  });

  it.each<[string, unknown]>([
    ["a page that is no page of a box", withShown({ urls: ["javascript:alert(1)"] })],
    ["a page with a path", withShown({ urls: ["https://10.1.0.3/x?y"] })],
    ["a page with somebody's name in it", withShown({ urls: ["https://edge@evil.test"] })],
    ["too many pages", withShown({ urls: many(65, shown.urls[0]) })],
    ["too many ports", withShown({ ports: many(129, port) })],
    ["a long host name", withShown({ hostname: "x".repeat(65) })],
    ["a letter that no box has", withShown({ box: "alone" })],
    ["a moment that is none", withShown({ at: "now" })],
    ["half a revision", withShown({ revision: "ab" })],
    ["a counter below zero", withPort({ sentBytes: -1 })],
    ["half a byte", withPort({ sentBytes: 0.5 })],
    ["too many addresses", withPort({ addresses: many(65, "10.1.0.2/24") })],
    ["a field that nobody knows", withPort({ x: 1 })],
    ["too many groups", withFacts({ groups: many(17, facts.groups[0]) })],
    ["too many alarms", withFacts({ alarms: many(65, "widened") })],
    ["facts without a word on connections", withFacts({ told: undefined })],
    ["a box without facts", { ...answer, told: { shown } }],
    ["a request below zero", { kind: "boxAsk", request: -1 }],
  ])("refuses %s", (_, message) => {
    expect(decodeLongMessage(JSON.stringify(message))).toEqual({ ok: false, reason: "badField" });
  });

  it("never throws, whatever is put in the place of a value", () => {
    const replaced = fc.tuple(fc.nat(50), fc.jsonValue()).map(([at, value]) => {
      let i = 0;
      const changed = JSON.stringify(answer, (_name, old: unknown) => (i++ === at ? value : old)) as string | undefined;
      return changed ?? "";
    });
    fc.assert(
      fc.property(replaced, (text) => {
        expect(typeof decodeLongMessage(text).ok).toBe("boolean");
      }),
      { numRuns: 2_000 },
    );
  });
});
