/** Echo in memory: a test says who answers, who is silent and what no route leads to. */
import { HalError } from "../contract/error.ts";
import type { Icmp, IcmpError, IcmpReply, IcmpSocket } from "../contract/network.ts";
import { type Family, family as familyOf, type IpAddress } from "../units/address.ts";
import type { Instant } from "../units/time.ts";

/** "unreachable": the kernel refuses at once, as it does without a route. */
export type FakeHost = "answers" | "silent" | "unreachable";

interface OpenSocket {
  readonly family: Family;
  readonly hear: (reply: IcmpReply) => void;
  readonly hearError: ((error: IcmpError) => void) | undefined;
}

export class FakeIcmp implements Icmp {
  readonly #now: () => Instant;
  readonly #hosts = new Map<IpAddress, FakeHost>();
  readonly #ways = new Map<IpAddress, readonly (IpAddress | undefined)[]>();
  readonly #sockets = new Set<OpenSocket>();

  constructor(now: () => Instant) {
    this.#now = now;
  }

  /** For tests. Who was never mentioned is unreachable. */
  setHost(address: IpAddress, host: FakeHost): void {
    this.#hosts.set(address, host);
  }

  /** For tests: the routers on the way to an address, undefined for one that says nothing. */
  setWay(address: IpAddress, routers: readonly (IpAddress | undefined)[]): void {
    this.#ways.set(address, routers);
  }

  open(family: Family, onReply: (reply: IcmpReply) => void, onError?: (error: IcmpError) => void): IcmpSocket {
    const socket: OpenSocket = { family, hear: onReply, hearError: onError };
    this.#sockets.add(socket);
    return {
      sendEcho: (to, id, sequence, _ifindex, hops = 64) => {
        if (!this.#sockets.has(socket)) throw new HalError("EBADF", "sendmsg(SOCK_RAW)", "Bad file descriptor");
        if (familyOf(to) !== family)
          throw new HalError("EAFNOSUPPORT", "sendmsg(SOCK_RAW)", "Address family not supported by protocol");
        this.#send(to, id & 0xffff, sequence & 0xffff, hops);
      },
      close: () => void this.#sockets.delete(socket),
    };
  }

  #send(to: IpAddress, id: number, sequence: number, hops: number): void {
    const host = this.#hosts.get(to) ?? "unreachable";
    if (host === "unreachable") throw new HalError("ENETUNREACH", "sendmsg(SOCK_RAW)", "Network is unreachable");
    const way = this.#ways.get(to) ?? [];
    if (hops <= way.length) return this.#end(to, id, sequence, way[hops - 1]);
    if (host === "silent") return;
    // Every raw socket of the family hears every reply.
    queueMicrotask(() => {
      for (const socket of this.#sockets)
        if (socket.family === familyOf(to)) socket.hear({ from: to, id, sequence, at: this.#now() });
    });
  }

  /** The request's hops are spent at this router. */
  #end(to: IpAddress, id: number, sequence: number, from: IpAddress | undefined): void {
    if (from === undefined) return;
    queueMicrotask(() => {
      for (const socket of this.#sockets)
        if (socket.family === familyOf(to))
          socket.hearError?.({ from, to, id, sequence, reason: "time-exceeded", at: this.#now() });
    });
  }
}
