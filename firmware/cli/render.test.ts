import { describe, expect, it } from "vitest";
import type { BoxStatus } from "../runtime/control.ts";
import type { Ifname } from "@futago/hal/units/address.ts";
import { renderHealth, renderLog } from "./render-shown.ts";
import { peerSentence, renderStatus, roleSentence } from "./render-status.ts";
import { narrowTable, printable, table } from "./table.ts";

const traffic = { packetsIn: 10, bytesIn: 1_500, packetsOut: 8, bytesOut: 2_000_000, flows: 3 };
const status: BoxStatus = {
  box: "a",
  role: "active",
  hostname: "edge-a",
  revision: "0123456789abcdef".repeat(4),
  editors: [],
  unconfirmed: null,
  system: { version: "0.1.0", slot: null, passwordRequest: false },
  lastDrill: null,
  survival: { survives: "yes", reasons: [] },
  panel: null,
  groups: [
    {
      name: "edge",
      state: "active",
      since: "2026-01-05T03:04:05.678Z",
      reason: "the peer fell silent",
      addresses: ["10.1.0.1/24", "10.2.0.1/24"],
      priority: 200,
      answering: true,
    },
  ],
  pairing: { kind: "paired", linked: true },
  peer: {
    alive: true,
    role: "standby",
    revision: "0123456789abcdef",
    paths: [
      { interface: "sync", alive: true, rttMicros: 180 },
      { interface: "wan", alive: false, rttMicros: null },
    ],
    addresses: [{ address: "fe80::2", device: "eth2" as Ifname, ifindex: 4 }],
  },
  activation: null,
  heartbeat: { profile: "default", deadMs: 75, leaseMs: 45, latenessP999Ms: 1.25, counters: {} },
  services: [
    {
      name: "www",
      address: "10.1.0.1",
      port: 80,
      protocol: "tcp",
      pool: "web",
      mode: "nat",
      family: "ipv4",
      persistence: "none",
      traffic,
      connections: { established: 12, replicated: 11 },
      attach: "native",
      attachReason: null,
      oneArmClients: [],
      backends: [
        {
          name: "s1",
          address: "10.2.0.11",
          port: 80,
          weight: 1,
          backup: false,
          healthy: true,
          reason: "200 in 0.4 ms",
          flows: 12,
          draining: true,
          limit: 100,
          traffic,
        },
        {
          name: "s3",
          address: "10.2.0.13",
          port: 80,
          weight: 1,
          backup: true,
          healthy: false,
          reason: "connection refused",
          flows: 0,
          draining: false,
          limit: null,
          traffic: { packetsIn: 0, bytesIn: 0, packetsOut: 0, bytesOut: 0, flows: 0 },
        },
      ],
    },
  ],
  connections: { established: 12, replicated: 11 },
  replication: { linked: true, whole: true, position: 9, acknowledged: 9, received: 0 },
  alarms: [{ kind: "peer-path", since: "2026-01-05T03:04:05.678Z", sentence: "the peer is not heard over wan" }],
  counters: {},
};

