/**
 * What this core and the other one tell each other: revisions and how they are committed, how pools stand, hosts gone
 * astray, drains, and flows.
 */
import type { TLSSocket } from "node:tls";
import type { Drain } from "./peer-link/drain.ts";
import type { LinkCredentials } from "./peer-link/credentials.ts";
import {
  decodeLongMessage,
  isBoxMessage,
  isAccessMessage,
  isCommitMessage,
  isDrillMessage,
  isUpdateMessage,
  type LongMessage,
} from "./peer-link/long-message.ts";
import { LongReader, LongSender } from "./peer-link/long-messages.ts";
import { PEER_PROTOCOL_UPDATES, PEER_PROTOCOL_VERSION, type PeerPool, STALE_HOSTS_MAX } from "./peer-link/message.ts";
import { type Picture, PictureSender } from "./peer-link/picture-sender.ts";
import { PeerLink } from "./peer-link/peer-link.ts";
import type { Activation } from "../../pair/spare/types.ts";
import type { CommitMessage } from "../../pair/commit/types.ts";
import type { DrillMessage } from "../../pair/drill/types.ts";
import type { BoxMessage } from "./boxes/box-message.ts";
import type { TimelineMessage } from "./timeline/timeline-message.ts";
import type { AccessMessage } from "./access/access-message.ts";
import type { UpdateMessage } from "./update/update-message.ts";
import type { Box, PeerStatus, StaleSighting } from "../messages.ts";

export interface PairOptions {
  readonly box: Box;
  readonly port: number;
  readonly credentials: LinkCredentials;
  /** Where the two were paired: dialled while the sentinel hears no heartbeat. */
  readonly met: { readonly address: string; readonly device: string } | undefined;
  readonly revision: () => string;
  /** The peer told its revision, or the link came or went. */
  readonly onChange: () => void;
  /** How pools stand at the peer, which holds groups that use them: some pools, each of them whole. */
  readonly onTold: (pools: readonly PeerPool[]) => void;
  readonly pictureOf: (pool: string) => Picture | undefined;
  /** All pools that there are. */
  readonly poolNames: () => readonly string[];
  /** Hosts that send to the peer what is for a VIP of this box. */
  readonly onStale: (hosts: readonly StaleSighting[]) => void;
  /** What the peer knows of backends that drain. */
  readonly onDrains: (drains: readonly Drain[]) => void;
  /** What the peer says of the pair's keys; resolves to what is wrong with it. */
  readonly onRotation: (text: string) => Promise<string | undefined> | undefined;
  /** The link stands or is gone. */
  readonly onLink: (up: boolean) => void;
  /** So many UTF-16 units more of a message, told before that. */
  readonly onArriving: (length: number) => void;
  /** The peer forgot everything. */
  readonly onFarewell: () => void;
  readonly onCommitMessage: (message: CommitMessage) => void;
  readonly onActivation: (activation: Activation) => void;
  readonly onBoxMessage: (message: BoxMessage) => void;
  readonly onDrillMessage: (message: DrillMessage) => void;
  readonly onAccessMessage: (message: AccessMessage) => void;
  readonly onTimelineMessage: (message: TimelineMessage) => void;
  readonly onUpdateMessage: (message: UpdateMessage) => void;
  /** Nothing is under way that would not outlive a link that is made anew, over a better path. */
  readonly mayMove: () => boolean;
  /** Whether there is anything to do with such a connection. */
  readonly wantsFlows: () => boolean;
  /** A connection for flows stands. */
  readonly onFlows: (socket: TLSSocket) => void;
  /** A bundle is to go over, whichever way. */
  readonly wantsBundle: () => boolean;
  readonly onBundle: (socket: TLSSocket) => void;
  readonly count: (name: string) => void;
}

export class Pair {
  readonly port: number;
  readonly #link: PeerLink;
  readonly #pictures: PictureSender;
  readonly #long: LongSender;
  #reader = new LongReader();
  #revision: string | undefined;
  /** What the peer speaks. */
  #version = 0;
  #lastDrains = "[]";

