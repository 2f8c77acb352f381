/**
 * Packet sockets in memory. A segment is a cable or a switch without a table: what one port sends, all other ports of
 * the segment hear. Each box of a test has one FakeFrames and plugs its links into segments.
 */
import { HalError } from "../contract/error.ts";
import type { Frames, FrameSocket, FrameSocketOptions } from "../contract/network.ts";
import { arpFilter, ndFilter, vrrpFilter } from "../packet/filter.ts";
import type { Ifindex } from "../units/address.ts";
import type { Instant } from "../units/time.ts";
import { runFilter } from "./filter.ts";

type Hear = (frame: Uint8Array) => void;

export class FakeSegment {
  readonly #ports = new Set<Hear>();

  attach(hear: Hear): void {
    this.#ports.add(hear);
  }

  detach(hear: Hear): void {
    this.#ports.delete(hear);
  }

  carry(from: Hear, frame: Uint8Array): void {
    for (const hear of this.#ports) if (hear !== from) hear(frame);
  }
}

interface Port {
  readonly hear: Hear;
  readonly sockets: Set<OpenSocket>;
  segment: FakeSegment | undefined;
}

interface OpenSocket {
  readonly options: FrameSocketOptions;
  readonly deliver: (frame: Uint8Array, outgoing: boolean) => void;
  readonly fail: (error: HalError) => void;
}

const FILTERS: Readonly<Record<FrameSocketOptions["receive"], Uint8Array | undefined>> = {
  none: undefined,
  arp: arpFilter,
  nd: ndFilter,
  vrrp: vrrpFilter,
};

export class FakeFrames implements Frames {
  readonly #now: () => Instant;
  readonly #ports = new Map<Ifindex, Port>();

  constructor(now: () => Instant) {
    this.#now = now;
  }

  /** For tests: puts a link into a segment, making the link if it is new. */
  plug(ifindex: Ifindex, segment: FakeSegment): void {
    const port = this.#ports.get(ifindex) ?? this.#newPort(ifindex);
    port.segment?.detach(port.hear);
    port.segment = segment;
    segment.attach(port.hear);
  }

  /** For tests: pulls the cable. What is sent is lost, as on a real port without carrier. */
  pull(ifindex: Ifindex): void {
    const port = this.#ports.get(ifindex);
    port?.segment?.detach(port.hear);
    if (port !== undefined) port.segment = undefined;
  }

  /** For tests: the link goes away, and its sockets with it. */
  remove(ifindex: Ifindex): void {
    const port = this.#ports.get(ifindex);
    this.pull(ifindex);
    this.#ports.delete(ifindex);
    const error = new HalError("ENODEV", "recvmmsg(AF_PACKET)", `link ${ifindex} is gone`);
    for (const socket of port?.sockets ?? []) queueMicrotask(() => socket.fail(error));
  }

  open(options: FrameSocketOptions): FrameSocket {
    const port = this.#ports.get(options.ifindex);
    if (port === undefined) throw new HalError("ENODEV", "bind(AF_PACKET)", "No such device");
    let closed = false;
    const close = () => {
      closed = true;
      port.sockets.delete(socket);
    };
    const socket: OpenSocket = {
      options,
      // Like the kernel's, a frame reaches its listener only after the sender has gone on.
      deliver: (bytes, outgoing) =>
        queueMicrotask(() => {
          if (!closed) options.onFrame?.({ bytes, ifindex: options.ifindex, outgoing, at: this.#now() });
        }),
      fail: (error) => {
        if (closed) return;
        close();
        options.onError?.(error);
      },
    };
    port.sockets.add(socket);
    return {
      send: (frame) => {
        if (closed) throw new HalError("EBADF", "send(AF_PACKET)", "Bad file descriptor");
        this.#send(port, socket, Uint8Array.from(frame));
      },
      close,
    };
  }

  #newPort(ifindex: Ifindex): Port {
    const sockets = new Set<OpenSocket>();
    const hear = (frame: Uint8Array) => {
      for (const socket of sockets) if (wants(socket, frame)) socket.deliver(frame, false);
    };
    const port: Port = { hear, sockets, segment: undefined };
    this.#ports.set(ifindex, port);
    return port;
  }

  /** The box's other sockets see the frame on its way out, except those that hear VRRP. */
  #send(port: Port, from: OpenSocket, frame: Uint8Array): void {
    for (const socket of port.sockets)
      if (socket !== from && socket.options.receive !== "vrrp" && wants(socket, frame)) socket.deliver(frame, true);
    port.segment?.carry(port.hear, frame);
  }
}

function wants(socket: OpenSocket, frame: Uint8Array): boolean {
  const filter = FILTERS[socket.options.receive];
  return filter !== undefined && runFilter(filter, frame) > 0;
}
