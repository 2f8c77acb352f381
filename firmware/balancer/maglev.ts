/**
 * The weighted Maglev ring: which backend each slot belongs to. A function of seed, candidates and size alone, so
 * two boxes that know the same candidates hold the same ring, whatever order they learned them in. Decides nothing
 * about who is a candidate.
 *
 * @see Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer" (NSDI 2016), section 3.4
 */
import { RING_EMPTY } from "@futago/hal/units/balancer.ts";
import { hashText } from "./hash.ts";

export interface RingCandidate {
  /** Stable across configurations and equal on both boxes. */
  readonly id: string;
  /** A positive integer. */
  readonly weight: number;
  /** What its slots are filled with. */
  readonly ordinal: number;
}

/** A candidate's permutation of the slots, offset, offset + skip, …, and how many it shall own. */
export interface RingShare {
  readonly ordinal: number;
  readonly offset: number;
  /** 1 to size - 1. */
  readonly skip: number;
  readonly weight: number;
  readonly quota: number;
}

/**
 * The ring of `size` slots, a prime. Each candidate owns size × weight / all weights slots, rounded up or down.
 * Without candidates every slot is empty.
 */
export function buildRing(seed: string, candidates: readonly RingCandidate[], size: number): Uint16Array {
  const ordered = [...candidates].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const quotas = apportion(
    ordered.map((candidate) => candidate.weight),
    size,
  );
  const shares = ordered.map((candidate, i) => ({
    ordinal: candidate.ordinal,
    offset: hashText(`${seed}/offset/${candidate.id}`) % size,
    skip: 1 + (hashText(`${seed}/skip/${candidate.id}`) % (size - 1)),
    weight: candidate.weight,
    quota: quotas[i] ?? 0,
  }));
  return fillRing(shares, size);
}

/**
 * Divides `total` in proportion to the weights by largest remainder, so each share is less than one away from its
 * exact part. Of equal remainders the earlier gets the odd slot.
 */
export function apportion(weights: readonly number[], total: number): readonly number[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  const shares = weights.map((weight) => Math.floor((total * weight) / sum));
  const remainders = weights.map((weight, i) => ({ i, rest: (total * weight) % sum }));
  let left = total - shares.reduce((a, b) => a + b, 0);
  remainders.sort((a, b) => b.rest - a.rest || a.i - b.i);
  for (const { i } of remainders) {
    if (left-- <= 0) break;
    shares[i] = (shares[i] ?? 0) + 1;
  }
  return shares;
}

/**
 * Lets the candidates take turns; at its turn a candidate takes the next free slot of its own permutation. The
 * heaviest has a turn in every round, one of half its weight in every second. Quotas add up to `size` or there is
 * no candidate.
 */
export function fillRing(shares: readonly RingShare[], size: number): Uint16Array {
  const ring = new Uint16Array(size).fill(RING_EMPTY);
  // A thousand rings are made at a start: columns of numbers are ten times as fast as objects.
  const column = (of: (share: RingShare) => number) => Int32Array.from(shares, of);
  const [at, left] = [column((share) => share.offset), column((share) => share.quota)];
  const credit = new Int32Array(shares.length);
  const [skips, weights, ordinals] = [column((s) => s.skip), column((s) => s.weight), column((s) => s.ordinal)];
  const heaviest = Math.max(...weights);
  let free = shares.length === 0 ? 0 : size;
  while (free > 0) {
    for (let i = 0; i < shares.length; i++) {
      const quota = left[i] ?? 0;
      if (quota === 0) continue;
      const earned = (credit[i] ?? 0) + (weights[i] ?? 0);
      credit[i] = earned < heaviest ? earned : earned - heaviest;
      if (earned < heaviest) continue;
      const slot = nextFree(ring, at[i] ?? 0, skips[i] ?? 0);
      ring[slot] = ordinals[i] ?? 0;
      at[i] = slot;
      left[i] = quota - 1;
      free--;
    }
  }
  return ring;
}

function nextFree(ring: Uint16Array, from: number, skip: number): number {
  const size = ring.length;
  let slot = from;
  while (ring[slot] !== RING_EMPTY) {
    slot += skip;
    if (slot >= size) slot -= size;
  }
  return slot;
}
