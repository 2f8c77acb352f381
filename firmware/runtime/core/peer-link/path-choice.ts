/**
 * Over which path box b dials: over each in turn where the peer is heard, the best first. After trouble the link stands
 * where it was made anew; it goes back once another path has been the best for a while.
 */

/** Where the peer's core is dialled: its link-local address, and this box's device on that cable. */
export interface PeerAddress {
  readonly address: string;
  readonly device: string;
}

/** A cable that is plugged in may be pulled again. */
const BETTER_MILLIS = 10_000;

export interface PathChoiceOptions {
  /** Where the two were paired: dialled while no heartbeat is heard. */
  readonly met: PeerAddress | undefined;
  /** Another path is the best one than that of the link. Said again and again until the link stands there. */
  readonly onBetter: (best: PeerAddress) => void;
}

export class PathChoice {
  readonly #options: PathChoiceOptions;
  #heard: readonly PeerAddress[] = [];
  #next = 0;
  #current: PeerAddress | undefined;
  #waiting: NodeJS.Timeout | undefined;

  constructor(options: PathChoiceOptions) {
    this.#options = options;
  }

  /** Best first. */
  setHeard(addresses: readonly PeerAddress[]): void {
    this.#heard = addresses;
    this.#weigh();
  }

  /** The one to dial now; undefined where there is none. */
  next(): PeerAddress | undefined {
    const { met } = this.#options;
    const all = this.#heard.length > 0 || met === undefined ? this.#heard : [met];
    return all[this.#next++ % Math.max(all.length, 1)];
  }

  /** Over which one the link stands; undefined while it is down. */
  setCurrent(address: PeerAddress | undefined): void {
    this.#current = address;
    if (address !== undefined) this.#next = 0;
    this.#weigh();
  }

  close(): void {
    clearInterval(this.#waiting);
  }

  #weigh(): void {
    const [best] = this.#heard;
    const current = this.#current;
    const isBest = best?.address === current?.address && best?.device === current?.device;
    if (best !== undefined && current !== undefined && !isBest) {
      this.#waiting ??= setInterval(() => this.#tell(), BETTER_MILLIS);
      return;
    }
    clearInterval(this.#waiting);
    this.#waiting = undefined;
  }

  #tell(): void {
    const [best] = this.#heard;
    if (best !== undefined) this.#options.onBetter(best);
  }
}
