/** When a drill is due, by the clock on the wall of the box's time zone. Pure. */
import type { DrillTimes } from "../../config/drill-times.ts";

/** A minute that a clock shows twice, when summer ends, is the same one. */
const SAME_MILLIS = 2 * 3_600_000;

/** Whether it is time now. `last` is when it was time before; both in milliseconds since 1970. */
export function isDue(times: DrillTimes, zone: string, now: number, last: number | undefined): boolean {
  if (last !== undefined && now - last >= 0 && now - last < SAME_MILLIS) return false;
  const shown = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).formatToParts(new Date(now));
  const part = (type: string) => shown.find((one) => one.type === type)?.value ?? "";
  return times.days.some((day) => day === part("weekday")) && times.time === `${part("hour")}:${part("minute")}`;
}

/** "3 days ago": how long ago something was, as people say it. Both in milliseconds since 1970. */
export function ago(then: number, now: number): string {
  const minutes = Math.floor((now - then) / 60_000);
  if (minutes < 1) return "just now";
  const [count, unit] =
    minutes < 120
      ? [minutes, "minute"]
      : minutes < 2 * 1_440
        ? [Math.floor(minutes / 60), "hour"]
        : [Math.floor(minutes / 1_440), "day"];
  return `${count} ${unit}${count === 1 ? "" : "s"} ago`;
}
