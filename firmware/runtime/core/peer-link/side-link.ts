/**
 * A connection beside the link of the two cores, told apart by its ALPN name (RFC 7301), over the path that the link takes. Box b
 * dials it while the link stands and it is wanted; it goes down with the link, and a newer one takes its place.
 */
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";

/** Whether it is wanted is asked so often. */
const WANT_MILLIS = 1_000;
const RETRY_MILLIS = 250;

export interface SideLinkOptions {
  readonly name: string;
  /** What is counted here is named so, with "Silent" or "NoHello" after it. */
  readonly counter: string;
  readonly isWanted: () => boolean;
  /** It stands, and with the peer. */
  readonly onSocket: (socket: TLSSocket) => void;
  /** Where the link itself was dialled; undefined while it is down, and on the box that is dialled. */
  readonly target: () => ConnectionOptions | undefined;
  readonly isUp: () => boolean;
  readonly isPeer: (socket: TLSSocket) => boolean;
  readonly hold: (socket: TLSSocket) => void;
  readonly refuse: (socket: TLSSocket, counter: string) => void;
  /** For a handshake. */
  readonly silenceMillisMax: number;
}

export class SideLink {
  readonly #options: SideLinkOptions;
  #socket: TLSSocket | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: SideLinkOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  dial(): void {
    const { name, counter, silenceMillisMax, target: whereTo, isWanted, isPeer, hold, refuse } = this.#options;
    const target = whereTo();
    if (this.#closed || this.#socket !== undefined || target === undefined) return;
    if (!isWanted()) return this.#dialIn(WANT_MILLIS);
    const socket = connect({ ...target, ALPNProtocols: [name] });
    const late = setTimeout(() => refuse(socket, `${counter}Silent`), silenceMillisMax);
    socket.on("close", () => clearTimeout(late));
    socket.on("secure", () => {
      clearTimeout(late);
      if (isPeer(socket)) this.#take(socket);
      else refuse(socket, "peerLinkWrongKey");
    });
    this.#socket = socket;
    hold(socket);
    this.#watch(socket);
  }

  /** One that shows itself as the peer's. */
  accept(socket: TLSSocket): void {
    this.#watch(socket);
    this.#take(socket);
  }

  /** The link went down, or goes another way now. */
  drop(): void {
    this.#socket?.destroy();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
  }

  #take(socket: TLSSocket): void {
    const { counter, isUp, onSocket, refuse } = this.#options;
    if (!isUp()) return refuse(socket, `${counter}NoHello`);
    const former = this.#socket;
    this.#socket = socket;
    if (former !== socket) former?.destroy();
    onSocket(socket);
  }

  #watch(socket: TLSSocket): void {
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#dialIn(RETRY_MILLIS);
    });
  }

  #dialIn(millis: number): void {
    clearTimeout(this.#retry);
    if (!this.#closed) this.#retry = setTimeout(() => this.dial(), millis);
  }
}
