/** ICMP echo for checks: one raw socket per family for all of them; replies are matched by address and sequence. */
import { HalError } from "@futago/hal/contract/error.ts";
import type { Clock } from "@futago/hal/contract/machine.ts";
import type { Icmp, IcmpReply, IcmpSocket } from "@futago/hal/contract/network.ts";
import { type Family, family, type IpAddress } from "@futago/hal/units/address.ts";
import { between } from "@futago/hal/units/time.ts";
import type { Outcome } from "../../../health/check.ts";

export class EchoProbe {
  readonly #icmp: Icmp;
  readonly #clock: Clock;
  /** Tells this process's echoes from others'. */
  readonly #id: number;
  readonly #sockets = new Map<Family, IcmpSocket>();
  readonly #waiting = new Map<string, (reply: IcmpReply) => void>();
  #sequence = 0;

  constructor(icmp: Icmp, clock: Clock, id: number) {
    this.#icmp = icmp;
    this.#clock = clock;
    this.#id = id & 0xffff;
  }

  /** Calls back once at most; the returned function ends the attempt silently. */
  start(to: IpAddress, onOutcome: (outcome: Outcome) => void): () => void {
    this.#sequence = (this.#sequence + 1) & 0xffff;
    const sequence = this.#sequence;
    const key = `${to} ${sequence}`;
    const startedAt = this.#clock.now();
    this.#waiting.set(key, ({ at }) => {
      this.#waiting.delete(key);
      onOutcome({ kind: "good", sentence: "answered the echo request", roundTrip: between(startedAt, at) });
    });
    try {
      this.#socket(family(to)).sendEcho(to, this.#id, sequence);
    } catch (error) {
      if (!(error instanceof HalError)) throw error;
      this.#waiting.delete(key);
      const { code, message } = error;
      const unreachable = code === "EHOSTUNREACH" || code === "ENETUNREACH" || code === "ENETDOWN";
      // Later, so that whoever starts an attempt has it in hand before its outcome comes.
      const outcome: Outcome = unreachable
        ? { kind: "failed", sentence: message, silent: true }
        : { kind: "notAsked", sentence: message };
      setImmediate(onOutcome, outcome);
    }
    return () => this.#waiting.delete(key);
  }

  close(): void {
    this.#waiting.clear();
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  #socket(of: Family): IcmpSocket {
    const open = this.#sockets.get(of);
    if (open !== undefined) return open;
    const socket = this.#icmp.open(of, (reply) => {
      if (reply.id === this.#id) this.#waiting.get(`${reply.from} ${reply.sequence}`)?.(reply);
    });
    this.#sockets.set(of, socket);
    return socket;
  }
}
