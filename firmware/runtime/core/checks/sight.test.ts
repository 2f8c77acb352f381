import type { Link } from "@futago/hal/contract/network.ts";
import type { Ifname, IpAddress } from "@futago/hal/units/address.ts";
import { type Instant, instant, millis } from "@futago/hal/units/time.ts";
import { beforeEach, describe, expect, it } from "vitest";
import { type CheckState, startCheck } from "../../../health/check.ts";
import { addTarget, Sight, type Target } from "./sight.ts";
import type { Subject } from "./subjects.ts";

const lan = "eth1" as Ifname;
const timing = { intervalMs: 2_000, timeoutMs: 500, rise: 2, fall: 3 };
const at = (milliseconds: number): Instant => instant(millis(milliseconds));
const links = (carrier: boolean): readonly Link[] => [{ ifname: lan, carrier } as Link];

const target = (address: string): Subject => ({
  path: address,
  about: { kind: "backend", pool: "web", backend: address, at: "" },
  probe: { kind: "tcp", port: undefined, ...timing },
  address: address as IpAddress,
  device: lan,
  port: 80,
  source: undefined,
});

const [one, other] = [target("10.2.0.11"), target("10.2.0.12")];

/** An attempt that began then, after failures since. */
function asking(startedAt: number, failingSince?: number): CheckState {
  return {
    ...startCheck(timing, 0, at(0)),
    probe: { startedAt: at(startedAt), deadline: at(startedAt + 500), putOff: false },
    failingSince: failingSince === undefined ? undefined : at(failingSince),
  };
}

let sight: Sight;

/** As its attempt times out. */
function isBlind(subject: Subject, state: CheckState): boolean {
  return sight.isBlind(subject, state, state.probe?.deadline ?? at(0));
}

function look(...subjects: readonly Subject[]): void {
  const targets = new Map<Ifname, Target>();
  for (const subject of subjects) addTarget(targets, subject);
  sight.setTargets(targets);
}

beforeEach(() => {
  sight = new Sight();
  look(one, other);
  sight.setLinks(links(true), at(0));
});

describe("a silence by a port", () => {
  it("says nothing of the other side without a carrier, nor when the carrier was lost since the attempt began", () => {
    sight.heard(lan, at(1_000));
    sight.setLinks(links(false), at(1_100));
    expect(isBlind(one, asking(1_050))).toBe(true);
    sight.setLinks(links(true), at(1_200));
    expect(isBlind(one, asking(1_150))).toBe(true);
    sight.heard(lan, at(1_250));
    expect(isBlind(one, asking(1_201))).toBe(false);
  });

  it("that began before the port was plugged in again is believed once it lasts as long as any other", () => {
    sight.setLinks(links(false), at(1_000));
    sight.setLinks(links(true), at(3_000));
    sight.heard(lan, at(8_400));
    // Three failures, two seconds each.
    expect(isBlind(one, asking(8_499, 2_900))).toBe(true);
    expect(isBlind(one, asking(8_500, 2_900))).toBe(false);
    look(one);
    expect(isBlind(one, asking(5_000, 2_900))).toBe(true);
    expect(isBlind(one, asking(9_000, 2_900))).toBe(false);
    expect(isBlind(one, { ...asking(5_000, 2_900), hintedAt: at(4_999) })).toBe(false);
  });

  it("of one that was found silent in the dark is given as long, too, and that of no other", () => {
    const doubted: CheckState = { ...asking(5_000, 2_000), verdict: "unhealthy", blind: true };
    expect(isBlind(one, doubted)).toBe(true);
    sight.heard(lan, at(5_600));
    expect(isBlind(one, asking(5_700, 2_000))).toBe(false);
    sight.heard(lan, at(11_000));
    expect(isBlind(one, { ...doubted, probe: asking(11_099).probe })).toBe(true);
    expect(isBlind(one, { ...doubted, probe: asking(11_100).probe })).toBe(false);
  });

  it("says nothing when the port is gone", () => {
    sight.setLinks([], at(100));
    expect(isBlind(one, asking(200))).toBe(true);
  });

  it("is the other side's when somebody else has answered since", () => {
    sight.heard(lan, at(2_100));
    expect(isBlind(one, asking(2_000))).toBe(false);
  });

  it("is the other side's when somebody else has answered in the last interval, at another time than this one looks", () => {
    sight.heard(lan, at(3_100));
    expect(isBlind(one, asking(5_000, 2_000))).toBe(false);
  });

  it("says nothing when nobody has answered since, whatever was heard before", () => {
    sight.heard(lan, at(1_990));
    expect(isBlind(one, asking(2_000))).toBe(true);
    expect(isBlind(other, asking(5_500, 2_000))).toBe(true);
  });

  it("says nothing of an attempt that began before the port was heard again", () => {
    expect(isBlind(one, asking(2_000))).toBe(true);
    sight.heard(lan, at(4_300));
    expect(isBlind(other, asking(4_200, 2_000))).toBe(true);
    sight.heard(lan, at(4_400));
    expect(isBlind(other, asking(4_301, 2_000))).toBe(false);
  });

  it("is the other side's by a port where nothing is looked at for long", () => {
    look();
    expect(isBlind(one, asking(2_000))).toBe(false);
  });

  it("is the other side's where nothing else is looked at, unless there is no carrier", () => {
    look(one, { ...one, path: "the same host, by another port" });
    expect(isBlind(one, asking(2_000))).toBe(false);
    sight.setLinks(links(false), at(2_500));
    expect(isBlind(one, asking(3_000))).toBe(true);
  });

  it("is the other side's when clients' packets were refused by it, unless there is no carrier", () => {
    const hinted = { ...asking(2_000), hintedAt: at(1_999) };
    expect(isBlind(one, hinted)).toBe(false);
    sight.setLinks(links(false), at(2_100));
    expect(isBlind(one, hinted)).toBe(true);
  });

  it("is the other side's where the configuration names no port, as on loopback", () => {
    const [near, far] = [one, other].map((subject): Subject => ({ ...subject, device: undefined }));
    if (near === undefined || far === undefined) throw new Error("two were made");
    look(near, far);
    expect(isBlind(near, asking(2_000))).toBe(false);
  });
});
