/**
 * Hears of routes, neighbours and links that change, and says so at once: next hops that the balancer remembers are
 * old then. Bursts are said once more at their end.
 */
import type { Network, NetworkEvent, Subscription } from "@futago/hal/contract/network.ts";

/** While changes go on, each processor looks its hops up anew as often as that and no more. */
const BURST_MILLIS = 20;
/** Neighbours whose Ethernet addresses are remembered. */
const NEIGHBOURS_MAX = 65_536;

export class HopWatch {
  readonly #subscription: Subscription;
  readonly #onChange: () => void;
  /** By link and address: a neighbour that is only looked for again, with the same answer, changes no hop. */
  readonly #neighbours = new Map<string, string>();
  #burst: NodeJS.Timeout | undefined;
  #again = false;

  constructor(network: Pick<Network, "subscribe">, onChange: () => void) {
    this.#onChange = onChange;
    this.#subscription = network.subscribe((event) => {
      if (this.#matters(event)) this.#changed();
    });
  }

  close(): void {
    clearTimeout(this.#burst);
    this.#subscription.close();
  }

  #matters(event: NetworkEvent): boolean {
    switch (event.kind) {
      case "neighbour": {
        const { ifindex, address, mac } = event.entry;
        const key = `${ifindex} ${address}`;
        const known = this.#neighbours.get(key);
        if (this.#neighbours.size >= NEIGHBOURS_MAX) this.#neighbours.clear();
        if (mac !== undefined) this.#neighbours.set(key, mac);
        return known !== mac;
      }
      case "link":
      case "linkGone":
      case "address":
      case "addressGone":
      case "route":
      case "routeGone":
      case "neighbourGone":
      case "overrun":
        return true;
    }
  }

  #changed(): void {
    if (this.#burst !== undefined) {
      this.#again = true;
      return;
    }
    this.#onChange();
    this.#burst = setTimeout(() => {
      this.#burst = undefined;
      if (!this.#again) return;
      this.#again = false;
      this.#changed();
    }, BURST_MILLIS);
  }
}
