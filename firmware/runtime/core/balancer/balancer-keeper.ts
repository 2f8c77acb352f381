/**
 * Keeps the kernel's balancer as configuration and health want it. Everything it writes outlives this process: a core
 * that starts finds the tables of its predecessor, changes what differs, and puts its program behind the same ports.
 */
import type { Bpf, BpfObject, XdpMode } from "@futago/hal/contract/bpf.ts";
import type { Hal } from "@futago/hal/contract/hal.ts";
import { HalError } from "@futago/hal/contract/error.ts";
import type { Link } from "@futago/hal/contract/network.ts";
import type { Ifname, IpAddress } from "@futago/hal/units/address.ts";
import { type BalancerWrite, SERVICE_BACKENDS_MAX, type ServiceProtocol } from "@futago/hal/units/balancer.ts";
import { type BalancerTables, balancerTables } from "@futago/hal/xdp/tables.ts";
import type { BalancerInput } from "../../../balancer/compile.ts";
import { diffEntries } from "../../../balancer/diff.ts";
import {
  type InForce,
  type Plan,
  compileMoveInSteps,
  planInSteps,
  planMoveInSteps,
  planStates,
} from "../../../balancer/plan.ts";
import { allBackends, type BalancedService, endpointKey, type ServiceConflict } from "../../../balancer/service.ts";
import type { RingStock } from "../../../balancer/ring-stock.ts";
import { type StandingService, standingServices } from "../../../balancer/standing.ts";
import type { Log } from "../log.ts";
import { inSlices, Slices } from "../slices.ts";
import { BalancerPorts } from "./balancer-ports.ts";
import { type Audited, TableAudit } from "./table-audit.ts";
import { HopWatch } from "./hop-watch.ts";
import { moveFlows } from "./move-flows.ts";
import type { LoadedTables } from "./load-balancer.ts";
import { mapSizes, sameSizes, type TableSizes } from "./table-sizes.ts";

/** A backend as a service has it. */
export interface ServiceBackend {
  readonly protocol: ServiceProtocol;
  /** "web/s1". */
  readonly id: string;
}

export interface KeeperOptions {
  readonly hal: Pick<Hal, "bpf" | "network">;
  readonly pinDirectory: string;
  readonly seed: string;
  readonly tables: LoadedTables;
  readonly log: Log;
}

interface Standing {
  readonly services: readonly StandingService[];
  readonly byEndpoint: ReadonlyMap<string, StandingService>;
}

export class BalancerKeeper {
  readonly #bpf: Bpf;
  readonly #log: Log;
  readonly #seed: string;
  readonly #pinDirectory: string;
  readonly #hops: HopWatch;
  readonly #audit: TableAudit;
  /** Backends, by address and port, that a predecessor had found dead: they get no traffic before they are looked at. */
  readonly inheritedDead: ReadonlySet<string>;
  /** Until the first services are in force. */
  #rings: RingStock | undefined;
  #sizes: TableSizes;
  #object: BpfObject;
  #tables: BalancerTables;
  #inForce: InForce;
  /** Of `#inForce`, when somebody asked for them. */
  #standing: Standing | undefined;
  readonly ports: BalancerPorts;
  #troubles = new Map<string, string>();
  #own: ReadonlySet<IpAddress> = new Set();
  #services: readonly BalancedService[] = [];
  /** A change that takes several slices. */
  #changing: Promise<void> | undefined;
  #removed = false;

