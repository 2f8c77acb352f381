/** Moments in order, each with what it is for: a binary heap. What has become void is left in and skipped when met. */
import type { Instant } from "@futago/hal/units/time.ts";

interface Entry<T> {
  readonly at: Instant;
  readonly item: T;
}

export class Deadlines<T> {
  readonly #isCurrent: (item: T, at: Instant) => boolean;
  readonly #heap: Entry<T>[] = [];

  /** `isCurrent` tells whether the moment still counts for the item. */
  constructor(isCurrent: (item: T, at: Instant) => boolean) {
    this.#isCurrent = isCurrent;
  }

  add(at: Instant, item: T): void {
    const heap = this.#heap;
    let hole = heap.length;
    heap.push({ at, item });
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above.at <= at) break;
      heap[hole] = above;
      hole = parent;
    }
    heap[hole] = { at, item };
  }

  /** The earliest moment that counts; undefined when there is none. */
  earliest(): Instant | undefined {
    for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
      if (this.#isCurrent(top.item, top.at)) return top.at;
      this.#removeTop();
    }
    return undefined;
  }

  /** Takes out the item of the earliest moment up to `until`; undefined when there is none. */
  take(until: Instant): T | undefined {
    const at = this.earliest();
    if (at === undefined || at > until) return undefined;
    const item = this.#heap[0]?.item;
    this.#removeTop();
    return item;
  }

  #removeTop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let hole = 0;
    for (;;) {
      const left = 2 * hole + 1;
      const [one, other] = [heap[left], heap[left + 1]];
      if (one === undefined) break;
      const right = other !== undefined && other.at < one.at;
      const child = right ? other : one;
      if (child.at >= last.at) break;
      heap[hole] = child;
      hole = right ? left + 1 : left;
    }
    heap[hole] = last;
  }
}
