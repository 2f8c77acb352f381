/** The services as the balancer is asked to serve them. What has not changed stays the same object: see balancer/plan.ts. */
import type { IpAddress } from "@futago/hal/units/address.ts";
import type { BalancedBackend, BalancedService } from "../../../balancer/service.ts";
import type { ResolvedService } from "../../../config/resolved.ts";

interface Slot {
  readonly service: ResolvedService;
  readonly address: IpAddress;
  readonly balanced: BalancedService;
}

export class ServiceList {
  #slots: readonly Slot[] = [];
  #services: readonly BalancedService[] | undefined;

  /** Undefined before the first configuration: nobody knows yet what is to be served. */
  get services(): readonly BalancedService[] | undefined {
    return this.#services;
  }

  /** `backendsOf` is asked for a pool's backends. Returns the services. */
  configure(
    services: readonly ResolvedService[],
    backendsOf: (pool: string) => readonly BalancedBackend[],
  ): readonly BalancedService[] {
    const former = new Map(this.#slots.map((slot) => [slotKey(slot), slot]));
    this.#slots = services.flatMap((service) =>
      service.addresses.map((address) => {
        const before = former.get(slotKey({ service, address }));
        const isSame = before?.service === service && isServedBy(before.balanced, service, backendsOf);
        return isSame ? before : { service, address, balanced: balance(service, address, backendsOf) };
      }),
    );
    this.#services = this.#slots.map((slot) => slot.balanced);
    return this.#services;
  }

  /** The pool's backends changed. */
  refresh(pool: string, backendsOf: (pool: string) => readonly BalancedBackend[]): void {
    if (this.#services === undefined) return;
    this.#slots = this.#slots.map((slot) => {
      const { service, address } = slot;
      if (service.pool !== pool && service.sorryPool !== pool) return slot;
      return { service, address, balanced: balance(service, address, backendsOf) };
    });
    this.#services = this.#slots.map((slot) => slot.balanced);
  }
}

function slotKey({ service, address }: Pick<Slot, "service" | "address">): string {
  return `${service.name} ${address}`;
}

function isServedBy(
  { backends, sorry }: BalancedService,
  service: ResolvedService,
  backendsOf: (pool: string) => readonly BalancedBackend[],
): boolean {
  return backends === backendsOf(service.pool) && sorry === sorryOf(service, backendsOf);
}

function sorryOf(
  { sorryPool }: ResolvedService,
  backendsOf: (pool: string) => readonly BalancedBackend[],
): readonly BalancedBackend[] {
  return sorryPool === undefined ? NOBODY : backendsOf(sorryPool);
}

function balance(
  service: ResolvedService,
  address: IpAddress,
  backendsOf: (pool: string) => readonly BalancedBackend[],
): BalancedService {
  const { name, port, protocol, mode, persistence, allow, deny, idleTimeoutSeconds } = service;
  return {
    name,
    address,
    port,
    protocol,
    mode,
    persistence,
    allow,
    deny,
    newFlowsPerSecond: service.newConnectionsPerSecond ?? 0,
    flowsMax: service.maxConnections ?? 0,
    clientFlowsMax: service.maxConnectionsPerClient ?? 0,
    idleTimeoutSeconds,
    backends: backendsOf(service.pool),
    sorry: sorryOf(service, backendsOf),
  };
}

const NOBODY: readonly BalancedBackend[] = [];
