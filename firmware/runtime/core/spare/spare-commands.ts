/** A person activates the spare, or releases the active box: what is asked first, in which order it happens, what is said. */
import {
  answersTold,
  otherBox,
  refuseActivation,
  refuseLook,
  refuseRelease,
  type SpareRefusal,
} from "../../../pair/spare/refusals.ts";
import { isDark, next, standing } from "../../../pair/spare/step.ts";
import type { Activation, Box, Look } from "../../../pair/spare/types.ts";
import type { SpareDone, SpareOrder } from "../../control-spare.ts";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import { StoreError } from "../../store/refusal.ts";
import { checkedQuery } from "../control/handlers.ts";
import { NO_CONFIGURATION } from "../sentences.ts";
import type { Configuration } from "../configuration.ts";
import type { Maintenance } from "../maintenance.ts";
import type { PairLink } from "../pair-link.ts";
import type { SpareRoom } from "./spare-room.ts";

const TAKE_OVER_MILLIS_MAX = 6_000;
const LET_GO_MILLIS_MAX = 2_000;
const AUTHOR_LENGTH_MAX = 64;

export interface SpareFacts {
  readonly room: SpareRoom;
  readonly configuration: Pick<Configuration, "inForce">;
  readonly link: Pick<PairLink, "pair">;
  readonly maintenance: Pick<Maintenance, "on">;
}

/** Each does what its order says, whoever asks. */
export interface SpareHandlers {
  spareActivate(order: SpareOrder): Promise<SpareDone>;
  spareRelease(order: SpareOrder): Promise<SpareDone>;
}

export function spareHandlers(facts: SpareFacts): SpareHandlers {
  return {
    spareActivate: (order) => activate(facts, checked(order)),
    spareRelease: (order) => release(facts, checked(order)),
  };
}

async function activate(facts: SpareFacts, { force, author }: SpareOrder): Promise<SpareDone> {
  const began = performance.now();
  const { room } = facts;
  demandConfiguration(facts);
  const me = room.config.box;
  if (standing(room.config, room.state).part === "active") {
    return { message: `Box ${me} is the active one already.`, tookMillis: null };
  }
  refuse(refuseActivation(room.config, room.state, force));
  if (room.role === "maintenance") {
    const mend = "End that with `futago maintenance off` first.";
    throw new RefusalError({ exitCode: ExitCode.conflict, what: "this box is in maintenance", mend });
  }
  const look = await room.look();
  const asked = performance.now();
  // The peer may have come, or somebody else may have been faster.
  const refusal = refuseActivation(room.config, { ...room.state, looking: undefined }, force);
  const against = refusal ?? (force ? undefined : refuseLook(look));
  if (against !== undefined) {
    await room.dismiss(look);
    refuse(against);
  }
  const forced = isDark(look) ? undefined : look;
  await decide(room, me, forced, () => room.dismiss(look));
  const evidence = { epoch: room.state.activation.epoch, author, asked: look.asked, answers: look.answers.length };
  room.tellWhy("spare-activated", reasonOf(author, look), evidence);
  if (!(await room.until(true, TAKE_OVER_MILLIS_MAX))) {
    const what = `box ${me} is the active one now, but holds nothing after ${TAKE_OVER_MILLIS_MAX / 1_000} s`;
    throw new RefusalError({
      exitCode: ExitCode.failed,
      what,
      mend: "`futago status` and `futago show why` tell why.",
    });
  }
  const ended = performance.now();
  const took = `It took ${secondsOf(ended - began)}: ${secondsOf(asked - began)} to ask around, ${secondsOf(ended - asked)} to take over.`;
  return {
    message: [`Box ${me} is ACTIVE. ${seen(look)}`, took].join("\n"),
    tookMillis: Math.round(ended - began),
  };
}

async function release(facts: SpareFacts, { force, author }: SpareOrder): Promise<SpareDone> {
  const began = performance.now();
  const { room } = facts;
  demandConfiguration(facts);
  refuse(refuseRelease(room.config, room.state, sameRevision(facts), force));
  await decide(room, "nobody", undefined, undefined);
  const { epoch } = room.state.activation;
  room.tellWhy("spare-released", `${author} released this box`, { epoch, author });
  const me = room.config.box;
  if (!(await room.until(false, LET_GO_MILLIS_MAX))) {
    const what = `box ${me} is released, but its sentinel has not let go after ${LET_GO_MILLIS_MAX / 1_000} s`;
    throw new RefusalError({
      exitCode: ExitCode.failed,
      what,
      mend: "`futago status` and `futago show why` tell why.",
    });
  }
  const message = `${released(me, facts.maintenance.on)}\nGive \`futago spare activate\` on box ${otherBox(me)} now.`;
  return { message, tookMillis: Math.round(performance.now() - began) };
}

/** A wish for maintenance that was refused while this box was active comes true with the release. */
function released(me: Box, inMaintenance: boolean): string {
  if (!inMaintenance) return `Box ${me} is the spare; nobody serves.`;
  return `Box ${me} is released and goes into MAINTENANCE, as was ordered before: it cannot be activated until \`futago maintenance off\`. Nobody serves.`;
}

async function decide(
  room: SpareRoom,
  active: Activation["active"],
  forced: Look | undefined,
  undo: (() => Promise<void>) | undefined,
): Promise<void> {
  try {
    await room.decide(next(room.state.activation, active), forced);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    await undo?.();
    throw new RefusalError({ exitCode: ExitCode.failed, what: error.message, mend: `${error.mend}.` });
  }
}

function seen({ answers, unplugged, asked }: Look): string {
  const where = unplugged.length === 0 ? "" : ` Nothing could be asked on ${unplugged.join(", ")}: no cable.`;
  if (answers.length > 0) return `It was forced, although ${answersTold(answers)}.${where}`;
  return asked === 0 ? `It was forced.${where}` : `Nobody answered for ${asked} addresses.${where}`;
}

function reasonOf(author: string, look: Look): string {
  return `${author} activated this box. ${seen(look)}`;
}

function demandConfiguration(facts: SpareFacts): void {
  if (facts.configuration.inForce === undefined)
    throw new RefusalError({ exitCode: ExitCode.failed, what: NO_CONFIGURATION });
}

/** The peer is linked and has the same configuration. */
function sameRevision({ link, configuration }: SpareFacts): boolean {
  return link.pair?.up === true && link.pair.revision === configuration.inForce?.revision.id;
}

function refuse(refusal: SpareRefusal | undefined): void {
  if (refusal === undefined) return;
  const { what, mend } = refusal;
  throw new RefusalError({ exitCode: refusal.exitCode as ExitCode, what, mend });
}

function secondsOf(millis: number): string {
  return `${(millis / 1_000).toFixed(1)} s`;
}

/** Whoever writes to the socket by hand may leave anything away. */
function checked(order: SpareOrder): SpareOrder {
  const { force, author } = checkedQuery(order, { force: "flag", author: "text" }) as Partial<SpareOrder>;
  return { force: force === true, author: (author ?? "somebody").slice(0, AUTHOR_LENGTH_MAX) };
}
