/** What failed checks of the box's surroundings cost in Priority. Pure. */
import type { Penalty } from "../../messages.ts";
import type { Judgement } from "./backend-health.ts";
import type { Subject } from "./subjects.ts";

/** Less than the 100 between a preferred box and the other, so that one lost gateway alone does not undo a preference. */
const GATEWAY_WEIGHT = 40;

export function penaltiesOf(
  subjects: readonly Subject[],
  judgementOf: (subject: Subject) => Judgement | undefined,
): readonly Penalty[] {
  return subjects.flatMap((subject): Penalty[] => {
    const state = judgementOf(subject);
    if (state === undefined || state.healthy) return [];
    switch (subject.about.kind) {
      case "backend":
        return [];
      case "gateway":
        return [
          {
            group: undefined,
            cause: "gateway",
            weight: GATEWAY_WEIGHT,
            sentence: `the gateway ${subject.address} does not answer: ${state.reason}`,
          },
        ];
      case "track": {
        const { group, penalty } = subject.about;
        const sentence = `check ${describeCheck(subject)} failed: ${state.reason}`;
        return [{ group, cause: "check", weight: penalty, sentence }];
      }
    }
  });
}

/** "http 127.0.0.1:80", "icmp 10.1.0.254", "tcp [fd00::1]:443". */
export function describeCheck(subject: Subject): string {
  return `${subject.probe.kind} ${describeTarget(subject)}`;
}

export function describeTarget(subject: Subject): string {
  if (subject.probe.kind === "icmp") return subject.address;
  const host = subject.address.includes(":") ? `[${subject.address}]` : subject.address;
  return `${host}:${subject.port}`;
}
