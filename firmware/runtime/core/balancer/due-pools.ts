/** Pools whose backends are to be looked at again at a moment although nobody said anything: one timer for all. */
import type { Clock } from "@futago/hal/contract/machine.ts";
import { between, earliest, type Instant, toMillis } from "@futago/hal/units/time.ts";

export class DuePools {
  readonly #clock: Pick<Clock, "now">;
  readonly #onDue: (pools: readonly string[]) => void;
  readonly #dueAt = new Map<string, Instant>();
  #timer: NodeJS.Timeout | undefined;

  constructor(clock: Pick<Clock, "now">, onDue: (pools: readonly string[]) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Forgets pools that are no more. */
  keep(pools: ReadonlyMap<string, unknown>): void {
    for (const name of this.#dueAt.keys()) if (!pools.has(name)) this.#dueAt.delete(name);
  }

  /** Undefined: nobody waits. Counts with the next {@link schedule}. */
  set(pool: string, due: Instant | undefined): void {
    if (due === undefined) this.#dueAt.delete(pool);
    else this.#dueAt.set(pool, due);
  }

  /** Rings for those that are due first, once. */
  schedule(): void {
    clearTimeout(this.#timer);
    let next: Instant | undefined;
    for (const due of this.#dueAt.values()) next = earliest(next, due);
    if (next === undefined) return;
    const wait = toMillis(between(this.#clock.now(), next));
    this.#timer = setTimeout(() => this.#ring(), Math.max(1, Math.ceil(wait)));
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #ring(): void {
    const now = this.#clock.now();
    this.#onDue([...this.#dueAt].flatMap(([pool, due]) => (due <= now ? [pool] : [])));
  }
}
