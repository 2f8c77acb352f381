/** The cables between the two boxes: each path has two directions, each of them may be cut, slow or lossy. */
import type { EventQueue } from "./queue.ts";
import type { Random } from "./random.ts";

export type Side = 0 | 1;

interface Direction {
  up: boolean;
  lossProbability: number;
  delayMicrosMin: number;
  delayMicrosMax: number;
  /** When a packet was last lost, held up for long or could not have passed. */
  troubledAt: number;
}

const SLOW_MICROS = 5_000;

export class Network {
  readonly paths: readonly (readonly [Direction, Direction])[];
  readonly #queue: EventQueue;
  readonly #random: Random;

  constructor(queue: EventQueue, random: Random, pathCount: number) {
    this.#queue = queue;
    this.#random = random;
    const direction = (): Direction => ({
      up: true,
      lossProbability: 0,
      delayMicrosMin: 50,
      delayMicrosMax: 400,
      troubledAt: -1e9,
    });
    this.paths = Array.from({ length: pathCount }, () => [direction(), direction()] as const);
  }

  /** `from` sends on a path; `deliver` is called for each copy that arrives. */
  send(now: number, from: Side, path: number, duplicateProbability: number, deliver: (at: number) => void): void {
    const direction = this.paths[path]?.[from];
    if (direction === undefined) return;
    if (!direction.up || this.#random.chance(direction.lossProbability)) {
      direction.troubledAt = now;
      return;
    }
    const copies = this.#random.chance(duplicateProbability) ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const delay = this.#random.between(direction.delayMicrosMin, direction.delayMicrosMax);
      if (delay > SLOW_MICROS) direction.troubledAt = now + delay;
      this.#queue.add(now + delay, () => {
        // A cable that was cut meanwhile carries nothing.
        if (direction.up) deliver(now + delay);
      });
    }
  }

  set(path: number, from: Side, up: boolean, now: number): void {
    const direction = this.paths[path]?.[from];
    if (direction === undefined || direction.up === up) return;
    direction.up = up;
    direction.troubledAt = now;
  }

  heal(now: number): void {
    for (const path of this.paths) {
      for (const direction of path) {
        if (!direction.up || direction.lossProbability > 0 || direction.delayMicrosMax > SLOW_MICROS)
          direction.troubledAt = now;
        Object.assign(direction, { up: true, lossProbability: 0, delayMicrosMin: 50, delayMicrosMax: 400 });
      }
    }
  }

  /** Since when some path has carried everything both ways; Infinity while none does. */
  workingSince(): number {
    const since = this.paths.map(([there, back]) =>
      there.up && back.up ? Math.max(there.troubledAt, back.troubledAt) : Number.POSITIVE_INFINITY,
    );
    return Math.min(...since);
  }
}
