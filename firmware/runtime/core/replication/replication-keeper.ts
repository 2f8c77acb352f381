/** Keeps replication at the balancer's tables, the groups that this box holds, and the peer. */
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { BpfObject } from "@futago/hal/contract/bpf.ts";
import type { Clock } from "@futago/hal/contract/machine.ts";
import { parseInterfaceAddress } from "@futago/hal/units/address.ts";
import { SERVICE_BACKENDS_MAX } from "@futago/hal/units/balancer.ts";
import type { StandingService } from "../../../balancer/standing.ts";
import type { ResolvedService } from "../../../config/resolved.ts";
import type { GroupStatus } from "../../messages.ts";
import type { BalancerView } from "../trace/balancer-view.ts";
import { directoryOf, wideAddresses } from "./directory-of.ts";
import { Replication, type ReplicationStatus } from "./replication.ts";
import { type Connections, connectionsOf } from "./survivors.ts";

export interface ReplicationKeeperOptions {
  readonly clock: Clock;
  readonly serving: {
    readonly balancer: Pick<BalancerView, "object" | "services" | "serviceAt">;
    /** Flows in the tables, by the backend's number; another map after each count. */
    readonly open: ReadonlyMap<number, number>;
    counters(): Readonly<Record<string, number>>;
  };
  /** Whether the peer has all connections that this box serves. */
  readonly onTold: (told: boolean) => void;
  readonly onChange: () => void;
  readonly count: (name: string) => void;
}

/** The services change in bursts, and to list them takes a while where they are many. */
const SERVICES_SETTLE_MILLIS = 50;

export class ReplicationKeeper {
  readonly #options: ReplicationKeeperOptions;
  #replication: Replication | undefined;
  #object: BpfObject | undefined;
  #services: readonly StandingService[] = [];
  #own = new Uint8Array(0);
  #open: { readonly of: ReadonlyMap<number, number>; readonly services: ReadonlyMap<number, number> } | undefined;
  #settling: NodeJS.Timeout | undefined;

  constructor(options: ReplicationKeeperOptions) {
    this.#options = options;
  }

  /** A box alone tells nobody, and reads no events. */
  setPaired(isPaired: boolean): void {
    if (isPaired && this.#replication === undefined) this.#start();
    else if (!isPaired) this.#stop();
  }

  /** The tables were written; or made anew, with other maps. */
  onTables(): void {
    if (this.#replication === undefined) return;
    if (this.#object !== this.#options.serving.balancer.object) this.#start();
    this.#settling ??= setTimeout(() => this.#takeServices(), SERVICES_SETTLE_MILLIS);
  }

  setGroups(groups: readonly GroupStatus[]): void {
    const held = groups.filter((group) => group.state === "active").flatMap((group) => group.addresses);
    const addresses = held.flatMap((text) => parseInterfaceAddress(text)?.address ?? []);
    this.#own = Uint8Array.from(wideAddresses(addresses));
    this.#replication?.setOwn(this.#own);
    this.#options.onTold(this.isTold);
  }

  /** A connection to the peer, for flows, stands. */
  attach(socket: Socket): void {
    if (this.#replication === undefined) socket.destroy();
    else this.#replication.attach(socket);
  }

  /** Keys of established flows that were collected. */
  ended(keys: Uint8Array): void {
    this.#replication?.ended(keys);
  }

  /** Whether the peer has all connections that this box serves, or there is nobody to tell. */
  get isTold(): boolean {
    return this.#own.length === 0 || (this.#replication?.status().whole ?? true);
  }

  /** Undefined on a box alone. */
  get status(): ReplicationStatus | undefined {
    return this.#replication?.status();
  }

  /** Of a service of the configuration, on all its addresses. */
  connections(service: Pick<ResolvedService, "addresses" | "port" | "protocol">): Connections {
    const { addresses, port, protocol } = service;
    const { serviceAt } = this.#options.serving.balancer;
    const entries = addresses.flatMap((address) => serviceAt(address, port, protocol)?.entry ?? []);
    return connectionsOf(entries, this.#openFlows(), this.#replication?.replicated, this.#own);
  }

  close(): void {
    this.#stop();
  }

  #start(): void {
    this.#stop();
    const { clock, serving, onTold, onChange, count } = this.#options;
    const { balancer } = serving;
    this.#object = balancer.object;
    this.#replication = new Replication({
      object: balancer.object,
      clock,
      // 0 stands for none.
      stream: randomBytes(8).readBigUInt64BE() || 1n,
      epoch: randomBytes(4).readUInt32BE(),
      eventsLost: () => serving.counters()["eventLost"] ?? 0,
      onChange: () => {
        onTold(this.isTold);
        onChange();
      },
      count,
    });
    this.#services = [];
    this.#takeServices();
    this.#replication.setOwn(this.#own);
  }

  #takeServices(): void {
    clearTimeout(this.#settling);
    this.#settling = undefined;
    const { services } = this.#options.serving.balancer;
    if (services === this.#services) return;
    this.#services = services;
    this.#replication?.setServices(directoryOf(services));
  }

  #openFlows(): ReadonlyMap<number, number> {
    const { open } = this.#options.serving;
    if (this.#open?.of !== open) this.#open = { of: open, services: openByService(open) };
    return this.#open.services;
  }

  #stop(): void {
    clearTimeout(this.#settling);
    this.#settling = undefined;
    this.#replication?.close();
    this.#replication = undefined;
  }
}

function openByService(open: ReadonlyMap<number, number>): ReadonlyMap<number, number> {
  const services = new Map<number, number>();
  for (const [backend, flows] of open) {
    const index = Math.floor(backend / SERVICE_BACKENDS_MAX);
    services.set(index, (services.get(index) ?? 0) + flows);
  }
  return services;
}
