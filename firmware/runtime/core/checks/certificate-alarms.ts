/** Which certificates end soon, or have ended, as alarms for people. Pure. */
import { certificateEndSentence } from "../../../health/certificate.ts";
import type { CheckState } from "../../../health/check.ts";
import { describeCheck } from "./penalties.ts";
import type { Subject } from "./subjects.ts";

/** The kind under which the alarm board keeps them. */
export const CERTIFICATE_ALARM = "certificate-ends";

/** A sentence for each subject whose certificate ends within 14 days, by its path. Unix milliseconds. */
export function certificateAlarms(
  subjects: readonly Subject[],
  stateOf: (path: string) => Pick<CheckState, "certificateEndsAt"> | undefined,
  wallMillis: number,
): ReadonlyMap<string, string> {
  return new Map(
    subjects.flatMap((subject): [string, string][] => {
      const endsAt = stateOf(subject.path)?.certificateEndsAt;
      const end = endsAt === undefined ? undefined : certificateEndSentence(endsAt, wallMillis);
      if (end === undefined) return [];
      const sentence = `${subject.path}: the ${end} (${describeCheck(subject)}). Renew it on the backend.`;
      return [[subject.path, sentence]];
    }),
  );
}
