/** Echo requests to one address, each with the first thing that is heard of it. */
import { HalError } from "@futago/hal/contract/error.ts";
import type { Clock } from "@futago/hal/contract/machine.ts";
import type { Icmp, IcmpErrorReason, IcmpSocket } from "@futago/hal/contract/network.ts";
import { family, type IpAddress } from "@futago/hal/units/address.ts";
import { between, type Instant } from "@futago/hal/units/time.ts";

export const ANSWER_MILLIS_MAX = 1_000;

export type Heard =
  | { readonly kind: "answer"; readonly rttMicros: number }
  /** `from` is undefined where this box itself has no way, or may not. */
  | {
      readonly kind: "error";
      readonly from: IpAddress | undefined;
      readonly reason: IcmpErrorReason;
      readonly rttMicros: number | undefined;
    }
  | { readonly kind: "silence" };

export interface EchoMachine {
  readonly icmp: Icmp;
  readonly clock: Clock;
}

const REASONS: Readonly<Record<string, IcmpErrorReason>> = {
  ENETUNREACH: "no-route",
  ENETDOWN: "no-route",
  EHOSTUNREACH: "host-unreachable",
  EACCES: "prohibited",
  EPERM: "prohibited",
};

interface Waiting {
  readonly sentAt: Instant;
  readonly late: NodeJS.Timeout;
  readonly resolve: (heard: Heard) => void;
}

export class Echoes {
  readonly #machine: EchoMachine;
  readonly #to: IpAddress;
  readonly #id: number;
  readonly #socket: IcmpSocket;
  readonly #waiting = new Map<number, Waiting>();
  #sequence = 0;

  /** `id` tells its requests from those of others. Throws HalError. */
  constructor(machine: EchoMachine, to: IpAddress, id: number) {
    this.#machine = machine;
    this.#to = to;
    this.#id = id;
    this.#socket = machine.icmp.open(
      family(to),
      (reply) => {
        if (reply.id !== id || reply.from !== to) return;
        this.#hear(reply.sequence, (sentAt) => ({ kind: "answer", rttMicros: sinceSent(sentAt, reply.at) }));
      },
      ({ id: of, to: asked, sequence, from, reason, at }) => {
        if (of !== id || asked !== to) return;
        this.#hear(sequence, (sentAt) => ({ kind: "error", from, reason, rttMicros: sinceSent(sentAt, at) }));
      },
    );
  }

  /** Resolves with the first thing that is heard, or silence. `hops`: as {@link IcmpSocket.sendEcho} has them. */
  send(hops?: number): Promise<Heard> {
    const sequence = ++this.#sequence & 0xffff;
    return new Promise((resolve) => {
      const late = setTimeout(() => this.#hear(sequence, () => SILENCE), ANSWER_MILLIS_MAX);
      this.#waiting.set(sequence, { sentAt: this.#machine.clock.now(), late, resolve });
      try {
        this.#socket.sendEcho(this.#to, this.#id, sequence, undefined, hops);
      } catch (error) {
        if (!(error instanceof HalError)) throw error;
        const reason = REASONS[error.code];
        // Without room in a queue a request is lost, as it may be on the way.
        if (reason === undefined) return;
        this.#hear(sequence, () => ({ kind: "error", from: undefined, reason, rttMicros: undefined }));
      }
    });
  }

  /** What is still waited for was silence. */
  close(): void {
    this.#socket.close();
    for (const sequence of this.#waiting.keys()) this.#hear(sequence, () => SILENCE);
  }

  #hear(sequence: number, heard: (sentAt: Instant) => Heard): void {
    const waiting = this.#waiting.get(sequence);
    if (waiting === undefined) return;
    clearTimeout(waiting.late);
    this.#waiting.delete(sequence);
    waiting.resolve(heard(waiting.sentAt));
  }
}

const SILENCE: Heard = { kind: "silence" };

/** The kernel's stamp of an answer may be a little older than the clock that was read before. */
function sinceSent(sentAt: Instant, at: Instant): number {
  return Math.max(0, between(sentAt, at));
}
