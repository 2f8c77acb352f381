/**
 * The link between the two cores: TLS 1.3 over the peer's link-local address. Box a listens, box b dials; whoever is not
 * the peer by its credentials gets no further than the handshake. At most one connection counts, the newest that said
 * hello. While it stands there are others beside it, each with a name of its own: for flows in frames of their own, which are
 * the business of replication/, and for a bundle, which is update/'s.
 */
import { createServer, type Server, type Socket } from "node:net";
import { connect, TLSSocket } from "node:tls";
import { LineReader } from "../../line-reader.ts";
import type { Box } from "../../messages.ts";
import { clientTls, isPeer, type LinkCredentials, serverTls } from "./credentials.ts";
import {
  decodePeerMessage,
  encodePeerMessage,
  PEER_LINE_BYTES_MAX,
  isSpoken,
  type PeerActivation,
  type PeerDrains,
  type PeerRotation,
  type PeerHealth,
  type PeerHello,
  type PeerPart,
  type PeerStale,
} from "./message.ts";
import { type PeerAddress, PathChoice } from "./path-choice.ts";
import { SideLink, type SideLinkOptions } from "./side-link.ts";

const BEAT_MILLIS = 1_000;
/** Also the time a handshake may take. */
const SILENCE_MILLIS_MAX = 3_500;
const RETRY_MILLIS = 250;
/** Of those that have not shown that they are the peer's. */
const UNPROVEN_MAX = 8;
/** A peer that reads nothing must not make this box hold what it does not take. */
const UNSENT_BYTES_MAX = 4 << 20;
const FAREWELL_MILLIS_MAX = 500;

const FLOWS = { name: "futago-flows", counter: "flowLink" };
const BUNDLE = { name: "futago-bundle", counter: "bundleLink" };

export interface PeerLinkOptions {
  readonly box: Box;
  readonly port: number;
  readonly credentials: LinkCredentials;
  /** Where the two were paired: dialled while the sentinel hears no heartbeat. */
  readonly met: PeerAddress | undefined;
  readonly hello: () => PeerHello;
  readonly onHello: (hello: PeerHello) => void;
  readonly onHealth: (health: PeerHealth) => void;
  readonly onStale: (stale: PeerStale) => void;
  readonly onDrains: (drains: PeerDrains) => void;
  readonly onRotation: (rotation: PeerRotation) => void;
  readonly onPart: (part: PeerPart) => void;
  readonly onActivation: (activation: PeerActivation) => void;
  readonly onFarewell: () => void;
  readonly onUp: () => void;
  readonly onDown: () => void;
  /** Nothing is under way that would not outlive a link that is made anew. */
  readonly mayMove: () => boolean;
  readonly wantsFlows: () => boolean;
  /** A connection for flows stands; it is closed when the link goes down, or another takes its place. */
  readonly onFlows: (socket: TLSSocket) => void;
  /** A bundle is to go over, whichever way. */
  readonly wantsBundle: () => boolean;
  /** As for flows. */
  readonly onBundle: (socket: TLSSocket) => void;
  /** One more of a named kind of refusal. */
  readonly count: (name: string) => void;
}

export class PeerLink {
  readonly #options: PeerLinkOptions;
  readonly #server: Server | undefined;
  readonly #open = new Set<Socket>();
  /** Taken, and not shown to be the peer's yet; the oldest first. */
  readonly #unproven = new Set<Socket>();
  readonly #paths: PathChoice;
  readonly #dialled = new WeakMap<TLSSocket, PeerAddress>();
  #dialling: TLSSocket | undefined;
  #retry: NodeJS.Timeout | undefined;
  #peer: TLSSocket | undefined;
  readonly #sides: readonly SideLink[];
  #closed = false;

