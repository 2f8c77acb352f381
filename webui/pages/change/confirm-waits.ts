/** How long a change may wait to be confirmed. */
import { words } from "../state/settings.ts";

const waits = [60, 120, 300, 0] as const;

export function confirmWaits(): readonly (readonly [string, string])[] {
  const { change } = words.value;
  return waits.map((seconds) => [String(seconds), seconds === 0 ? change.noConfirm : change.seconds(seconds)]);
}
