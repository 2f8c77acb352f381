/** How long a change may wait to be confirmed; the first of a box or of a pair has nothing to go back to. */
import { diff } from "../state/candidate.ts";
import { status } from "../state/live.ts";
import { words } from "../state/settings.ts";

const waits = [60, 120, 300, 0] as const;

export function confirmWaits(): readonly (readonly [string, string])[] {
  const { change } = words.value;
  return waits.map((seconds) => [String(seconds), seconds === 0 ? change.noConfirm : change.seconds(seconds)]);
}

/** What of a commit's wish says how long it waits. */
export function waitWish(seconds: number): { readonly confirmSeconds?: number } {
  return seconds === 0 || isFirst() ? {} : { confirmSeconds: seconds };
}

export function isFirst(): boolean {
  const becomesPair = (diff.value?.changes ?? []).some(({ path, before }) => path === "pair" && before === undefined);
  return status.value?.revision === "" || becomesPair;
}
