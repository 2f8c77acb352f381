/**
 * Probes the VIPs of a drill a thousand times a second: the box that gives them away asks who holds them, and once they
 * are gone sends echo requests; the box that takes them sends echo requests until it has them.
 */
import { HalError } from "@futago/hal/contract/error.ts";
import type { Hal } from "@futago/hal/contract/hal.ts";
import type { FrameSocket, IcmpSocket, ReceivedFrame } from "@futago/hal/contract/network.ts";
import { type Family, family, type IpAddress } from "@futago/hal/units/address.ts";
import { instant, type Instant } from "@futago/hal/units/time.ts";
import { decodeArp } from "../../../announce/arp.ts";
import { decodeNeighbour } from "../../../announce/nd.ts";
import { encodeQuestion } from "../../../announce/question.ts";
import type { How, VipFigure } from "../../../pair/drill/types.ts";
import type { SentinelEvent } from "../../messages.ts";
import type { Target } from "./targets.ts";
import { VipProbe } from "./vip-probe.ts";

const PROBE_MILLIS = 1;
/** Of many VIPs each is probed less often. */
const PROBES_AT_ONCE_MAX = 8;
const LOOK_MILLIS = 20;
/** What came is read within so long, even where this process had no processor for a while. */
const READ_MILLIS = 50;

type Probing = Pick<Hal, "clock" | "frames" | "icmp" | "network">;

export class DrillProbes {
  readonly #hal: Probing;
  readonly #probes: readonly VipProbe[];
  readonly #sockets = new Map<string, FrameSocket>();
  readonly #echo = new Map<Family, IcmpSocket>();
  readonly #waiting = new Map<string, { answeredAt: Instant | undefined }>();
  readonly #id: number;
  readonly #ticking: NodeJS.Timeout;
  readonly #looking: NodeJS.Timeout;
  #sequence = 0;
  #next = 0;

  /** `id` tells its echo requests from others'. */
  constructor(hal: Probing, targets: readonly Target[], id: number) {
    this.#hal = hal;
    this.#id = id & 0xffff;
    this.#probes = targets.map((target) => new VipProbe(target));
    this.#open(targets);
    this.#ticking = setInterval(() => this.#tick(), PROBE_MILLIS);
    this.#looking = setInterval(() => void this.#look(), LOOK_MILLIS);
  }

  /** What the sentinel tells of the groups, by the same clock. */
  onEvent({ event, group, to, evidence }: SentinelEvent): void {
    const at = Number(evidence["atMicros"]);
    for (const probe of this.#probes) {
      if (probe.target.group !== group) continue;
      if (event === "yielded") probe.cleared(instant(at));
      if (event === "resumed") probe.cleared(undefined);
      if (event === "role" && to === "active")
        probe.taken(instant(at - Number(evidence["planMicros"] ?? 0)), instant(at));
    }
  }

  /** What served is killed now. */
  killed(): void {
    for (const probe of this.#probes) probe.cleared(this.#hal.clock.now());
  }

  /** Asks no more. Answers that have come by now count, although they may still lie in the sockets. */
  async figures(how: How): Promise<readonly VipFigure[]> {
    const endedAt = this.#hal.clock.now();
    this.#rest();
    await new Promise((resolve) => setTimeout(resolve, READ_MILLIS));
    // Timers come first in a turn of the loop, then the sockets, then this.
    await new Promise((resolve) => setImmediate(resolve));
    return this.#probes.map((probe) => probe.figure(how, endedAt));
  }

  close(): void {
    this.#rest();
    for (const socket of [...this.#sockets.values(), ...this.#echo.values()]) socket.close();
  }

  #rest(): void {
    clearInterval(this.#ticking);
    clearInterval(this.#looking);
  }

  #open(targets: readonly Target[]): void {
    for (const { address, ifindex } of targets) {
      const of = family(address);
      const key = `${ifindex} ${of}`;
      if (!this.#sockets.has(key)) {
        const receive = of === "ipv4" ? "arp" : "nd";
        const onFrame = (frame: ReceivedFrame) => this.#onFrame(frame);
        const onError = () => this.#sockets.delete(key);
        this.#sockets.set(key, this.#hal.frames.open({ ifindex, receive, onFrame, onError }));
      }
      if (this.#echo.has(of)) continue;
      const socket = this.#hal.icmp.open(of, ({ id, from, sequence, at }) => {
        if (id !== this.#id) return;
        const request = `${from} ${sequence}`;
        const echo = this.#waiting.get(request);
        this.#waiting.delete(request);
        if (echo !== undefined) echo.answeredAt = at;
      });
      this.#echo.set(of, socket);
    }
  }

  #tick(): void {
    const due = Math.min(this.#probes.length, PROBES_AT_ONCE_MAX);
    for (let i = 0; i < due; i++) {
      const probe = this.#probes[this.#next++ % this.#probes.length];
      if (probe?.asks === true) this.#ask(probe.target);
      if (probe?.echoes === true) this.#sendEcho(probe);
    }
  }

  #ask({ address, ifindex, mac, source }: Target): void {
    const asker = { mac, address: source ?? ((family(address) === "ipv4" ? "0.0.0.0" : "::") as IpAddress) };
    attempt(() => this.#sockets.get(`${ifindex} ${family(address)}`)?.send(encodeQuestion(asker, address)));
  }

  #sendEcho(probe: VipProbe): void {
    const { address, ifindex } = probe.target;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    const request = `${address} ${this.#sequence}`;
    attempt(() => this.#echo.get(family(address))?.sendEcho(address, this.#id, this.#sequence, ifindex));
    // By now it has left: this process may have stood still before that, but no answer is read before the next turn.
    this.#waiting.set(request, probe.sent(this.#hal.clock.now()));
  }

  #onFrame({ bytes, outgoing, at, ifindex }: ReceivedFrame): void {
    if (outgoing) return;
    const arp = decodeArp(bytes);
    const neighbour = arp === undefined ? decodeNeighbour(bytes) : undefined;
    const holder = arp?.operation === "reply" ? arp.senderAddress : undefined;
    const advertised = neighbour?.kind === "advertisement" ? neighbour.target : undefined;
    const claimed = holder ?? advertised;
    for (const probe of this.#probes) {
      if (probe.target.address === claimed && probe.target.ifindex === ifindex) probe.answered(at);
    }
  }

  /** Sees when what was given away has left this box. */
  async #look(): Promise<void> {
    const leaving = this.#probes.filter((probe) => probe.leaves);
    if (leaving.length === 0) return;
    const own = new Set((await this.#hal.network.addresses()).map(({ address }) => address));
    for (const probe of leaving) if (!own.has(probe.target.address)) probe.gone();
  }
}

/** What the kernel refuses is a probe that nobody answers. */
function attempt(send: () => void): void {
  try {
    send();
  } catch (error) {
    if (!(error instanceof HalError)) throw error;
  }
}
