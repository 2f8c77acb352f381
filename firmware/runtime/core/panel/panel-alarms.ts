/** What is wrong with the hardware, in sentences: by the kind of the alarm. */
import type { HardwareReport } from "../../messages.ts";

export interface PanelTroubles {
  /** With a person's own description. */
  readonly problem: string | undefined;
  readonly hardware: HardwareReport | undefined;
  readonly lights: readonly string[];
  readonly ports: readonly string[];
  readonly button: string | undefined;
  readonly isStuck: boolean;
}

export function panelAlarms(troubles: PanelTroubles): Map<string, string> {
  const alarms = new Map<string, string>();
  const { problem, hardware, lights, ports, button, isStuck } = troubles;
  if (problem !== undefined)
    alarms.set("board", `The board's own description is not used: ${problem}. Mend the file and restart the box.`);
  const watchdog = watchdogSentence(hardware?.watchdog ?? null);
  if (watchdog !== undefined) alarms.set("watchdog", watchdog);
  const dark = [hardware?.roleLight ?? undefined, ...lights, ...ports].filter((one) => one !== undefined);
  if (dark.length > 0) alarms.set("lights", `Some lights show nothing: ${dark.join("; ")}.`);
  if (button !== undefined) alarms.set("button", `The button is not heard: ${button}.`);
  if (isStuck)
    alarms.set(
      "button-stuck",
      "The button is pressed for longer than anybody presses it; it counts again once it is let go.",
    );
  return alarms;
}

/** A machine without a watchdog is shown as one, and is no reason for an alarm that nobody can end. */
function watchdogSentence(watchdog: HardwareReport["watchdog"]): string | undefined {
  switch (watchdog?.state) {
    case "refused":
      return `No watchdog would reset this machine if it hung: ${watchdog.reason ?? "unknown"}.`;
    case "starving":
      return `The watchdog is not fed and resets this machine: ${watchdog.reason ?? "unknown"}.`;
    case "armed":
    case "none":
    case undefined:
      return undefined;
  }
}
