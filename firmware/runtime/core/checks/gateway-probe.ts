/**
 * One attempt at a gateway: an echo request, and for a gateway that never answered one the neighbour table, because
 * many gateways drop echo requests: one that resolves is there. Once it has answered, only answers count.
 */
import type { Network } from "@futago/hal/contract/network.ts";
import type { IpAddress } from "@futago/hal/units/address.ts";
import { between, type Micros, toMillis } from "@futago/hal/units/time.ts";
import type { Clock } from "@futago/hal/contract/machine.ts";
import type { Outcome } from "../../../health/check.ts";
import type { EchoProbe } from "./echo-probe.ts";

/** NUD_REACHABLE, NUD_STALE, NUD_DELAY, NUD_PROBE and NUD_PERMANENT of linux/neighbour.h: the address has a MAC. */
const RESOLVED = 0x02 | 0x04 | 0x08 | 0x10 | 0x80;
/** The part of the timeout that is left to the echo reply. */
const ECHO_SHARE = 0.75;

export class GatewayProbe {
  readonly #echo: EchoProbe;
  readonly #network: Pick<Network, "neighbours">;
  readonly #clock: Clock;
  readonly #answered = new Set<IpAddress>();

  constructor(echo: EchoProbe, network: Pick<Network, "neighbours">, clock: Clock) {
    this.#echo = echo;
    this.#network = network;
    this.#clock = clock;
  }

  /** Calls back once at most; the returned function ends the attempt silently. */
  start(to: IpAddress, timeout: Micros, onOutcome: (outcome: Outcome) => void): () => void {
    const startedAt = this.#clock.now();
    let over = false;
    const lookUp = async () => {
      if (!(await this.#resolves(to)) || over) return;
      end();
      const sentence = "resolves, but answers no echo requests";
      onOutcome({ kind: "good", sentence, roundTrip: between(startedAt, this.#clock.now()) });
    };
    const look = setTimeout(() => {
      if (!this.#answered.has(to)) void lookUp();
    }, toMillis(timeout) * ECHO_SHARE);
    const cancel = this.#echo.start(to, (outcome) => {
      if (over) return;
      end();
      if (outcome.kind === "good") this.#answered.add(to);
      onOutcome(outcome);
    });
    const end = () => {
      over = true;
      clearTimeout(look);
      cancel();
    };
    return end;
  }

  async #resolves(address: IpAddress): Promise<boolean> {
    const entries = await this.#network.neighbours();
    return entries.some((entry) => entry.address === address && (entry.state & RESOLVED) !== 0);
  }
}
