/** Who may use the web UI and the API of this box: its parts, and what the peer hears of them. */
import type { Clock, WallClock } from "@futago/hal/contract/machine.ts";
import type { Attempt } from "../../../access/lockout.ts";
import type { AccessEvent, AccessState, AuditEntry } from "../../control-access.ts";
import type { Log } from "../log.ts";
import { AccessBook, type AccessSettings } from "./access-book.ts";
import { AccessSync } from "./access-sync.ts";
import { Accounts } from "./accounts.ts";
import { AuditLog } from "./audit-log.ts";
import { Door } from "./door.ts";
import type { GateOptions } from "./gate.ts";
import { WebFace, type WebFaceOptions } from "./web-face.ts";

export interface AccessRoomOptions extends Pick<WebFaceOptions, "names" | "ownAddresses" | "isWanted" | "setAlarm"> {
  readonly hal: { readonly clock: Clock; readonly wallClock: WallClock };
  readonly log: Log;
  readonly settings: AccessSettings;
  /** The letter of the box; "alone". */
  readonly box: string;
  /** Names the pairing that this box joined; undefined where it joined none. */
  readonly joined: string | undefined;
  readonly version: string;
  readonly hostname: () => string;
  /** Accounts, sessions, tokens or the certificate are others. */
  readonly onAccess: (event: AccessEvent) => void;
  /** Something that the status shows. */
  readonly onChange: () => void;
}

interface Parts {
  readonly book: AccessBook;
  readonly audit: AuditLog;
  readonly door: Door;
  readonly sync: AccessSync;
}

export class AccessRoom {
  readonly #options: AccessRoomOptions;
  readonly #book: AccessBook;
  readonly #audit: AuditLog;
  readonly door: Door;
  readonly accounts: Accounts;
  readonly web: WebFace;
  /** With the peer. */
  readonly sync: AccessSync;

  private constructor(options: AccessRoomOptions, { book, audit, door, sync }: Parts) {
    const now = () => options.hal.wallClock.now();
    this.#options = options;
    this.#book = book;
    this.#audit = audit;
    this.door = door;
    this.sync = sync;
    this.accounts = new Accounts({ book, door, now });
    this.web = new WebFace({ ...options, book, now, claimCode: () => door.claimCode });
  }

  static async open(options: AccessRoomOptions): Promise<AccessRoom> {
    const { hal, log, settings } = options;
    const now = () => hal.wallClock.now();
    const onTrouble = (error: unknown) => log.error("access-not-kept", { error: String(error) });
    const book = await AccessBook.load({
      settings,
      now,
      onPut: (records) => room?.sync.tell(records),
      onChange: () => room?.changed(),
      onTrouble,
    });
    const audit = await AuditLog.load({ settings, onTrouble });
    const onFailed = (attempt: Attempt) => room?.sync.tellFailed(attempt);
    const door = await Door.open({ book, settings, clock: hal.clock, now, onFailed });
    const sync = await AccessSync.open({
      ...options,
      book,
      audit,
      onFailed: (attempt) => door.told(attempt),
      onTold: () => void door.keepCode().catch(onTrouble),
      onTrouble,
    });
    const room: AccessRoom | undefined = new AccessRoom(options, { book, audit, door, sync });
    if (options.isWanted) await room.web.identity();
    return room;
  }

  get state(): AccessState {
    const { box, version, hostname } = this.#options;
    return { claimed: this.#book.users.length > 0, box, hostname: hostname(), version };
  }

  get event(): AccessEvent {
    return { claimed: this.#book.users.length > 0, fingerprint: this.web.fingerprint };
  }

  /** For the two sockets. */
  get gate(): GateOptions {
    return {
      door: this.door,
      box: this.#options.box,
      time: () => new Date(this.#options.hal.wallClock.now()).toISOString(),
      audit: (entry, knock) => this.#audit.add(entry, knock),
    };
  }

  audit(limit: number, before: string | undefined): Promise<readonly AuditEntry[]> {
    return this.sync.audit(limit, before);
  }

  changed(): void {
    this.#options.onAccess(this.event);
  }

  async close(): Promise<void> {
    this.web.close();
    await this.#book.saved();
    await this.#audit.saved();
  }
}
