/** Whether a drill tells what somebody saw who knew nothing of it: the prober of the lab, asking the same pair. Pure. */
import type { DrillResult } from "@futago/firmware/runtime/control-drill.ts";
import type { Finding } from "./expectations.ts";
import { formatMillis } from "./observer.ts";
import type { Silence } from "./prober.ts";

/** The prober asks every millisecond, and does not tell of a stall of the machine below two (probe/main.c). */
const INTERVAL_MICROS = 1_000;
const STALL_UNTOLD_MICROS = 2_000;

export interface Seen {
  readonly lost: number;
  /** None was lost, or the machine itself stood still for too long. */
  readonly isExcused: boolean;
  /** The longest since the drill began; undefined: none was long enough to be told. */
  readonly silence: Silence | undefined;
}

export function drillAgreement(drill: DrillResult, seen: Seen): Finding {
  return drill.how === "planned" ? lossAgrees(drill, seen) : silenceAgrees(drill, seen);
}

/** A planned hand-over costs nobody a probe, and the drill says so. */
function lossAgrees({ vips }: DrillResult, { lost, isExcused }: Seen): Finding {
  const lostByDrill = vips.reduce((sum, vip) => sum + vip.lost, 0);
  const sent = vips.reduce((sum, vip) => sum + vip.sent, 0);
  return {
    holds: sent > 0 && (lost > 0 ? isExcused : lostByDrill === 0),
    seen: `of the drill's ${sent} probes ${lostByDrill} lost, of the client's ${lost}`,
  };
}

/**
 * The group changes hands as one, so each of its VIPs is silent as long as the one that the client probes. At either end
 * of a silence the prober may be off by its interval and a stall that it does not tell; the drill by the pause between
 * its own probes; and both by how long the machine stood still.
 */
function silenceAgrees({ vips }: DrillResult, { silence }: Seen): Finding {
  if (silence === undefined) return { holds: false, seen: "the client saw no silence" };
  const compared = vips.map(({ address, silenceMicros, pauseMicros }) => {
    const margin = 2 * (INTERVAL_MICROS + STALL_UNTOLD_MICROS) + pauseMicros + silence.stallMicros;
    const holds = silenceMicros !== null && Math.abs(silenceMicros - silence.micros) <= margin;
    const said = silenceMicros === null ? "not known" : formatMillis(silenceMicros);
    return { holds, seen: `${address} ${said} within ${formatMillis(margin)}` };
  });
  return {
    holds: compared.length > 0 && compared.every(({ holds }) => holds),
    seen: `the client saw ${formatMillis(silence.micros)}; the drill ${compared.map((one) => one.seen).join(", ")}`,
  };
}
