/**
 * What the other box hands over to be kept: documents that it was asked for, and now and then a sibling that lost. What
 * it hands over beyond that is refused, so that no peer fills the disk, nor the memory while the disk is slow. Pure.
 */
import { after, type Instant, seconds } from "@futago/hal/units/time.ts";

/** Two boxes that were apart come with one; a loser that cannot take the winner comes with the same again. */
export const SIBLINGS_MAX = 8;
const SIBLINGS_WITHIN = seconds(600);
/** UTF-16 units of all that waits for the disk. */
const WAITING_LENGTH_MAX = 64 << 20;
const WAITING_MAX = 128;

interface HandedOver {
  readonly id: string;
  readonly text: string;
}

export class HandOvers {
  readonly #wanted = new Set<string>();
  /** The siblings that were taken, and when: the first ones first. */
  readonly #siblings = new Map<string, Instant>();
  #waiting = 0;
  #length = 0;

  /** The other box is asked for these, and for nothing that it was asked for before. */
  ask(ids: readonly string[]): void {
    this.#wanted.clear();
    for (const id of ids) this.#wanted.add(id);
  }

  /** Whether it is to be kept; then {@link done} is to be called. */
  take({ id, text }: HandedOver, now: Instant): boolean {
    const room = this.#waiting === 0 || this.#length + text.length <= WAITING_LENGTH_MAX;
    if (!room || this.#waiting >= WAITING_MAX) return false;
    if (!this.#wanted.delete(id) && !this.#takeSibling(id, now)) return false;
    this.#waiting += 1;
    this.#length += text.length;
    return true;
  }

  done({ text }: HandedOver): void {
    this.#waiting -= 1;
    this.#length -= text.length;
  }

  #takeSibling(id: string, now: Instant): boolean {
    if (this.#siblings.has(id)) return true;
    for (const [former, taken] of this.#siblings)
      if (after(taken, SIBLINGS_WITHIN) <= now) this.#siblings.delete(former);
    if (this.#siblings.size >= SIBLINGS_MAX) return false;
    this.#siblings.set(id, now);
    return true;
  }
}
