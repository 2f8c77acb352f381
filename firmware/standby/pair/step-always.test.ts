import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PulseGroupState } from "@futago/hal/units/pulse.ts";
import { after, type Instant, micros } from "@futago/hal/units/time.ts";
import { executed, NOW } from "./standing.test-support.ts";
import { initialPair, step } from "./step.ts";
import type { PairAction, PairInput, PairState } from "./types.ts";
import { CONFIG, peerIn, reportOf, snapshotOf } from "./view.test-support.ts";

describe("whatever happens", () => {
  const groupState = fc.constantFrom<PulseGroupState>(
    "initialize",
    "standby",
    "active",
    "offering",
    "ready",
    "yielded",
    "fault",
  );
  const health = fc.constantFrom(1, 155, 254, 255);
  const peer = fc.record({ state: groupState, health, asks: fc.boolean(), lapsed: fc.boolean() });
  const picture = fc.record({
    own: groupState,
    peer: fc.option(peer),
    alive: fc.boolean(),
    hears: fc.boolean(),
    known: fc.boolean(),
  });
  const input = fc.oneof(
    picture.map(({ own, peer: other, alive, hears, known }) => (now: Instant): PairInput => {
      const report = reportOf(own, other === null ? undefined : peerIn(other.state, other));
      return {
        kind: "report",
        report: snapshotOf(now, [report], { peerAlive: alive, peerHears: hears, peerKnown: known || alive }),
      };
    }),
    fc
      .constantFrom<PairInput>(
        { kind: "timeout" },
        { kind: "configured" },
        { kind: "pulseStarted" },
        { kind: "pulseEnded" },
        { kind: "switchover", group: undefined },
        { kind: "maintenance", on: true },
        { kind: "maintenance", on: false },
        { kind: "fitness", fitness: { edge: { health: 155, sentence: "" } } },
        { kind: "fitness", fitness: { edge: { health: 255, sentence: "" } } },
        executed("takeOver", "silence"),
        executed("takeOver", "handover"),
        executed("release", "handover"),
        executed("release", "taken"),
      )
      .map((one) => () => one),
  );
  const story = fc.array(fc.tuple(input, fc.integer({ min: 0, max: 3_000_000 })), { maxLength: 60 });

  function tell(
    happenings: readonly [(now: Instant) => PairInput, number][],
    look: (before: PairState, state: PairState, actions: readonly PairAction[]) => void,
  ): void {
    let state = initialPair(CONFIG, NOW, false);
    let now = NOW;
    for (const [make, pause] of happenings) {
      now = after(now, micros(pause));
      const next = step(CONFIG, state, make(now), now);
      look(state, next.state, next.actions);
      state = next.state;
    }
  }

  it("each change of role is told once, from what was to what is", () => {
    fc.assert(
      fc.property(story, (happenings) => {
        tell(happenings, (before, state, actions) => {
          let role = before.groups["edge"]?.state ?? "initialize";
          for (const action of actions) {
            if (action.kind !== "transition") continue;
            expect(action.from).toBe(role);
            expect(action.to).not.toBe(role);
            role = action.to;
          }
          expect(role).toBe(state.groups["edge"]?.state);
        });
      }),
    );
  });

  it("nothing is taken while the living peer holds it, in maintenance, or during the boot", () => {
    fc.assert(
      fc.property(story, (happenings) => {
        tell(happenings, (_, state, actions) => {
          const acts = actions.flatMap((one) =>
            one.kind === "pulse" && one.command.kind === "act" ? [one.command.act] : [],
          );
          const report = state.snapshot?.groups[0];
          const peerHolds =
            state.snapshot?.peerAlive === true && ["active", "yielded"].includes(report?.peer?.state ?? "");
          const takes = acts.includes("takeOver") || acts.includes("ready");
          expect(takes && peerHolds).toBe(false);
          const orders = actions.flatMap((one) =>
            one.kind === "pulse" && one.command.kind === "group" ? [one.command] : [],
          );
          for (const order of orders) expect(order.armed).toBe(!state.maintenance && !state.booting);
        });
      }),
    );
  });

  it("nothing is offered but what is held", () => {
    fc.assert(
      fc.property(story, (happenings) => {
        tell(happenings, (_, state) => {
          const memory = state.groups["edge"];
          if (memory?.offer === undefined) return;
          expect(memory.state).toBe("active");
        });
      }),
    );
  });
});
