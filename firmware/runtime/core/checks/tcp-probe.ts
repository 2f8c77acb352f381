/** One attempt of a TCP or HTTP check: a connection, from its first packet to an outcome. Whoever starts it ends it in time. */
import type { Dialer, DialEvent } from "@futago/hal/contract/dial.ts";
import { HalError } from "@futago/hal/contract/error.ts";
import type { Clock } from "@futago/hal/contract/machine.ts";
import { between, type Instant } from "@futago/hal/units/time.ts";
import type { Outcome } from "../../../health/check.ts";
import { HttpExchange, type HttpProbe, outcomeOf, questionOf } from "./http-exchange.ts";
import { type OnOutcome, outcomeOfErrno, type RunningProbe } from "./probe.ts";
import type { Subject } from "./subjects.ts";

const NOTHING = new Uint8Array(0);

/** The shared parts of the machine that connections need. */
export interface Connecting {
  readonly dialer: Dialer;
  readonly clock: Clock;
}

/** Whether the other side accepts a connection. */
export function probeTcp(subject: Subject, { dialer, clock }: Connecting, onOutcome: OnOutcome): RunningProbe {
  const startedAt = clock.now();
  return dial(subject, dialer, NOTHING, onOutcome, {
    missing: () => "no connection",
    onEvent: (event) => {
      if (event.kind === "failed") return outcomeOfErrno(event.code);
      return { kind: "good", sentence: "accepted the connection", roundTrip: between(startedAt, clock.now()) };
    },
  });
}

/** Whether the other side answers an HTTP request as expected. */
export function probeHttp(
  subject: Subject,
  probe: HttpProbe,
  { dialer, clock }: Connecting,
  onOutcome: OnOutcome,
): RunningProbe {
  const startedAt: Instant = clock.now();
  const question = questionOf(subject, probe);
  const exchange = new HttpExchange(question);
  return dial(subject, dialer, question.request, onOutcome, {
    missing: () => exchange.missing(),
    onEvent: (event) => {
      switch (event.kind) {
        case "connected":
          return undefined;
        case "failed":
          return outcomeOfErrno(event.code);
        case "bytes":
        case "ended": {
          const judged = event.kind === "bytes" ? exchange.read(event.bytes) : exchange.end();
          return judged && outcomeOf(judged, between(startedAt, clock.now()));
        }
      }
    },
  });
}

interface Conversation {
  readonly missing: () => string;
  readonly onEvent: (event: DialEvent) => Outcome | undefined;
}

function dial(
  { address: to, port, source: from }: Subject,
  dialer: Dialer,
  request: Uint8Array,
  onOutcome: OnOutcome,
  { missing, onEvent }: Conversation,
): RunningProbe {
  try {
    const connection = dialer.connect({
      to,
      port,
      from,
      request,
      onEvent: (event) => {
        const outcome = onEvent(event);
        if (outcome === undefined) return;
        connection.close();
        onOutcome(outcome);
      },
    });
    return {
      end: () => connection.close(),
      missing: () => (connection.stands() ? missing() : "no connection"),
    };
  } catch (error) {
    if (!(error instanceof HalError)) throw error;
    const later = setImmediate(onOutcome, outcomeOfErrno(error.code));
    return { end: () => clearImmediate(later), missing };
  }
}
