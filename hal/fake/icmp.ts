/** Echo in memory: a test says who answers, who is silent and what no route leads to. */
import { HalError } from "../contract/error.ts";
import type { Icmp, IcmpReply, IcmpSocket } from "../contract/network.ts";
import { type Family, family as familyOf, type IpAddress } from "../units/address.ts";
import type { Instant } from "../units/time.ts";

/** "unreachable": the kernel refuses at once, as it does without a route. */
export type FakeHost = "answers" | "silent" | "unreachable";

interface OpenSocket {
  readonly family: Family;
  readonly hear: (reply: IcmpReply) => void;
}

export class FakeIcmp implements Icmp {
  readonly #now: () => Instant;
  readonly #hosts = new Map<IpAddress, FakeHost>();
  readonly #sockets = new Set<OpenSocket>();

  constructor(now: () => Instant) {
    this.#now = now;
  }

  /** For tests. Who was never mentioned is unreachable. */
  setHost(address: IpAddress, host: FakeHost): void {
    this.#hosts.set(address, host);
  }

  open(family: Family, onReply: (reply: IcmpReply) => void): IcmpSocket {
    const socket: OpenSocket = { family, hear: onReply };
    this.#sockets.add(socket);
    return {
      sendEcho: (to, id, sequence) => {
        if (!this.#sockets.has(socket)) throw new HalError("EBADF", "sendmsg(SOCK_RAW)", "Bad file descriptor");
        if (familyOf(to) !== family)
          throw new HalError("EAFNOSUPPORT", "sendmsg(SOCK_RAW)", "Address family not supported by protocol");
        this.#send(to, id & 0xffff, sequence & 0xffff);
      },
      close: () => void this.#sockets.delete(socket),
    };
  }

  #send(to: IpAddress, id: number, sequence: number): void {
    const host = this.#hosts.get(to) ?? "unreachable";
    if (host === "unreachable") throw new HalError("ENETUNREACH", "sendmsg(SOCK_RAW)", "Network is unreachable");
    if (host === "silent") return;
    // Every raw socket of the family hears every reply.
    queueMicrotask(() => {
      for (const socket of this.#sockets)
        if (socket.family === familyOf(to)) socket.hear({ from: to, id, sequence, at: this.#now() });
    });
  }
}
