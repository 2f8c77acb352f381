/**
 * Both boxes as things with ports, and whether the pair would survive. The peer's core is asked each second, and at once
 * when somebody looks and the newest answer is old; one that does not answer keeps nobody waiting twice.
 */
import type { BoxFacts } from "../../../pair/survival/types.ts";
import type { BoxShown, BoxesShown, Survival } from "../../control-ports.ts";
import type { BoxMessage, ToldBox } from "./box-message.ts";

/** A picture is so old at most; whoever else asks meanwhile gets the same one. */
const FRESH_MILLIS = 500;
const ANSWER_MILLIS_MAX = 400;
const ASK_EACH_MILLIS = 1_000;
/** Without an answer for so long nobody knows how the peer is. */
const KNOWN_MILLIS = 3_000;

export interface BoxesRoomOptions {
  /** To the peer's core; undefined while it is down. */
  readonly link: () => { send(message: BoxMessage): void } | undefined;
  /** By the heartbeats. */
  readonly peerAlive: () => boolean;
  readonly own: () => Promise<BoxShown>;
  readonly ownFacts: () => BoxFacts;
  /** `clockOffsetMillis`: the peer's clock less this one's. */
  readonly judge: (told: BoxFacts | undefined, clockOffsetMillis: number | undefined) => Survival;
}

interface Known extends ToldBox {
  readonly atMillis: number;
  /** Undefined: it told a moment that is none. */
  readonly clockOffsetMillis: number | undefined;
}

interface Picture<T> {
  readonly atMillis: number;
  /** A picture from before a role changed is none. */
  readonly roles: string;
  readonly value: Promise<T>;
}

export class BoxesRoom {
  readonly #options: BoxesRoomOptions;
  readonly #timer: NodeJS.Timeout;
  #request = 0;
  #asking: { readonly request: number; readonly answer: Promise<void>; readonly finish: () => void } | undefined;
  #isSilent = false;
  #peer: Known | undefined;
  #own: Picture<BoxShown> | undefined;
  #both: Picture<BoxesShown> | undefined;

  constructor(options: BoxesRoomOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#ask(), ASK_EACH_MILLIS);
    this.#timer.unref();
  }

  /** By what is known now. */
  get survival(): Survival {
    const peer = this.#known();
    return this.#options.judge(peer?.facts, peer?.clockOffsetMillis);
  }

  boxes(): Promise<BoxesShown> {
    this.#both = this.#picture(this.#both, () => this.#look());
    return this.#both.value;
  }

  /** From the peer's core. */
  receive(message: BoxMessage): void {
    if (message.kind === "boxAsk") void this.#answer(message.request);
    else this.#hear(message.request, message.told);
  }

  /** The link came or went: what was known was told over another one. */
  setLink(up: boolean): void {
    this.#peer = undefined;
    this.#isSilent = false;
    this.#asking?.finish();
    if (up) void this.#ask();
  }

  /** The sentinel told something: nobody waits for a peer that is dead. */
  lookAtPeer(): void {
    if (!this.#options.peerAlive()) this.#asking?.finish();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#asking?.finish();
  }

  async #look(): Promise<BoxesShown> {
    // Who is active is another one now, and the peer's answer from before tells the old roles.
    if (this.#isThere()) await this.#ask();
    const peer = this.#isThere() ? this.#known()?.shown : undefined;
    // Last of all: a role may change while the peer is asked.
    const own = await this.#ownBox();
    return { boxes: peer === undefined ? [own] : [own, peer], survival: this.survival };
  }

  #isThere(): boolean {
    const { link, peerAlive } = this.#options;
    return link() !== undefined && peerAlive() && !this.#isSilent;
  }

  #ownBox(): Promise<BoxShown> {
    this.#own = this.#picture(this.#own, () => this.#options.own());
    return this.#own.value;
  }

  #picture<T>(newest: Picture<T> | undefined, look: () => Promise<T>): Picture<T> {
    const roles = JSON.stringify(this.#options.ownFacts().groups);
    const atMillis = performance.now();
    if (newest !== undefined && newest.roles === roles && atMillis - newest.atMillis < FRESH_MILLIS) return newest;
    return { atMillis, roles, value: look() };
  }

  #known(): Known | undefined {
    const isFresh = this.#peer !== undefined && performance.now() - this.#peer.atMillis < KNOWN_MILLIS;
    return isFresh ? this.#peer : undefined;
  }

  /** Resolves when the peer answered or will not. One question is under way at a time. */
  #ask(): Promise<void> {
    const link = this.#options.link();
    if (link === undefined) return Promise.resolve();
    if (this.#asking !== undefined) return this.#asking.answer;
    const request = ++this.#request;
    const { promise: answer, resolve } = Promise.withResolvers<void>();
    const finish = () => {
      clearTimeout(late);
      this.#asking = undefined;
      resolve();
    };
    const late = setTimeout(() => {
      this.#isSilent = true;
      finish();
    }, ANSWER_MILLIS_MAX);
    this.#asking = { request, answer, finish };
    link.send({ kind: "boxAsk", request });
    return answer;
  }

  async #answer(request: number): Promise<void> {
    const shown = await this.#ownBox();
    this.#options.link()?.send({ kind: "boxAnswer", request, told: { shown, facts: this.#options.ownFacts() } });
  }

  #hear(request: number, { shown, facts }: ToldBox): void {
    // One that came too late is as new as its question was.
    if (request !== this.#request) return;
    const offset = Date.parse(shown.at) - Date.now();
    const clockOffsetMillis = Number.isFinite(offset) ? offset : undefined;
    this.#peer = { shown: { ...shown, own: false }, facts, atMillis: performance.now(), clockOffsetMillis };
    this.#isSilent = false;
    this.#asking?.finish();
  }
}
