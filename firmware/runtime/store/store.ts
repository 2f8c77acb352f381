/**
 * The box's memory across reboots: committed revisions, which of them is in force, and a few settings. SQLite in a
 * worker thread, so that a slow disk never holds up core. A promise that resolved means: it is on the disk. A call
 * that the disk refuses rejects with a StoreError; what was committed before stays.
 */
import { Worker } from "node:worker_threads";
import { StoreError, type StoreRefusal } from "./refusal.ts";
import type { CallArguments, CallName, CallResult, Reply, Request } from "./request.ts";
import type { Kinship } from "./family.ts";
import type { Appended, HistoryEntry, NewRevision, Revision, RevisionSummary } from "./revision.ts";

export { StoreError, type StoreRefusal, type StoreRefusalCode } from "./refusal.ts";
export type { Kinship } from "./family.ts";
export type { Appended, HistoryEntry, NewRevision, Revision, RevisionSummary } from "./revision.ts";

export type StoreOpened =
  | {
      readonly ok: true;
      readonly store: Store;
      /** What was lost or mended at opening, as a sentence without full stop that somebody must hear. */
      readonly recovered: string | undefined;
    }
  | ({ readonly ok: false } & StoreRefusal);

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class Store {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #ended: Error | undefined;
  #onCopy: (trouble: StoreRefusal | undefined) => void = () => undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on("message", (reply: Reply) => this.#settle(reply));
    worker.on("error", (error) => this.#end(error));
    worker.on("exit", () => this.#end(new Error("the store is closed")));
  }

  /** Opens or makes the store in the state directory, which no other process may be using. */
  static async open(directory: string): Promise<StoreOpened> {
    // Bundled for the image this file is JavaScript, and so is its worker.
    const file = import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js";
    const worker = new Worker(new URL(file, import.meta.url), { workerData: directory, execArgv: [] });
    const first = await firstReply(worker);
    if (first.kind === "opened") return { ok: true, store: new Store(worker), recovered: first.recovered };
    await worker.terminate();
    if (first.kind === "notOpened") return { ok: false, ...first.refusal };
    throw new Error(`the store's worker began with ${first.kind}`);
  }

  /**
   * Tells why the copy beside the database, which serves when the database is damaged, could not be brought up to date;
   * with undefined each time that it could.
   */
  onCopy(listener: (trouble: StoreRefusal | undefined) => void): void {
    this.#onCopy = listener;
  }

  /** The revision in force; undefined on a new box. */
  head(): Promise<Revision | undefined> {
    return this.#call("head");
  }

  /** Commits a revision and makes it the head. */
  append(revision: NewRevision): Promise<Appended> {
    return this.#call("append", revision);
  }

  /** Stores a revision that another box committed, without making it the head. Refused as damaged when its id is not its hash. */
  keep(revision: Revision): Promise<void> {
    return this.#call("keep", revision);
  }

  /**
   * Makes `head`, which another box committed, the head here, and puts down what is not known yet of the revisions it
   * descends from: each the parent of the one before, beginning with the head or with its parent.
   */
  adopt(lineage: readonly RevisionSummary[], head: Revision): Promise<void> {
    return this.#call("adopt", lineage, head);
  }

  /** Makes a stored revision the head; false when there is no such revision, or its document is gone. */
  moveHead(id: string): Promise<boolean> {
    return this.#call("moveHead", id);
  }

  /** The box has no configuration then; what it had stays stored. */
  forgetHead(): Promise<void> {
    return this.#call("forgetHead");
  }

  get(id: string): Promise<Revision | undefined> {
    return this.#call("get", id);
  }

  /** What the revision is to the head. */
  kinship(id: string): Promise<Kinship> {
    return this.#call("kinship", id);
  }

  /** The head first, back to but without `until`, which need not be in the lineage. */
  lineage(limit: number, until?: string): Promise<readonly RevisionSummary[]> {
    return this.#call("lineage", limit, until);
  }

  /** Puts down who confirmed a revision, unless somebody did before; false when it is not stored. */
  confirm(id: string, by: string): Promise<boolean> {
    return this.#call("confirm", id, by);
  }

  /** The newest first, from the one that follows `before`. */
  history(limit: number, before?: string): Promise<readonly HistoryEntry[]> {
    return this.#call("history", limit, before);
  }

  /** The ids that begin with `prefix`, at most three; none when it is shorter than four hexadecimal digits. */
  find(prefix: string): Promise<readonly string[]> {
    return this.#call("find", prefix);
  }

  /** A setting of this box, such as "maintenance"; undefined when never put. */
  setting(key: string): Promise<string | undefined> {
    return this.#call("setting", key);
  }

  /** Undefined forgets it. */
  putSetting(key: string, value: string | undefined): Promise<void> {
    return this.#call("putSetting", key, value);
  }

  /** Finishes what was asked before, writes everything out and lets go of the directory. */
  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.#worker.once("exit", resolve));
    await this.#call("close");
    await gone;
  }

  #call<Name extends CallName>(name: Name, ...values: CallArguments<Name>): Promise<CallResult<Name>> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) {
        reject(this.#ended);
        return;
      }
      const id = this.#nextId++;
      // The worker answers a call by name with that call's result.
      this.#waiting.set(id, { resolve: resolve as (result: unknown) => void, reject });
      const request: Request = { id, name, arguments: values };
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window and has no origin.
      this.#worker.postMessage(request);
    });
  }

  #settle(reply: Reply): void {
    if (reply.kind === "copy") this.#onCopy(reply.trouble);
    if (reply.kind !== "done" && reply.kind !== "refused") return;
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.kind === "done") waiting?.resolve(reply.result);
    else waiting?.reject(new StoreError(reply.refusal));
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }
}

function firstReply(worker: Worker): Promise<Reply> {
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}