  constructor(options: PeerLinkOptions) {
    this.#options = options;
    this.#paths = new PathChoice({ met: options.met, onBetter: (best) => this.#moveTo(best) });
    this.#sides = [
      this.#side({ ...FLOWS, isWanted: options.wantsFlows, onSocket: options.onFlows }),
      this.#side({ ...BUNDLE, isWanted: options.wantsBundle, onSocket: options.onBundle }),
    ];
    if (options.box === "a") this.#server = this.#listen();
  }

  get up(): boolean {
    return this.#peer !== undefined;
  }

  /** Bytes that the peer has not taken yet; undefined while the link is down. */
  get unsent(): number | undefined {
    return this.#peer?.writableLength;
  }

  /** Where the sentinel hears the peer, best first. */
  setAddresses(addresses: readonly PeerAddress[]): void {
    this.#paths.setHeard(addresses);
    if (this.#options.box === "b") this.#dial();
  }

  sendHealth(health: PeerHealth): void {
    if (this.#peer !== undefined) this.#write(this.#peer, encodePeerMessage(health));
  }

  /** Lost when the link is down: hosts that go on are seen again. */
  sendStale(stale: PeerStale): void {
    if (this.#peer !== undefined) this.#write(this.#peer, encodePeerMessage(stale));
  }

  sendRotation(rotation: PeerRotation): void {
    if (this.#peer !== undefined) this.#write(this.#peer, encodePeerMessage(rotation));
  }

  sendDrains(drains: PeerDrains): void {
    if (this.#peer !== undefined) this.#write(this.#peer, encodePeerMessage(drains));
  }

  sendActivation(activation: PeerActivation): void {
    if (this.#peer !== undefined) this.#write(this.#peer, encodePeerMessage(activation));
  }

  sendPart(part: PeerPart): void {
    if (this.#peer !== undefined) this.#write(this.#peer, encodePeerMessage(part));
  }

  /** The last word: resolves when the peer has taken it and closed, or does not. */
  async sendFarewell(): Promise<void> {
    const socket = this.#peer;
    if (socket === undefined) return;
    await new Promise<void>((resolve) => {
      socket.once("close", () => resolve());
      setTimeout(resolve, FAREWELL_MILLIS_MAX).unref();
      socket.end(encodePeerMessage({ kind: "farewell" }));
    });
  }

  /** What the peer says makes no sense: the link is made anew. Counted under this name. */
  refuse(counter: string): void {
    if (this.#peer !== undefined) this.#refuse(this.#peer, counter);
  }

  /** Says the revision again, after a commit. */
  sendHello(): void {
    if (this.#peer !== undefined) this.#write(this.#peer, encodePeerMessage(this.#options.hello()));
  }

  close(): void {
    this.#closed = true;
    this.#paths.close();
    clearTimeout(this.#retry);
    for (const side of this.#sides) side.close();
    this.#server?.close();
    for (const socket of this.#open) socket.destroy();
  }

  #listen(): Server {
    const { box, credentials } = this.#options;
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      // Only the cable's other end: the link never crosses a router.
      if (socket.remoteAddress?.startsWith("fe80:") !== true) {
        this.#options.count("peerLinkStranger");
        socket.destroy();
        return;
      }
      this.#hold(socket);
      this.#doubt(socket);
      const secured = new TLSSocket(socket, serverTls(credentials, box, [FLOWS.name, BUNDLE.name]));
      secured.on("secure", () => this.#unproven.delete(socket));
      this.#speak(secured);
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
    const target = this.#paths.next();
    if (target !== undefined) this.#dialling = this.#dialTo(target);
  }

  #dialTo(target: PeerAddress): TLSSocket {
    const socket = connect({
      ...clientTls(this.#options.credentials, this.#options.box),
      host: `${target.address}%${target.device}`,
      port: this.#options.port,
    });
    this.#dialled.set(socket, target);
    socket.on("close", () => {
      if (this.#dialling === socket) this.#dialling = undefined;
      this.#retry ??= setTimeout(() => {
        this.#retry = undefined;
        this.#dial();
      }, RETRY_MILLIS);
    });
    this.#hold(socket);
    this.#speak(socket);
    return socket;
  }

  /** The link stands where it does until the peer has said hello over there. */
  #moveTo(best: PeerAddress): void {
    if (this.#closed || this.#peer === undefined || !this.#options.mayMove()) return;
    this.#dialTo(best);
  }

  /** Somebody who opens connections and says nothing in them keeps nobody out: the oldest make room, the peer's is new. */
  #doubt(socket: Socket): void {
    const [oldest] = this.#unproven;
    if (oldest !== undefined && this.#unproven.size >= UNPROVEN_MAX) {
      this.#options.count("peerLinkCrowded");
      this.#unproven.delete(oldest);
      oldest.destroy();
    }
    this.#unproven.add(socket);
    socket.on("close", () => this.#unproven.delete(socket));
  }

  #hold(socket: Socket): void {
    this.#open.add(socket);
    socket.on("close", () => this.#open.delete(socket));
  }

  #side(of: Pick<SideLinkOptions, "name" | "counter" | "isWanted" | "onSocket">): SideLink {
    const { box, credentials, port } = this.#options;
    return new SideLink({
      ...of,
      target: () => {
        const target = this.#peer && this.#dialled.get(this.#peer);
        return target && { ...clientTls(credentials, box), host: `${target.address}%${target.device}`, port };
      },
      isUp: () => this.#peer !== undefined,
      isPeer: (socket) => isPeer(credentials, socket),
      hold: (socket) => this.#hold(socket),
      refuse: (socket, counter) => this.#refuse(socket, counter),
      silenceMillisMax: SILENCE_MILLIS_MAX,
    });
  }

  #speak(socket: TLSSocket): void {
    // There is no data before the handshake is done, but an end there may be.
    socket.setNoDelay(true).resume();
    const silence = setTimeout(() => this.#refuse(socket, "peerLinkSilent"), SILENCE_MILLIS_MAX);
    socket.on("close", () => clearTimeout(silence));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (/SSL|TLS/.test(error.code ?? "")) this.#options.count("peerLinkWrongKey");
    });
    socket.on("secure", () => {
      if (!isPeer(this.#options.credentials, socket)) return this.#refuse(socket, "peerLinkWrongKey");
      const side = this.#sides.find(({ name }) => name === socket.alpnProtocol);
      if (side === undefined) return this.#speakLines(socket, silence);
      clearTimeout(silence);
      side.accept(socket);
    });
  }

  #speakLines(socket: TLSSocket, silence: NodeJS.Timeout): void {
    const lines = new LineReader(PEER_LINE_BYTES_MAX);
    const beat = setInterval(() => this.#write(socket, encodePeerMessage({ kind: "beat" })), BEAT_MILLIS);
    socket.write(encodePeerMessage(this.#options.hello()));
    socket.on("data", (chunk: Buffer) => {
      silence.refresh();
      for (const line of lines.push(chunk)) if (!socket.destroyed) this.#receive(socket, line);
      if (lines.overflow) this.#refuse(socket, "peerLinkOversized");
    });
    socket.on("close", () => {
      clearInterval(beat);
      if (this.#peer !== socket) return;
      this.#peer = undefined;
      this.#paths.setCurrent(undefined);
      for (const side of this.#sides) side.drop();
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
      case "drains":
        return this.#options.onDrains(message);
      case "rotation":
        return this.#options.onRotation(message);
      case "activation":
        return this.#options.onActivation(message);
      case "part":
        return this.#options.onPart(message);
      case "farewell":
        return this.#options.onFarewell();
    }
  }

  #onHello(socket: TLSSocket, hello: PeerHello): void {
    if (hello.box === this.#options.box) return this.#refuse(socket, "peerLinkSameBox");
    if (!isSpoken(hello.version)) return this.#refuse(socket, "peerLinkVersion");
    const isNew = this.#peer !== socket;
    const former = this.#peer;
    this.#peer = socket;
    if (isNew) {
      former?.destroy();
      // They came the same way as the former, which may be dead.
      if (former !== undefined) for (const side of this.#sides) side.drop();
    }
    this.#options.onHello(hello);
    if (!isNew) return;
    this.#options.onUp();
    if (this.#options.box === "a") return;
    this.#paths.setCurrent(this.#dialled.get(socket));
    for (const side of this.#sides) side.dial();
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
