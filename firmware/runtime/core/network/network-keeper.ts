/**
 * Keeps the kernel's network as the configuration wants it: carries out the difference at start, at each commit, and
 * whenever somebody else changed something. What the kernel refuses is tried again, seldom, and shown meanwhile.
 */
import { HalError } from "@futago/hal/contract/error.ts";
import type { Sysctl } from "@futago/hal/contract/machine.ts";
import type {
  AddressEntry,
  Link,
  NeighbourEntry,
  Network,
  NetworkEvent,
  Subscription,
} from "@futago/hal/contract/network.ts";
import type { Ifname, IpAddress } from "@futago/hal/units/address.ts";
import type { Log } from "../log.ts";
import type { DesiredNetwork } from "./desired.ts";
import { type ActualNetwork, diffNetwork, type NetworkAction } from "./diff.ts";

/** Changes come in bursts; and somebody who fights us must not make a busy loop of us. */
const SETTLE_MILLIS = 20;
const RETRY_MILLIS = 1_000;
/** The kernel says nothing of a switch that somebody turned. */
const LOOK_MILLIS = 2_000;

const NOTHING: DesiredNetwork = {
  devices: [],
  down: [],
  untouched: [],
  addresses: [],
  routes: [],
  neighbours: [],
  sysctls: [],
  virtualAddresses: new Set(),
};

export interface NetworkTrouble {
  readonly action: string;
  readonly sentence: string;
}

export class NetworkKeeper {
  readonly #network: Network;
  readonly #sysctl: Sysctl;
  readonly #log: Log;
  readonly #subscription: Subscription;
  readonly #onChange: () => void;
  #desired: DesiredNetwork | undefined;
  #previous: DesiredNetwork | undefined;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #missing: readonly Ifname[] = [];
  #troubles: readonly NetworkTrouble[] = [];
  #sysctlTroubles: readonly NetworkTrouble[] = [];
  #actual: ActualNetwork | undefined;
  readonly #look: NodeJS.Timeout;
  #closed = false;

  /** `onChange` is called after each reconciliation that did something, and when a link came or went. */
  constructor(network: Network, sysctl: Sysctl, log: Log, onChange: () => void) {
    this.#network = network;
    this.#sysctl = sysctl;
    this.#log = log;
    this.#onChange = onChange;
    this.#subscription = network.subscribe((event) => this.#onEvent(event));
    this.#look = setInterval(() => this.#lookAtSysctls(), LOOK_MILLIS);
    // A box without a configuration has ports all the same, and whoever configures it wants to see them.
    this.#schedule(SETTLE_MILLIS);
  }

  /** The links as they were at the newest look. */
  get links(): readonly Link[] {
    return this.#actual?.links ?? [];
  }

  /** As they were at the newest look. */
  get addresses(): readonly AddressEntry[] {
    return this.#actual?.addresses ?? [];
  }

  /** Those that the sentinel adds and removes. */
  get virtualAddresses(): ReadonlySet<IpAddress> {
    return this.#desired?.virtualAddresses ?? new Set();
  }

  /** All addresses of the box at the newest look, without virtual ones. */
  get ownAddresses(): readonly IpAddress[] {
    const virtual = this.virtualAddresses;
    return this.addresses.map((entry) => entry.address).filter((address) => !virtual.has(address));
  }

  /** Those of them by which other hosts reach the box, wherever they are. */
  get reachableAddresses(): readonly IpAddress[] {
    const global = this.addresses.filter(({ scope }) => scope === "global").map(({ address }) => address);
    return global.filter((address) => !this.virtualAddresses.has(address));
  }

  get missingDevices(): readonly Ifname[] {
    return this.#missing;
  }

  /** What the kernel refused the last time it was asked. */
  get troubles(): readonly NetworkTrouble[] {
    return [...this.#sysctlTroubles, ...this.#troubles];
  }

  /** The kernel's neighbours now, with the names of their devices. */
  async neighbours(): Promise<readonly (NeighbourEntry & { readonly device: string })[]> {
    const names = new Map(this.links.map((link) => [link.ifindex, link.ifname]));
    const entries = await this.#network.neighbours();
    return entries.map((entry) => ({ ...entry, device: names.get(entry.ifindex) ?? String(entry.ifindex) }));
  }

  /** Resolves when the kernel's network is as wanted, or as near as the kernel let it. */
  apply(desired: DesiredNetwork): Promise<void> {
    this.#previous = this.#desired;
    this.#desired = desired;
    return this.#reconcile("commit");
  }

  /** Takes away what was applied: the box has no addresses, and its links stay as they are. */
  clear(): Promise<void> {
    return this.apply(NOTHING);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#look);
    this.#subscription.close();
    await this.#running;
  }

  #onEvent(event: NetworkEvent): void {
    switch (event.kind) {
      case "neighbour":
        return;
      case "link":
      case "linkGone":
      case "address":
      case "addressGone":
      case "route":
      case "routeGone":
      case "neighbourGone":
      case "overrun":
        this.#schedule(SETTLE_MILLIS);
    }
  }

