/**
 * Keeps the kernel's balancer as configuration and health want it. Everything it writes outlives this process: a core
 * that starts finds the tables of its predecessor, changes what differs, and puts its program behind the same ports.
 */
import type { Bpf, BpfObject, XdpMode } from "@futago/hal/contract/bpf.ts";
import type { Hal } from "@futago/hal/contract/hal.ts";
import { HalError } from "@futago/hal/contract/error.ts";
import type { Link } from "@futago/hal/contract/network.ts";
import type { Ifindex, Ifname, IpAddress } from "@futago/hal/units/address.ts";
import type { BalancerEntry } from "@futago/hal/units/balancer.ts";
import { type BalancerTables, balancerTables } from "@futago/hal/xdp/tables.ts";
import { compileServices } from "../../../balancer/compile.ts";
import { applyWrites, diffEntries } from "../../../balancer/diff.ts";
import { SERVICES_MAX } from "@futago/hal/xdp/layout.ts";
import type { BalancedService } from "../../../balancer/service.ts";
import type { Log } from "../log.ts";
import { FlowCounter } from "./flow-counter.ts";

interface Attached {
  readonly ifindex: Ifindex;
  readonly mode: XdpMode;
}

export class BalancerKeeper {
  readonly #bpf: Bpf;
  readonly #log: Log;
  readonly #object: BpfObject;
  readonly #tables: BalancerTables;
  readonly #seed: string;
  readonly flows: FlowCounter;
  /** Backends, by address and port, that a predecessor had found dead: they get no traffic before they are looked at. */
  readonly inheritedDead: ReadonlySet<string>;
  #standing: readonly BalancerEntry[];
  readonly #attached = new Map<Ifname, Attached>();
  #devices: readonly Ifname[] = [];
  #links: readonly Link[] = [];
  #troubles = new Map<string, string>();
  #own = "";

  /** Loads the programs and takes over what stands in the pinned maps. Throws HalError. */
  constructor({ bpf, clock }: Pick<Hal, "bpf" | "clock">, pinDirectory: string, seed: string, log: Log) {
    this.#bpf = bpf;
    this.#log = log;
    this.#seed = seed;
    this.#object = bpf.load("balancer", pinDirectory);
    this.#tables = balancerTables(this.#object);
    this.#standing = this.#tables.read();
    this.inheritedDead = new Set(
      this.#standing.flatMap((one) => (one.kind === "backend" && !one.alive ? [`${one.address}:${one.port}`] : [])),
    );
    this.flows = new FlowCounter(clock, () => this.#tables.establishedFlows());
  }

  /** What the machine refused, by subject. */
  get troubles(): ReadonlyMap<string, string> {
    return this.#troubles;
  }

  modeOf(device: Ifname | undefined): XdpMode | "none" {
    return device === undefined ? "none" : (this.#attached.get(device)?.mode ?? "none");
  }

  setServices(services: readonly BalancedService[]): void {
    const compiled = compileServices({ seed: this.#seed, services, servicesMax: SERVICES_MAX }, this.#standing);
    if (!compiled.ok) {
      this.#trouble("services", `the services cannot be balanced: ${JSON.stringify(compiled.reason)}`);
      return;
    }
    const writes = diffEntries(this.#standing, compiled.value);
    if (writes.length === 0) return;
    this.#attempt("services", () => {
      this.#tables.apply(writes);
      this.#standing = applyWrites(this.#standing, writes);
    });
    this.#log.info("balancer-written", { writes: writes.length });
  }

  /** The box's own addresses: what backends send to them is no reply to a client. */
  setOwn(addresses: readonly IpAddress[]): void {
    const sorted = [...addresses].sort().join();
    if (sorted === this.#own) return;
    this.#attempt("own-addresses", () => this.#tables.setOwn(addresses));
    this.#own = sorted;
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
    for (const [device, { ifindex }] of this.#attached) this.#attempt(device, () => this.#bpf.detachXdp(ifindex));
    this.#attached.clear();
    this.#object.close();
  }

  #attach(link: Link): void {
    const { ifname, ifindex } = link;
    const present = this.#attached.get(ifname);
    this.#attempt(ifname, () => {
      if (present?.ifindex === ifindex && this.#bpf.xdpProgramId(ifindex) !== 0) return;
      const mode = this.#bpf.attachXdp(ifindex, this.#object.program("futago_balancer"));
      this.#attached.set(ifname, { ifindex, mode });
      this.#log.info("balancer-attached", { device: ifname, mode });
    });
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
