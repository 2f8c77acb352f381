import { describe, expect, test } from "vitest";
import type { BoxStatus } from "../control.ts";
import type { Standing } from "./pairing/standing.ts";
import { type StatusSources, statusText } from "./status.ts";

const ALARMS = ["peer-lost", "wrong-key"].map((kind) => ({ kind, since: "2026-01-05T03:04:05.678Z", sentence: kind }));

function shown(kind: Standing["kind"], more: Partial<StatusSources> = {}): BoxStatus {
  const sources: StatusSources = {
    standing: { kind, box: "b" },
    linked: false,
    config: undefined,
    revision: "",
    editors: [],
    unconfirmed: null,
    sentinel: { role: "active", groups: [], peer: undefined, heartbeat: undefined, alarms: ALARMS },
    serving: {} as StatusSources["serving"],
    drains: new Set(),
    replication: { connections: () => ({ established: 0, replicated: null }), status: undefined },
    activation: null,
    system: { version: "0.1.0", slot: null, passwordRequest: false },
    lastDrill: null,
    survival: { survives: "yes", reasons: [] },
    panel: null,
    alarms: [{ ...ALARMS[0]!, kind: "no-configuration" }],
    counters: {},
    ...more,
  };
  return JSON.parse([...statusText(sources, undefined)].join("")) as BoxStatus;
}

const kinds = ({ alarms }: BoxStatus) => alarms.map(({ kind }) => kind);

describe("the status", () => {
  test("of a box that gave its peer up raises no alarm for it, and keeps the others", () => {
    expect(kinds(shown("left"))).toEqual(["wrong-key", "no-configuration"]);
    for (const kind of ["paired", "key", "alone"] as const)
      expect(kinds(shown(kind))).toEqual(["peer-lost", "wrong-key", "no-configuration"]);
  });

  test("tells whose peer the box is, and its letter, before it has a configuration", () => {
    expect(shown("paired", { linked: true })).toMatchObject({ box: "b", pairing: { kind: "paired", linked: true } });
    expect(shown("alone", { standing: { kind: "alone", box: undefined } })).toMatchObject({
      box: "alone",
      pairing: { kind: "alone", linked: false },
    });
  });

  test("of a box whose configuration is of a box alone names no letter, though it was paired", () => {
    const config = { box: undefined, system: { hostname: "edge" }, services: [] } as unknown as StatusSources["config"];
    expect(shown("paired", { config }).box).toBe("alone");
  });
});
