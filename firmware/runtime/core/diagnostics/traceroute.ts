/** `traceroute`: echo requests that may be sent on by one router more each, so that each router on the way tells of itself. */
import type { IpAddress } from "@futago/hal/units/address.ts";
import type { TracerouteEvent } from "../../control-ports.ts";
import type { Echoes, Heard } from "./echoes.ts";

export const HOPS_MAX = 30;
/** A router answers few such requests in a second (RFC 1812 §4.3.2.8), and the last one gets all that go too far. */
const UNDER_WAY_MAX = 6;
const ATTEMPTS = 2;

/** Resolves after the last event, which is "ended" unless somebody aborted. */
export async function traceroute(
  echoes: Echoes,
  address: IpAddress,
  tell: (event: TracerouteEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  tell({ kind: "began", address });
  const under: Promise<Heard>[] = [];
  for (let hop = 1; hop <= HOPS_MAX; hop++) {
    while (under.length < Math.min(HOPS_MAX, hop + UNDER_WAY_MAX - 1)) under.push(look(echoes, under.length + 1));
    const heard = (await under[hop - 1]) ?? { kind: "silence" };
    if (signal.aborted) return;
    tell(eventOf(hop, address, heard));
    // Whoever says that there is no way says it to all that follow.
    if (heard.kind === "answer" || (heard.kind === "error" && heard.reason !== "time-exceeded"))
      return tell({ kind: "ended", reached: heard.kind === "answer" });
  }
  tell({ kind: "ended", reached: false });
}

async function look(echoes: Echoes, hops: number): Promise<Heard> {
  for (let attempt = 1; attempt < ATTEMPTS; attempt++) {
    const heard = await echoes.send(hops);
    if (heard.kind !== "silence") return heard;
  }
  return echoes.send(hops);
}

function eventOf(hop: number, address: IpAddress, heard: Heard): TracerouteEvent {
  switch (heard.kind) {
    case "answer":
      return { kind: "hop", hop, from: address, rttMicros: heard.rttMicros, reason: null };
    case "silence":
      return { kind: "hop", hop, from: null, rttMicros: null, reason: null };
    case "error": {
      const reason = heard.reason === "time-exceeded" ? null : heard.reason;
      return { kind: "hop", hop, from: heard.from ?? null, rttMicros: heard.rttMicros ?? null, reason };
    }
  }
}
