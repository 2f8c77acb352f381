/** The records of who may use the web UI and the API, on this box: kept in its settings, told to the peer. */
import {
  type AccessRecord,
  type AccessRecords,
  type CertificateRecord,
  type GoneRecord,
  merge,
  news,
  recordKey,
  recordsOf,
  type SeenRecord,
  type SessionRecord,
  type TokenRecord,
  type UserRecord,
} from "../../../access/records.ts";
import { isSessionGood } from "../../../access/sessions.ts";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import { StoreError } from "../../store/refusal.ts";
import { Turns } from "../turns.ts";

export const ACCESS_SETTING = "access";
const SESSIONS_SETTING = "accessSessions";
/** All that both boxes know, those that are gone among them. */
export const RECORDS_MAX = 8_192;
const GONE_MAX = 1_024;
/** Whoever signs in and out all day makes many; all there can be is still less than {@link RECORDS_MAX}. */
const ENDED_SESSIONS_MAX = 4_096;

export interface AccessSettings {
  setting(key: string): Promise<string | undefined>;
  putSetting(key: string, value: string | undefined): Promise<void>;
}

export interface AccessBookOptions {
  readonly settings: AccessSettings;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Written here, and to be told to the peer. */
  readonly onPut: (records: readonly AccessRecord[]) => void;
  /** Whatever way it came: users, tokens, the certificate, or the end of sessions. That somebody signed in is none. */
  readonly onChange: () => void;
  /** The disk refused what is in force all the same. */
  readonly onTrouble: (error: unknown) => void;
}

export class AccessBook {
  readonly #options: AccessBookOptions;
  #records: AccessRecords;
  /** What is on the disk. */
  readonly #kept: Map<string, string>;
  readonly #turns = new Turns();
  #isToBeWritten = false;

  private constructor(options: AccessBookOptions, records: AccessRecords, kept: Map<string, string>) {
    this.#options = options;
    this.#records = records;
    this.#kept = kept;
  }

  static async load(options: AccessBookOptions): Promise<AccessBook> {
    const kept = new Map<string, string>();
    for (const key of [ACCESS_SETTING, SESSIONS_SETTING]) kept.set(key, (await options.settings.setting(key)) ?? "[]");
    const records = [...kept.values()].flatMap((text) => JSON.parse(text) as readonly AccessRecord[]);
    return new AccessBook(options, recordsOf(records), kept);
  }

