/** Whether the VIPs of the other box answer this one: a few echo requests a second to each, while an update is watched. */
import { randomInt } from "node:crypto";
import { HalError } from "@futago/hal/contract/error.ts";
import type { Hal } from "@futago/hal/contract/hal.ts";
import type { IcmpSocket } from "@futago/hal/contract/network.ts";
import { type Family, family } from "@futago/hal/units/address.ts";
import type { Resolved } from "../../../config/resolved.ts";
import type { GroupStatus } from "../../messages.ts";
import { type Target, targetsOf } from "../drill/targets.ts";

const ECHO_MILLIS = 200;
/** Five echoes on end without an answer. */
const SILENT_MILLIS = 1_000;
/** Nobody wants to know any more. */
const IDLE_MILLIS = 10_000;

interface Asked {
  readonly target: Target;
  readonly sinceMillis: number;
  answeredMillis: number | undefined;
}

export interface VipEchoesOptions {
  readonly hal: Pick<Hal, "icmp" | "network">;
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
  #sequence = 0;
  #isLooking = false;

  constructor(options: VipEchoesOptions) {
    this.#options = options;
  }

  /** As of now; it goes on asking for as long as somebody wants to know. */
  look(): { readonly answering: readonly string[]; readonly silent: readonly string[] } {
    const now = performance.now();
    this.#wantedMillis = now;
    this.#timer ??= setInterval(() => void this.#tick(), ECHO_MILLIS);
    const asked = [...this.#asked.values()];
    const last = ({ answeredMillis, sinceMillis }: Asked) => answeredMillis ?? sinceMillis;
    return {
      answering: asked
        .filter((one) => one.answeredMillis !== undefined && now - last(one) < SILENT_MILLIS)
        .map(addressOf),
      silent: asked.filter((one) => now - last(one) >= SILENT_MILLIS).map(addressOf),
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
    if (performance.now() - this.#wantedMillis > IDLE_MILLIS) return this.close();
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      await this.#take();
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
    this.#asked = new Map(
      wanted.map((target) => {
        const former = this.#asked.get(target.address);
        return [
          target.address,
          { target, sinceMillis: former?.sinceMillis ?? now, answeredMillis: former?.answeredMillis },
        ];
      }),
    );
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
      if (asked !== undefined) asked.answeredMillis = performance.now();
    });
    this.#sockets.set(of, socket);
    return socket;
  }
}

function addressOf({ target }: Asked): string {
  return target.address;
}
