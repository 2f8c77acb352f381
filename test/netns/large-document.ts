/** A box alone with many services of as many backends each, every service with a pool of its own. */

export interface LargeSize {
  readonly services: number;
  readonly backends: number;
}

export interface LargePool {
  /** By the backend's place in its pool. */
  readonly weights: (backend: number) => number;
  readonly check: unknown;
}

/** Backends are 10.2.0.10 and following, the pool's number after 1000 is their port; services are v0, v1, … at `front`. */
export function largeDocument(
  { services, backends }: LargeSize,
  poolOf: (pool: number) => LargePool,
): Readonly<Record<string, unknown>> {
  const pools = Array.from({ length: services }, (_, p) => {
    const { weights, check } = poolOf(p);
    return {
      name: `p${p}`,
      backends: Array.from({ length: backends }, (_b, i) => ({
        name: `s${i}`,
        address: `10.2.0.${i + 10}`,
        port: 1_000 + p,
        weight: weights(i),
      })),
      check,
    };
  });
  return {
    interfaces: [
      { name: "wan", device: "eth0", addresses: ["10.1.0.2/24"] },
      { name: "lan", device: "eth1", addresses: ["10.2.0.2/24"] },
    ],
    failoverGroups: [
      {
        name: "edge",
        virtualRouters: [
          { interface: "wan", vrid: 10, name: "front", addresses: ["10.1.0.1/24"], advertisementIntervalMs: 100 },
          { interface: "lan", vrid: 11, addresses: ["10.2.0.1/24"], advertisementIntervalMs: 100 },
        ],
      },
    ],
    pools,
    services: pools.map(({ name }, i) => ({
      name: `v${i}`,
      address: "front",
      protocol: "tcp",
      port: 80 + i,
      pool: name,
    })),
  };
}
