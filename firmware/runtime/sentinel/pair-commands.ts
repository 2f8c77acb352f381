/** A person's orders to a paired box: refused with a reason when they cannot work, answered when they have. */
import { between, type Instant, seconds } from "@futago/hal/units/time.ts";
import type { PairOrders } from "../../config/orders.ts";
import type { PairAction, PairConfig, PairGroupConfig, PairState } from "../../standby/pair/types.ts";
import type { CommandAnswer } from "./mode.ts";

const ANSWER_WITHIN = seconds(5);
const FAILED = 1;
const PEER_NEEDED = 5;
const CONFLICT = 6;

interface Order {
  readonly groups: ReadonlyMap<string, "active" | "other">;
  readonly done: string;
  /** The answer when it did not come true in time. */
  readonly late: (state: PairState) => CommandAnswer;
  /** The answer when the peer did not take a group, in the words of the election. */
  readonly failed: (cause: string) => CommandAnswer;
}

interface Waiting extends Order {
  readonly since: Instant;
  readonly answer: (answer: CommandAnswer) => void;
}

/** What keeps a group where it is. */
interface Hindrance {
  readonly cause: string;
  /** What a person who wants to switch over does about it. */
  readonly mend?: string;
  /** What maintenance that is wished waits for. */
  readonly over: string;
  readonly exitCode: number;
  /** It does not pass within seconds, so nobody need wait. */
  readonly lasts: boolean;
}

/** In a cold pair nobody takes over by himself, on demand neither. */
export const IN_COLD: CommandAnswer = refusal(
  "the standby of this pair is cold: `futago spare release` on the active box, then `futago spare activate` on the other",
  CONFLICT,
);

const UNCHANGED = "the boxes did not change within 5 s; `futago show why` tells more";
const NOT_TAKEN = "the peer did not take over within 5 s (`futago show why` tells more)";

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
    const peer = peerHindrance(config, state);
    if (peer !== undefined) return refuseFor(peer);
    const own = refuseInMaintenance(state);
    if (own !== undefined) return own;
    const group = groupHindrance(state, groups);
    return group && refuseFor(group);
  }

  /** Resolves when every group has moved to the other side of where it is now. */
  switchover(config: PairConfig, state: PairState, name: string | undefined, now: Instant): Promise<CommandAnswer> {
    const groups = config.groups.filter((group) => name === undefined || group.name === name);
    const wanted = new Map(
      groups.map((group) => [group.name, state.groups[group.name]?.state === "active" ? "other" : "active"] as const),
    );
    const late = (at: PairState) => {
      const known = peerHindrance(config, at) ?? groupHindrance(at, groups);
      return known === undefined ? refusal(UNCHANGED, FAILED) : refuseFor(known);
    };
    const failed = (cause: string) => refusal(cause, PEER_NEEDED);
    return this.#wait({ groups: wanted, done: "switched over", late, failed }, now);
  }

  /** Answers when this box holds nothing any more; the wish itself stands, whatever the answer. */
  maintenance(
    config: PairConfig,
    state: PairState,
    on: boolean,
    now: Instant,
    part: PairOrders["part"] = "either",
  ): Promise<CommandAnswer> {
    if (!on) return Promise.resolve({ ok: true, message: "maintenance is over", exitCode: 0 });
    const held = heldOf(state);
    if (held.length > 0 && part !== "either") {
      const cause = "this box is the active one of a cold pair";
      const message = `${cause}; it goes into maintenance when it has given up: \`futago spare release\``;
      return Promise.resolve({ ...refusal(message, PEER_NEEDED), cause });
    }
    const groups = config.groups.filter(({ name }) => held.includes(name));
    const hindrance = (at: PairState) => peerHindrance(config, at) ?? groupHindrance(at, groups);
    const present = held.length === 0 ? undefined : hindrance(state);
    if (present?.lasts === true) return Promise.resolve(waitsFor(present));
    const wanted = new Map(held.map((name) => [name, "other"] as const));
    const late = (at: PairState) => {
      const known = hindrance(at);
      return known === undefined ? stillWaits(NOT_TAKEN) : waitsFor(known);
    };
    return this.#wait({ groups: wanted, done: "in maintenance", late, failed: stillWaits }, now);
  }

  note(action: Extract<PairAction, { kind: "note" }>): void {
    if (action.event !== "offer-failed") return;
    for (const waiting of this.#waiting) {
      if (action.group === undefined || !waiting.groups.has(action.group)) continue;
      this.#finish(waiting, waiting.failed(`${action.group} stays where it is: ${action.reason}`));
    }
  }

  /** Looks whether what somebody waits for has come true. Called after every step. */
  review(state: PairState, now: Instant): void {
    for (const waiting of this.#waiting) {
      const moved = [...waiting.groups].every(
        ([name, wanted]) => (state.groups[name]?.state === "active") === (wanted === "active"),
      );
      if (moved) this.#finish(waiting, { ok: true, message: waiting.done, exitCode: 0 });
      else if (between(waiting.since, now) > ANSWER_WITHIN) this.#finish(waiting, waiting.late(state));
    }
  }

  #wait(order: Order, now: Instant): Promise<CommandAnswer> {
    return new Promise((answer) => {
      this.#waiting = [...this.#waiting, { ...order, since: now, answer }];
    });
  }

  #finish(waiting: Waiting, answer: CommandAnswer): void {
    this.#waiting = this.#waiting.filter((each) => each !== waiting);
    waiting.answer(answer);
  }
}

