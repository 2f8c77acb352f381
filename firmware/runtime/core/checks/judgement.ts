/** What a check's state means to others, and how it is shown. Pure. */
import type { CheckState } from "../../../health/check.ts";
import type { CheckStatus } from "../../control.ts";
import { type HealthView, type Judgement, key } from "./backend-health.ts";
import { describeTarget } from "./penalties.ts";
import type { Subject } from "./subjects.ts";

/** What nobody has looked at yet is given the benefit of the doubt: a box that starts shall serve. */
export function judgementOf(state: CheckState): Judgement {
  return { healthy: state.verdict !== "unhealthy", reason: state.reason };
}

/** The checks as `futago show health` shows them. `timeOf` gives a moment as RFC 3339. */
export function shownChecks(
  subjects: readonly Subject[],
  states: ReadonlyMap<string, CheckState>,
  view: HealthView,
  timeOf: (moment: CheckState["since"]) => string,
): readonly CheckStatus[] {
  return subjects.flatMap((subject): CheckStatus[] => {
    const { path, probe, about } = subject;
    const own = states.get(path);
    if (own === undefined) return [];
    const told = about.kind === "backend" ? view.backends.get(key(about.pool, about.backend)) : undefined;
    const judged = told ?? judgementOf(own);
    return [
      {
        subject: path,
        check: probe.kind,
        target: describeTarget(subject),
        healthy: judged.healthy,
        reason: judged.reason,
        since: timeOf(own.since),
        rttMicros: own.roundTrip ?? null,
        source: told?.source ?? "own",
      },
    ];
  });
}
