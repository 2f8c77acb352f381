/** What a key means when it is left out. The schema shows these, `resolve.ts` fills them in; the stored document never holds them. */

export const advertisementIntervalMsDefault = 1_000;
export const checkIntervalMsDefault = 1_000;
/** Also never more than half the interval, see {@link checkTimeoutMs}. */
export const checkTimeoutMsDefault = 500;
export const riseDefault = 2;
export const fallDefault = 2;
export const expectStatusDefault = "200-399";
export const httpPortDefault = 80;
export const httpPathDefault = "/";
export const weightDefault = 1;
export const heartbeatPortDefault = 7_405;
export const priorityPreferred = 200;
export const priorityDefault = 100;
export const routeMetricDefault = 0;

/** The time a check may take when `timeoutMs` is left out: 500 ms, and never more than half the interval. */
export function checkTimeoutMs(intervalMs: number): number {
  return Math.min(checkTimeoutMsDefault, Math.floor(intervalMs / 2));
}
