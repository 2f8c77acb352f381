/** What a service tells whoever started it. @see sd_notify(3) */
import { refused } from "../addon/refused.ts";
import { calls } from "./calls.ts";

export interface ServiceNotice {
  /** Assignments such as "READY=1", a line each. Throws HalError when nobody listens any more. */
  tell(...lines: readonly string[]): void;
  /** Whoever started it expects WATCHDOG=1 at least so often; undefined where nobody does. */
  readonly watchdogMicros: number | undefined;
}

/** Undefined where nobody is to be told. Takes the variables away, so that no child believes that they are its own. */
export function openServiceNotice(environment: NodeJS.ProcessEnv = process.env): ServiceNotice | undefined {
  const { NOTIFY_SOCKET: address, WATCHDOG_USEC: micros, WATCHDOG_PID: pid } = environment;
  for (const name of ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]) delete environment[name];
  if (address === undefined || !/^[/@]./.test(address)) return undefined;
  const isMeant = pid === undefined || Number(pid) === process.pid;
  const watchdogMicros = isMeant && Number(micros) > 0 ? Number(micros) : undefined;
  return {
    watchdogMicros,
    tell: (...lines) => refused(() => calls.serviceNotify(address, lines.join("\n")), `cannot tell ${address}`),
  };
}
