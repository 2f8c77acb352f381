/** Whether the VIPs of the other box answer this one: ten echo requests a second to each, while an update is watched. */
import { randomInt } from "node:crypto";
import { HalError } from "@futago/hal/contract/error.ts";
import type { Icmp, IcmpSocket, Network } from "@futago/hal/contract/network.ts";
import { type Family, family } from "@futago/hal/units/address.ts";
import type { Resolved } from "../../../config/resolved.ts";
import type { GroupStatus } from "../../messages.ts";
import { type Target, targetsOf } from "../drill/targets.ts";

const ECHO_MILLIS = 100;
/** Five echoes on end without an answer. */
const SILENT_MILLIS = 500;
/** A request for a neighbour that was lost is sent again after a second. @see arp(7) retrans_time_ms */
const UNRESOLVED_MILLIS = 1_500;
/** This box itself had no processor: what it did not hear meanwhile says nothing. */
const STALL_MILLIS = 150;
/** Nobody wants to know any more. */
const IDLE_MILLIS = 10_000;

interface Asked {
  readonly target: Target;
  /** When it answered, or was asked first, or might have been heard first after a stall. */
  heardMillis: number;
  hasAnswered: boolean;
  isSilent: boolean;
}

export interface VipEchoesOptions {
  readonly hal: { readonly icmp: Icmp; readonly network: Pick<Network, "links" | "addresses" | "neighbours"> };
  readonly config: () => Resolved | undefined;
  readonly groups: () => readonly GroupStatus[];
}

export class VipEchoes {
  readonly #options: VipEchoesOptions;
  readonly #id = randomInt(0x1_0000);
  readonly #sockets = new Map<Family, IcmpSocket>();
  #asked: ReadonlyMap<string, Asked> = new Map();
  #timer: NodeJS.Timeout | undefined;
  #wantedMillis = 0;
  #tickedMillis = 0;
  #sequence = 0;
  #isLooking = false;
  #onSilent: () => void = () => undefined;

  constructor(options: VipEchoesOptions) {
    this.#options = options;
  }

  /** As of now; it goes on asking for as long as somebody wants to know. `onSilent`: one has just fallen silent. */
  look(onSilent?: () => void): { readonly answering: readonly string[]; readonly silent: readonly string[] } {
    if (onSilent !== undefined) this.#onSilent = onSilent;
    const now = performance.now();
    this.#wantedMillis = now;
    if (this.#timer === undefined) {
      this.#tickedMillis = now;
      this.#timer = setInterval(() => void this.#tick(), ECHO_MILLIS);
    }
    const asked = [...this.#asked.values()];
    return {
      answering: asked.filter((one) => one.hasAnswered && !one.isSilent).map(addressOf),
      silent: asked.filter((one) => one.isSilent).map(addressOf),
    };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#asked = new Map();
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  async #tick(): Promise<void> {
    const now = performance.now();
    if (now - this.#wantedMillis > IDLE_MILLIS) return this.close();
    const isLate = now - this.#tickedMillis > ECHO_MILLIS + STALL_MILLIS;
    this.#tickedMillis = now;
    if (isLate) for (const one of this.#asked.values()) one.heardMillis = now;
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      await this.#take();
      await this.#judge();
    } catch (error) {
      // The kernel could not list something this time; it is asked again in a moment.
      if (!(error instanceof HalError)) throw error;
      return;
    } finally {
      this.#isLooking = false;
    }
    for (const { target } of this.#asked.values()) this.#echo(target);
  }

  /** What this box has taken since is asked for no more, and what it gave away is from now on. */
  async #take(): Promise<void> {
    const { hal, config, groups } = this.#options;
    const resolved = config();
    const targets = resolved === undefined ? [] : await targetsOf(hal.network, resolved, groups());
    const now = performance.now();
    const wanted = targets.filter(({ gives, source }) => !gives && source !== undefined);
    const fresh = { heardMillis: now, hasAnswered: false, isSilent: false };
    this.#asked = new Map(
      wanted.map((target) => [target.address, { ...fresh, ...this.#asked.get(target.address), target }]),
    );
  }

  async #judge(): Promise<void> {
    const now = performance.now();
    const quiet = [...this.#asked.values()].filter((one) => !one.isSilent && now - one.heardMillis >= SILENT_MILLIS);
    if (quiet.length === 0) return;
    const known = await this.#options.hal.network.neighbours();
    const isResolved = ({ address, ifindex }: Target) =>
      known.some((entry) => entry.address === address && entry.ifindex === ifindex && entry.mac !== undefined);
    for (const one of quiet) one.isSilent = isResolved(one.target) || now - one.heardMillis >= UNRESOLVED_MILLIS;
    if (quiet.some(({ isSilent }) => isSilent)) this.#onSilent();
  }

  #echo({ address, ifindex }: Target): void {
    this.#sequence = (this.#sequence + 1) & 0xffff;
    try {
      this.#socket(family(address)).sendEcho(address, this.#id, this.#sequence, ifindex);
    } catch (error) {
      // What the kernel refuses is an echo that nobody answers.
      if (!(error instanceof HalError)) throw error;
    }
  }

  #socket(of: Family): IcmpSocket {
    const open = this.#sockets.get(of);
    if (open !== undefined) return open;
    const socket = this.#options.hal.icmp.open(of, ({ id, from }) => {
      const asked = id === this.#id ? this.#asked.get(from) : undefined;
      if (asked === undefined) return;
      asked.heardMillis = performance.now();
      asked.hasAnswered = true;
      asked.isSilent = false;
    });
    this.#sockets.set(of, socket);
    return socket;
  }
}

function addressOf({ target }: Asked): string {
  return target.address;
}
