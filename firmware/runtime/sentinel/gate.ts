/** The gate in the kernel: which address belongs to which group, on which devices it stands, and the leases' memory. */
import type { Bpf, BpfObject, BpfProgram } from "@futago/hal/contract/bpf.ts";
import { HalError } from "@futago/hal/contract/error.ts";
import type { Ifindex, IpAddress } from "@futago/hal/units/address.ts";
import { type GateTables, gateTables, type StaleEntry } from "@futago/hal/xdp/tables.ts";

export type { StaleEntry };

export const GATE_GROUPS_MAX = 16;

/** The gate was missing on a device: it stands again, or the kernel refuses that. */
export interface GateFound {
  readonly ifindex: Ifindex;
  readonly refusal: string | undefined;
}

export class Gate {
  readonly pin: string;
  readonly #bpf: Bpf;
  readonly #object: BpfObject;
  readonly #tables: GateTables;
  readonly #attached = new Set<Ifindex>();
  /** Why the programs could not be put back, as it was told last. */
  readonly #refused = new Map<Ifindex, string>();

  constructor(bpf: Bpf, pinDirectory: string) {
    this.#bpf = bpf;
    this.#object = bpf.load("gate", pinDirectory);
    this.#tables = gateTables(this.#object);
    this.pin = `${pinDirectory}/futago_groups`;
  }

  /** 16 elements of {u64 lease until, in nanoseconds of CLOCK_BOOTTIME; u32 bits; u32 reserved}. */
  get memory(): Uint8Array {
    return this.#object.map("futago_groups").memory();
  }

  /** Shuts every group at once. */
  shutAll(): void {
    this.memory.fill(0);
  }

  /** Makes the gate know exactly these addresses. */
  setAddresses(wanted: readonly { readonly address: IpAddress; readonly slot: number }[]): void {
    this.#tables.setVips(new Map(wanted.map(({ address, slot }) => [address, slot])));
  }

  /** Hosts that sent to this box what is a closed VIP's, since this was asked last. */
  takeStale(): readonly StaleEntry[] {
    return this.#tables.takeStale();
  }

  /** Stands on exactly these devices. */
  setDevices(wanted: readonly Ifindex[]): void {
    for (const ifindex of wanted) {
      if (this.#attached.has(ifindex)) continue;
      if (this.#stand(ifindex)) this.#attached.add(ifindex);
    }
    for (const ifindex of [...this.#attached].filter((each) => !wanted.includes(each))) this.#leave(ifindex);
  }

  /** Puts back what somebody took away: the kernel says nothing of it. Returns what is new about it. */
  restore(): readonly GateFound[] {
    return [...this.#attached].flatMap((ifindex) => this.#restoreAt(ifindex) ?? []);
  }

  #restoreAt(ifindex: Ifindex): GateFound | undefined {
    try {
      if (this.#bpf.standsTc(ifindex, ...this.#programs())) {
        this.#refused.delete(ifindex);
        return undefined;
      }
      if (!this.#stand(ifindex)) return undefined;
      this.#refused.delete(ifindex);
      return { ifindex, refusal: undefined };
    } catch (error) {
      // Somebody else's filter has our place. The VIPs' addresses come and go all the same, and the next look tries again.
      if (!(error instanceof HalError)) throw error;
      if (this.#refused.get(ifindex) === error.message) return undefined;
      this.#refused.set(ifindex, error.message);
      return { ifindex, refusal: error.message };
    }
  }

  #programs(): readonly [BpfProgram, BpfProgram] {
    return [this.#object.program("futago_ingress"), this.#object.program("futago_egress")];
  }

  #stand(ifindex: Ifindex): boolean {
    try {
      this.#bpf.attachTc(ifindex, ...this.#programs());
      return true;
    } catch (error) {
      // It went away since it was listed; that is told next.
      if (error instanceof HalError && error.code === "ENODEV") return false;
      throw error;
    }
  }

  /** The device went away and took the programs with it. */
  forgetDevice(ifindex: Ifindex): void {
    this.#attached.delete(ifindex);
  }

  #leave(ifindex: Ifindex): void {
    this.#attached.delete(ifindex);
    this.#bpf.detachTc(ifindex);
  }

  close(): void {
    this.shutAll();
    for (const ifindex of this.#attached) this.#leave(ifindex);
    this.#object.close();
  }
}
