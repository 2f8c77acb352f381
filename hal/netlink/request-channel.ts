/**
 * Requests and their answers over one netlink socket: numbers them, keeps at most a window of them under way, puts
 * It does not know what the messages mean and does not hold the socket.
 */
import { HalError } from "../contract/error.ts";
import { concatBytes } from "../units/bytes.ts";
import {
  type MessageName,
  MESSAGES,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
} from "./codec/constants.ts";
import { decodeAcknowledgement, encodeMessage, type Message, splitMessages } from "./codec/message.ts";

/** Requests under way at once: their acknowledgements fit many times into the receive buffer. */
const WINDOW_REQUESTS_MAX = 64;
/** Dumps of one list before we give up on a table that never stands still. */
const DUMP_ATTEMPTS_MAX = 32;

interface Pending {
  readonly name: MessageName;
  readonly type: number;
  readonly flags: number;
  readonly payload: Uint8Array;
  /** Answers before the acknowledgement; a dump's entries. */
  readonly collected: Message[];
  readonly resolve: (messages: readonly Message[]) => void;
  readonly reject: (error: HalError) => void;
}

export class RequestChannel {
  readonly #send: (datagram: Uint8Array) => void;
  readonly #waiting: Pending[] = [];
  readonly #underWay = new Map<number, Pending>();
  #sequence = 0;
  #flushPlanned = false;
  #closed = false;
  /** The kernel runs one dump per socket: each waits for the one before. */
  #lastDump: Promise<unknown> = Promise.resolve();

  /** `send` throws HalError when the kernel does not take the datagram. */
  constructor(send: (datagram: Uint8Array) => void) {
    this.#send = send;
  }

  /** Sends one request; answers with what came before its acknowledgement. Rejects with the kernel's refusal. */
  request(name: MessageName, payload: Uint8Array, flags = 0): Promise<readonly Message[]> {
    return this.#enqueue(name, payload, flags | NLM_F_ACK);
  }

  /** `type` where the kernel numbers the message by itself. */
  dump(name: MessageName, payload: Uint8Array, type: number = MESSAGES[name]): Promise<readonly Message[]> {
    const result = this.#lastDump.then(async () => {
      for (let attempt = 0; attempt < DUMP_ATTEMPTS_MAX; attempt++) {
        const messages = await this.#enqueue(name, payload, NLM_F_DUMP, type);
        if (!messages.some((message) => (message.flags & NLM_F_DUMP_INTR) !== 0)) return messages;
      }
      throw new HalError("EAGAIN", name, `the list changed during each of ${DUMP_ATTEMPTS_MAX} readings`);
    });
    // The next dump only waits; whoever asked for this one hears of its failure.
    this.#lastDump = result.catch(() => undefined);
    return result;
  }

  /** Takes what the socket received. */
  receive(bytes: Uint8Array): void {
    for (const message of splitMessages(bytes)) this.#take(message);
    this.#flush();
  }

  /** Answers were lost (ENOBUFS) or the socket broke: nobody can say which requests were carried out. */
  fail(code: string, reason: string): void {
    const lost = [...this.#underWay.values(), ...this.#waiting.splice(0)];
    this.#underWay.clear();
    for (const pending of lost) pending.reject(new HalError(code, pending.name, reason));
  }

  close(): void {
    this.#closed = true;
    this.fail("ECANCELED", "the network was closed");
  }

  #enqueue(
    name: MessageName,
    payload: Uint8Array,
    flags: number,
    type: number = MESSAGES[name],
  ): Promise<readonly Message[]> {
    if (this.#closed) return Promise.reject(new HalError("EBADF", name, "the network is closed"));
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        name,
        type,
        flags: flags | NLM_F_REQUEST,
        payload,
        collected: [],
        resolve,
        reject,
      });
      if (this.#flushPlanned) return;
      this.#flushPlanned = true;
      queueMicrotask(() => {
        this.#flushPlanned = false;
        this.#flush();
      });
    });
  }

  #flush(): void {
    const batch = this.#waiting.splice(0, WINDOW_REQUESTS_MAX - this.#underWay.size);
    if (batch.length === 0) return;
    const sent: number[] = [];
    const messages = batch.map((pending) => {
      const sequence = this.#nextSequence();
      this.#underWay.set(sequence, pending);
      sent.push(sequence);
      return encodeMessage({ type: pending.type, flags: pending.flags, sequence, payload: pending.payload });
    });
    try {
      this.#send(concatBytes(messages));
    } catch (cause) {
      for (const sequence of sent) this.#underWay.delete(sequence);
      const code = cause instanceof HalError ? cause.code : "EIO";
      for (const pending of batch) pending.reject(new HalError(code, pending.name, "was not sent", { cause }));
    }
  }

  /** Zero is what the kernel's own messages carry. */
  #nextSequence(): number {
    this.#sequence = this.#sequence >= 0xffff_ffff ? 1 : this.#sequence + 1;
    return this.#sequence;
  }

  #take(message: Message): void {
    const pending = this.#underWay.get(message.sequence);
    if (pending === undefined) return;
    if (message.type !== NLMSG_ERROR && message.type !== NLMSG_DONE) {
      pending.collected.push(message);
      return;
    }
    this.#underWay.delete(message.sequence);
    const done = message.type === NLMSG_DONE;
    const { code, text } = decodeAcknowledgement(message, done);
    if (code !== undefined) pending.reject(new HalError(code, pending.name, text ?? "refused"));
    // The disturbance may be told on the closing message alone.
    else pending.resolve(done ? [...pending.collected, message] : pending.collected);
  }
}
