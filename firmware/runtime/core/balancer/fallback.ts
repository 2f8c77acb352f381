/**
 * Gives the services that XDP cannot serve to nftables, and says so: by the ports that take no program, as the
 * balancer's keeper finds them.
 */
import type { Nftables } from "@futago/hal/contract/nftables.ts";
import type { Ifname, IpAddress } from "@futago/hal/units/address.ts";
import type { BalancedService } from "../../../balancer/service.ts";
import type { ResolvedService } from "../../../config/resolved.ts";
import type { ServiceAttachment } from "../../control.ts";
import type { Log } from "../log.ts";
import { balancedDevices, type ServiceDevices } from "./balanced-services.ts";
import type { Attached } from "./balancer-ports.ts";
import { NftKeeper } from "./nft-keeper.ts";
import { blockedPorts, placeServices } from "./placement.ts";

export interface FallbackOptions {
  readonly nftables: Nftables;
  readonly seed: string;
  readonly log: Log;
  readonly onChange: () => void;
  /** What the balancer's programs sit on, and what takes none. */
  readonly ports: {
    readonly attached: ReadonlyMap<Ifname, Attached>;
    readonly blocked: ReadonlyMap<Ifname, string>;
  };
}

const MEND =
  "Take a program of somebody else away (`ip link set dev DEVICE xdp off`), or use a port whose driver takes XDP; what is served changes by itself then, and the connections begin anew.";

export class Fallback {
  readonly #ports: FallbackOptions["ports"];
  readonly #keeper: NftKeeper;
  #devices: ReadonlyMap<string, ServiceDevices> = new Map();
  #own: ReadonlySet<IpAddress> = new Set();
  /** Undefined before the first {@link share}: what a predecessor's rules serve is not known to be over. */
  #served: readonly BalancedService[] | undefined;
  #services: readonly BalancedService[] = [];

  constructor(options: FallbackOptions) {
    this.#ports = options.ports;
    this.#keeper = new NftKeeper(options);
  }

  /** By the service's name. Takes effect with the next {@link share}. */
  setDevices(devices: ReadonlyMap<string, ServiceDevices>): void {
    this.#devices = devices;
  }

  /** All devices that services need. */
  get devices(): readonly Ifname[] {
    return balancedDevices(this.#devices);
  }

  setOwn(own: readonly IpAddress[]): void {
    if (own.length === this.#own.size && own.every((address) => this.#own.has(address))) return;
    this.#own = new Set(own);
    if (this.#served !== undefined) this.#keeper.setServices(this.#served, this.#own);
  }

  /** Has nftables serve what XDP cannot, and returns the rest. */
  share(services: readonly BalancedService[]): readonly BalancedService[] {
    const { xdp, nftables } = placeServices(services, this.#devices, this.#ports.blocked);
    this.#services = services;
    this.#served = nftables;
    this.#keeper.setServices(nftables, this.#own);
    return xdp;
  }

  attachmentOf(service: ResolvedService): ServiceAttachment {
    const devices = this.#devices.get(service.name);
    const blocked = blockedPorts(service, devices, this.#ports.blocked);
    if (blocked.length > 0) {
      const reason = blocked.map((device) => `${device}: ${this.#ports.blocked.get(device) ?? ""}`).join("; ");
      return { attach: this.#keeper.serves(service) ? "nftables" : "none", attachReason: reason };
    }
    const front = devices?.front === undefined ? undefined : this.#ports.attached.get(devices.front);
    if (front === undefined) return { attach: "none", attachReason: `${devices?.front ?? "its port"} is not there` };
    const used = service.mode === "direct" ? [] : (devices?.back ?? []);
    const generic = [...new Set([devices?.front, ...used])].flatMap((device) => {
      const one = device === undefined ? undefined : this.#ports.attached.get(device);
      if (one?.mode !== "generic") return [];
      return [`${device}: ${one.notNative ?? "its driver takes no native XDP program"}`];
    });
    if (generic.length === 0) return { attach: "native", attachReason: null };
    return { attach: "generic", attachReason: generic.join("; ") };
  }

  /** Connections of a service that nftables serves; undefined: XDP does. */
  establishedOf({ name, protocol }: Pick<ResolvedService, "name" | "protocol">): number | undefined {
    if (this.#served?.some((one) => one.name === name) !== true) return undefined;
    let sum = 0;
    for (const { service, open } of this.#keeper.open()) {
      if (service.name === name && protocol === "tcp") sum += open;
    }
    return sum;
  }

  /** Open connections by the backend's address and port, those of nftables added to `counts`. */
  addFlows(counts: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
    const all = new Map(counts);
    for (const { place, open } of this.#keeper.open()) all.set(place, (all.get(place) ?? 0) + open);
    return all;
  }

  count(): Promise<void> {
    return this.#keeper.count();
  }

  /** By the device, and by the service that cannot be served at all. */
  get alarms(): ReadonlyMap<string, string> {
    const alarms = new Map<string, string>();
    for (const [device, reason] of this.#ports.blocked) {
      const needing = this.#services.filter((one) => {
        return blockedPorts(one, this.#devices.get(one.name), new Map([[device, reason]])).length > 0;
      });
      if (needing.length > 0) alarms.set(device, this.#sentence(device, reason, needing));
    }
    return alarms;
  }

  #sentence(device: Ifname, reason: string, needing: readonly BalancedService[]): string {
    const able = needing.filter(({ mode }) => mode !== "direct");
    const unable = names(needing.filter(({ mode }) => mode === "direct"));
    const parts = [`XDP cannot be attached to ${device}: ${reason.replace(/\.$/, "")}.`];
    if (able.length > 0) {
      const serve = able.every((one) => this.#keeper.serves(one)) ? "serve" : "are to serve";
      parts.push(
        `Rules of nftables ${serve} ${names(able).join(", ")} instead: slower, and the other box is not told of the connections, so that a fail-over ends some of them.`,
      );
    }
    if (unable.length > 0) {
      parts.push(`${unable.join(", ")} in mode direct cannot be served so, and is not served at all.`);
    }
    return [...parts, MEND.replace("DEVICE", device)].join(" ");
  }

  get troubles(): ReadonlyMap<string, string> {
    const { trouble } = this.#keeper;
    return new Map(trouble === undefined ? [] : [["nftables", trouble]]);
  }

  remove(): Promise<void> {
    return this.#keeper.remove();
  }
}

function names(services: readonly BalancedService[]): readonly string[] {
  return [...new Set(services.map(({ name }) => name))];
}
