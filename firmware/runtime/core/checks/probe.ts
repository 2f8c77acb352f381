/** What all kinds of probes have in common: how an attempt runs, and what the kernel's refusals mean. */
import type { Outcome } from "../../../health/check.ts";

/** An attempt under way. It calls back once at most, and never from inside the call that started it. */
export interface RunningProbe {
  /** Ends the attempt silently. */
  readonly end: () => void;
  /** What it still waits for: "connected, but no answer". */
  readonly missing: () => string;
}

export type OnOutcome = (outcome: Outcome) => void;

/** What the box lacks itself says nothing of the other side. */
const OWN_FAULTS: ReadonlySet<string> = new Set([
  "EMFILE",
  "ENFILE",
  "ENOMEM",
  "ENOBUFS",
  "EADDRINUSE",
  "EADDRNOTAVAIL",
]);

/** That something came back; with any other failure nothing need have, or gone out. */
const ANSWERS: ReadonlySet<string> = new Set(["ECONNRESET", "ECONNABORTED", "EPIPE"]);

const SENTENCES: Readonly<Record<string, string>> = {
  ECONNRESET: "connection reset",
  ECONNABORTED: "connection aborted",
  EHOSTUNREACH: "host unreachable",
  EHOSTDOWN: "host unreachable",
  ENETUNREACH: "network unreachable",
  ENETDOWN: "network down",
  EACCES: "forbidden by the box's own rules",
  EPERM: "forbidden by the box's own rules",
  EADDRNOTAVAIL: "the box has lost its own address on that network",
  EMFILE: "the box has no descriptor left",
  ENFILE: "the box has no descriptor left",
  ETIMEDOUT: "timed out",
  EPIPE: "connection closed",
};

/** `code` is the errno's name. */
export function outcomeOfErrno(code: string): Outcome {
  if (code === "ECONNREFUSED") return { kind: "refused" };
  const sentence = SENTENCES[code] ?? code;
  return OWN_FAULTS.has(code)
    ? { kind: "notAsked", sentence }
    : { kind: "failed", sentence, silent: !ANSWERS.has(code) };
}
