/** How each pool stands: what this box's checks and the peer say of its backends, a pool at a time. */
import type { Clock } from "@futago/hal/contract/machine.ts";
import { poolsMax } from "../../../config/limits.ts";
import { lookup } from "../../../config/lookup.ts";
import { isSame } from "../../../config/unchanged.ts";
import type { Resolved, ResolvedPool } from "../../../config/resolved.ts";
import type { CheckState } from "../../../health/check.ts";
import type { GroupStatus } from "../../messages.ts";
import type { PeerPool } from "../peer-link/message.ts";
import type { Picture } from "../peer-link/picture-sender.ts";
import { backendId } from "../balancer/pool-states.ts";
import { heldSince, judgePool, type Judgement, pictureOf, type PoolHealth } from "./backend-health.ts";
import { judgementOf } from "./judgement.ts";
import { pathOf } from "./subjects.ts";

export interface HealthBoardOptions {
  readonly clock: Clock;
  /** By the subject's path. */
  readonly stateOf: (path: string) => CheckState | undefined;
  /** What clients found out of a backend, by "pool/backend"; it counts for more than the check. */
  readonly suspected: (id: string) => Judgement | undefined;
  /** Backends, by address and port, that a predecessor had found dead. */
  readonly inheritedDead: ReadonlySet<string>;
}

/** A core that was restarted does not send clients to what its predecessor knew to be dead. */
const FOUND_DEAD: Judgement = {
  healthy: false,
  blind: false,
  reason: "dead before core was restarted; not checked again yet",
};
/** The pools of two configurations of the largest size: a peer cannot make this box remember more. */
const TOLD_MAX = 2 * poolsMax;
const NOBODY: PoolHealth = { backends: [], nextTimeout: undefined };

/** What only one of the two holds. */
export function eitherAlone<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): ReadonlySet<T> {
  return new Set([...[...a].filter((one) => !b.has(one)), ...[...b].filter((one) => !a.has(one))]);
}

export class HealthBoard {
  readonly #options: HealthBoardOptions;
  #config: Resolved | undefined;
  #groups: readonly GroupStatus[] = [];
  #active: ReadonlySet<string> = new Set();
  readonly #told = new Map<string, PeerPool>();
  /** As of the newest verdict about one of its backends, which is what the peer is told. */
  readonly #pools = new Map<string, PoolHealth>();

  constructor(options: HealthBoardOptions) {
    this.#options = options;
  }

  configure(config: Resolved): void {
    this.#config = config;
    const { pools } = lookup(config);
    for (const name of this.#pools.keys()) if (!pools.has(name)) this.#pools.delete(name);
  }

  /** Returns the pools of groups that came or went: they are to be judged anew, and told or told no more. */
  setGroups(groups: readonly GroupStatus[]): readonly string[] {
    this.#groups = groups;
    const former = this.#active;
    this.#active = new Set(groups.filter((group) => group.state === "active").map((group) => group.name));
    const moved = eitherAlone(this.#active, former);
    if (this.#config === undefined || moved.size === 0) return [];
    const { users } = lookup(this.#config);
    return [...users].flatMap(([pool, services]) => (services.some(({ group }) => moved.has(group)) ? [pool] : []));
  }

  /** What the peer told, of some pools. They are to be judged anew. */
  tell(pools: readonly PeerPool[]): void {
    for (const pool of pools) {
      // The peer may be a commit ahead: what it says of pools that are not here yet counts when they come.
      if (this.#told.size < TOLD_MAX || this.#told.has(pool.name)) this.#told.set(pool.name, pool);
    }
  }

  /** Judges the pool by all that is known now, and remembers it: the same object as before when it stands as before. */
  judge(pool: ResolvedPool): PoolHealth {
    const former = this.#pools.get(pool.name);
    const health = this.now(pool);
    if (former !== undefined && isSame(former, health)) return former;
    this.#pools.set(pool.name, health);
    return health;
  }

  /** Judges without remembering: for those who look on. */
  now(pool: ResolvedPool): PoolHealth {
    const config = this.#config;
    if (config === undefined) return NOBODY;
    const { clock } = this.#options;
    const now = clock.now();
    const held = heldSince(this.#groups, now, Date.now());
    const groups = new Set(
      lookup(config)
        .users.get(pool.name)
        ?.map((service) => service.group),
    );
    const sources = {
      own: this.#ownOf(pool),
      told: config.pair === undefined ? undefined : this.#told.get(pool.name),
      holds: [...groups].flatMap((group) => held.get(group) ?? []),
    };
    return judgePool(pool, sources, now);
  }

  /** What the peer is to know of a pool; undefined when this box holds no group that uses it. */
  picture(name: string): Picture | undefined {
    if (this.#config === undefined) return undefined;
    const { pools, users } = lookup(this.#config);
    const pool = pools.get(name);
    const health = this.#pools.get(name);
    if (pool === undefined || health === undefined) return undefined;
    const isTold = users.get(name)?.some(({ group }) => this.#active.has(group)) === true;
    return isTold ? { of: health, make: () => pictureOf(pool, health.backends) } : undefined;
  }

  #ownOf(pool: ResolvedPool): (backend: string) => Judgement | undefined {
    const { stateOf, suspected, inheritedDead } = this.#options;
    // Most boxes have inherited nothing: their backends need not be found by name.
    const places =
      inheritedDead.size === 0
        ? undefined
        : new Map(pool.backends.map(({ name, address, port }) => [name, `${address}:${port}`]));
    return (backend) => {
      const guilty = suspected(backendId(pool.name, backend));
      if (guilty !== undefined) return guilty;
      const state = stateOf(pathOf(pool.name, backend));
      if (state === undefined) return undefined;
      const dead = state.verdict === "unknown" && inheritedDead.has(places?.get(backend) ?? "");
      return dead ? FOUND_DEAD : judgementOf(state);
    };
  }
}
