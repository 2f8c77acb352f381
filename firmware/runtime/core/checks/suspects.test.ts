import { parseIpAddress } from "@futago/hal/units/address.ts";
import { instant, millis } from "@futago/hal/units/time.ts";
import { describe, expect, it } from "vitest";
import type { CheckConfig, Resolved, ResolvedBackend } from "../../../config/resolved.ts";
import type { SystemOrders } from "../../../config/compile-system.ts";
import { type CheckState, startCheck, type Verdict } from "../../../health/check.ts";
import type { Subject } from "./subjects.ts";
import { asksByTcp, Suspects } from "./suspects.ts";

const address = parseIpAddress("10.2.0.11");
if (address === undefined) throw new Error("10.2.0.11 is an address");
const s1: ResolvedBackend = { name: "s1", address, port: 80, weight: 1, backup: false, maxConnections: undefined };
const timing = { intervalMs: 1_000, timeoutMs: 500, rise: 2, fall: 2 };
const system: SystemOrders = { links: [], routes: [], neighbours: [], sysctls: [] };
const config = (backend: ResolvedBackend) => ({ pools: [{ name: "web", backends: [backend] }] }) as unknown as Resolved;

function rig() {
  const added: Subject[] = [];
  const dropped: string[] = [];
  const states = new Map<string, CheckState>();
  const suspects = new Suspects({
    add: (one) => void added.push(one),
    drop: (path) => void dropped.push(path),
    stateOf: (path) => states.get(path),
  });
  suspects.suspect("web", s1, system);
  const [subject] = added;
  if (subject === undefined) throw new Error("nothing was added");
  const found = (verdict: Verdict): CheckState => ({
    ...startCheck(timing, 0, instant(millis(1))),
    verdict,
    reason: "connection refused",
  });
  const says = (verdict: Verdict) => {
    states.set(subject.path, found(verdict));
    return suspects.judgement("web/s1");
  };
  return { added, dropped, suspects, subject, found, says };
}

describe("a check that sees what refused clients see", () => {
  it.each<[CheckConfig, boolean]>([
    [{ kind: "tcp", port: undefined, ...timing }, true],
    [{ kind: "tcp", port: 80, ...timing }, true],
    [{ kind: "tcp", port: 81, ...timing }, false],
    [{ kind: "icmp", ...timing }, false],
    [{ kind: "dns", port: undefined, query: "a.test", expectAnswer: undefined, ...timing }, false],
    [{ kind: "none" }, false],
  ])("%o: %s", (check, expected) => {
    expect(asksByTcp(check, s1)).toBe(expected);
  });
});

describe("a suspect", () => {
  it("is asked by TCP on its own port, once", () => {
    const { added, suspects, subject } = rig();
    suspects.suspect("web", s1, system);
    expect(added).toHaveLength(1);
    expect(subject).toMatchObject({ address, port: 80, probe: { kind: "tcp", rise: 1, fall: 1 } });
  });

  it("is dead when it refuses this box, too, and not before", () => {
    const { says, suspects } = rig();
    expect(says("unknown")).toBeUndefined();
    expect(says("unhealthy")).toMatchObject({ healthy: false, reason: expect.stringContaining("connection refused") });
    expect(suspects.judgement("web/s2")).toBeUndefined();
  });

  it("is one no more when it accepts a connection", () => {
    const { dropped, suspects, subject, found, says } = rig();
    suspects.onVerdict(subject, found("unhealthy"));
    expect(dropped).toEqual([]);
    suspects.onVerdict({ ...subject, path: "pools.web.backends.s1" }, found("healthy"));
    expect(dropped).toEqual([]);
    suspects.onVerdict(subject, found("healthy"));
    expect(dropped).toEqual([subject.path]);
    expect(says("unhealthy")).toBeUndefined();
  });

  it("stays one through a commit that leaves it where it is", () => {
    const { suspects, subject } = rig();
    expect(suspects.configure(config(s1))).toEqual([subject]);
    expect(suspects.configure(config({ ...s1, port: 81 }))).toEqual([]);
    expect(suspects.configure(config(s1))).toEqual([]);
  });
});