  #schedule(millis: number): void {
    if (this.#timer !== undefined || this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#reconcile("event").catch((error: unknown) => {
        this.#log.warn("network-unreadable", { error: String(error) });
        this.#schedule(RETRY_MILLIS);
      });
    }, millis);
  }

  /** One at a time: two would both add what each finds missing. */
  #reconcile(cause: "commit" | "event"): Promise<void> {
    const next = this.#running.then(() => this.#reconcileNow(cause));
    this.#running = next.catch(() => undefined);
    return next;
  }

  async #reconcileNow(cause: "commit" | "event"): Promise<void> {
    const desired = this.#desired;
    if (this.#closed) return;
    this.#actual = await this.#list();
    if (desired === undefined) return this.#onChange();
    const diff = diffNetwork(desired, this.#actual, this.#previous);
    const troubles: NetworkTrouble[] = [];
    if (cause === "commit" || diff.missingDevices.join() !== this.#missing.join()) {
      this.#writeSysctls(desired, diff.missingDevices, cause);
    }
    this.#missing = diff.missingDevices;
    for (const action of diff.actions) {
      const trouble = await this.#execute(action);
      if (trouble !== undefined) troubles.push(trouble);
      else this.#log.info(`network-${action.kind}`, { cause, ...describe(action) });
    }
    this.#report("network", troubles);
    if (troubles.length > 0) this.#schedule(RETRY_MILLIS);
    // What was taken away once is not looked for again.
    if (troubles.length === 0) this.#previous = undefined;
    if (diff.actions.length > 0) this.#actual = await this.#list();
    this.#onChange();
  }

  async #list(): Promise<ActualNetwork> {
    const [links, addresses, routes, neighbours] = await Promise.all([
      this.#network.links(),
      this.#network.addresses(),
      this.#network.routes(),
      this.#network.neighbours(),
    ]);
    return { links, addresses, routes, neighbours };
  }

  async #execute(action: NetworkAction): Promise<NetworkTrouble | undefined> {
    try {
      await this.#carryOut(action);
      return undefined;
    } catch (error) {
      if (!(error instanceof HalError)) throw error;
      const words = Object.values(describe(action)).join(" ");
      return { action: `${action.kind} ${words}`, sentence: `${action.kind} ${words}: ${error.message}` };
    }
  }

  async #carryOut(action: NetworkAction): Promise<void> {
    switch (action.kind) {
      case "setLinkUp":
        return this.#network.setLinkUp(action.ifindex, true);
      case "setLinkDown":
        return this.#network.setLinkUp(action.ifindex, false);
      case "addAddress":
        return this.#network.addAddress(action.ifindex, action.address, { skipDuplicateDetection: true });
      case "deleteAddress":
        return this.#network.deleteAddress(action.ifindex, action.address);
      case "replaceRoute":
        return this.#network.replaceRoute(action.route);
      case "deleteRoute":
        return this.#network.deleteRoute(action.route);
      case "addNeighbour":
        return this.#network.addManagedNeighbour(action.ifindex, action.address);
      case "deleteNeighbour":
        return this.#network.deleteNeighbour(action.ifindex, action.address);
    }
  }

  #lookAtSysctls(): void {
    if (this.#desired === undefined) return;
    const before = this.troubles.length;
    this.#writeSysctls(this.#desired, this.#missing, "look");
    if (this.troubles.length !== before) this.#onChange();
  }

  #writeSysctls(desired: DesiredNetwork, missing: readonly Ifname[], cause: "commit" | "event" | "look"): void {
    const absent = new Set(missing.map((device) => device.replaceAll(".", "/")));
    const troubles = desired.sysctls.flatMap(({ name, value, atLeast = false }) => {
      // "net.ipv4.conf.DEVICE.switch": the switches of a missing device are missing with it.
      if (absent.has(name.split(".")[3] ?? "")) return [];
      try {
        const found = this.#sysctl.read(name).trim();
        if (atLeast ? Number(found) >= Number(value) : found === value) return [];
        this.#sysctl.write(name, value);
        if (cause === "look") this.#log.warn("sysctl-restored", { name, found, value });
        return [];
      } catch (error) {
        if (!(error instanceof HalError)) throw error;
        if (atLeast && error.code === "ENOENT") return [];
        return [{ action: `sysctl ${name}`, sentence: error.message }];
      }
    });
    this.#report("sysctls", troubles);
  }

  /** Logged when it is new, not at each retry. */
  #report(about: "sysctls" | "network", troubles: readonly NetworkTrouble[]): void {
    const known = new Set(this.troubles.map((trouble) => trouble.sentence));
    for (const trouble of troubles) {
      if (!known.has(trouble.sentence)) this.#log.warn("network-refused", { ...trouble });
    }
    if (about === "sysctls") this.#sysctlTroubles = troubles;
    else this.#troubles = troubles;
  }
}

function describe(action: NetworkAction): Readonly<Record<string, string>> {
  switch (action.kind) {
    case "setLinkUp":
    case "setLinkDown":
      return { device: action.device };
    case "addAddress":
    case "deleteAddress":
      return { device: action.device, address: `${action.address.address}/${action.address.prefixLength}` };
    case "addNeighbour":
    case "deleteNeighbour":
      return { device: action.device, address: action.address };
    case "replaceRoute":
    case "deleteRoute": {
      const { destination, via } = action.route;
      const to = destination === undefined ? "default" : `${destination.address}/${destination.prefixLength}`;
      return { to, via: via ?? "-" };
    }
  }
}
