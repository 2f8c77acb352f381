/** `ping`: one echo request a second, each with what became of it. */
import type { IpAddress } from "@futago/hal/units/address.ts";
import type { PingEvent } from "../../control-ports.ts";
import type { Echoes, Heard } from "./echoes.ts";

const EACH_MILLIS = 1_000;

/** Resolves after the last event, which is "ended" unless somebody aborted. */
export async function ping(
  echoes: Echoes,
  address: IpAddress,
  count: number,
  tell: (event: PingEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  tell({ kind: "began", address });
  let received = 0;
  let sent = 0;
  const under: Promise<void>[] = [];
  const one = async (sequence: number) => {
    const heard = await echoes.send();
    if (heard.kind === "answer") received++;
    if (!signal.aborted) tell(eventOf(sequence, heard));
  };
  while (sent < count && !signal.aborted) {
    const sequence = ++sent;
    under.push(one(sequence));
    if (sent < count) await pause(EACH_MILLIS, signal);
  }
  await Promise.all(under);
  if (!signal.aborted) tell({ kind: "ended", sent, received });
}

function eventOf(sequence: number, heard: Heard): PingEvent {
  switch (heard.kind) {
    case "answer":
      return { kind: "answer", sequence, rttMicros: heard.rttMicros };
    case "silence":
      return { kind: "silence", sequence };
    case "error":
      return { kind: "unreachable", sequence, from: heard.from ?? null, reason: heard.reason };
  }
}

function pause(millis: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, millis);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