/** What keeps every group from moving. */
function peerHindrance(config: PairConfig, { snapshot }: PairState): Hindrance | undefined {
  if (snapshot?.peerAlive !== true) {
    const mend = "a switch-over needs both boxes";
    return { cause: "the peer is not there", mend, over: "the peer is back", exitCode: PEER_NEEDED, lasts: true };
  }
  if (!snapshot.peerHears) {
    const [mend, over] = ["mend the heartbeat path first", "the peer hears it again"];
    return { cause: "the peer does not hear this box", mend, over, exitCode: PEER_NEEDED, lasts: true };
  }
  if (snapshot.peerConfigId === config.configId) return undefined;
  const [mend, over] = ["give both the same configuration first", "both run the same one"];
  return { cause: "the boxes run different revisions", mend, over, exitCode: CONFLICT, lasts: false };
}

function groupHindrance({ snapshot }: PairState, groups: readonly PairGroupConfig[]): Hindrance | undefined {
  for (const group of groups) {
    const peer = snapshot?.groups.find((entry) => entry.group === group.slot)?.peer;
    if (peer?.state === "fault") {
      const over = "the peer's is over";
      return { cause: "the peer is in maintenance", over, exitCode: PEER_NEEDED, lasts: true };
    }
    if (peer !== undefined && peer.state !== "initialize") continue;
    const [mend, over] = ["try again in a few seconds", "the peer has started"];
    return { cause: "the peer is still starting", mend, over, exitCode: PEER_NEEDED, lasts: false };
  }
  return undefined;
}

function refuseInMaintenance(state: PairState): CommandAnswer | undefined {
  if (!state.maintenance) return undefined;
  const message =
    heldOf(state).length === 0
      ? "this box is in maintenance; end it with `futago maintenance off`"
      : "this box is active and goes into maintenance as soon as the other one can take over; `futago maintenance off` takes that back";
  return refusal(message, CONFLICT);
}

function heldOf(state: PairState): readonly string[] {
  return Object.entries(state.groups).flatMap(([name, group]) => (group.state === "active" ? [name] : []));
}

function refuseFor({ cause, mend, exitCode }: Hindrance): CommandAnswer {
  return refusal(mend === undefined ? cause : `${cause}; ${mend}`, exitCode);
}

/** The answer while maintenance has to wait; it is not forgotten. */
function waitsFor({ cause, over }: Hindrance): CommandAnswer {
  const message = `${cause} and this box is active; it goes into maintenance when ${over}`;
  return { ...refusal(message, PEER_NEEDED), cause };
}

function stillWaits(cause: string): CommandAnswer {
  const message = `${cause}; this box goes into maintenance as soon as the other one can take over`;
  return { ...refusal(message, PEER_NEEDED), cause };
}

function refusal(message: string, exitCode: number): CommandAnswer {
  return { ok: false, message, exitCode };
}
