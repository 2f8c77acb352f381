/** Why a pairing cannot begin, in words. */
import { ExitCode, RefusalError } from "../../exit-code.ts";

export function pairedByKey(): RefusalError {
  return new RefusalError({
    exitCode: ExitCode.conflict,
    what: "this box was started with --pair-key, which stands for a pairing",
    mend: "Start both boxes without --pair-key to pair them.",
  });
}

export function hasPeer(): RefusalError {
  return new RefusalError({
    exitCode: ExitCode.conflict,
    what: "this box has a peer already, which is away",
    mend: "Say --replace to take another box in its place, or `futago pair unpair` to have none.",
  });
}

/** Two boxes that do not know each other any more would both serve. */
export function peerAlive(): RefusalError {
  return new RefusalError({
    exitCode: ExitCode.conflict,
    what: "this box has a peer, and the peer is alive",
    mend: "Stop the peer first: two boxes that stop knowing each other would both take the addresses.",
  });
}

export function peerAway(): RefusalError {
  return new RefusalError({
    exitCode: ExitCode.peerNeeded,
    what: "the link to the peer is down, and both boxes change their keys together",
    mend: "`futago pair status` on both boxes shows how they stand.",
  });
}

export function ownConfiguration(): RefusalError {
  return new RefusalError({
    exitCode: ExitCode.conflict,
    what: "this box has a configuration of its own, which the pair's takes the place of",
    mend: "Say --replace to give it up, or invite from this box and join from the other one.",
  });
}

export function underWay(): RefusalError {
  return new RefusalError({
    exitCode: ExitCode.conflict,
    what: "a pairing is under way on this box",
    mend: "`futago pair status` shows it; `futago pair cancel` ends it.",
  });
}

export function notACode(): RefusalError {
  return new RefusalError({
    exitCode: ExitCode.usage,
    what: "a code is eight letters and digits, such as K7QM-3XRP",
    mend: "`futago pair invite` on the other box shows it.",
  });
}

export function noCeremony(): RefusalError {
  return new RefusalError({
    exitCode: ExitCode.failed,
    what: "there are no digits to compare now",
    mend: "`futago pair status` shows how far the pairing is.",
  });
}

export function unpaired(): RefusalError {
  return new RefusalError({ exitCode: ExitCode.failed, what: "this box has no peer" });
}
