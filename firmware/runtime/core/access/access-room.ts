/** Who may use the web UI and the API of this box: its parts, and what the peer hears of them. */
import type { Clock, WallClock } from "@futago/hal/contract/machine.ts";
import type { AccessRecord } from "../../../access/records.ts";
import type { AccessEvent, AccessState, AuditEntry } from "../../control-access.ts";
import type { Log } from "../log.ts";
import { AccessBook, type AccessSettings } from "./access-book.ts";
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
  readonly version: string;
  readonly hostname: () => string;
  /** Accounts, sessions, tokens or the certificate are others. */
  readonly onAccess: (event: AccessEvent) => void;
  /** Something that the status shows. */
  readonly onChange: () => void;
}

export class AccessRoom {
  readonly #options: AccessRoomOptions;
  readonly #book: AccessBook;
  readonly #audit: AuditLog;
  readonly door: Door;
  readonly accounts: Accounts;
  readonly web: WebFace;

  private constructor(options: AccessRoomOptions, book: AccessBook, audit: AuditLog, door: Door) {
    const now = () => options.hal.wallClock.now();
    this.#options = options;
    this.#book = book;
    this.#audit = audit;
    this.door = door;
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
      onPut: (records) => room?.tell(records),
      onChange: () => room?.changed(),
      onTrouble,
    });
    const audit = await AuditLog.load({ settings, onTrouble });
    const door = await Door.open({ book, settings, clock: hal.clock, now, onFailed: () => undefined });
    const room: AccessRoom | undefined = new AccessRoom(options, book, audit, door);
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

  async audit(limit: number, before: string | undefined): Promise<readonly AuditEntry[]> {
    return this.#audit.newest(limit, before);
  }

  changed(): void {
    this.#options.onAccess(this.event);
    this.#options.onChange();
  }

  tell(_records: readonly AccessRecord[]): void {}

  async close(): Promise<void> {
    this.web.close();
    await this.#book.saved();
    await this.#audit.saved();
  }
}
