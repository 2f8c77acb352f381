/**
 * The link between the two cores: TLS 1.3 with a pre-shared key over the peer's link-local address. Box a listens, box
 * b dials; whoever does not hold the pair's key gets no further than the handshake. At most one connection counts,
 * the newest that said hello.
 */
import { createServer, type Server, type Socket } from "node:net";
import { connect, type ConnectionOptions, TLSSocket, type TLSSocketOptions } from "node:tls";
import { LineReader } from "../../line-reader.ts";
import type { Box, PeerStatus } from "../../messages.ts";
import {
  decodePeerMessage,
  encodePeerMessage,
  PEER_LINE_BYTES_MAX,
  PEER_PROTOCOL_VERSION,
  type PeerHealth,
  type PeerHello,
  type PeerStale,
} from "./message.ts";

const BEAT_MILLIS = 1_000;
/** Also the time a handshake may take. */
const SILENCE_MILLIS_MAX = 3_500;
const RETRY_MILLIS = 250;
const CONNECTIONS_MAX = 8;
/** A peer that reads nothing must not make this box hold what it does not take. */
const UNSENT_BYTES_MAX = 4 << 20;

const TLS = { minVersion: "TLSv1.3", ciphers: "TLS_AES_128_GCM_SHA256" } as const;

export interface PeerLinkOptions {
  readonly box: Box;
  readonly port: number;
  readonly key: Buffer;
  readonly hello: () => PeerHello;
  readonly onHello: (hello: PeerHello) => void;
  readonly onHealth: (health: PeerHealth) => void;
  readonly onStale: (stale: PeerStale) => void;
  readonly onUp: () => void;
  readonly onDown: () => void;
  /** One more of a named kind of refusal. */
  readonly count: (name: string) => void;
}

export class PeerLink {
  readonly #options: PeerLinkOptions;
  readonly #server: Server | undefined;
  readonly #open = new Set<Socket>();
  #addresses: PeerStatus["addresses"] = [];
  #next = 0;
  #dialling: TLSSocket | undefined;
  #retry: NodeJS.Timeout | undefined;
  #peer: TLSSocket | undefined;
  #closed = false;

  constructor(options: PeerLinkOptions) {
    this.#options = options;
    if (options.box === "a") this.#server = this.#listen();
  }

  get up(): boolean {
    return this.#peer !== undefined;
  }

  /** Where the sentinel hears the peer, best first. */
  setAddresses(addresses: PeerStatus["addresses"]): void {
    this.#addresses = addresses;
    if (this.#options.box === "b") this.#dial();
  }

  sendHealth(health: PeerHealth): void {
    if (this.#peer !== undefined) this.#write(this.#peer, encodePeerMessage(health));
  }

  /** Lost when the link is down: hosts that go on are seen again. */
  sendStale(stale: PeerStale): void {
    if (this.#peer !== undefined) this.#write(this.#peer, encodePeerMessage(stale));
  }

  /** Says the revision again, after a commit. */
  sendHello(): void {
    if (this.#peer !== undefined) this.#write(this.#peer, encodePeerMessage(this.#options.hello()));
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#server?.close();
    for (const socket of this.#open) socket.destroy();
  }

  #listen(): Server {
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      // Only the cable's other end: the link never crosses a router.
      if (socket.remoteAddress?.startsWith("fe80:") !== true || this.#open.size >= CONNECTIONS_MAX) {
        this.#options.count("peerLinkStranger");
        socket.destroy();
        return;
      }
      this.#hold(socket);
      this.#speak(new TLSSocket(socket, this.#serverTls()));
    });
    server.on("error", () => {
      // The port is taken or no address is there yet.
      this.#options.count("peerLinkListenFailed");
      const again = () => {
        // A failed accept leaves the server listening.
        if (!this.#closed && !server.listening) server.listen(listening);
      };
      setTimeout(again, RETRY_MILLIS * 4).unref();
    });
    const listening = { port: this.#options.port, host: "::", ipv6Only: true };
    server.listen(listening);
    return server;
  }

  #dial(): void {
    if (this.#closed || this.#peer !== undefined || this.#dialling !== undefined || this.#retry !== undefined) return;
    const target = this.#addresses[this.#next++ % Math.max(this.#addresses.length, 1)];
    if (target === undefined) return;
    const socket = connect({
      ...this.#clientTls(),
      host: `${target.address}%${target.device}`,
      port: this.#options.port,
    });
    this.#dialling = socket;
    socket.on("close", () => {
      this.#dialling = undefined;
      this.#retry = setTimeout(() => {
        this.#retry = undefined;
        this.#dial();
      }, RETRY_MILLIS);
    });
    this.#hold(socket);
    this.#speak(socket);
  }

  #serverTls(): TLSSocketOptions {
    const { box, key } = this.#options;
    const other = box === "a" ? "b" : "a";
    return {
      ...TLS,
      isServer: true,
      requestCert: false,
      pskCallback: (_socket: TLSSocket, identity: string) => (identity === other ? key : null),
    } as TLSSocketOptions;
  }

  #clientTls(): ConnectionOptions {
    const { box, key } = this.#options;
    // The pre-shared key is the proof of identity: there is no certificate to check, and none is trusted.
    return { ...TLS, ca: [], checkServerIdentity: () => undefined, pskCallback: () => ({ psk: key, identity: box }) };
  }

