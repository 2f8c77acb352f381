/** A person's orders to a paired box: refused with a reason when they cannot work, answered when they have. */
import { between, type Instant, seconds } from "@futago/hal/units/time.ts";
import type { PairOrders } from "../../config/orders.ts";
import type { PairAction, PairConfig, PairState } from "../../standby/pair/types.ts";
import type { CommandAnswer } from "./mode.ts";

const ANSWER_WITHIN = seconds(5);
const FAILED = 1;
const PEER_NEEDED = 5;
const CONFLICT = 6;

interface Waiting {
  readonly groups: ReadonlyMap<string, "active" | "other">;
  readonly since: Instant;
  readonly answer: (answer: CommandAnswer) => void;
  readonly done: string;
}

/** In a cold pair nobody takes over by himself, on demand neither. */
export const IN_COLD: CommandAnswer = refusal(
  "the standby of this pair is cold: `futago spare release` on the active box, then `futago spare activate` on the other",
  CONFLICT,
);

export class PairCommands {
  #waiting: readonly Waiting[] = [];

  /** Why a switch-over cannot even be tried; undefined when it can. */
  refuseSwitchover(config: PairConfig, state: PairState, name: string | undefined): CommandAnswer | undefined {
    const groups = config.groups.filter((group) => name === undefined || group.name === name);
    if (groups.length === 0) {
      const known = config.groups.map((group) => group.name).join(", ") || "none";
      return refusal(
        name === undefined
          ? "no failover group is configured"
          : `no failover group is called ${name}; there are: ${known}`,
        FAILED,
      );
    }
    const { snapshot } = state;
    if (snapshot?.peerAlive !== true)
      return refusal("the peer is not there; a switch-over needs both boxes", PEER_NEEDED);
    if (!snapshot.peerHears)
      return refusal("the peer does not hear this box; mend the heartbeat path first", PEER_NEEDED);
    if (snapshot.peerConfigId !== config.configId) {
      return refusal("the boxes run different revisions; give both the same configuration first", CONFLICT);
    }
    if (state.maintenance) return refusal("this box is in maintenance; end it with `futago maintenance off`", CONFLICT);
    for (const group of groups) {
      const report = snapshot.groups.find((entry) => entry.group === group.slot);
      if (report?.peer?.state === "fault") return refusal("the peer is in maintenance", PEER_NEEDED);
      if (report?.peer === undefined || report.peer.state === "initialize")
        return refusal("the peer is still starting; try again in a few seconds", PEER_NEEDED);
    }
    return undefined;
  }

  /** Resolves when every group has moved to the other side of where it is now. */
  switchover(config: PairConfig, state: PairState, name: string | undefined, now: Instant): Promise<CommandAnswer> {
    const groups = config.groups.filter((group) => name === undefined || group.name === name);
    const wanted = new Map(
      groups.map((group) => [group.name, state.groups[group.name]?.state === "active" ? "other" : "active"] as const),
    );
    return this.#wait(wanted, "switched over", now);
  }

  /** Answers when this box holds nothing any more; the wish itself stands, whatever the answer. */
  maintenance(
    state: PairState,
    on: boolean,
    now: Instant,
    part: PairOrders["part"] = "either",
  ): Promise<CommandAnswer> {
    if (!on) return Promise.resolve({ ok: true, message: "maintenance is over", exitCode: 0 });
    const held = Object.entries(state.groups).filter(([, group]) => group.state === "active");
    if (held.length > 0 && part !== "either") {
      const message =
        "this box is the active one of a cold pair; it goes into maintenance when it has given up: `futago spare release`";
      return Promise.resolve(refusal(message, PEER_NEEDED));
    }
    if (held.length > 0 && state.snapshot?.peerAlive !== true) {
      const message = "the peer is not there and this box is active; it goes into maintenance when the peer is back";
      return Promise.resolve(refusal(message, PEER_NEEDED));
    }
    return this.#wait(new Map(held.map(([name]) => [name, "other"] as const)), "in maintenance", now);
  }

  note(action: Extract<PairAction, { kind: "note" }>): void {
    if (action.event !== "offer-failed") return;
    for (const waiting of this.#waiting) {
      if (action.group === undefined || !waiting.groups.has(action.group)) continue;
      this.#finish(waiting, refusal(`${action.group} stays where it is: ${action.reason}`, PEER_NEEDED));
    }
  }

  /** Looks whether what somebody waits for has come true. Called after every step. */
  review(state: PairState, now: Instant): void {
    for (const waiting of this.#waiting) {
      const moved = [...waiting.groups].every(
        ([name, wanted]) => (state.groups[name]?.state === "active") === (wanted === "active"),
      );
      if (moved) this.#finish(waiting, { ok: true, message: waiting.done, exitCode: 0 });
      else if (between(waiting.since, now) > ANSWER_WITHIN) {
        this.#finish(waiting, refusal("the boxes did not change within 5 s; `futago show why` tells more", FAILED));
      }
    }
  }

  #wait(groups: ReadonlyMap<string, "active" | "other">, done: string, now: Instant): Promise<CommandAnswer> {
    return new Promise((answer) => {
      this.#waiting = [...this.#waiting, { groups, since: now, answer, done }];
    });
  }

  #finish(waiting: Waiting, answer: CommandAnswer): void {
    this.#waiting = this.#waiting.filter((each) => each !== waiting);
    waiting.answer(answer);
  }
}

function refusal(message: string, exitCode: number): CommandAnswer {
  return { ok: false, message, exitCode };
}
