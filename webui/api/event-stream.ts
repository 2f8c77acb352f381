/**
 * One watcher's server-sent events. Whoever reads slowly gets the newest of what they did not take, and the events that
 * happened in the order in which they did; whoever takes nothing for some time is let go.
 *
 * @see HTML Standard, "Server-sent events"
 */
import type { ServerResponse } from "node:http";
import { ExitCode, RefusalError } from "@futago/firmware/runtime/exit-code.ts";
import { demand, type Exchange, headerOf } from "./exchange.ts";
import type { Live, Tiding } from "./live.ts";

const BEAT_MILLIS = 5_000;
const STUCK_MILLIS = 15_000;
/** Until core is asked again what it could not say. */
const UNKNOWN_MILLIS = 1_000;
/** Longer timers than this overflow. */
const TIMER_MILLIS_MAX = 2 ** 31 - 1;
const NEWEST: readonly Tiding[] = ["access", "status", "boxes"];

export async function eventStream(exchange: Exchange): Promise<void> {
  const who = await demand(exchange, "read");
  const { reply, request, live } = exchange;
  reply.hijack();
  const { raw } = reply;
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value);
  raw.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store" });
  const mayStill = async (): Promise<Standing> => {
    try {
      return { kind: "may", expiresAt: (await demand(exchange, "read")).expiresAt };
    } catch (error) {
      if (!(error instanceof RefusalError)) throw error;
      return { kind: error.refusal.exitCode === ExitCode.boxNotRunning ? "unknown" : "mayNot" };
    }
  };
  const stream = new EventStream({ live, raw, mayStill });
  stream.begin(headerOf(request, "last-event-id"), who.expiresAt);
}

export interface EventStreamOptions {
  readonly live: Live;
  readonly raw: ServerResponse;
  readonly mayStill: () => Promise<Standing>;
}

export type Standing =
  /** Until then, RFC 3339; null: for ever. */
  | { readonly kind: "may"; readonly expiresAt: string | null }
  | { readonly kind: "mayNot" }
  /** Core is away or busy, and cannot say. */
  | { readonly kind: "unknown" };

export class EventStream {
  readonly #options: EventStreamOptions;
  /** What is to be sent as soon as the reader takes something. */
  readonly #due = new Set<Tiding>();
  #sequence = 0;
  #isFull = false;
  #stuck: NodeJS.Timeout | undefined;
  #expiry: NodeJS.Timeout | undefined;

  constructor(options: EventStreamOptions) {
    this.#options = options;
  }

  begin(lastEventId: string | undefined, expiresAt: string | null): void {
    const { live, raw } = this.#options;
    const stop = live.watch({ onTiding: (kind) => this.#onTiding(kind) });
    const beat = setInterval(() => this.#write(": beat\n\n"), BEAT_MILLIS);
    raw.on("drain", () => this.#onDrain());
    raw.on("error", () => raw.destroy());
    raw.once("close", () => {
      stop();
      clearInterval(beat);
      clearTimeout(this.#stuck);
      clearTimeout(this.#expiry);
    });
    this.#watchExpiry(expiresAt);
    this.#resume(lastEventId);
    this.#due.add("status").add("boxes");
    this.#flush();
  }

  #resume(lastEventId: string | undefined): void {
    const { live } = this.#options;
    this.#sequence = live.sequence;
    if (lastEventId === undefined) return;
    const [, epoch, sequence] = /^([0-9a-z]+)-(\d{1,15})$/.exec(lastEventId) ?? [];
    const since = Number(sequence);
    if (epoch !== live.epoch || !live.since(since).whole) return void this.#due.add("missed");
    this.#sequence = since;
    this.#due.add("happened");
  }

  #onTiding(kind: Tiding): void {
    this.#due.add(kind);
    if (kind === "access") void this.#checkRights();
    this.#flush();
  }

  #flush(): void {
    if (this.#isFull) return;
    if (this.#due.delete("missed")) this.#send("missed", "{}");
    this.#tellHappened();
    for (const kind of NEWEST) {
      if (this.#isFull) return;
      if (!this.#due.has(kind)) continue;
      const text = this.#textOf(kind);
      // Core has not said it yet; it comes by itself.
      this.#due.delete(kind);
      if (text !== undefined) this.#send(kind, text);
    }
  }

  #tellHappened(): void {
    if (!this.#due.has("happened")) return;
    const { events, whole } = this.#options.live.since(this.#sequence);
    if (!whole) this.#send("missed", "{}");
    for (const { sequence, text } of events) {
      if (this.#isFull) return;
      this.#sequence = sequence;
      this.#send("happened", text);
    }
    this.#due.delete("happened");
  }

  #textOf(kind: Tiding): string | undefined {
    const { live } = this.#options;
    if (kind === "status") return live.status;
    return kind === "boxes" ? live.boxes : "{}";
  }

  #send(event: Tiding, text: string): void {
    this.#write(`id: ${this.#options.live.epoch}-${this.#sequence}\nevent: ${event}\ndata: ${text}\n\n`);
  }

  #write(text: string): void {
    const { raw } = this.#options;
    if (raw.destroyed || raw.write(text) || this.#isFull) return;
    this.#isFull = true;
    this.#stuck = setTimeout(() => raw.destroy(), STUCK_MILLIS);
  }

  #onDrain(): void {
    this.#isFull = false;
    clearTimeout(this.#stuck);
    this.#flush();
  }

  async #checkRights(): Promise<void> {
    const { mayStill, raw } = this.#options;
    const standing = await mayStill();
    switch (standing.kind) {
      case "may":
        return this.#watchExpiry(standing.expiresAt);
      case "mayNot":
        raw.end();
        return;
      case "unknown":
        this.#checkIn(UNKNOWN_MILLIS);
    }
  }

  /** A session that somebody used meanwhile has become longer. */
  #watchExpiry(expiresAt: string | null): void {
    clearTimeout(this.#expiry);
    if (expiresAt !== null) this.#checkIn(Math.max(1_000, Date.parse(expiresAt) - Date.now() + 1_000));
  }

  #checkIn(millis: number): void {
    clearTimeout(this.#expiry);
    if (this.#options.raw.destroyed) return;
    this.#expiry = setTimeout(() => void this.#checkRights(), Math.min(millis, TIMER_MILLIS_MAX));
  }
}
