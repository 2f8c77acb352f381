/**
 * What the two boxes tell each other of who may use the web UI and the API: all of it when the link comes up, then each
 * change, and attempts that failed. A box that joined another one gives up what it had for what the inviter has.
 */
import type { Attempt } from "../../../access/lockout.ts";
import type { AccessRecord } from "../../../access/records.ts";
import type { AuditEntry } from "../../control-access.ts";
import type { AccessBook, AccessSettings } from "./access-book.ts";
import type { AccessMessage } from "./access-message.ts";
import { type AuditLog, newestOf } from "./audit-log.ts";

/** For which pairing the accounts of the box that joined were settled. */
const JOINED_SETTING = "accessJoined";
const ANSWER_MILLIS_MAX = 1_500;

export interface AccessSyncOptions {
  readonly book: AccessBook;
  readonly audit: AuditLog;
  readonly settings: AccessSettings;
  /** Names the pairing that this box joined; undefined where it joined none. */
  readonly joined: string | undefined;
  readonly onFailed: (attempt: Attempt) => void;
  /** What the peer told is in force. */
  readonly onTold: () => void;
  readonly onTrouble: (error: unknown) => void;
}

export type AccessLink = { send(message: AccessMessage): void } | undefined;

export class AccessSync {
  readonly #options: AccessSyncOptions;
  /** Undefined while it is down. */
  #link: AccessLink;
  #isSettled: boolean;
  #request = 0;
  readonly #waiting = new Map<number, (entries: readonly AuditEntry[]) => void>();

  private constructor(options: AccessSyncOptions, isSettled: boolean) {
    this.#options = options;
    this.#isSettled = isSettled;
  }

  static async open(options: AccessSyncOptions): Promise<AccessSync> {
    const { joined, settings } = options;
    const isSettled = joined === undefined || (await settings.setting(JOINED_SETTING)) === joined;
    return new AccessSync(options, isSettled);
  }

  setLink(link: AccessLink): void {
    this.#link = link;
    if (this.#isSettled) this.#tellAll();
  }

  /** Written here. Who is about to give his own up tells nothing of it. */
  tell(records: readonly AccessRecord[]): void {
    if (this.#isSettled) this.#link?.send({ kind: "accessRecords", whole: false, records });
  }

  tellFailed(attempt: Attempt): void {
    this.#link?.send({ kind: "accessFailed", ...attempt });
  }

  receive(message: AccessMessage): void {
    switch (message.kind) {
      case "accessRecords":
        return this.#hear(message.records, message.whole);
      case "accessFailed":
        return this.#options.onFailed({
          source: message.source,
          account: message.account,
          familiar: message.familiar,
        });
      case "auditAsk": {
        const entries = this.#options.audit.newest(message.limit, message.before ?? undefined);
        return this.#link?.send({ kind: "auditAnswer", request: message.request, entries });
      }
      case "auditAnswer":
        this.#waiting.get(message.request)?.(message.entries);
    }
  }

  /** Of both boxes, the newest first; of this one alone where the other does not answer. */
  async audit(limit: number, before: string | undefined): Promise<readonly AuditEntry[]> {
    const own = this.#options.audit.newest(limit, before);
    return newestOf([...own, ...(await this.#ask(limit, before))], limit, undefined);
  }

  #hear(records: readonly AccessRecord[], whole: boolean): void {
    const { book, onTold } = this.#options;
    if (this.#isSettled) book.merge(records);
    else if (!whole) return;
    else this.#settle(records);
    onTold();
  }

  /** An inviter that nobody has claimed has nothing that is worth more. */
  #settle(records: readonly AccessRecord[]): void {
    const { book, settings, joined, onTrouble } = this.#options;
    if (records.some(({ kind }) => kind === "user")) book.replace(records);
    else book.merge(records);
    this.#isSettled = true;
    void book
      .saved()
      .then(() => settings.putSetting(JOINED_SETTING, joined))
      .catch(onTrouble);
    this.#tellAll();
  }

  #tellAll(): void {
    this.#link?.send({ kind: "accessRecords", whole: true, records: this.#options.book.all });
  }

  #ask(limit: number, before: string | undefined): Promise<readonly AuditEntry[]> {
    const link = this.#link;
    if (link === undefined) return Promise.resolve([]);
    const request = ++this.#request;
    return new Promise((resolve) => {
      const finish = (entries: readonly AuditEntry[]) => {
        clearTimeout(late);
        this.#waiting.delete(request);
        resolve(entries);
      };
      const late = setTimeout(() => finish([]), ANSWER_MILLIS_MAX);
      this.#waiting.set(request, finish);
      link.send({ kind: "auditAsk", request, limit, before: before ?? null });
    });
  }
}
