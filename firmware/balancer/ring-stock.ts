/**
 * Rings made before anybody asks for them: a core that starts waits for its tables anyway. Only work is saved; a ring
 * is a function of its seed and its members, and one that is not in stock is made when it is needed. Pure but for its
 * memory.
 */
import { RING_SIZE } from "@futago/hal/units/balancer.ts";
import { buildRing, type RingCandidate } from "./maglev.ts";
import { type BalancedBackend, candidates, SLOW_START_STEPS } from "./service.ts";

export class RingStock {
  readonly #made = new Map<string, Uint16Array>();
  #isOpen = true;

  /** The ring of these members; services on one pool share it. */
  ring(seed: string, members: readonly RingCandidate[], signature: string): Uint16Array {
    const ring = this.#made.get(signature) ?? buildRing(seed, members, RING_SIZE);
    if (this.#isOpen) this.#made.set(signature, ring);
    return ring;
  }

  /** Makes the rings of pools whose backends have the numbers of their places; a step is a pool. */
  *prepare(seed: string, pools: Iterable<readonly BalancedBackend[]>): Generator<undefined, undefined> {
    for (const backends of pools) {
      if (!this.#isOpen) return;
      const members = membersOf(candidates({ backends, sorry: [] }), (backend) => backends.indexOf(backend));
      this.ring(seed, members, signatureOf(seed, members));
      yield undefined;
    }
  }

  /** Everybody has what he needs: forgets all, and ends what prepares. */
  close(): void {
    this.#isOpen = false;
    this.#made.clear();
  }
}

export function membersOf(
  chosen: readonly BalancedBackend[],
  ordinalOf: (backend: BalancedBackend) => number,
): readonly RingCandidate[] {
  const slow = chosen.some((backend) => backend.step < SLOW_START_STEPS);
  return chosen.map((backend) => ({
    id: backend.id,
    weight: slow ? backend.weight * backend.step : backend.weight,
    ordinal: ordinalOf(backend),
  }));
}

/** Rings of the same signature are equal. */
export function signatureOf(seed: string, members: readonly RingCandidate[]): string {
  return JSON.stringify([seed, members]);
}
