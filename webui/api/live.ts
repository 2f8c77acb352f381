/**
 * What happens on the box, from one connection to core for however many watch: the newest status, the boxes once a second
 * while somebody watches, and the events, of which the newest are kept for whoever comes back. All of it stays text.
 */
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { AccessEvent } from "@futago/firmware/runtime/control-access.ts";
import type { BoxesShown } from "@futago/firmware/runtime/control-ports.ts";
import type { CoreClient } from "../client/control.ts";

const COALESCED_MILLIS = 250;
const BOXES_MILLIS = 1_000;
export const HAPPENED_KEPT = 1_000;

export type Tiding = "status" | "boxes" | "happened" | "access" | "missed";

export interface Watcher {
  /** Something of that kind is new. */
  onTiding(kind: Tiding): void;
}

export interface LiveOptions {
  readonly core: CoreClient;
  readonly onAccess: (event: AccessEvent) => void;
  readonly epoch?: string;
}

interface Happened {
  readonly sequence: number;
  readonly text: string;
}

export class Live {
  readonly epoch: string;
  readonly #core: CoreClient;
  readonly #onAccess: (event: AccessEvent) => void;
  readonly #watchers = new Set<Watcher>();
  readonly #roleWaiters = new Set<(role: string) => void>();
  #status: string | undefined;
  #role: string | undefined;
  #box: string | undefined;
  #boxes: { readonly text: string; readonly at: number } | undefined;
  #asking: Promise<string> | undefined;
  #happened: Happened[] = [];
  #sequence = 0;
  #toldAt = Number.NEGATIVE_INFINITY;
  #coalescing: NodeJS.Timeout | undefined;
  #second: NodeJS.Timeout | undefined;
  #closed = false;

  constructor({ core, onAccess, epoch = randomBytes(6).toString("hex") }: LiveOptions) {
    this.epoch = epoch;
    this.#core = core;
    this.#onAccess = onAccess;
    core.watch("watchStatus", {}, (text) => this.#onStatus(text));
    core.watch("watchEvents", {}, (text) => this.#onHappened(text));
    core.watch("watchAccess", {}, (text) => this.#onAccessEvent(text));
  }

  /** Undefined before core said it. */
  get status(): string | undefined {
    return this.#status;
  }

  get role(): string | undefined {
    return this.#role;
  }

  get box(): string | undefined {
    return this.#box;
  }

  get boxes(): string | undefined {
    return this.#boxes?.text;
  }

  /** Of the newest event. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Those behind `sequence` that are kept, the oldest first; `whole` says whether these are all. */
  since(sequence: number): { readonly events: readonly Happened[]; readonly whole: boolean } {
    const first = this.#happened[0]?.sequence ?? this.#sequence + 1;
    const events = this.#happened.filter((one) => one.sequence > sequence);
    return { events, whole: sequence + 1 >= first && sequence <= this.#sequence };
  }

  /** Returns what ends it. */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    if (this.#second === undefined) this.#eachSecond();
    return () => {
      this.#watchers.delete(watcher);
    };
  }

  /** Core's answer about the boxes, not older than that. */
  async boxesWithin(millis: number): Promise<string> {
    const known = this.#boxes;
    if (known !== undefined && performance.now() - known.at <= millis) return known.text;
    this.#asking ??= this.#core.askText("boxes", {}).finally(() => {
      this.#asking = undefined;
    });
    const text = await this.#asking;
    this.#boxes = { text, at: performance.now() };
    return text;
  }

  /** False when the time is over, or whoever waits is gone. */
  untilRole(role: string, millis: number, socket: Socket): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (reached: boolean) => {
        clearTimeout(timer);
        socket.off("close", gone);
        this.#roleWaiters.delete(look);
        resolve(reached);
      };
      const gone = () => end(false);
      const look = (now: string) => {
        if (now === role) end(true);
      };
      const timer = setTimeout(() => end(false), millis);
      socket.once("close", gone);
      this.#roleWaiters.add(look);
      if (this.#role === role) end(true);
    });
  }

  /** Core was away: what happened meanwhile was told to nobody. */
  onLink(up: boolean): void {
    if (up && this.#sequence > 0) this.#tell("missed");
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#second);
    clearTimeout(this.#coalescing);
  }

  #onStatus(text: string): void {
    const { box, role } = headOf(text);
    this.#box = box;
    const isOther = role !== this.#role;
    this.#status = text;
    this.#role = role;
    if (isOther) for (const waiter of this.#roleWaiters) waiter(role);
    const wait = this.#toldAt + COALESCED_MILLIS - performance.now();
    if (isOther || wait <= 0) this.#tellStatus();
    else this.#coalescing ??= setTimeout(() => this.#tellStatus(), wait);
    if (isOther && this.#watchers.size > 0) void this.#tellBoxes();
  }

  #tellStatus(): void {
    clearTimeout(this.#coalescing);
    this.#coalescing = undefined;
    this.#toldAt = performance.now();
    this.#tell("status");
  }

  #onHappened(text: string): void {
    this.#sequence += 1;
    this.#happened.push({ sequence: this.#sequence, text });
    if (this.#happened.length > HAPPENED_KEPT) this.#happened = this.#happened.slice(-HAPPENED_KEPT);
    this.#tell("happened");
  }

  #onAccessEvent(text: string): void {
    this.#onAccess(JSON.parse(text) as AccessEvent);
    this.#tell("access");
  }

  #eachSecond(): void {
    void this.#tellBoxes();
    this.#second = setTimeout(() => {
      this.#second = undefined;
      if (this.#watchers.size > 0 && !this.#closed) this.#eachSecond();
    }, BOXES_MILLIS);
  }

  async #tellBoxes(): Promise<void> {
    try {
      await this.boxesWithin(0);
    } catch {
      // Core is away: the watchers keep what they have, and the next second asks again.
      return;
    }
    this.#tell("boxes");
  }

  #tell(kind: Tiding): void {
    for (const watcher of this.#watchers) watcher.onTiding(kind);
  }
}

const STATUS_HEAD = /^\{"box":"(\w*)","role":"(\w*)"/;

/** A status of a thousand services is not taken apart for its first two words. */
function headOf(status: string): { readonly box: string; readonly role: string } {
  const [, box, role] = STATUS_HEAD.exec(status) ?? [];
  return box === undefined || role === undefined
    ? (JSON.parse(status) as { box: string; role: string })
    : { box, role };
}

const HTTPS_ORIGIN = /^https:\/\/(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\])(?::\d{1,5})?$/;

/** Where the pair's pages are: by the boxes' own addresses, and by the virtual ones. */
export function originsOf(boxes: BoxesShown, port: number): readonly string[] {
  const own = boxes.boxes.flatMap(({ urls }) => urls).map((url) => url.replace(/\/$/, ""));
  const virtual = boxes.boxes
    .flatMap(({ ports }) => ports)
    .flatMap(({ virtualAddresses }) => virtualAddresses)
    .map((address) => address.replace(/\/\d+$/, ""))
    .map((address) => `https://${address.includes(":") ? `[${address}]` : address}${port === 443 ? "" : `:${port}`}`);
  return [...new Set([...own, ...virtual])].filter((origin) => HTTPS_ORIGIN.test(origin));
}
