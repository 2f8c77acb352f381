/** The ports that the balancer's program sits on, and those that take none: somebody else's is there, or the kernel refuses. */
import type { Bpf, BpfProgram, XdpMode } from "@futago/hal/contract/bpf.ts";
import { HalError } from "@futago/hal/contract/error.ts";
import type { Link } from "@futago/hal/contract/network.ts";
import type { Ifindex, Ifname } from "@futago/hal/units/address.ts";
import type { Log } from "../log.ts";

export interface Attached {
  readonly ifindex: Ifindex;
  readonly mode: XdpMode;
  /** Why it is not the native one, in the kernel's words, when it was asked for by this process. */
  readonly notNative: string | undefined;
}

export interface PortsOptions {
  readonly bpf: Bpf;
  readonly log: Log;
  /** Another one when the tables were made anew. */
  readonly program: () => BpfProgram;
  /** Carries out what the machine may refuse, and keeps the refusal for people to see. */
  readonly attempt: (subject: string, action: () => void) => void;
}

export class BalancerPorts {
  readonly #options: PortsOptions;
  readonly #attached = new Map<Ifname, Attached>();
  #blocked = new Map<Ifname, string>();
  #devices: readonly Ifname[] = [];
  #links: readonly Link[] = [];

  constructor(options: PortsOptions) {
    this.#options = options;
  }

  get attached(): ReadonlyMap<Ifname, Attached> {
    return this.#attached;
  }

  /** Why a port takes no program. */
  get blocked(): ReadonlyMap<Ifname, string> {
    return this.#blocked;
  }

  /** Sits on these devices and no others, as far as the box has them. */
  setDevices(devices: readonly Ifname[], links: readonly Link[]): void {
    this.#devices = devices;
    for (const [device, { ifindex }] of this.#attached) {
      const link = links.find((one) => one.ifname === device);
      if (link?.ifindex === ifindex && devices.includes(device)) continue;
      this.#attached.delete(device);
      if (link?.ifindex === ifindex) this.#options.attempt(device, () => this.#options.bpf.detachXdp(ifindex));
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

  #attach({ ifname, ifindex }: Link): void {
    this.#options.attempt(ifname, () => {
      try {
        this.#keepAttached(ifname, ifindex);
      } catch (error) {
        if (!(error instanceof HalError) || error.code === "ENODEV") throw error;
        this.#block(ifname, error.message);
      }
    });
  }

  #keepAttached(ifname: Ifname, ifindex: Ifindex): void {
    const foreign = this.#options.bpf.foreignXdp(ifindex);
    if (foreign !== undefined) {
      this.#block(ifname, `somebody else's XDP program "${foreign.name}" (id ${foreign.id}) is there`);
      return;
    }
    const isPresent = this.#attached.get(ifname)?.ifindex === ifindex;
    const isLost = isPresent && this.#options.bpf.xdpProgramId(ifindex) === 0;
    if (isLost) this.#options.log.warn("balancer-restored", { device: ifname });
    if (!isPresent || isLost) this.#put(ifname, ifindex);
    this.#blocked.delete(ifname);
  }

  #block(ifname: Ifname, reason: string): void {
    this.#attached.delete(ifname);
    if (this.#blocked.get(ifname) === reason) return;
    this.#blocked.set(ifname, reason);
    this.#options.log.warn("balancer-blocked", { device: ifname, reason });
  }

  #put(ifname: Ifname, ifindex: Ifindex): void {
    let notNative: string | undefined;
    const program = this.#options.program();
    const mode = this.#options.bpf.attachXdp(ifindex, program, undefined, (refusal) => {
      notNative = refusal.message;
    });
    this.#attached.set(ifname, { ifindex, mode, notNative });
    this.#options.log.info("balancer-attached", { device: ifname, mode });
  }

  /** What a predecessor left on devices that are no longer ours. */
  #sweep(devices: readonly Ifname[], links: readonly Link[]): void {
    for (const { ifname, ifindex } of links) {
      if (devices.includes(ifname)) continue;
      this.#options.attempt(ifname, () => {
        if (this.#options.bpf.xdpProgramId(ifindex) !== 0) this.#options.bpf.detachXdp(ifindex);
      });
    }
  }

  /** Puts the program of tables made anew where the former is. */
  replace(): void {
    for (const [ifname, { ifindex }] of this.#attached) this.#put(ifname, ifindex);
  }

  remove(): void {
    const { attempt, bpf } = this.#options;
    for (const [device, { ifindex }] of this.#attached) attempt(device, () => bpf.detachXdp(ifindex));
    this.#attached.clear();
  }
}
