/** The backends of a pool as the balancer is to see them: who lives, who drains, and who just came back. Pure but for its memory. */
import type { InterfaceAddress } from "@futago/hal/units/address.ts";
import type { Instant } from "@futago/hal/units/time.ts";
import { earliest } from "@futago/hal/units/time.ts";
import type { BalancedBackend } from "../../../balancer/service.ts";
import { slowStart } from "../../../balancer/slow-start.ts";
import { longestMatch, type SubnetTable } from "../../../config/host-address.ts";
import type { ResolvedPool } from "../../../config/resolved.ts";
import type { Judgement } from "../checks/backend-health.ts";

export interface PoolState {
  /** The same object as before when nothing changed. */
  readonly backends: readonly BalancedBackend[];
  /** When a backend that came back is to get more; undefined: nobody waits. */
  readonly nextAt: Instant | undefined;
}

/** Names a backend among all pools, as in "web/s1". */
export function backendId(pool: string, backend: string): string {
  return `${pool}/${backend}`;
}

export class PoolStates {
  #pools = new Map<string, readonly BalancedBackend[]>();
  /** Of backends that were dead before. */
  readonly #returned = new Map<string, Instant>();
  #subnets: SubnetTable<InterfaceAddress> = { ipv4: [], ipv6: [] };

  /** Forgets pools that are no more; `subnets` are those on the box's links. */
  keep(pools: readonly ResolvedPool[], subnets: SubnetTable<InterfaceAddress>): void {
    this.#subnets = subnets;
    const names = new Set(pools.map((pool) => pool.name));
    this.#pools = new Map([...this.#pools].filter(([name]) => names.has(name)));
    if (this.#returned.size === 0) return;
    const ids = new Set(pools.flatMap((pool) => pool.backends.map(({ name }) => backendId(pool.name, name))));
    for (const id of this.#returned.keys()) if (!ids.has(id)) this.#returned.delete(id);
  }

  /** `health` is in the order of the pool's backends. */
  update(pool: ResolvedPool, health: readonly Judgement[], drains: ReadonlySet<string>, now: Instant): PoolState {
    const before = this.#pools.get(pool.name);
    const lifeBefore = lifeOf(before);
    let nextAt: Instant | undefined;
    const backends = pool.backends.map((backend, i): BalancedBackend => {
      const { name, address, port, weight, backup, maxConnections } = backend;
      const id = backendId(pool.name, name);
      // What nobody has looked at yet is given the benefit of the doubt: a box that starts shall serve.
      const alive = health[i]?.healthy ?? true;
      const blind = health[i]?.blind ?? false;
      if (!alive) this.#returned.delete(id);
      else if (lifeBefore(id, i) === false) this.#returned.set(id, now);
      const start = slowStart(this.#returned.get(id), pool.slowStartSeconds, now);
      nextAt = earliest(nextAt, start.nextAt);
      const { step } = start;
      return {
        id,
        address,
        port,
        weight,
        backup,
        alive,
        blind,
        draining: drains.has(id),
        step,
        subnetBits: longestMatch(address, this.#subnets)?.prefixLength ?? 0,
        flowsMax: maxConnections ?? 0,
      };
    });
    const same = before !== undefined && isSame(before, backends);
    if (!same) this.#pools.set(pool.name, backends);
    return { backends: same ? before : backends, nextAt };
  }

  backendsOf(pool: string): readonly BalancedBackend[] {
    return this.#pools.get(pool) ?? [];
  }
}

/** Whether a backend lived, by its id and its likely place. */
function lifeOf(before: readonly BalancedBackend[] | undefined): (id: string, place: number) => boolean | undefined {
  return (id, place) => {
    const there = before?.[place];
    return (there?.id === id ? there : before?.find((one) => one.id === id))?.alive;
  };
}

function isSame(a: readonly BalancedBackend[], b: readonly BalancedBackend[]): boolean {
  return a.length === b.length && a.every((one, i) => isSameBackend(one, b[i]));
}

function isSameBackend(a: BalancedBackend, b: BalancedBackend | undefined): boolean {
  return (
    a.id === b?.id &&
    a.address === b.address &&
    a.port === b.port &&
    a.weight === b.weight &&
    a.backup === b.backup &&
    a.alive === b.alive &&
    a.blind === b.blind &&
    a.draining === b.draining &&
    a.step === b.step &&
    a.subnetBits === b.subnetBits &&
    a.flowsMax === b.flowsMax
  );
}
