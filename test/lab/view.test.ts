import { describe, expect, it } from "vitest";
import type { BoxSnapshot, LabSnapshot } from "./snapshot.ts";
import { drawLab, type Line } from "./view.ts";

const CABLES = { wan: true, lan: true, sync: true };
const RUNNING = { core: true, sentinel: true, pulse: true };
const silentBox: BoxSnapshot = { box: "a", power: "on", cables: CABLES, components: RUNNING, status: undefined };
const activeBox: BoxSnapshot = {
  ...silentBox,
  status: {
    box: "a",
    role: "active",
    hostname: "edge-a",
    pairing: { kind: "paired", linked: true },
    system: { version: "0.1.0", slot: null, passwordRequest: false },
    lastDrill: null,
    survival: { survives: "yes", reasons: [] },
    panel: null,
    revision: "",
    editors: [],
    unconfirmed: null,
    groups: [
      {
        name: "edge",
        state: "active",
        since: "2026-01-01T00:00:00.000Z",
        reason: "election",
        addresses: ["10.1.0.1/24", "10.2.0.1/24"],
        priority: 200,
        answering: true,
      },
    ],
    peer: {
      alive: true,
      role: "standby",
      revision: "",
      paths: [
        { interface: "sync", alive: true, rttMicros: 210 },
        { interface: "lan", alive: false, rttMicros: null },
      ],
      addresses: [],
    },
    activation: null,
    heartbeat: { profile: "default", deadMs: 75, leaseMs: 45, latenessP999Ms: 1.2, counters: {} },
    services: [],
    connections: { established: 0, replicated: null },
    replication: null,
    alarms: [],
    counters: {},
  },
};

const lab: LabSnapshot = {
  at: new Date(0),
  vip: "10.1.0.1",
  boxes: [activeBox, { ...silentBox, box: "b", power: "off", cables: { wan: false, lan: false, sync: false } }],
  servers: [
    { name: "s1", alive: true, healthy: true, reason: "200", share: 1 / 3 },
    { name: "s2", alive: true, healthy: true, reason: "200", share: 2 / 3 },
    { name: "s3", alive: false, healthy: false, reason: "connection refused", share: 0 },
  ],
  web: [
    { box: "a", url: "https://127.0.0.1:8443/", claimCode: "ABCD-EFGH" },
    { box: "b", url: "https://127.0.0.2:8443/", claimCode: undefined },
  ],
  answering: true,
  silentMicros: 0,
  clientSendsTo: "a",
  probesPerSecond: 1_000,
  probesLost: 84,
  lastGapMicros: 84_300,
  requestsPerSecond: 998.6,
  requestsFailed: 0,
  keptOpen: 50,
  keptBroken: 0,
  stream: { megabitsPerSecond: 20, alive: true },
  modes: [
    { name: "one-arm", perSecond: 50.2, lost: 0, kept: 10, broken: 0 },
    { name: "direct", perSecond: 49.9, lost: 3, kept: 9, broken: 1 },
    { name: "udp", perSecond: 100, lost: 7, kept: 10, broken: 0 },
  ],
  events: Array.from({ length: 40 }, (_, index) => ({ at: new Date(index), text: `event ${index}` })),
};

const textOf = (lines: readonly Line[]) =>
  lines.map((line) =>
    line
      .map(([text]) => text)
      .join("")
      .trimEnd(),
  );

describe("the live view", () => {
  it.each([
    [80, 24],
    [132, 43],
    [60, 20],
  ])("fills %i columns by %i lines and not one more", (width, height) => {
    const lines = textOf(drawLab(lab, width, height, ""));
    expect(lines).toHaveLength(height);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
    expect(lines.at(-1)).toContain("quit");
  });

  it("shows who is active, what each path says, and what the client sees, on 80 by 24", () => {
    const text = textOf(drawLab(lab, 80, 24, "")).join("\n");
    expect(text).toContain("10.1.0.1 answers   the client sends to box a");
    expect(text).toMatch(/box a {2}active +box b {2}off/);
    expect(text).toContain("VIP    10.1.0.1 10.2.0.1");
    expect(text).toContain("hears  sync 0.2 ✗lan");
    expect(text).toMatch(/cables wan lan sync +cables ✗wan ✗lan ✗sync/);
    expect(text).toMatch(/^probes {2}1000\/s +lost 84 +last silence 84 ms$/m);
    expect(text).toMatch(/^nat {5}999\/s +failed 0 +kept alive 50, broken 0 +stream 20.0 Mbit\/s$/m);
    expect(text).toMatch(/^one-arm 50\/s +failed 0 +kept alive 10, broken 0$/m);
    expect(text).toMatch(/^direct {2}50\/s +failed 3 +kept alive 9, broken 1$/m);
    expect(text).toMatch(/^udp {5}100\/s +lost 7 +clients 10, moved 0$/m);
    expect(text).toMatch(/s2 +healthy +█{16}·{8} +67%/);
    expect(text).toMatch(/^web {5}https:\/\/127\.0\.0\.1:8443\/ ABCD-EFGH {2}https:\/\/127\.0\.0\.2:8443\/ *$/m);
    expect(text).toMatch(/s3 +dead +·{24} +0% +connection refused/);
    expect(text).toContain("event 39");
    expect(text).toMatch(/ {2}d drill {2}D --kill {2}c n p f x: active box$/);
  });

  it("shows a lab of two hosts with their own web servers, and no stream", () => {
    const servers = [
      { name: "a", alive: true, healthy: true, reason: "", share: 1 },
      { name: "b", alive: false, healthy: false, reason: "web: connection refused", share: 0 },
    ] as const;
    const boxes = lab.boxes.map((box) => ({ ...box, cables: { lan: true, sync: false } }));
    const text = textOf(
      drawLab({ ...lab, vip: "10.2.0.1", boxes, servers, stream: undefined, modes: [] }, 80, 24, ""),
    ).join("\n");
    expect(text).toMatch(/^http {4}999\/s/m);
    expect(text).not.toContain("one-arm");
    expect(text).toContain("10.2.0.1 answers");
    expect(text).toMatch(/cables lan ✗sync/);
    expect(text).toMatch(/b +dead +·{24} +0% +web: connection refused/);
    expect(text).not.toContain("stream");
    expect(text).toContain("1 2 power a b  l s cable");
    expect(text).toContain("7 8 web server a b  d drill");
  });

  it("shows a silence while it lasts", () => {
    const [title] = textOf(drawLab({ ...lab, answering: false, silentMicros: 41_000 }, 80, 24, ""));
    expect(title).toContain("10.1.0.1 silent for 41 ms");
  });

  it("asks in the place of the keys while a key waits for a box", () => {
    const lines = textOf(drawLab(lab, 80, 24, "wan cable of which box?"));
    expect(lines).toHaveLength(24);
    expect(lines.at(-1)).toBe("wan cable of which box?");
  });
});
