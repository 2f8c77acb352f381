/**
 * Brings the VIPs of groups that this box holds to new orders, and back to a link that lost them: pulse adds and
 * removes addresses only when a group changes hands. Decides nothing about roles.
 */
import type { AddressOptions, Link, Network } from "@futago/hal/contract/network.ts";
import { formatInterfaceAddress, type Ifname, type InterfaceAddress } from "@futago/hal/units/address.ts";
import { between, type Instant, seconds } from "@futago/hal/units/time.ts";
import type { Clock } from "@futago/hal/contract/machine.ts";
import type { GroupOrders, Orders } from "../../config/orders.ts";
import { vipOn } from "./plans.ts";

/** pulse may have let go while an address of ours was on its way to the kernel; its report comes much sooner than this. */
const REPORT_LATE = seconds(1);

interface Vip {
  readonly device: Ifname;
  /** As it stands on the device. */
  readonly value: InterfaceAddress;
  readonly options: AddressOptions;
}

export interface VipKeeperContext {
  readonly network: Network;
  readonly clock: Clock;
  readonly links: ReadonlyMap<string, Link>;
  /** As the newest report of pulse has it. */
  readonly holds: (group: string) => boolean;
  /** The group's VIPs are where the orders want them; neighbours should be told. */
  readonly onKept: (group: GroupOrders) => void;
}

export class VipKeeper {
  readonly #context: VipKeeperContext;
  #orders: Orders;
  /** What stood in earlier orders and is no VIP now. */
  #gone: readonly Vip[] = [];
  /** Where each group's VIPs belong, as it was brought about last: a change of it is work. */
  readonly #shapes = new Map<string, string>();
  readonly #addedAt = new Map<string, Instant>();
  readonly #stale = new Set<string>();
  #again = false;
  #work: Promise<void> | undefined;

  constructor(context: VipKeeperContext, orders: Orders) {
    this.#context = context;
    this.#orders = orders;
    for (const group of orders.groups) this.#shapes.set(group.name, this.#shape(group));
  }

  setOrders(orders: Orders): void {
    const wanted = new Set(vipsOf(orders).map(keyOf));
    const own = orders.interfaces.flatMap(({ device, addresses }) => addresses.map((value) => ({ device, value })));
    for (const each of own) wanted.add(keyOf(each));
    this.#gone = [...this.#gone, ...vipsOf(this.#orders)].filter((vip) => !wanted.has(keyOf(vip)));
    this.#orders = orders;
    this.#begin();
  }

  linksChanged(): void {
    this.#begin();
  }

  /** pulse says that a group came or went. */
  changedHands(group: string): void {
    const addedAt = this.#addedAt.get(group);
    if (addedAt === undefined || between(addedAt, this.#context.clock.now()) > REPORT_LATE) return;
    this.#stale.add(group);
    this.#begin();
  }

  /** This box begins without the group: what a sentinel that was killed left there goes. */
  begunWithout(group: string): void {
    this.#stale.add(group);
    this.#begin();
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#work;
  }

  #begin(): void {
    this.#again = true;
    this.#work ??= this.#run().finally(() => {
      this.#work = undefined;
    });
  }

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      const gone = this.#gone;
      this.#gone = [];
      await this.#remove(gone);
      for (const group of this.#orders.groups) await this.#bring(group);
    }
  }

  async #bring(group: GroupOrders): Promise<void> {
    const shape = this.#shape(group);
    const { name } = group;
    const stale = this.#stale.delete(name);
    if (!this.#context.holds(name)) {
      // The plan of the next take-over has the new shape.
      this.#shapes.set(name, shape);
      if (!stale) return;
      await this.#remove(this.#vipsOf(group));
      // It came back while its addresses were being removed.
      if (this.#context.holds(name)) this.#shapes.delete(name);
      this.#again ||= this.#context.holds(name);
      return;
    }
    if (!stale && this.#shapes.get(name) === shape) return;
    this.#shapes.set(name, shape);
    await this.#add(group);
    this.#addedAt.set(name, this.#context.clock.now());
    if (this.#context.holds(name)) this.#context.onKept(group);
    else {
      this.#stale.add(name);
      this.#again = true;
    }
  }

  async #add(group: GroupOrders): Promise<void> {
    const { network, links } = this.#context;
    const additions = this.#vipsOf(group).flatMap(({ device, value, options }) => {
      const link = links.get(device);
      return link === undefined ? [] : [network.addAddress(link.ifindex, value, options)];
    });
    // A link that is gone or refuses is looked at again when it changes; its carrier speaks in the box's fitness.
    await Promise.allSettled(additions);
  }

  async #remove(vips: readonly Vip[]): Promise<void> {
    const { network, links } = this.#context;
    const removals = vips.flatMap(({ device, value }) => {
      const link = links.get(device);
      return link === undefined ? [] : [network.deleteAddress(link.ifindex, value)];
    });
    // A link that vanished meanwhile took its addresses along.
    await Promise.allSettled(removals);
  }

  #vipsOf(group: GroupOrders): readonly Vip[] {
    return vipsOf({ ...this.#orders, groups: [group] });
  }

  #shape(group: GroupOrders): string {
    const places = this.#vipsOf(group).map((vip) => {
      const link = this.#context.links.get(vip.device);
      return `${keyOf(vip)} ${link?.ifindex} ${link?.up}`;
    });
    return JSON.stringify([group, places]);
  }
}

function vipsOf({ groups, interfaces }: Pick<Orders, "groups" | "interfaces">): readonly Vip[] {
  return groups.flatMap((group) =>
    group.virtualRouters.flatMap(({ device, addresses }) =>
      addresses.map((vip) => ({ device, ...vipOn(interfaces, device, vip) })),
    ),
  );
}

function keyOf({ device, value }: Pick<Vip, "device" | "value">): string {
  return `${device} ${formatInterfaceAddress(value)}`;
}
