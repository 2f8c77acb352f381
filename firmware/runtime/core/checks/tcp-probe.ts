/** One attempt of a TCP or HTTP check: a connection, from its first packet to an outcome. Whoever starts it ends it in time. */
import { connect } from "node:net";
import type { Clock } from "@futago/hal/contract/machine.ts";
import { between } from "@futago/hal/units/time.ts";
import type { Outcome } from "../../../health/check.ts";
import { headFaultSentences, headStart, type HeadState, readHead } from "../../../health/http-head.ts";
import { httpRequest } from "../../../health/http-request.ts";
import { formatStatusRanges, statusExpected } from "../../../health/status.ts";
import type { Subject } from "./subjects.ts";

type HttpProbe = Extract<Subject["probe"], { kind: "http" }>;

/** Calls back once at most; the returned function ends the attempt silently. */
export function probeTcp(subject: Subject, clock: Clock, onOutcome: (outcome: Outcome) => void): () => void {
  const { probe, address, port, source } = subject;
  const startedAt = clock.now();
  let over = false;
  const socket = connect({ host: address, port, ...(source === undefined ? {} : { localAddress: source }) });
  const end = () => {
    over = true;
    // A reset leaves no TIME_WAIT behind on either side, which would add up over months of checks.
    if (socket.readyState === "open") socket.resetAndDestroy();
    else socket.destroy();
  };
  const conclude = (outcome: Outcome) => {
    if (over) return;
    end();
    onOutcome(outcome);
  };
  const roundTrip = () => between(startedAt, clock.now());
  socket.setNoDelay(true);
  socket.on("error", (error: NodeJS.ErrnoException) => conclude(outcomeOf(error)));
  socket.on("connect", () => {
    if (probe.kind === "http") socket.write(httpRequest(probe.path, probe.host, address, port));
    else conclude({ kind: "good", sentence: "accepted the connection", roundTrip: roundTrip() });
  });
  if (probe.kind !== "http") return end;
  let head = headStart;
  socket.on("data", (chunk: Buffer) => {
    const reading = readHead(head, chunk);
    head = judge(reading, probe, roundTrip, conclude) ?? head;
  });
  socket.on("end", () => conclude({ kind: "failed", sentence: `the answer ${headFaultSentences.closedEarly}` }));
  return end;
}

/** Concludes on a complete head; else returns what has come so far. */
function judge(
  reading: ReturnType<typeof readHead>,
  probe: HttpProbe,
  roundTrip: () => ReturnType<typeof between>,
  conclude: (outcome: Outcome) => void,
): HeadState | undefined {
  switch (reading.kind) {
    case "more":
      return reading.state;
    case "malformed":
      conclude({ kind: "failed", sentence: `the answer ${headFaultSentences[reading.reason]}` });
      return undefined;
    case "status": {
      const { status } = reading;
      const expected = statusExpected(probe.expectStatus, status);
      if (expected) conclude({ kind: "good", sentence: `answered ${status}`, roundTrip: roundTrip() });
      else
        conclude({
          kind: "failed",
          sentence: `answered ${status}, expected ${formatStatusRanges(probe.expectStatus)}`,
        });
      return undefined;
    }
  }
}

/** What the box lacks itself says nothing of the other side. */
const OWN_FAULTS: ReadonlySet<string> = new Set([
  "EMFILE",
  "ENFILE",
  "ENOMEM",
  "ENOBUFS",
  "EADDRINUSE",
  "EADDRNOTAVAIL",
]);

const SENTENCES: Readonly<Record<string, string>> = {
  ECONNRESET: "connection reset",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
  EADDRNOTAVAIL: "the box has lost its own address on that network",
  ETIMEDOUT: "timed out",
  EPIPE: "connection closed",
};

function outcomeOf({ code, message }: NodeJS.ErrnoException): Outcome {
  if (code === "ECONNREFUSED") return { kind: "refused" };
  const sentence = SENTENCES[code ?? ""] ?? code ?? message;
  return OWN_FAULTS.has(code ?? "") ? { kind: "notAsked", sentence } : { kind: "failed", sentence };
}
