/**
 * The sockets of a ceremony, between link-local addresses only: datagrams by which a box that joins finds one that
 * invites, and the lines that the two say to each other. What they mean is firmware/pair/ceremony's business.
 */
import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { connect, createServer, type Server, type Socket } from "node:net";
import {
  CEREMONY_LINE_BYTES_MAX,
  CEREMONY_PROTOCOL,
  decodeSearchMessage,
  SEARCH_BYTES_MAX,
  type SearchMessage,
} from "../../../pair/ceremony/message.ts";
import { LineReader } from "../../line-reader.ts";

export const PAIRING_PORT = 7406;
/** Link-local scope, assigned by nobody (RFC 4291 §2.7). */
const GROUP = "ff12::4655:7461";
const SEEK_MILLIS = 500;
const CONNECTIONS_MAX = 8;
/** A connection that is over has so long to take our last word. */
const LAST_WORD_MILLIS = 1_000;

/** "fe80::1%eth2" as what it is made of; undefined for any other address. */
export function placeOf(address: string): { readonly device: string; readonly address: string } | undefined {
  const [, local, device] = /^(fe80:[0-9a-f:]+)%(.+)$/.exec(address) ?? [];
  return local === undefined || device === undefined ? undefined : { address: local, device };
}

/** Who sent a datagram: a link-local address with its port on this box, and a port of UDP. */
export interface Sender {
  readonly address: string;
  readonly port: number;
}

export interface SearchOptions {
  readonly onMessage: (message: SearchMessage, from: Sender) => void;
  readonly onFault: (error: Error) => void;
}

/** Both ends of the search. Port 0: of the box that joins, which hears answers only. */
export class Search {
  readonly #socket: DatagramSocket;
  readonly #joined = new Set<string>();
  #bound = false;
  #devices: readonly string[] = [];
  #seeking: NodeJS.Timeout | undefined;

  constructor(port: number, { onMessage, onFault }: SearchOptions) {
    this.#socket = createSocket({ type: "udp6", ipv6Only: true, reuseAddr: false });
    this.#socket.on("message", (bytes, { address, port: from }) => {
      if (bytes.length > SEARCH_BYTES_MAX || placeOf(address) === undefined) return;
      const message = decodeSearchMessage(bytes.toString("utf8"));
      if (message !== undefined) onMessage(message, { address, port: from });
    });
    this.#socket.on("error", onFault);
    this.#socket.bind({ port, address: "::" }, () => {
      this.#bound = true;
      if (port !== 0) this.#join();
    });
    if (port === 0) this.#seeking = setInterval(() => this.#seek(), SEEK_MILLIS);
  }

  /** The ports that have a carrier. */
  setDevices(devices: readonly string[]): void {
    const first = this.#devices.length === 0;
    this.#devices = devices;
    if (this.#seeking === undefined) this.#join();
    else if (first) this.#seek();
  }

  answer(tag: string, to: Sender): void {
    this.#send({ kind: "here", protocol: CEREMONY_PROTOCOL, tag }, to);
  }

  close(): void {
    clearInterval(this.#seeking);
    this.#socket.close();
  }

  #seek(): void {
    for (const device of this.#devices) {
      const to = { address: `${GROUP}%${device}`, port: PAIRING_PORT };
      this.#send({ kind: "seek", protocol: CEREMONY_PROTOCOL }, to);
    }
  }

  #send(message: SearchMessage, { address, port }: Sender): void {
    // What a port refuses is asked again over it in a moment, or over another.
    this.#socket.send(JSON.stringify(message), port, address, () => undefined);
  }

  #join(): void {
    if (!this.#bound) return;
    for (const device of this.#devices) {
      if (this.#joined.has(device)) continue;
      try {
        this.#socket.addMembership(GROUP, `::%${device}`);
        this.#joined.add(device);
      } catch {
        // It has no IPv6 (yet), or is gone: asked again when the ports are listed again.
      }
    }
  }
}

export interface LinesOptions {
  readonly onLine: (connection: number, line: string) => void;
  readonly onClosed: (connection: number) => void;
}

/** Conversations by number. */
export class Lines {
  readonly #options: LinesOptions;
  readonly #sockets = new Map<number, Socket>();
  #numbers = 0;

  constructor(options: LinesOptions) {
    this.#options = options;
  }

  /** A number that no conversation had before. */
  nextNumber(): number {
    this.#numbers += 1;
    return this.#numbers;
  }

  /** Takes those who found this box, until the server is closed. */
  listen(onConnected: (connection: number) => void, onFault: (error: Error) => void): Server {
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      const known = placeOf(socket.remoteAddress ?? "") !== undefined;
      if (!known || this.#sockets.size >= CONNECTIONS_MAX) {
        socket.destroy();
        return;
      }
      const connection = this.nextNumber();
      this.#hold(connection, socket);
      onConnected(connection);
    });
    server.on("error", onFault);
    server.listen({ port: PAIRING_PORT, host: "::", ipv6Only: true });
    return server;
  }

  dial(connection: number, place: string, onConnected: () => void): void {
    const socket = connect({ host: place, port: PAIRING_PORT });
    this.#hold(connection, socket);
    socket.on("connect", onConnected);
  }

  send(connection: number, line: string): void {
    this.#sockets.get(connection)?.write(`${line}\n`);
  }

  close(connection: number): void {
    const socket = this.#sockets.get(connection);
    this.#sockets.delete(connection);
    socket?.end();
    setTimeout(() => socket?.destroy(), LAST_WORD_MILLIS).unref();
  }

  closeAll(): void {
    for (const connection of this.#sockets.keys()) this.close(connection);
  }

  /** Where the other end of a conversation is. */
  placeOf(connection: number): ReturnType<typeof placeOf> {
    return placeOf(this.#sockets.get(connection)?.remoteAddress ?? "");
  }

  #hold(connection: number, socket: Socket): void {
    const { onLine, onClosed } = this.#options;
    const lines = new LineReader(CEREMONY_LINE_BYTES_MAX);
    this.#sockets.set(connection, socket);
    socket.setNoDelay(true);
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      // What comes after the end is nobody's.
      for (const line of lines.push(chunk)) if (this.#sockets.get(connection) === socket) onLine(connection, line);
      if (lines.overflow) socket.destroy();
    });
    socket.on("close", () => {
      if (this.#sockets.get(connection) !== socket) return;
      this.#sockets.delete(connection);
      onClosed(connection);
    });
  }
}
