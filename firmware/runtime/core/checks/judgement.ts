/** What a check's state means to others, and how it is shown. Pure. */
import type { CheckState } from "../../../health/check.ts";
import type { CheckStatus } from "../../control.ts";
import type { BackendHealth, Judgement } from "./backend-health.ts";
import { describeTarget } from "./penalties.ts";
import type { Subject } from "./subjects.ts";

/** What nobody has looked at yet is given the benefit of the doubt: a box that starts shall serve. */
export function judgementOf(state: CheckState): Judgement {
  const { verdict, reason, failingSince } = state;
  const healthy = verdict !== "unhealthy";
  const blind = !healthy && state.blind;
  return { healthy, blind, reason: blind && failingSince !== undefined ? `${reason}; ${DOUBT}` : reason };
}

const DOUBT = "this box may be cut off itself, so connections there are kept";

/**
 * A check as `futago show health` shows it. `told` is how its backend stands, by whoever's word; `timeOf` gives a moment
 * as RFC 3339.
 */
export function shownCheck(
  subject: Subject,
  own: CheckState,
  told: BackendHealth | undefined,
  timeOf: (moment: CheckState["since"]) => string,
): CheckStatus {
  const judged = told ?? judgementOf(own);
  return {
    subject: subject.path,
    check: subject.probe.kind,
    target: describeTarget(subject),
    healthy: judged.healthy,
    reason: judged.reason,
    since: timeOf(own.since),
    rttMicros: own.roundTrip ?? null,
    source: told?.source ?? "own",
  };
}
