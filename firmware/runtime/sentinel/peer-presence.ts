/**
 * By what the other box is known on the links: its link-local addresses, from its heartbeats, and its Ethernet
 * addresses, from the kernel's neighbour table. So that its packets are not taken for a stranger's.
 */
import type { Clock } from "@futago/hal/contract/machine.ts";
import type { Link, Network, NeighbourEntry } from "@futago/hal/contract/network.ts";
import { addressFromBytes, type IpAddress, type Mac } from "@futago/hal/units/address.ts";
import type { PulseSnapshot } from "@futago/hal/units/pulse.ts";
import { between, type Instant, seconds } from "@futago/hal/units/time.ts";
import type { InterfaceOrders } from "../../config/orders.ts";

/** A neighbour that the kernel has not resolved yet is looked for again after this long. */
const LOOK_AGAIN = seconds(1);

export class PeerPresence {
  readonly #network: Network;
  readonly #clock: Clock;
  readonly #links: ReadonlyMap<string, Link>;
  readonly #macs = new Set<Mac>();
  #linkLocals: ReadonlySet<IpAddress> = new Set();
  #key = "";
  #lookedAt: Instant | undefined;
  #complete = false;

  constructor(network: Network, clock: Clock, links: ReadonlyMap<string, Link>) {
    this.#network = network;
    this.#clock = clock;
    this.#links = links;
  }

  get linkLocals(): ReadonlySet<IpAddress> {
    return this.#linkLocals;
  }

  get macs(): ReadonlySet<Mac> {
    return this.#macs;
  }

  /** Looks again when the peer shows itself under another address, and while not every one is resolved. */
  review(snapshot: PulseSnapshot | undefined, interfaces: readonly InterfaceOrders[]): void {
    const seen = (snapshot?.paths ?? []).flatMap(({ ifindex, peerAddress }) => {
      const address = peerAddress.some((byte) => byte !== 0) ? addressFromBytes(peerAddress) : undefined;
      return address === undefined ? [] : [`${ifindex} ${address}`];
    });
    const configured = interfaces.flatMap(({ device, peerAddresses }) => {
      const ifindex = this.#links.get(device)?.ifindex;
      return ifindex === undefined ? [] : peerAddresses.map(({ address }) => `${ifindex} ${address}`);
    });
    const key = [...seen, ...configured].join();
    const now = this.#clock.now();
    if (key === this.#key) {
      const soon = this.#lookedAt !== undefined && between(this.#lookedAt, now) < LOOK_AGAIN;
      if (this.#complete || soon) return;
    } else {
      this.#key = key;
      this.#macs.clear();
      this.#linkLocals = new Set(seen.map((place) => place.slice(place.indexOf(" ") + 1) as IpAddress));
    }
    this.#lookedAt = now;
    this.#complete = seen.length > 0;
    const places = new Set([...seen, ...configured]);
    this.#network.neighbours().then(
      (entries) => this.#learn(key, entries, places, seen),
      () => {
        // The table could not be listed this time; it is again when the wait is over.
        this.#complete = false;
      },
    );
  }

  #learn(key: string, entries: readonly NeighbourEntry[], places: ReadonlySet<string>, seen: readonly string[]): void {
    if (key !== this.#key) return;
    const resolved = new Set<string>();
    for (const { ifindex, address, mac } of entries) {
      const place = `${ifindex} ${address}`;
      if (mac === undefined || !places.has(place)) continue;
      this.#macs.add(mac);
      resolved.add(place);
    }
    this.#complete = seen.length > 0 && seen.every((place) => resolved.has(place));
  }
}
