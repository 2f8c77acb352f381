/** Finds the parts of a configuration by their names: a large one has a thousand of each. Pure. */
import type { Resolved, ResolvedPool, ResolvedService } from "./resolved.ts";

export interface Lookup {
  readonly pools: ReadonlyMap<string, ResolvedPool>;
  readonly services: ReadonlyMap<string, ResolvedService>;
  /** The services that use a pool, as pool or as sorry pool, by the pool's name. */
  readonly users: ReadonlyMap<string, readonly ResolvedService[]>;
}

/** Made once for each configuration. */
const made = new WeakMap<Resolved, Lookup>();

export function lookup(config: Resolved): Lookup {
  const known = made.get(config);
  if (known !== undefined) return known;
  const users = new Map<string, ResolvedService[]>();
  for (const service of config.services) {
    for (const pool of new Set([service.pool, service.sorryPool])) {
      if (pool === undefined) continue;
      const others = users.get(pool);
      if (others === undefined) users.set(pool, [service]);
      else others.push(service);
    }
  }
  const found: Lookup = {
    pools: new Map(config.pools.map((pool) => [pool.name, pool])),
    services: new Map(config.services.map((service) => [service.name, service])),
    users,
  };
  made.set(config, found);
  return found;
}
