/**
 * Hears from the balancer which backends refuse clients' connections or cannot be reached, and tells each at most
 * every tenth of a second. Clients' packets may be forged, so whoever hears of it looks for himself.
 */
import type { BpfEvents, BpfObject } from "@futago/hal/contract/bpf.ts";
import type { Clock } from "@futago/hal/contract/machine.ts";
import { after, type Instant, millis } from "@futago/hal/units/time.ts";
import { decodeNumber } from "@futago/hal/xdp/layout.ts";
import { REFUSAL_BYTES } from "@futago/hal/xdp/layout-flows.ts";
import type { ServiceBackend } from "./balancer-keeper.ts";

const QUIET = millis(100);

export interface RefusalWatchOptions {
  readonly clock: Clock;
  readonly backendOf: (number: number) => ServiceBackend | undefined;
  readonly onRefusal: (backend: ServiceBackend) => void;
}

export class RefusalWatch {
  readonly #options: RefusalWatchOptions;
  #events: BpfEvents | undefined;
  #quietUntil = new Map<number, Instant>();

  constructor(options: RefusalWatchOptions) {
    this.#options = options;
  }

  /** Reads this object's ring from now on. */
  watch(object: BpfObject): void {
    this.#events?.close();
    this.#quietUntil.clear();
    this.#events = object.events("refusals", REFUSAL_BYTES, (records) => this.#onRecords(records));
  }

  close(): void {
    this.#events?.close();
    this.#events = undefined;
  }

  #onRecords(records: Uint8Array): void {
    const now = this.#options.clock.now();
    this.#quietUntil = new Map([...this.#quietUntil].filter(([, until]) => until > now));
    for (let at = 0; at < records.length; at += REFUSAL_BYTES) {
      const number = decodeNumber(records.subarray(at, at + 4));
      if (this.#quietUntil.has(number)) continue;
      this.#quietUntil.set(number, after(now, QUIET));
      const backend = this.#options.backendOf(number);
      if (backend !== undefined) this.#options.onRefusal(backend);
    }
  }
}
