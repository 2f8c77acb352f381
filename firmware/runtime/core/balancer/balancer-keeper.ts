/**
 * Keeps the kernel's balancer as configuration and health want it. Everything it writes outlives this process: a core
 * that starts finds the tables of its predecessor, changes what differs, and puts its program behind the same ports.
 */
import type { Bpf, BpfObject, XdpMode } from "@futago/hal/contract/bpf.ts";
import type { Hal } from "@futago/hal/contract/hal.ts";
import { HalError } from "@futago/hal/contract/error.ts";
import type { Link } from "@futago/hal/contract/network.ts";
import type { Ifindex, Ifname, IpAddress } from "@futago/hal/units/address.ts";
import { type BalancerEntry, SERVICE_BACKENDS_MAX, type ServiceProtocol } from "@futago/hal/units/balancer.ts";
import { type BalancerTables, balancerTables } from "@futago/hal/xdp/tables.ts";
import type { BalancerInput } from "../../../balancer/compile.ts";
import { entriesInForce, type InForce, planChange, planMove } from "../../../balancer/plan.ts";
import { allBackends, type BalancedService, type ServiceConflict } from "../../../balancer/service.ts";
import type { Log } from "../log.ts";
import { HopWatch } from "./hop-watch.ts";
import { moveFlows } from "./move-flows.ts";
import { mapSizes, sameSizes, type TableSizes } from "./table-sizes.ts";

export interface Attached {
  readonly ifindex: Ifindex;
  readonly mode: XdpMode;
  /** Why it is not the native one, in the kernel's words, when it was asked for by this process. */
  readonly notNative: string | undefined;
}

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
  readonly sizes: TableSizes;
  readonly log: Log;
}

export class BalancerKeeper {
  readonly #bpf: Bpf;
  readonly #log: Log;
  readonly #seed: string;
  readonly #pinDirectory: string;
  readonly #hops: HopWatch;
  /** Backends, by address and port, that a predecessor had found dead: they get no traffic before they are looked at. */
  readonly inheritedDead: ReadonlySet<string>;
  #sizes: TableSizes;
  #object: BpfObject;
  #tables: BalancerTables;
  #inForce: InForce;
  /** Of `#inForce`, when somebody asked for them. */
  #standing: { readonly of: InForce; readonly entries: readonly BalancerEntry[] } | undefined;
  readonly #attached = new Map<Ifname, Attached>();
  #blocked = new Map<Ifname, string>();
  #devices: readonly Ifname[] = [];
  #links: readonly Link[] = [];
  #troubles = new Map<string, string>();
  #own: ReadonlySet<IpAddress> = new Set();
  #services: readonly BalancedService[] = [];

