/** What is wrong with a candidate, by the place where it is shown. */
import type { ProblemShown } from "@futago/firmware/runtime/control-configuration.ts";
import type { PlacedProblem } from "../../client/problem.ts";

export function placed({ what, where, mend, reason, parameters }: ProblemShown): PlacedProblem {
  return {
    path: where ?? "",
    detail: what,
    ...(mend === undefined ? {} : { mend }),
    ...(reason === undefined ? {} : { reason }),
    ...(parameters === undefined ? {} : { parameters }),
  };
}

/** Of a part of the document and of all within it. */
export function problemsBelow(problems: readonly ProblemShown[], path: string): readonly PlacedProblem[] {
  return problems.map(placed).filter((one) => one.path === path || one.path.startsWith(`${path}.`));
}