  /** Takes over what stands in the tables. Throws HalError. */
  constructor({ hal, pinDirectory, seed, tables, log }: KeeperOptions) {
    this.#bpf = hal.bpf;
    this.#log = log;
    this.#seed = seed;
    this.#pinDirectory = pinDirectory;
    this.#sizes = tables.sizes;
    this.#object = tables.object;
    this.#rings = tables.rings;
    this.ports = new BalancerPorts({
      bpf: this.#bpf,
      log,
      program: () => this.#object.program("futago_balancer"),
      attempt: (subject, action) => this.#attempt(subject, action),
    });
    this.#tables = balancerTables(this.#object);
    const found = this.#tables.read();
    this.#inForce = { kind: "found", entries: found };
    this.inheritedDead = new Set(
      found.flatMap((one) => (one.kind === "backend" && one.state === "dead" ? [`${one.address}:${one.port}`] : [])),
    );
    // What changed while no core ran was not heard of.
    this.#tables.nextGeneration();
    this.#audit = new TableAudit({
      look: () => this.#audited(),
      restore: (amiss) => void this.#attempt("restore", () => this.#tables.apply(diffEntries([], amiss))),
      alsoLook: () => this.#lookAround(),
      log,
    });
    this.#hops = new HopWatch(hal.network, () => this.#attempt("next-hops", () => this.#tables.nextGeneration()));
  }

  /** What the machine refused, by subject. */
  get troubles(): ReadonlyMap<string, string> {
    return this.#troubles;
  }

  /** The loaded object; another one when the sizes of the tables changed. */
  get object(): BpfObject {
    return this.#object;
  }

  /** What the tables hold. */
  get services(): readonly StandingService[] {
    return this.#stands().services;
  }

  readonly serviceAt = (address: IpAddress, port: number, protocol: ServiceProtocol): StandingService | undefined =>
    this.#stands().byEndpoint.get(endpointKey(address, port, protocol));

  #stands(): Standing {
    this.#standing ??= standing(this.#inForce);
    return this.#standing;
  }

  /** What the tables should hold; undefined while they are being changed. */
  #audited(): Audited | undefined {
    if (this.#changing !== undefined || this.#inForce.kind === "found") return undefined;
    const { services, hosts } = this.#inForce.compiled;
    return { object: this.#object, services, hosts };
  }

  /** At what no map of entries shows. */
  #lookAround(): void {
    this.reattach();
    // A core that has just started does not know them yet.
    if (this.#own.size === 0) return;
    this.#attempt("own-addresses", () => {
      if (this.#tables.setOwn([...this.#own])) this.#log.warn("balancer-restored", { entries: ["own addresses"] });
    });
    // The kernel refused before.
    if (this.#inForce.kind === "found" && this.#troubles.has("services")) void this.setServices(this.#services);
  }

  #hold(inForce: InForce): void {
    this.#inForce = inForce;
    // What it was made from is large.
    this.#standing = undefined;
  }

  /** By the service's index; undefined where there is none. */
  idleTimeoutSeconds(index: number): number | undefined {
    if (this.#inForce.kind === "found") return undefined;
    return this.#inForce.compiled.byIndex.get(index)?.service.idleTimeoutSeconds;
  }

  /** By its number; undefined where there is none. */
  backendOf(number: number): ServiceBackend | undefined {
    if (this.#inForce.kind === "found") return undefined;
    const compiled = this.#inForce.compiled.byIndex.get(Math.floor(number / SERVICE_BACKENDS_MAX));
    if (compiled === undefined) return undefined;
    const at = compiled.ordinals.indexOf(number % SERVICE_BACKENDS_MAX);
    const backend = allBackends(compiled.service)[at];
    return backend && { protocol: compiled.service.protocol, id: backend.id };
  }

  modeOf(device: Ifname | undefined): XdpMode | "none" {
    return device === undefined ? "none" : (this.ports.attached.get(device)?.mode ?? "none");
  }

  /**
   * Serves these from now on; resolves when they are in force. Other states of backends are in force when this returns,
   * unless a larger change is on its way: then they follow it.
   */
  setServices(services: readonly BalancedService[]): Promise<void> {
    this.#services = services;
    if (this.#changing !== undefined) return this.#changing;
    const quick = planStates(this.#input(), this.#inForce);
    if (quick === undefined) return this.#change();
    const { writes, inForce } = quick;
    const isWritten = this.#attempt("services", () => {
      if (writes.length > 0) this.#tables.apply(writes);
      this.#hold(inForce);
    });
    if (!isWritten) this.#lookAtTables();
    if (writes.length > 0) this.#log.info("balancer-written", { writes: writes.length });
    return Promise.resolve();
  }

  #change(): Promise<void> {
    this.#changing = this.#changeInSlices().finally(() => {
      this.#changing = undefined;
    });
    return this.#changing;
  }

  async #changeInSlices(): Promise<void> {
    const slices = new Slices();
    let wanted: readonly BalancedService[];
    do {
      wanted = this.#services;
      const planned = await inSlices(planInSteps(this.#input(), this.#inForce), slices);
      if (this.#removed) return;
      if (!planned.ok) this.#refused(planned.reason);
      else await this.#carryOut(planned.value, slices);
      // What was said meanwhile.
    } while (wanted !== this.#services && !this.#removed);
  }

  async #carryOut({ writes, inForce }: Plan, slices: Slices): Promise<void> {
    for (const some of portions(writes)) {
      if (this.#removed) return;
      if (!this.#attempt("services", () => this.#tables.apply(some))) {
        this.#lookAtTables();
        return;
      }
      if (slices.spent) await slices.rest();
    }
    this.#troubles.delete("services");
    if (this.#services.length > 0) {
      this.#rings?.close();
      this.#rings = undefined;
    }
    this.#hold(inForce);
    if (writes.length > 0) this.#log.info("balancer-written", { writes: writes.length });
  }

  /** The kernel refused in between: only the tables know what they hold. */
  #lookAtTables(): void {
    this.#attempt("tables", () => {
      this.#hold({ kind: "found", entries: this.#tables.read() });
    });
  }

  /**
   * Makes the tables anew in other sizes, with these services, and what is remembered of flows taken over. Packets meet
   * the old tables until the new ones are complete. True when `object` is another one.
   */
  async resize(sizes: TableSizes, services: readonly BalancedService[]): Promise<boolean> {
    await this.#changing;
    if (sameSizes(sizes, this.#sizes)) return false;
    const before = this.#object;
    this.#services = services;
    // Whatever is said meanwhile waits for the new tables.
    this.#changing = this.#resize(sizes).finally(() => {
      this.#changing = undefined;
    });
    await this.#changing;
    return this.#object !== before;
  }

  async #resize(sizes: TableSizes): Promise<void> {
    try {
      await this.#makeTables(sizes, new Slices());
      this.#troubles.delete("sizes");
    } catch (error) {
      if (!(error instanceof HalError)) throw error;
      this.#trouble("sizes", `sizes: ${error.message}`);
    }
  }

  async #makeTables(sizes: TableSizes, slices: Slices): Promise<void> {
    const input = { ...this.#input(), servicesMax: sizes.services };
    const [object, compiled] = await Promise.all([
      this.#bpf.loadAside("balancer", this.#pinDirectory, mapSizes(sizes)),
      inSlices(compileMoveInSteps(input, this.#inForce), slices),
    ]);
    if (!compiled.ok || this.#removed) {
      object.close();
      if (!compiled.ok) this.#refused(compiled.reason);
      return;
    }
    const tables = balancerTables(object);
    const planned = await inSlices(planMoveInSteps(input, compiled.value, tables.read()), slices);
    for (const some of portions(planned.writes)) {
      tables.apply(some);
      if (slices.spent) await slices.rest();
    }
    const former = this.#object;
    moveFlows(former, object);
    this.#sizes = sizes;
    this.#object = object;
    this.#tables = tables;
    this.#hold(planned.inForce);
    this.ports.replace();
    moveFlows(former, object);
    former.close();
    this.#log.info("balancer-resized", { services: sizes.services, flows: sizes.flows });
  }

  #refused(conflict: ServiceConflict): void {
    this.#trouble("services", `the services cannot be balanced: ${JSON.stringify(conflict)}`);
  }

  /** The box's own addresses: what backends send to them is no reply to a client. */
  setOwn(addresses: readonly IpAddress[]): void {
    if (addresses.length === this.#own.size && addresses.every((address) => this.#own.has(address))) return;
    this.#attempt("own-addresses", () => this.#tables.setOwn(addresses));
    this.#own = new Set(addresses);
    if (this.#services.length > 0) void this.setServices(this.#services);
  }

  #input(): BalancerInput {
    return {
      seed: this.#seed,
      services: this.#services,
      servicesMax: this.#sizes.services,
      own: this.#own,
      rings: this.#rings,
    };
  }

  /** Sits on these devices and no others, as far as the box has them. */
  setDevices(devices: readonly Ifname[], links: readonly Link[]): void {
    this.ports.setDevices(devices, links);
  }

  /** Puts the program back where it is missing. */
  reattach(): void {
    this.ports.reattach();
  }

  counters(): Readonly<Record<string, number>> {
    return this.#tables.counters();
  }

  /** Takes the balancer off the machine. */
  remove(): void {
    this.#removed = true;
    this.#audit.close();
    this.#hops.close();
    this.ports.remove();
    this.#object.close();
  }

  /** Whether the machine did it. */
  #attempt(subject: string, action: () => void): boolean {
    try {
      action();
      this.#troubles.delete(subject);
      return true;
    } catch (error) {
      if (!(error instanceof HalError)) throw error;
      this.#trouble(subject, `${subject}: ${error.message}`);
      return false;
    }
  }

  #trouble(subject: string, sentence: string): void {
    if (this.#troubles.get(subject) === sentence) return;
    this.#troubles.set(subject, sentence);
    this.#log.warn("balancer-refused", { subject, sentence });
  }
}

function standing(inForce: InForce): Standing {
  const services = standingServices(inForce);
  const ends = services.map(
    (one) => [endpointKey(one.entry.address, one.entry.port, one.entry.protocol), one] as const,
  );
  return { services, byEndpoint: new Map(ends) };
}

/** What goes to the kernel in a few milliseconds: rings are large. */
const ENTRIES_AT_A_TIME = 512;
const RINGS_AT_A_TIME = 32;

function* portions(writes: readonly BalancerWrite[]): Generator<readonly BalancerWrite[]> {
  for (let from = 0; from < writes.length; ) {
    const size = writes[from]?.entry.kind === "ring" ? RINGS_AT_A_TIME : ENTRIES_AT_A_TIME;
    yield writes.slice(from, from + size);
    from += size;
  }
}