describe("the status for people", () => {
  it("says whether the pair would survive, and the gravest reason why not", () => {
    expect(renderStatus(status)).toContain("The pair would survive the next failure.\n");
    const reasons = ["Box b is in maintenance.", "No drill."].map((sentence) => ({ sentence }));
    const survival = (survives: "no" | "partly") => ({ survives, reasons }) as unknown as BoxStatus["survival"];
    expect(renderStatus({ ...status, survival: survival("no") })).toContain(
      "would NOT survive the next failure: Box b is in maintenance.\n",
    );
    expect(renderStatus({ ...status, survival: survival("partly") })).toContain(
      "not whole: Box b is in maintenance.\n",
    );
    expect(renderStatus({ ...status, peer: null, survival: survival("no") })).not.toContain("next failure");
  });

  it("says how many connections would survive a fail-over, where that is known", () => {
    expect(renderStatus(status)).toContain("Of 12 connections 11 would survive a fail-over now.\n");
    expect(renderStatus({ ...status, connections: { established: 12, replicated: null } })).not.toContain(
      "would survive a",
    );
    const replication = { linked: false, whole: false, position: 9, acknowledged: 9, received: 0 };
    expect(renderStatus({ ...status, replication })).toContain("The peer's core is not connected");
  });

  it("says the role in its first sentence", () => {
    expect(renderStatus(status)).toMatch(
      /^Box a is ACTIVE: it answers for 10\.1\.0\.1\/24 and 10\.2\.0\.1\/24 since 2026-01-05 /,
    );
  });

  it("names whoever edits and has not committed", () => {
    const time = "2026-01-05T03:04:05.678Z";
    const editors = [
      { author: "alice", time },
      { author: "b\u009bob", time },
    ];
    const sentence = "alice and b\ufffdob changed the configuration and did not commit it yet";
    expect(renderStatus({ ...status, editors })).toContain(sentence);
    expect(renderStatus(status)).not.toContain("commit");
  });

  it("says of a spare who serves, and of a peer that is away no more than is so", () => {
    const spare = (active: "a" | "b" | "nobody" | "undecided") =>
      roleSentence({ ...status, role: "spare", activation: { epoch: 3, active } });
    expect(spare("b")).toBe("Box a is the SPARE: its ports are shut. Box b is the active one.");
    expect(spare("nobody")).toBe("Box a is the SPARE: its ports are shut. Nobody serves.");
    expect(spare("undecided")).toBe("Box a is the SPARE: its ports are shut. Nobody was activated yet.");
    expect(spare("a")).toBe("Box a is the SPARE: its ports are shut. It was the active one, and waits.");
    const peer = { ...status.peer!, alive: false };
    expect(peerSentence({ ...status, peer, role: "spare" })).toBe("The peer is NOT HEARD on any path.");
    expect(peerSentence({ ...status, peer })).toContain("nobody takes over if this box fails");
  });

  it("tells a peer that was given up from one that is not heard", () => {
    const left = {
      ...status,
      pairing: { kind: "left", linked: false },
      peer: { ...status.peer!, alive: false },
    } as const;
    expect(peerSentence(left)).toBe("This box gave its peer up: nobody takes over if this box fails.");
    expect(peerSentence({ ...left, role: "spare" })).toBe("This box gave its peer up.");
    expect(peerSentence({ ...left, peer: null })).toBe("");
  });

  it("tells of the peer before there is a configuration of the two", () => {
    const paired = (linked: boolean, revision = "") =>
      peerSentence({ ...status, pairing: { kind: "paired", linked }, peer: null, revision });
    expect(paired(true)).toBe("This box is paired. The two are linked.");
    expect(paired(false)).toBe("This box is paired. The link to the peer is down.");
    expect(paired(false, "ab")).toBe("This box is paired, but its configuration has no `pair` in it.");
    for (const kind of ["alone", "key"] as const)
      expect(peerSentence({ ...status, pairing: { kind, linked: false }, peer: null, revision: "" })).toBe("");
  });

  it("puts the alarms before the details", () => {
    const text = renderStatus(status);
    expect(text.indexOf("ALARMS")).toBeGreaterThan(0);
    expect(text.indexOf("ALARMS")).toBeLessThan(text.indexOf("GROUP"));
  });

  it("names the path over which the peer is not heard, a draining and a dead backend", () => {
    const text = renderStatus(status);
    expect(text).toMatch(/s1 +10\.2\.0\.11:80 +draining/);
    expect(text).toContain("Not heard over wan.");
    expect(text).toMatch(/wan {8}SILENT/);
    expect(text).toMatch(/s3 \(backup backend\) {2}10\.2\.0\.13:80 {2}DEAD/);
  });

  it("says of a service that is not served natively why, below the table", () => {
    expect(renderStatus(status)).not.toContain("www: ");
    const [service] = status.services;
    const slow = { ...service!, attach: "nftables", attachReason: "eth0: a program is there" } as const;
    expect(renderStatus({ ...status, services: [slow] })).toContain("\n  www: nftables (eth0: a program is there)\n");
  });

  it("says so when an active box does not answer because its lease lapsed", () => {
    const [group] = status.groups;
    const silent = { ...status, groups: [{ ...group!, answering: false }] };
    expect(roleSentence(silent)).toContain("edge does not answer now: its lease has lapsed");
  });

  it.each([
    ["maintenance", "futago maintenance off"],
    ["fault", "cannot take a role"],
    ["unknown", "the sentinel does not answer"],
  ])("explains the role %s", (role, words) => {
    expect(roleSentence({ ...status, role })).toContain(words);
  });

  it("says that a standby box is ready to take over only when it is so", () => {
    const [edge] = status.groups;
    const standby = (state: "standby" | "initialize", alive: boolean, reason = "") =>
      roleSentence({
        ...status,
        role: "standby",
        groups: [
          { ...edge!, state: "standby" },
          { ...edge!, name: "inner", state, reason },
        ],
        peer: { ...status.peer!, alive },
      });
    expect(standby("standby", true)).toBe("Box a is STANDBY: ready to take over, it holds no address now.");
    expect(standby("standby", false)).toBe("Box a is STANDBY: it holds no address now.");
    const waits = "Box a is STANDBY: NOT ready to take over, inner is initialize";
    expect(standby("initialize", false, "started")).toBe(`${waits} (started). It holds no address now.`);
    expect(standby("initialize", true)).toBe(`${waits}. It holds no address now.`);
  });

  it("says of a box without a configuration that it has none, and not that its sentinel is away", () => {
    const fresh = { ...status, revision: "", role: "unknown", groups: [] };
    expect(roleSentence(fresh)).toBe("Box a has no configuration yet: it holds no role and no address.");
    expect(renderStatus(fresh)).not.toContain("revision");
  });

  it("says that nobody takes over when the peer is lost, and nothing of a peer on a box alone", () => {
    expect(renderStatus({ ...status, peer: { ...status.peer!, alive: false } })).toContain("nobody takes over");
    const alone = renderStatus({ ...status, box: "alone", peer: null, heartbeat: null });
    expect(alone).toContain("This box (alone) is ACTIVE");
    expect(alone).not.toMatch(/The peer|HEARTBEAT/);
  });
});