  constructor(options: PairOptions) {
    this.port = options.port;
    const { box, port, revision, onChange, onTold, onStale, onDrains, count } = options;
    this.#pictures = new PictureSender({
      pictureOf: options.pictureOf,
      send: (pools) => this.#link.sendHealth({ kind: "health", revision: revision(), pools }),
      unsent: () => this.#link.unsent,
    });
    this.#long = new LongSender({
      send: (part) => this.#link.sendPart(part),
      unsent: () => this.#link.unsent,
      onStuck: () => this.#link.refuse("peerLinkStuck"),
    });
    this.#link = new PeerLink({
      box,
      port,
      credentials: options.credentials,
      met: options.met,
      hello: () => ({ kind: "hello", version: PEER_PROTOCOL_VERSION, box, revision: revision() }),
      onHello: (hello) => {
        this.#revision = hello.revision;
        this.#version = hello.version;
        onChange();
      },
      onHealth: ({ pools }) => onTold(pools),
      onStale: ({ hosts }) => onStale(hosts),
      onDrains: ({ drains }) => onDrains(drains),
      onRotation: ({ text }) => void this.#hearRotation(text, options),
      onActivation: ({ activation }) => options.onActivation(activation),
      onFarewell: options.onFarewell,
      onUp: () => {
        this.#lastDrains = "[]";
        this.#pictures.restart(options.poolNames());
        this.#long.restart();
        this.#reader = new LongReader();
        // A connection may take another one's place.
        options.onLink(false);
        options.onLink(true);
        onChange();
      },
      onDown: () => {
        this.#long.restart();
        options.onLink(false);
        onChange();
      },
      onPart: (part) => {
        options.onArriving(part.text.length);
        const read = this.#reader.push(part);
        if (read === "more") return;
        const message = read === "tooLong" ? undefined : decodeLongMessage(read.text);
        if (message?.ok !== true) return this.#link.refuse(`peerLinkLong_${message?.reason ?? "tooLong"}`);
        const { value } = message;
        if (isCommitMessage(value)) options.onCommitMessage(value);
        else if (isBoxMessage(value)) options.onBoxMessage(value);
        else if (isAccessMessage(value)) options.onAccessMessage(value);
        else if (isDrillMessage(value)) options.onDrillMessage(value);
        else if (isUpdateMessage(value)) options.onUpdateMessage(value);
        else options.onTimelineMessage(value);
      },
      mayMove: options.mayMove,
      wantsFlows: options.wantsFlows,
      onFlows: options.onFlows,
      wantsBundle: options.wantsBundle,
      onBundle: options.onBundle,
      count,
    });
  }

  /** 64 hex digits; undefined until the peer said hello. */
  get revision(): string | undefined {
    return this.#revision;
  }

  get up(): boolean {
    return this.#link.up;
  }

  /** Where the sentinel hears the peer, best first. */
  setAddresses(addresses: PeerStatus["addresses"]): void {
    this.#link.setAddresses(addresses);
  }

  /** After a commit. */
  sayRevision(): void {
    this.#link.sendHello();
  }

  /** Tells how these pools stand, as far as the peer was told otherwise over this connection. */
  tell(pools: readonly string[]): void {
    this.#pictures.changed(pools);
  }

  async #hearRotation(text: string, { onRotation }: PairOptions): Promise<void> {
    const wrong = await onRotation(text);
    if (wrong !== undefined) this.#link.refuse(`peerLinkRotation_${wrong}`);
  }

  tellRotation(text: string): void {
    this.#link.sendRotation({ kind: "rotation", text });
  }

  /** Sends the orders to drain when they are others than the peer was told over this connection. */
  tellDrains(drains: readonly Drain[]): void {
    const picture = JSON.stringify(drains);
    if (!this.#link.up || picture === this.#lastDrains) return;
    this.#lastDrains = picture;
    this.#link.sendDrains({ kind: "drains", drains });
  }

  /** Beyond what one message holds, the others are seen again. */
  tellStale(hosts: readonly StaleSighting[]): void {
    this.#link.sendStale({ kind: "stale", hosts: hosts.slice(0, STALE_HOSTS_MAX) });
  }

  /** Lost when the link is or goes down, of which {@link PairOptions.onLink} tells. */
  send(message: LongMessage): void {
    if (this.#link.up) this.#long.send(JSON.stringify(message));
  }

  /** Lost like any other, and on a peer of before there were such messages. */
  sendUpdate(message: UpdateMessage): void {
    if (this.#version >= PEER_PROTOCOL_UPDATES) this.send(message);
  }

  /** Lost when the link is down: it is told again when that comes up. */
  tellActivation(activation: Activation): void {
    this.#link.sendActivation({ kind: "activation", activation });
  }

  /** This box forgets everything. Resolves when the peer has heard it, or does not answer. */
  sayFarewell(): Promise<void> {
    return this.#link.sendFarewell();
  }

  /** What was sent so far is on its way, or lost. */
  commitMessagesSent(): Promise<void> {
    return this.#long.empty();
  }

  close(): void {
    this.#long.restart();
    this.#pictures.close();
    this.#link.close();
  }
}
