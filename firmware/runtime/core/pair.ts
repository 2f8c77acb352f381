/** What this core knows of the other one: the link, the peer's revision, and the newest it told of each pool. */
import type { TLSSocket } from "node:tls";
import type { Drain } from "./peer-link/drain.ts";
import { linkKey } from "./peer-link/link-key.ts";
import { PEER_PROTOCOL_VERSION, type PeerHealth, type PeerPool, STALE_HOSTS_MAX } from "./peer-link/message.ts";
import { PeerLink } from "./peer-link/peer-link.ts";
import type { Box, PeerStatus, StaleSighting } from "../messages.ts";

export interface PairOptions {
  readonly box: Box;
  readonly port: number;
  readonly pairKey: Uint8Array;
  readonly revision: () => string;
  /** The peer told something, or the link came or went. */
  readonly onChange: () => void;
  /** Hosts that send to the peer what is for a VIP of this box. */
  readonly onStale: (hosts: readonly StaleSighting[]) => void;
  /** What the peer knows of backends that drain. */
  readonly onDrains: (drains: readonly Drain[]) => void;
  /** A connection for flows stands. */
  readonly onFlows: (socket: TLSSocket) => void;
  readonly count: (name: string) => void;
}

export class Pair {
  readonly port: number;
  readonly #link: PeerLink;
  readonly #told = new Map<string, PeerPool>();
  #revision: string | undefined;
  #lastPicture = "";
  #lastDrains = "[]";

  constructor(options: PairOptions) {
    this.port = options.port;
    const { box, port, revision, onChange, onStale, onDrains, onFlows, count } = options;
    this.#link = new PeerLink({
      box,
      port,
      key: linkKey(options.pairKey),
      hello: () => ({ kind: "hello", version: PEER_PROTOCOL_VERSION, box, revision: revision() }),
      onHello: (hello) => {
        this.#revision = hello.revision;
        onChange();
      },
      onHealth: (health) => {
        this.#take(health);
        onChange();
      },
      onStale: ({ hosts }) => onStale(hosts),
      onDrains: ({ drains }) => onDrains(drains),
      onUp: () => {
        this.#lastPicture = "";
        this.#lastDrains = "[]";
        onChange();
      },
      onDown: onChange,
      onFlows,
      count,
    });
  }

  /** By the pool's name, from when the peer held a group that uses it. */
  get told(): ReadonlyMap<string, PeerPool> {
    return this.#told;
  }

  /** 64 hex digits; undefined until the peer said hello. */
  get revision(): string | undefined {
    return this.#revision;
  }

  get up(): boolean {
    return this.#link.up;
  }

  setAddresses(addresses: PeerStatus["addresses"]): void {
    this.#link.setAddresses(addresses);
  }

  /** After a commit. */
  sayRevision(): void {
    this.#link.sendHello();
  }

  /** Sends the picture when it is another than the peer was told over this connection. */
  tell(revision: string, pools: readonly PeerPool[]): void {
    const picture = JSON.stringify(pools);
    if (!this.#link.up || picture === this.#lastPicture) return;
    this.#lastPicture = picture;
    this.#link.sendHealth({ kind: "health", revision, pools });
  }

  /** Sends the orders to drain when they are others than the peer was told over this connection. */
  tellDrains(drains: readonly Drain[]): void {
    const picture = JSON.stringify(drains);
    if (!this.#link.up || picture === this.#lastDrains) return;
    this.#lastDrains = picture;
    this.#link.sendDrains({ kind: "drains", drains });
  }

  /** Beyond what one message holds, the others are seen again. */
  tellStale(hosts: readonly StaleSighting[]): void {
    this.#link.sendStale({ kind: "stale", hosts: hosts.slice(0, STALE_HOSTS_MAX) });
  }

  close(): void {
    this.#link.close();
  }

  #take(health: PeerHealth): void {
    for (const pool of health.pools) this.#told.set(pool.name, pool);
  }
}
