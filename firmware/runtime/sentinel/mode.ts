/** How a sentinel works: for a box in a pair (paired.ts) or for one alone (alone.ts). main.ts speaks to either. */
import type { Hal } from "@futago/hal/contract/hal.ts";
import type { Link } from "@futago/hal/contract/network.ts";
import type { Orders } from "../../config/orders.ts";
import type { Penalty, SentinelCommand, SentinelEvent, SentinelStatus, StaleSighting } from "../messages.ts";
import type { Gate } from "./gate.ts";

export interface CommandAnswer {
  readonly ok: boolean;
  readonly message: string;
  readonly exitCode: number;
  /** Of a message that tells more: why it was refused, alone. */
  readonly cause?: string;
}

export interface ModeContext {
  readonly hal: Hal;
  readonly gate: Gate;
  /** The links of the machine by name, kept fresh. */
  readonly links: ReadonlyMap<string, Link>;
  readonly onEvent: (event: SentinelEvent) => void;
  /** Something that status() shows changed. */
  readonly onChange: () => void;
}

/** What heartbeats are signed with. */
export interface BeatKeys {
  readonly key: Uint8Array;
  /** Believed of the peer, too, while the pair changes its key. */
  readonly other: Uint8Array | undefined;
}

/** What is asked of the sentinel, whichever mode it is in, apart. */
export type ModeCommand = Exclude<SentinelCommand, { readonly kind: "holds" }>;

export interface Mode {
  setOrders(orders: Orders, slots: ReadonlyMap<string, number>): void;
  setPenalties(penalties: readonly Penalty[]): void;
  /** Whether the peer has the connections that this box serves. */
  setConnectionsTold(told: boolean): void;
  /** The heartbeats' keys may be others; undefined when the box is not of a pair any more. */
  setBeatKeys(keys: BeatKeys | undefined): void;
  setCoreConnected(connected: boolean): void;
  linksChanged(): void;
  command(command: ModeCommand): Promise<CommandAnswer>;
  /** The peer saw hosts that send to it what is for a VIP of this box. */
  hearStale(hosts: readonly StaleSighting[]): void;
  status(): SentinelStatus;
  /** Hands over where it can, lets go of everything, leaves no address behind. */
  stop(): Promise<void>;
}
