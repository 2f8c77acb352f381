import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Instant, instant, seconds } from "@futago/hal/units/time.ts";
import { initialLockout, type LockoutInput, type LockoutState, SOURCES_MAX, sourceOf, stepLockout } from "./lockout.ts";

const config = { seed: 7 };
const start = 1_000_000_000;
const at = (second: number): Instant => instant(start + second * 1_000_000);
const home = { source: "10.0.0.1", account: "anna", familiar: true };
const strange = { source: "203.0.113.9", account: "anna", familiar: false };

/** What becomes of attempts, each in its second: "ok", or the seconds to wait. */
class Door {
  state: LockoutState = initialLockout;

  tries(second: number, who: { source: string; account: string; familiar: boolean }): number | "ok" {
    const [action] = this.steps(second, { kind: "attempt", ...who });
    return action?.kind === "refuse" ? action.wait / 1_000_000 : "ok";
  }

  steps(second: number, input: LockoutInput) {
    const { state, actions } = stepLockout(config, this.state, input, at(second));
    this.state = state;
    return actions;
  }
}

describe("a source", () => {
  it("has five attempts, then waits that double with each further failure, up to a quarter of an hour", () => {
    const door = new Door();
    for (let n = 0; n < 5; n++) expect(door.tries(0, home)).toBe("ok");
    expect(door.tries(0, home)).toBe(1);
    let now = 0;
    for (const wait of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]) {
      expect(door.tries(now, home)).toBe(wait);
      now += wait;
      expect(door.tries(now, home)).toBe("ok");
    }
  });

  it("makes no wait longer by asking during it", () => {
    const door = new Door();
    for (let n = 0; n < 5; n++) door.tries(0, home);
    for (let n = 0; n < 100; n++) expect(door.tries(0, home)).toBe(1);
    expect(door.tries(1, home)).toBe("ok");
  });

  it("is forgotten an hour after its last failure", () => {
    const door = new Door();
    for (let n = 0; n < 5; n++) door.tries(0, home);
    expect(door.tries(3_599, home)).toBe("ok");
    expect(door.tries(3_599, home)).toBe(2);
    expect(door.tries(3_599 + 3_600, home)).toBe("ok");
    expect(door.tries(3_599 + 3_600, home)).toBe("ok");
  });

  it("gets back what a right password was counted as, and no more: it buys no guesses at another account", () => {
    const door = new Door();
    const other = { ...home, account: "bob" };
    for (let round = 0; round < 4; round++) {
      expect(door.tries(0, home)).toBe("ok");
      expect(door.tries(0, other)).toBe("ok");
      door.steps(0, { kind: "succeeded", ...other });
    }
    expect(door.tries(0, home)).toBe("ok");
    expect(door.tries(0, other)).toBe(1);
  });

  it("says nothing of its neighbours", () => {
    const door = new Door();
    for (let n = 0; n < 5; n++) door.tries(0, home);
    expect(door.tries(0, { ...home, source: "10.0.0.2" })).toBe("ok");
  });
});

describe("an account", () => {
  const from = (n: number) => ({ ...strange, source: `198.51.100.${n}` });

  it("is guessed at by many sources together no faster than by one, and stays open to where its owner signs in", () => {
    const door = new Door();
    for (let n = 0; n < 20; n++) expect(door.tries(0, from(n))).toBe("ok");
    expect(door.tries(0, from(20))).toBe(1);
    expect(door.tries(1, from(20))).toBe("ok");
    expect(door.tries(1, from(21))).toBe(2);
    expect(door.tries(1, home)).toBe("ok");
    expect(door.tries(1, { ...from(22), account: "bob" })).toBe("ok");
  });

  it("waits a minute at most, and begins anew when its owner came in from a new place", () => {
    const door = new Door();
    let now = 0;
    for (let n = 0; n < 60; n++) {
      const wait = door.tries(now, from(n));
      if (wait !== "ok") now += wait;
    }
    now += 60;
    expect(door.tries(now, from(61))).toBe("ok");
    expect(door.tries(now, from(62))).toBe(60);
    expect(door.tries(now + 60, from(63))).toBe("ok");
    door.steps(now + 60, { kind: "succeeded", ...from(63) });
    expect(door.tries(now + 60, from(64))).toBe("ok");
  });

  it("is counted whether anybody has it or not", () => {
    const door = new Door();
    for (let n = 0; n < 20; n++) door.tries(0, { ...from(n), account: "nobody-at-all" });
    expect(door.tries(0, { ...from(30), account: "nobody-at-all" })).toBe(1);
  });
});

describe("the peer's door", () => {
  it("is heard: what failed there counts here", () => {
    const door = new Door();
    for (let n = 0; n < 5; n++) expect(door.steps(0, { kind: "told", ...home })).toEqual([]);
    expect(door.tries(0, home)).toBe(1);
  });
});

describe("what is remembered", () => {
  it("is bounded, and who fails from many sources displaces none that failed more often", () => {
    const door = new Door();
    for (let n = 0; n < 6; n++) door.tries(n, home);
    for (let n = 0; n < SOURCES_MAX + 500; n++) {
      const source = `2001:db8:${n.toString(16)}::/64`;
      door.tries(10, { source, account: `account ${n}`, familiar: false });
    }
    expect(door.state.sources.size).toBeLessThanOrEqual(SOURCES_MAX);
    expect(door.state.sources.get(home.source)?.failures).toBeGreaterThanOrEqual(5);
    expect(door.state.accounts.size).toBeLessThanOrEqual(1_024);
  });

  it("never lets a source have more than five attempts in a second, however they are mixed", () => {
    const who = fc.record({
      source: fc.constantFrom("10.0.0.1", "10.0.0.2"),
      account: fc.constantFrom("anna", "bob"),
      familiar: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(who, { maxLength: 60 }), (attempts) => {
        const door = new Door();
        const allowed = attempts.filter((one) => door.tries(0, one) === "ok");
        for (const source of ["10.0.0.1", "10.0.0.2"]) {
          expect(allowed.filter((one) => one.source === source).length).toBeLessThanOrEqual(5);
        }
      }),
    );
  });

  it("counts from its clock alone", () => expect(seconds(1)).toBe(at(1) - at(0)));
});

describe("where somebody comes from", () => {
  it.each([
    ["10.1.2.3", "10.1.2.3"],
    ["::ffff:10.1.2.3", "10.1.2.3"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8:1:2::9", "2001:db8:1:2::/64"],
    ["fe80::1%eth0", "fe80::/64"],
    ["::1", "::/64"],
    ["", undefined],
    ["10.1.2.3, 10.9.9.9", undefined],
    ["10.1.2.3:80", undefined],
    ["localhost", undefined],
  ])("%j is %s", (from, source) => expect(sourceOf(from)).toBe(source));
});
