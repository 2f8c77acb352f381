/** Refusals of the commit protocol in words. The exit codes are the command line's. */
import type { CommitRefusal, Failure, Outcome, RevisionSummary } from "./types.ts";

const [FAILED, PEER_NEEDED, CONFLICT] = [1, 5, 6];

export function refused(refusal: CommitRefusal): Outcome {
  return { kind: "refused", refusal };
}

/** What the peer refused, with the place where it is wrong. */
export function onPeer(box: string, refusal: CommitRefusal): CommitRefusal {
  const where = refusal.where === undefined || refusal.where === "" ? `box ${box}` : `box ${box}: ${refusal.where}`;
  return { ...refusal, where };
}

export const CHANGED_MEANWHILE: CommitRefusal = {
  exitCode: CONFLICT,
  what: "another change was committed in between",
  mend: "Look at `futago diff` or `futago show config`, and commit yours again.",
};

export const PEER_BUSY: CommitRefusal = {
  exitCode: CONFLICT,
  what: "the other box is committing something itself; nothing was changed",
  mend: "Commit yours again in a moment.",
};

export const ROLES_CHANGED: CommitRefusal = {
  exitCode: CONFLICT,
  reason: "rolesChanged",
  what: "the boxes changed roles in the middle of it; nothing was changed",
  mend: "Commit it again.",
};

export const PEER_SILENT: CommitRefusal = {
  exitCode: FAILED,
  what: "the other box did not answer in time; nothing was changed",
  mend: "Look at its load and its log (`futago show log` there), and commit it again.",
};

export const NOT_REACHED: CommitRefusal = {
  exitCode: PEER_NEEDED,
  what: "the active box commits, and the connection to it is down",
  mend: "Look at the cables of the heartbeat, or give the command on the active box.",
};

export const CONNECTION_BROKE: CommitRefusal = {
  exitCode: FAILED,
  what: "the connection to the active box broke before it answered",
  mend: "`futago history` tells whether the change was made.",
};

export const TOO_MANY: CommitRefusal = {
  exitCode: CONFLICT,
  what: "too many changes wait for their turn",
  mend: "Give it again in a moment.",
};

export const NOTHING_TO_GO_BACK_TO: CommitRefusal = {
  exitCode: CONFLICT,
  what: "the first configuration cannot wait for a confirmation: there is none to go back to",
  mend: "Commit it without --confirm.",
};

export const NOTHING_WAITS: CommitRefusal = {
  exitCode: FAILED,
  what: "no revision waits for a confirmation",
  mend: "`futago history` tells what became of it.",
};

export function waitsForConfirmation({ id, author }: RevisionSummary): CommitRefusal {
  return {
    exitCode: CONFLICT,
    what: `revision ${short(id)} of ${author} waits for its confirmation`,
    mend: "`futago confirm` keeps it, `futago rollback 1` brings back what was before; then commit yours.",
  };
}

export function anotherWaits(asked: string, waiting: string): CommitRefusal {
  return {
    exitCode: CONFLICT,
    what: `revision ${short(asked)} does not wait for a confirmation, ${short(waiting)} does`,
    mend: "Look at `futago history` before you confirm.",
  };
}

export function notYours({ id, author }: RevisionSummary): CommitRefusal {
  return {
    exitCode: CONFLICT,
    what: `revision ${short(id)} was committed by ${author}, who alone knows whether it is good`,
    mend: "Let them confirm it, or use --force.",
  };
}

/** A revision that was taken back because of `trouble` on a box. */
export function rolledBack({ id, box, trouble }: Failure): CommitRefusal {
  return {
    exitCode: FAILED,
    what: `revision ${short(id)} could not be put into force and was rolled back: ${trouble}`,
    where: box,
    mend: "Mend what is named and commit it again; `futago history` shows both.",
  };
}

/** The peer made it durable, then this box could not. */
export function heldByPeer(refusal: CommitRefusal): CommitRefusal {
  const mend = [refusal.mend, "The other box has it, and rolls it back as soon as it hears of this."];
  return { ...refusal, mend: mend.filter((one) => one !== undefined).join(" ") };
}

/** It did not work, and the way back is barred. */
export function notRolledBack(failure: Failure, barred: CommitRefusal): CommitRefusal {
  const refusal = rolledBack(failure);
  const mend = `Rolling back is tried again by itself. ${barred.mend ?? ""}`.trim();
  return { ...refusal, what: `${refusal.what}; but the roll-back cannot be kept: ${barred.what}`, mend };
}

/** The first revision, before which there was none, or none that both boxes could go back to. */
export function notInForce({ id, box, trouble }: Failure): CommitRefusal {
  return {
    exitCode: FAILED,
    what: `revision ${short(id)} is committed and could not be put into force: ${trouble}`,
    where: box,
    mend: "The box goes on trying. Mend what is named, or commit another configuration.",
  };
}

export function short(id: string): string {
  return id.slice(0, 16);
}
