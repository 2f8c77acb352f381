import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodePeerMessage, encodePeerMessage, isSpoken, type PeerMessage } from "./message.ts";

const revision = "ab".repeat(32);
const health: PeerMessage = {
  kind: "health",
  revision,
  pools: [{ name: "web", backends: [{ name: "s1", healthy: false, blind: false, reason: "connection refused" }] }],
};

const sighting = {
  interface: "wan",
  virtualAddress: "10.1.0.1",
  host: { mac: "02:00:00:00:00:99", address: "10.1.0.99" },
  sentTo: "02:00:00:00:00:02",
  frames: 3,
};
const stale = { kind: "stale", hosts: [sighting] } as unknown as PeerMessage;
const staleWith = (change: object) => JSON.stringify({ kind: "stale", hosts: [{ ...sighting, ...change }] });

const drain = { pool: "web", backend: "s1", on: true, version: 7 };
const drains: PeerMessage = { kind: "drains", drains: [drain, { ...drain, backend: "s2", on: false }] };
const drainWith = (change: object) => JSON.stringify({ kind: "drains", drains: [{ ...drain, ...change }] });

const activation: PeerMessage = { kind: "activation", activation: { epoch: 4, active: "nobody" } };
const activationWith = (change: object) =>
  JSON.stringify({ kind: "activation", activation: { epoch: 4, active: "b", ...change } });

describe("what the two cores say to each other", () => {
  const first: PeerMessage = { kind: "hello", version: 1, box: "b", revision: "" };
  it.each<PeerMessage>([
    { kind: "beat" },
    { kind: "farewell" },
    { kind: "hello", version: 1, box: "a", revision },
    first,
    health,
    stale,
    drains,
    activation,
  ])("reads back what it wrote: $kind", (message) => {
    expect(decodePeerMessage(encodePeerMessage(message).trimEnd())).toEqual({ ok: true, value: message });
  });

  it.each([
    ["", "notAnObject"],
    ["[]", "notAnObject"],
    ["null", "notAnObject"],
    ["{", "notAnObject"],
    ["{}", "unknownKind"],
    ['{"kind":"toString"}', "unknownKind"],
    ['{"kind":"beat","x":1}', "unknownField"],
    ['{"kind":"farewell","x":1}', "unknownField"],
    [`{"kind":"hello","version":1,"box":"c","revision":"${revision}"}`, "badField"],
    [`{"kind":"hello","version":1.5,"box":"a","revision":"${revision}"}`, "badField"],
    ['{"kind":"hello","version":1,"box":"a","revision":"AB"}', "badField"],
    ['{"kind":"hello","version":1,"box":"a"}', "badField"],
    [`{"kind":"health","revision":"${revision}","active":1,"pools":[]}`, "unknownField"],
    [`{"kind":"health","revision":"${revision}","pools":{}}`, "badField"],
    [`{"kind":"health","revision":"${revision}","pools":[null]}`, "badField"],
    [`{"kind":"health","revision":"${revision}","pools":[{"name":"web","backends":[{"name":"s"}]}]}`, "badField"],
    [`{"kind":"health","revision":"${revision}","pools":[{"name":"web","backends":[],"y":0}]}`, "unknownField"],
    ['{"kind":"drains","drains":[],"x":1}', "unknownField"],
    ['{"kind":"drains"}', "badField"],
    [drainWith({ x: 1 }), "unknownField"],
    [drainWith({ pool: 1 }), "badField"],
    [drainWith({ backend: "s".repeat(64) }), "badField"],
    [drainWith({ on: "yes" }), "badField"],
    [drainWith({ version: 0 }), "badField"],
    [drainWith({ version: 2 ** 53 }), "badField"],
    [JSON.stringify({ kind: "drains", drains: Array.from({ length: 1_025 }, () => drain) }), "badField"],
    ['{"kind":"activation","activation":{"epoch":1,"active":"a"},"x":1}', "unknownField"],
    ['{"kind":"activation"}', "badField"],
    ['{"kind":"activation","activation":null}', "badField"],
    ['{"kind":"activation","activation":["a"]}', "badField"],
    [activationWith({ x: 1 }), "badField"],
    [activationWith({ epoch: -1 }), "badField"],
    [activationWith({ epoch: 1.5 }), "badField"],
    [activationWith({ epoch: "1" }), "badField"],
    [activationWith({ epoch: 2 ** 52 + 1 }), "badField"],
    [activationWith({ active: "c" }), "badField"],
    [activationWith({ active: ["a"] }), "badField"],
    ['{"kind":"stale","hosts":[],"x":1}', "unknownField"],
    ['{"kind":"stale"}', "badField"],
    ['{"kind":"stale","hosts":[[]]}', "badField"],
    [staleWith({ x: 1 }), "unknownField"],
    [staleWith({ interface: "w".repeat(64) }), "badField"],
    [staleWith({ virtualAddress: "10.1.0" }), "badField"],
    [staleWith({ virtualAddress: 1 }), "badField"],
    [staleWith({ sentTo: "02:00:00:00:00" }), "badField"],
    [staleWith({ host: null }), "badField"],
    [staleWith({ host: { ...sighting.host, address: "x" } }), "badField"],
    [staleWith({ host: { ...sighting.host, mac: "x" } }), "badField"],
    [staleWith({ host: { ...sighting.host, port: 1 } }), "unknownField"],
    [staleWith({ frames: 0 }), "badField"],
    [staleWith({ frames: 1.5 }), "badField"],
    [staleWith({ frames: undefined }), "badField"],
    [JSON.stringify({ kind: "stale", hosts: Array.from({ length: 65 }, () => sighting) }), "badField"],
  ])("refuses %s", (line, reason) => {
    expect(decodePeerMessage(line)).toEqual({ ok: false, reason });
  });

  it("is spoken with a peer that is one version newer, whatever more it says of itself, and with none further away", () => {
    const hello = { kind: "hello", version: 5, box: "b", revision };
    expect(decodePeerMessage(JSON.stringify({ ...hello, speaks: ["a", 5] }))).toEqual({ ok: true, value: hello });
    for (const version of [2, 4, 6]) {
      const further = JSON.stringify({ ...hello, version, speaks: [] });
      expect(decodePeerMessage(further)).toEqual({ ok: false, reason: "unknownField" });
    }
    expect([1, 2, 3, 4, 5, 6].map(isSpoken)).toEqual([false, false, true, true, true, false]);
  });

  it("refuses more backends than any configuration may hold", () => {
    const backends = Array.from({ length: 1_025 }, (_, i) => ({
      name: `s${i}`,
      healthy: true,
      blind: false,
      reason: "",
    }));
    const line = JSON.stringify({ ...health, pools: [{ name: "web", backends }] });
    expect(decodePeerMessage(line)).toEqual({ ok: false, reason: "badField" });
  });

  it("never throws, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), mutated()), (line) => {
        expect(typeof decodePeerMessage(line).ok).toBe("boolean");
      }),
      { numRuns: 2_000 },
    );
  });
});

/** Valid messages with one value anywhere in them replaced by another. */
function mutated(): fc.Arbitrary<string> {
  const keys = ["kind", "revision", "pools", "name", "backends", "healthy", "hosts", "host", "mac", "sentTo", "frames"];
  return fc
    .tuple(fc.constantFrom(health, stale), fc.constantFrom(...keys), fc.jsonValue())
    .map(([message, key, value]) => {
      let replaced = false;
      return JSON.stringify(message, (name, old: unknown) => {
        // Once: the value may have such a key, too.
        if (name !== key || replaced) return old;
        replaced = true;
        return value;
      });
    });
}
