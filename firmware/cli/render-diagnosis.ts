/** What a ping and a traceroute hear, a line each. Pure. */
import type { PingEvent, TracerouteEvent } from "../runtime/control-ports.ts";
import { printable } from "./table.ts";

export function renderPing(event: PingEvent): string {
  switch (event.kind) {
    case "began":
      return `Asking ${printable(event.address)}.\n`;
    case "answer":
      return `${event.sequence}  answered in ${millis(event.rttMicros)}\n`;
    case "silence":
      return `${event.sequence}  no answer\n`;
    case "unreachable": {
      const who = event.from === null ? "this box" : printable(event.from);
      return `${event.sequence}  ${who} says: ${why(event.reason)}\n`;
    }
    case "ended":
      return `${event.received} of ${event.sent} answered.\n`;
  }
}

export function renderHop(event: TracerouteEvent): string {
  switch (event.kind) {
    case "began":
      return `The way to ${printable(event.address)}:\n`;
    case "hop": {
      const from = event.from === null ? (event.reason === null ? "*" : "this box") : printable(event.from);
      const time = event.rttMicros === null ? "" : `  ${millis(event.rttMicros)}`;
      const reason = event.reason === null ? "" : `  says: ${why(event.reason)}`;
      return `${String(event.hop).padStart(3)}  ${from}${time}${reason}\n`;
    }
    case "ended":
      return event.reached ? "" : "It was not reached.\n";
  }
}

const WORDS: Readonly<Record<string, string>> = {
  "time-exceeded": "it went round in circles",
  "no-route": "there is no route",
  "host-unreachable": "the host does not answer on its link",
  "port-unreachable": "the host takes no such packets",
  prohibited: "a filter refuses it",
  "too-big": "it is too large",
};

function why(reason: string): string {
  return WORDS[reason] ?? `it cannot be reached (${printable(reason)})`;
}

function millis(micros: number): string {
  return `${(micros / 1_000).toFixed(2)} ms`;
}