  #hold(socket: Socket): void {
    this.#open.add(socket);
    socket.on("close", () => this.#open.delete(socket));
  }

  #speak(socket: TLSSocket): void {
    const lines = new LineReader(PEER_LINE_BYTES_MAX);
    const silence = setTimeout(() => this.#refuse(socket, "peerLinkSilent"), SILENCE_MILLIS_MAX);
    const beat = setInterval(() => this.#write(socket, encodePeerMessage({ kind: "beat" })), BEAT_MILLIS);
    socket.setNoDelay(true);
    socket.on("secure", () => {
      // TLS counts a handshake by pre-shared key as a resumed session; any other way in is none of ours.
      if (socket.isSessionReused()) socket.write(encodePeerMessage(this.#options.hello()));
      else this.#refuse(socket, "peerLinkWrongKey");
    });
    socket.on("data", (chunk: Buffer) => {
      silence.refresh();
      for (const line of lines.push(chunk)) if (!socket.destroyed) this.#receive(socket, line);
      if (lines.overflow) this.#refuse(socket, "peerLinkOversized");
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (/SSL|TLS/.test(error.code ?? "")) this.#options.count("peerLinkWrongKey");
    });
    socket.on("close", () => {
      clearTimeout(silence);
      clearInterval(beat);
      if (this.#peer !== socket) return;
      this.#peer = undefined;
      this.#options.onDown();
    });
  }

  #receive(socket: TLSSocket, line: string): void {
    const decoded = decodePeerMessage(line);
    if (!decoded.ok) return this.#refuse(socket, `peerLink_${decoded.reason}`);
    const message = decoded.value;
    if (message.kind !== "hello" && this.#peer !== socket) return this.#refuse(socket, "peerLinkNoHello");
    switch (message.kind) {
      case "beat":
        return;
      case "hello":
        return this.#onHello(socket, message);
      case "health":
        return this.#options.onHealth(message);
      case "stale":
        return this.#options.onStale(message);
    }
  }

  #onHello(socket: TLSSocket, hello: PeerHello): void {
    if (hello.box === this.#options.box) return this.#refuse(socket, "peerLinkSameBox");
    if (hello.version !== PEER_PROTOCOL_VERSION) return this.#refuse(socket, "peerLinkVersion");
    const isNew = this.#peer !== socket;
    const former = this.#peer;
    this.#peer = socket;
    if (isNew) former?.destroy();
    this.#options.onHello(hello);
    if (isNew) this.#options.onUp();
  }

  #write(socket: TLSSocket, text: string): void {
    if (socket.destroyed) return;
    if (socket.writableLength > UNSENT_BYTES_MAX) this.#refuse(socket, "peerLinkStuck");
    else socket.write(text);
  }

  #refuse(socket: TLSSocket, counter: string): void {
    this.#options.count(counter);
    socket.destroy();
  }
}
