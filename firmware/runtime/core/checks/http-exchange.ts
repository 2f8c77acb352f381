/** One question and answer of an HTTP check, over whatever connection: the request's bytes, and the answer's outcome. */
import type { Micros } from "@futago/hal/units/time.ts";
import type { Outcome } from "../../../health/check.ts";
import {
  answerStart,
  type AnswerState,
  endAnswer,
  expectationOf,
  type Expected,
  type Judged,
  missingOf,
  readAnswer,
} from "../../../health/http-answer.ts";
import { httpRequest } from "../../../health/http-request.ts";
import type { Probe, Subject } from "./subjects.ts";

export type HttpProbe = Extract<Probe, { kind: "http" | "https" }>;

/** What stays the same from attempt to attempt. */
export interface HttpQuestion {
  readonly request: Uint8Array;
  readonly expected: Expected;
}

const questions = new WeakMap<Subject, HttpQuestion>();

/** Made once for each subject. */
export function questionOf(subject: Subject, probe: HttpProbe): HttpQuestion {
  const known = questions.get(subject);
  if (known !== undefined) return known;
  const { address, port } = subject;
  const text = httpRequest(probe.path, probe.host, { scheme: probe.kind, address, port });
  const question = {
    request: new TextEncoder().encode(text),
    expected: expectationOf(probe.expectStatus, probe.expectBody),
  };
  questions.set(subject, question);
  return question;
}

export class HttpExchange {
  readonly #expected: Expected;
  #state: AnswerState = answerStart;

  constructor({ expected }: HttpQuestion) {
    this.#expected = expected;
  }

  /** The judgement, as soon as what has come is enough for one. */
  read(bytes: Uint8Array): Judged | undefined {
    const reading = readAnswer(this.#expected, this.#state, bytes);
    if (reading.kind === "judged") return reading;
    this.#state = reading.state;
    return undefined;
  }

  /** The judgement when the other side ends the connection. */
  end(): Judged {
    return endAnswer(this.#expected, this.#state);
  }

  missing(): string {
    return missingOf(this.#state);
  }
}

export function outcomeOf({ good, sentence }: Pick<Judged, "good" | "sentence">, roundTrip: Micros): Outcome {
  return good ? { kind: "good", sentence, roundTrip } : { kind: "failed", sentence };
}
