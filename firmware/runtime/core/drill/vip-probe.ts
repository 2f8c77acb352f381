/** What one box notes of one VIP during a drill, from the probes' answers and from what its sentinel tells. */
import type { Instant } from "@futago/hal/units/time.ts";
import { giverFigure, takerFigure } from "../../../pair/drill/figures.ts";
import type { Echo, How, VipFigure } from "../../../pair/drill/types.ts";
import type { Target } from "./targets.ts";

/** Of one VIP: more than a drill has time for. */
const ECHOES_MAX = 30_000;

export class VipProbe {
  readonly target: Target;
  readonly #echoes: { sentAt: Instant; answeredAt: Instant | undefined }[] = [];
  #clearedAt: Instant | undefined;
  #answeredAt: Instant | undefined;
  #decidedAt: Instant | undefined;
  #takenAt: Instant | undefined;
  /** The VIP is not an address of this box any more: what answers an echo is another box. */
  #isGone = false;

  constructor(target: Target) {
    this.target = target;
  }

  /** Whether to ask now who holds the VIP. */
  get asks(): boolean {
    return this.target.gives && this.#answeredAt === undefined;
  }

  /** Whether to send an echo request now. */
  get echoes(): boolean {
    if (this.target.source === undefined || this.#echoes.length >= ECHOES_MAX) return false;
    return this.target.gives ? this.#isGone : this.#takenAt === undefined;
  }

  /** Whether this box has given the VIP away and still has the address. */
  get leaves(): boolean {
    return this.target.gives && this.#clearedAt !== undefined && !this.#isGone;
  }

  /** The answer is put into what comes back. */
  sent(at: Instant): { answeredAt: Instant | undefined } {
    const echo = { sentAt: at, answeredAt: undefined };
    this.#echoes.push(echo);
    return echo;
  }

  /** This box ceased to answer; undefined: it does again. The other one's answer may have come to be read before. */
  cleared(at: Instant | undefined): void {
    if (!this.target.gives) return;
    this.#clearedAt = at;
    if (at === undefined || (this.#answeredAt !== undefined && this.#answeredAt < at)) this.#answeredAt = undefined;
  }

  /** Another box says that it holds the VIP. */
  answered(at: Instant): void {
    if (this.target.gives) this.#answeredAt ??= at;
  }

  taken(decidedAt: Instant, takenAt: Instant): void {
    if (this.target.gives) return;
    this.#decidedAt ??= decidedAt;
    this.#takenAt ??= takenAt;
  }

  gone(): void {
    this.#isGone = true;
  }

  figure(how: How, endedAt: Instant): VipFigure {
    const { group, address, gives } = this.target;
    const echoes: readonly Echo[] = this.#echoes;
    const figure = gives
      ? giverFigure({ clearedAt: this.#clearedAt, answeredAt: this.#answeredAt, echoes, endedAt })
      : takerFigure(how, { echoes, decidedAt: this.#decidedAt, takenAt: this.#takenAt });
    return { group, address, side: gives ? "gave" : "took", ...figure };
  }
}
