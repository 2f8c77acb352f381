/** Asks the witnesses whether this box still sees the world: once a second, and at every beat while the peer is silent. */
import type { Clock } from "@futago/hal/contract/machine.ts";
import type { Icmp, IcmpSocket } from "@futago/hal/contract/network.ts";
import { family, type Family, type IpAddress } from "@futago/hal/units/address.ts";
import type { Instant } from "@futago/hal/units/time.ts";

const IDLE_MILLIS = 1_000;
const SENT_KEPT = 64;

export class Witnesses {
  readonly #icmp: Icmp;
  readonly #clock: Clock;
  readonly #onSeen: (sentAt: Instant) => void;
  readonly #id = process.pid & 0xffff;
  readonly #sent = new Map<number, Instant>();
  readonly #sockets = new Map<Family, IcmpSocket>();
  #addresses: readonly IpAddress[] = [];
  #sequence = 0;
  #timer: NodeJS.Timeout | undefined;
  #everyMillis = IDLE_MILLIS;

  constructor(icmp: Icmp, clock: Clock, onSeen: (sentAt: Instant) => void) {
    this.#icmp = icmp;
    this.#clock = clock;
    this.#onSeen = onSeen;
  }

  configure(addresses: readonly IpAddress[]): void {
    if (addresses.join() === this.#addresses.join()) return;
    this.#addresses = addresses;
    for (const each of new Set(addresses.map(family))) {
      if (!this.#sockets.has(each))
        this.#sockets.set(
          each,
          this.#icmp.open(each, (reply) => this.#onReply(reply.id, reply.sequence)),
        );
    }
    this.#schedule();
  }

  /** Undefined: the peer is heard and asking once a second will do. */
  hurry(everyMillis: number | undefined): void {
    const next = everyMillis ?? IDLE_MILLIS;
    if (next === this.#everyMillis) return;
    this.#everyMillis = next;
    if (everyMillis !== undefined) this.ask();
    this.#schedule();
  }

  ask(): void {
    const now = this.#clock.now();
    for (const address of this.#addresses) {
      this.#sequence = (this.#sequence + 1) & 0xffff;
      this.#sent.set(this.#sequence, now);
      try {
        this.#sockets.get(family(address))?.sendEcho(address, this.#id, this.#sequence);
      } catch {
        // No route, or the link is down: a witness that cannot be asked does not answer, and that is the finding.
        this.#sent.delete(this.#sequence);
      }
    }
    for (const old of [...this.#sent.keys()].slice(0, -SENT_KEPT)) this.#sent.delete(old);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  #schedule(): void {
    clearInterval(this.#timer);
    if (this.#addresses.length > 0) this.#timer = setInterval(() => this.ask(), this.#everyMillis);
  }

  #onReply(id: number, sequence: number): void {
    const sentAt = this.#sent.get(sequence);
    if (id !== this.#id || sentAt === undefined) return;
    this.#sent.delete(sequence);
    this.#onSeen(sentAt);
  }
}
