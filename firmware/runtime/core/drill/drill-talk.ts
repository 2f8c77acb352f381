/** The words of a drill between the two boxes: questions that wait for their answer, for so long and no longer. */
import type { DrillMessage } from "../../../pair/drill/types.ts";

/** The peer counts its connections before it answers. */
const ANSWER_MILLIS_MAX = 5_000;

/** Why a drill came to nothing, as a sentence. */
export class DrillTrouble extends Error {}

type Answer<Kind extends DrillMessage["kind"]> = Extract<DrillMessage, { readonly kind: Kind }>;

export class DrillTalk {
  readonly #send: (message: DrillMessage) => void;
  #waiting:
    | { readonly kind: string; readonly drill: string; readonly take: (answer: DrillMessage) => void }
    | undefined;

  constructor(send: (message: DrillMessage) => void) {
    this.#send = send;
  }

  say(message: DrillMessage): void {
    this.#send(message);
  }

  /** One question at a time. Throws DrillTrouble when the peer says nothing. */
  ask<Kind extends "drillReady" | "drillNotes">(
    question: Answer<"drillBegin" | "drillEnd">,
    kind: Kind,
  ): Promise<Answer<Kind>> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.#waiting = undefined;
        reject(new DrillTrouble("the other box does not answer"));
      }, ANSWER_MILLIS_MAX);
      const take = (answer: DrillMessage) => {
        clearTimeout(late);
        this.#waiting = undefined;
        // Its kind was compared.
        resolve(answer as Answer<Kind>);
      };
      this.#waiting = { kind, drill: question.drill, take };
      this.#send(question);
    });
  }

  /** An answer to a question that nobody asked is dropped. */
  hear(answer: Answer<"drillReady" | "drillNotes">): void {
    if (this.#waiting?.kind === answer.kind && this.#waiting.drill === answer.drill) this.#waiting.take(answer);
  }
}