describe("tables", () => {
  it("put below each row what a narrow terminal has no room for", () => {
    const rows = [
      ["edge", "7", "", "the peer fell silent"],
      ["e", "10", "up", ""],
    ];
    const shown = (columns: number) => narrowTable(columns, ["NAME", "N", "STATE", "WHY"], rows, ["left", "right"]);
    const whole = ["NAME   N  STATE  WHY", "edge   7         the peer fell silent", "e     10  up"];
    expect(shown(37).split("\n")).toEqual(whole);
    expect(shown(36).split("\n")).toEqual([
      "NAME   N  STATE",
      "edge   7",
      "      why the peer fell silent",
      "e     10  up",
    ]);
    expect(shown(14).split("\n")).toEqual([
      "NAME   N",
      "edge   7",
      "      why the peer fell silent",
      "e     10",
      "      state up",
    ]);
  });

  it("of the status keep to 79 columns, and lose nothing", () => {
    const narrow = renderStatus(status, 0, 79);
    const rows = narrow.split("\n").filter((text) => /^(GROUP|edge|SERVICE|www| +s\d)/.test(text));
    expect(rows.length).toBeGreaterThan(4);
    for (const text of rows) expect(text.length).toBeLessThanOrEqual(79);
    expect(narrow).toContain("\n      why the peer fell silent\n");
  });

  it("align columns by what the terminal shows, numbers to the right, with no blanks at the end", () => {
    const text = table(
      ["NAME", "N", "WHY"],
      [
        ["東京", "7", ""],
        ["a", "10", "x"],
      ],
      ["left", "right"],
    );
    expect(text.split("\n")).toEqual(["NAME   N  WHY", "東京   7", "a     10  x"]);
  });

  it("take out what a terminal would obey", () => {
    expect(printable("a\u001b[2Jb\nc\u202ed")).toBe("a\ufffd[2Jb\ufffdc\ufffdd");
  });
});

describe("what `show` prints", () => {
  it("is a sentence when there is nothing to show", () => {
    expect(renderHealth([])).toMatch(/^Nothing is checked/);
    expect(renderLog([])).toBe("The log is empty.\n");
  });
});
