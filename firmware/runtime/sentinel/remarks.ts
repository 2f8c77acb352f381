/** Counts what a box alone hears of others' VRRP, and remarks on what is odd about it, once a minute for each oddity. */
import type { Clock } from "@futago/hal/contract/machine.ts";
import type { Ifname } from "@futago/hal/units/address.ts";
import { between, type Instant, seconds } from "@futago/hal/units/time.ts";
import type { FrameRefusal, VrrpFrame } from "../../announce/vrrp-frame.ts";
import type { AdvertisementRefusal, ReceivedAdvertisement } from "../../standby/vrrp/packet.ts";
import type { SentinelEvent } from "../messages.ts";
import { wallTime } from "./wall-time.ts";

const REPEAT = seconds(60);
/** Senders can be forged without end; oddities beyond these wait until the oldest may be said again. */
const REMEMBERED_MAX = 128;

export class Remarks {
  readonly #clock: Clock;
  readonly #onEvent: (event: SentinelEvent) => void;
  readonly #counters = new Map<string, number>();
  readonly #said = new Map<string, Instant>();

  constructor(clock: Clock, onEvent: (event: SentinelEvent) => void) {
    this.#clock = clock;
    this.#onEvent = onEvent;
  }

  get counters(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counters);
  }

  count(name: string): void {
    this.#counters.set(name, (this.#counters.get(name) ?? 0) + 1);
  }

  /** An advertisement that passed every check. */
  accepted(advertisement: ReceivedAdvertisement): void {
    this.count(advertisement.family === "ipv4" ? `accepted-${advertisement.checksum}` : "accepted-ipv6");
    if (advertisement.trailerBytes > 0) this.count("accepted-with-trailer");
  }

  refused(
    device: Ifname,
    reason: FrameRefusal | AdvertisementRefusal | "vrid-unknown",
    frame: VrrpFrame | undefined,
  ): void {
    this.count(reason);
    const who = frame === undefined ? "somebody" : `${frame.source} (${frame.mac})`;
    this.say("vrrp-refused", `a packet of ${who} on ${device} was discarded: ${reason}`, `${device} ${reason}`);
  }

  /** An event, unless the same was said about the same subject within a minute. */
  say(event: string, reason: string, subject = ""): void {
    const now = this.#clock.now();
    const key = `${event} ${subject}`;
    const last = this.#said.get(key);
    if (last !== undefined && between(last, now) < REPEAT) return;
    for (const [old, at] of this.#said) if (between(at, now) >= REPEAT) this.#said.delete(old);
    if (this.#said.size >= REMEMBERED_MAX) return;
    this.#said.set(key, now);
    const at = wallTime(this.#clock, now);
    this.#onEvent({ at, event, group: undefined, from: undefined, to: undefined, reason, evidence: {} });
  }
}