  /** Loads the programs and takes over what stands in the pinned maps. Throws HalError. */
  constructor({ hal, pinDirectory, seed, sizes, log }: KeeperOptions) {
    this.#bpf = hal.bpf;
    this.#log = log;
    this.#seed = seed;
    this.#pinDirectory = pinDirectory;
    this.#sizes = sizes;
    this.#object = this.#bpf.load("balancer", pinDirectory, mapSizes(sizes));
    this.#tables = balancerTables(this.#object);
    this.#inForce = { kind: "found", entries: this.#tables.read() };
    this.inheritedDead = new Set(
      this.standing.flatMap((one) =>
        one.kind === "backend" && one.state === "dead" ? [`${one.address}:${one.port}`] : [],
      ),
    );
    // What changed while no core ran was not heard of.
    this.#tables.nextGeneration();
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
  get standing(): readonly BalancerEntry[] {
    if (this.#standing?.of !== this.#inForce) {
      this.#standing = { of: this.#inForce, entries: entriesInForce(this.#inForce) };
    }
    return this.#standing.entries;
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

  get attached(): ReadonlyMap<Ifname, Attached> {
    return this.#attached;
  }

  /** Devices that the box has, and that take the program in no mode, each with the reason. */
  get blocked(): ReadonlyMap<Ifname, string> {
    return this.#blocked;
  }

  modeOf(device: Ifname | undefined): XdpMode | "none" {
    return device === undefined ? "none" : (this.#attached.get(device)?.mode ?? "none");
  }

  setServices(services: readonly BalancedService[]): void {
    this.#services = services;
    const planned = planChange(this.#input(), this.#inForce);
    if (!planned.ok) {
      this.#refused(planned.reason);
      return;
    }
    const { writes, inForce } = planned.value;
    this.#attempt("services", () => {
      if (writes.length > 0) this.#tables.apply(writes);
      this.#inForce = inForce;
    });
    if (writes.length > 0) this.#log.info("balancer-written", { writes: writes.length });
  }

  /**
   * Makes the tables anew in other sizes, with these services, and what is remembered of flows taken over. Packets meet
   * the old tables until the new ones are complete. True when `object` is another one.
   */
  resize(sizes: TableSizes, services: readonly BalancedService[]): boolean {
    if (sameSizes(sizes, this.#sizes)) return false;
    const before = this.#object;
    this.#attempt("sizes", () => this.#resize(sizes, services));
    return this.#object !== before;
  }

  #resize(sizes: TableSizes, services: readonly BalancedService[]): void {
    const object = this.#bpf.load("balancer", this.#pinDirectory, mapSizes(sizes));
    const tables = balancerTables(object);
    const input = { ...this.#input(), services, servicesMax: sizes.services };
    const planned = planMove(input, this.#inForce, tables.read());
    if (!planned.ok) {
      object.close();
      this.#refused(planned.reason);
      return;
    }
    tables.apply(planned.value.writes);
    const former = this.#object;
    moveFlows(former, object);
    this.#sizes = sizes;
    this.#services = services;
    this.#object = object;
    this.#tables = tables;
    this.#inForce = planned.value.inForce;
    for (const [ifname, { ifindex }] of this.#attached) this.#put(ifname, ifindex);
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
    if (this.#services.length > 0) this.setServices(this.#services);
  }

  #input(): BalancerInput {
    return { seed: this.#seed, services: this.#services, servicesMax: this.#sizes.services, own: this.#own };
  }

  /** Sits on these devices and no others, as far as the box has them. */
  setDevices(devices: readonly Ifname[], links: readonly Link[]): void {
    this.#devices = devices;
    for (const [device, { ifindex }] of this.#attached) {
      const link = links.find((one) => one.ifname === device);
      if (link?.ifindex === ifindex && devices.includes(device)) continue;
      this.#attached.delete(device);
      if (link?.ifindex === ifindex) this.#attempt(device, () => this.#bpf.detachXdp(ifindex));
    }
    if (this.#links.length === 0) this.#sweep(devices, links);
    this.#links = links;
    const isThere = (device: Ifname) => devices.includes(device) && links.some((one) => one.ifname === device);
    this.#blocked = new Map([...this.#blocked].filter(([device]) => isThere(device)));
    this.reattach();
  }

  /** Puts the program back where it is missing. */
  reattach(): void {
    for (const device of this.#devices) {
      const link = this.#links.find((one) => one.ifname === device);
      if (link !== undefined) this.#attach(link);
    }
  }

  counters(): Readonly<Record<string, number>> {
    return this.#tables.counters();
  }

  /** Takes the balancer off the machine. */
  remove(): void {
    this.#hops.close();
    for (const [device, { ifindex }] of this.#attached) this.#attempt(device, () => this.#bpf.detachXdp(ifindex));
    this.#attached.clear();
    this.#object.close();
  }

  #attach({ ifname, ifindex }: Link): void {
    this.#attempt(ifname, () => {
      try {
        this.#keepAttached(ifname, ifindex);
      } catch (error) {
        if (!(error instanceof HalError) || error.code === "ENODEV") throw error;
        this.#block(ifname, error.message);
      }
    });
  }

  #keepAttached(ifname: Ifname, ifindex: Ifindex): void {
    const foreign = this.#bpf.foreignXdp(ifindex);
    if (foreign !== undefined) {
      this.#block(ifname, `somebody else's XDP program "${foreign.name}" (id ${foreign.id}) is there`);
      return;
    }
    const isPresent = this.#attached.get(ifname)?.ifindex === ifindex;
    if (!isPresent || this.#bpf.xdpProgramId(ifindex) === 0) this.#put(ifname, ifindex);
    this.#blocked.delete(ifname);
  }

  #block(ifname: Ifname, reason: string): void {
    this.#attached.delete(ifname);
    if (this.#blocked.get(ifname) === reason) return;
    this.#blocked.set(ifname, reason);
    this.#log.warn("balancer-blocked", { device: ifname, reason });
  }

  #put(ifname: Ifname, ifindex: Ifindex): void {
    let notNative: string | undefined;
    const program = this.#object.program("futago_balancer");
    const mode = this.#bpf.attachXdp(ifindex, program, undefined, (refusal) => {
      notNative = refusal.message;
    });
    this.#attached.set(ifname, { ifindex, mode, notNative });
    this.#log.info("balancer-attached", { device: ifname, mode });
  }

  /** What a predecessor left on devices that are no longer ours. */
  #sweep(devices: readonly Ifname[], links: readonly Link[]): void {
    for (const { ifname, ifindex } of links) {
      if (devices.includes(ifname)) continue;
      this.#attempt(ifname, () => {
        if (this.#bpf.xdpProgramId(ifindex) !== 0) this.#bpf.detachXdp(ifindex);
      });
    }
  }

  #attempt(subject: string, action: () => void): void {
    try {
      action();
      this.#troubles.delete(subject);
    } catch (error) {
      if (!(error instanceof HalError)) throw error;
      this.#trouble(subject, `${subject}: ${error.message}`);
    }
  }

  #trouble(subject: string, sentence: string): void {
    if (this.#troubles.get(subject) === sentence) return;
    this.#troubles.set(subject, sentence);
    this.#log.warn("balancer-refused", { subject, sentence });
  }
}