  /** For the peer. */
  get all(): readonly AccessRecord[] {
    return [...this.#records.values()];
  }

  get users(): readonly UserRecord[] {
    return this.all.filter((record) => record.kind === "user");
  }

  get tokens(): readonly TokenRecord[] {
    return this.all.filter((record) => record.kind === "token");
  }

  /** Those that open something now. */
  get sessions(): readonly SessionRecord[] {
    const now = this.#options.now();
    return this.all.filter(
      (record) => record.kind === "session" && this.#opens(record, now),
    ) as readonly SessionRecord[];
  }

  get certificate(): CertificateRecord | undefined {
    const record = this.#records.get("certificate");
    return record?.kind === "certificate" ? record : undefined;
  }

  user(name: string): UserRecord | undefined {
    const record = this.#records.get(`user ${name}`);
    return record?.kind === "user" ? record : undefined;
  }

  seen(name: string): SeenRecord | undefined {
    const record = this.#records.get(`seen ${name}`);
    return record?.kind === "seen" ? record : undefined;
  }

  /** Undefined of one that opens nothing. */
  session(id: string): SessionRecord | undefined {
    const record = this.#records.get(`session ${id}`);
    return record?.kind === "session" && this.#opens(record, this.#options.now()) ? record : undefined;
  }

  /** What is written next of the same thing has this version. */
  nextVersion(key: string): number {
    return 1 + (this.#records.get(key)?.version ?? 0);
  }

  /**
   * In force and on the disk when it resolves; throws RefusalError with what the disk says, and nothing was changed. Of sessions only
   * the first: a full disk shuts nobody out who is to empty it.
   */
  async put(...records: readonly AccessRecord[]): Promise<void> {
    if (records.every(isPassing)) this.#takeAndSave(records);
    else {
      await this.#turns.take(async () => {
        await saying(this.#write(this.#pruned(merge(this.#records, recordsOf(records)))));
        this.#take(records);
      });
    }
    this.#options.onPut(records);
  }

  /** What the peer told. */
  merge(told: readonly AccessRecord[]): void {
    const theirs = recordsOf(told);
    const fresh = news(this.#records, theirs);
    if (fresh.length === 0) return;
    if (this.#pruned(merge(this.#records, theirs)).size <= RECORDS_MAX) this.#takeAndSave(fresh);
  }

  /** All that was known here is given up. */
  replace(records: readonly AccessRecord[]): void {
    this.#records = new Map();
    this.#takeAndSave(records);
  }

  /** Resolves when what was written is on the disk, as far as that takes it. */
  saved(): Promise<void> {
    return this.#turns.over();
  }

  #takeAndSave(records: readonly AccessRecord[]): void {
    this.#take(records);
    // One write is enough for all that comes before it begins.
    if (this.#isToBeWritten) return;
    this.#isToBeWritten = true;
    const write = () => {
      this.#isToBeWritten = false;
      return this.#write(this.#records);
    };
    void this.#turns.take(write).catch((error: unknown) => this.#options.onTrouble(error));
  }

  #take(records: readonly AccessRecord[]): void {
    this.#records = this.#pruned(merge(this.#records, recordsOf(records)));
    if (records.some(({ kind }) => kind !== "session" && kind !== "seen")) this.#options.onChange();
  }

  async #write(records: AccessRecords): Promise<void> {
    const all = [...records.values()];
    await this.#writeOne(
      ACCESS_SETTING,
      all.filter((record) => !isOfSession(record)),
    );
    await this.#writeOne(SESSIONS_SETTING, all.filter(isOfSession));
  }

  async #writeOne(key: string, records: readonly AccessRecord[]): Promise<void> {
    const text = JSON.stringify(records);
    if (this.#kept.get(key) === text) return;
    await this.#options.settings.putSetting(key, text);
    this.#kept.set(key, text);
  }

  #opens(session: SessionRecord, now: number): boolean {
    return isSessionGood(session, now) && this.user(session.user)?.stamp === session.stamp;
  }

  /** Without sessions that have ended by themselves, and the end of one that would have; of all ends the newest. */
  #pruned(records: AccessRecords): AccessRecords {
    const now = this.#options.now();
    const gone = [...records.values()].filter((record) => record.kind === "gone");
    const forgotten = new Set<AccessRecord>([
      ...surplusOf(
        gone.filter((record) => record.of !== "session"),
        GONE_MAX,
      ),
      ...surplusOf(
        gone.filter((record) => record.of === "session"),
        ENDED_SESSIONS_MAX,
      ),
    ]);
    return new Map(
      [...records].filter(([, record]) => {
        if (forgotten.has(record)) return false;
        if (record.kind === "session") return isSessionGood(record, now);
        if (record.kind === "gone" && record.of === "session") return Date.parse(record.at) > now;
        return record.kind !== "seen" || records.get(`user ${record.name}`)?.kind === "user";
      }),
    );
  }
}

async function saying(write: Promise<void>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new RefusalError({ exitCode: ExitCode.failed, what: error.message, mend: `${error.mend}.` });
  }
}

export function isOfSession(record: AccessRecord): boolean {
  return recordKey(record).startsWith("session ");
}

/** What a box can do without after a restart. */
function isPassing(record: AccessRecord): boolean {
  return record.kind === "seen" || isOfSession(record);
}

/** The oldest, where there are more than `max`. */
function surplusOf(gone: readonly GoneRecord[], max: number): readonly GoneRecord[] {
  const surplus = gone.length - max;
  return surplus <= 0 ? [] : gone.toSorted((one, other) => one.at.localeCompare(other.at)).slice(0, surplus);
}
