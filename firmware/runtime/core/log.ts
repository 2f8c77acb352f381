/** Core's log: pino on standard error, and the newest lines in memory for `futago show log`. */
import { pino } from "pino";
import type { LogLine } from "../control.ts";
import type { Alarm, SentinelEvent } from "../messages.ts";

const LINES_KEPT = 500;
type Level = "info" | "warn" | "error";
type Fields = Readonly<Record<string, unknown>>;

/** `event` is a name, not a sentence; values go into fields. */
export interface Log {
  info(event: string, fields?: Fields): void;
  /** Worth waking someone. */
  warn(event: string, fields?: Fields): void;
  error(event: string, fields?: Fields): void;
  /** The newest lines, oldest first. */
  lines(): readonly LogLine[];
}

export function openLog(): Log {
  const sink = pino(
    { base: { process: "core" }, timestamp: () => `,"time":"${new Date().toISOString()}"`, messageKey: "event" },
    // Synchronous: the last line before a crash is the one that matters.
    pino.destination({ fd: 2, sync: true }),
  );
  const kept: LogLine[] = [];
  const write = (level: Level, event: string, fields: Fields) => {
    sink[level](fields, event);
    kept.push({ at: new Date().toISOString(), level, event, fields });
    if (kept.length > LINES_KEPT) kept.shift();
  };
  return {
    info: (event, fields = {}) => write("info", event, fields),
    warn: (event, fields = {}) => write("warn", event, fields),
    error: (event, fields = {}) => write("error", event, fields),
    lines: () => kept,
  };
}

/** What an alarm board calls when an alarm comes or goes. */
export function logAlarm(log: Log): (alarm: Alarm, raised: boolean) => void {
  return ({ kind, sentence }, raised) => {
    if (raised) log.warn("alarm-raised", { kind, sentence });
    else log.info("alarm-ended", { kind, sentence });
  };
}

/** A role change, or what else the sentinel tells of. */
export function logEvent(log: Log, { event, group, from, to, reason, evidence }: SentinelEvent): void {
  log.info(event, { group, from, to, reason, ...evidence });
}
