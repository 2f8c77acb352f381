/** What a key means when it is left out. The schema shows these, `resolve.ts` fills them in; the stored document never holds them. */

export const advertisementIntervalMsDefault = 1_000;
export const checkIntervalMsDefault = 1_000;
/** Also never more than half the interval, see {@link checkTimeoutMs}. */
export const checkTimeoutMsDefault = 500;
export const riseDefault = 2;
export const fallDefault = 2;
export const expectStatusDefault = "200-399";
export const httpPortDefault = 80;
export const httpsPortDefault = 443;
export const dnsPortDefault = 53;
/** Whether an `https` check trusts only certificates that the box can verify. */
export const verifyDefault = true;
export const httpPathDefault = "/";
export const weightDefault = 1;
/** 0: a backend that returns takes its whole share at once. */
export const slowStartSecondsDefault = 0;
/** RFC 5382 REQ-5: an established TCP connection is kept for at least 2 hours and 4 minutes of silence. */
export const tcpIdleTimeoutSecondsDefault = 7_440;
/** RFC 4787 REQ-5: a UDP mapping is kept for 5 minutes. */
export const udpIdleTimeoutSecondsDefault = 300;
/** Connections that the balancer's tables hold (ESTABLISHED_MAX in hal/xdp/consts.h). */
export const flowsDefault = 131_072;
export const heartbeatPortDefault = 7_405;
export const priorityPreferred = 200;
export const priorityDefault = 100;
export const routeMetricDefault = 0;

/** The time a check may take when `timeoutMs` is left out: 500 ms, and never more than half the interval. */
export function checkTimeoutMs(intervalMs: number): number {
  return Math.min(checkTimeoutMsDefault, Math.floor(intervalMs / 2));
}
